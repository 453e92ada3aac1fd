/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What several verbs do with their options: tokens, keys, types, files of
 * certificates.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <burin/names.h>

#include "../enroll/place.h"
#include "help.h"
#include "wait.h"
#include "work.h"
#include "worker.h"

int
work_required(
    struct cli *c, const char *name, const char **value, struct burin_error *e)
{
	char verb[64];

	if ((*value = arg_value(c->args, name)) != NULL && **value != '\0')
		return 0;
	(void)burin_fail(
	    e, BURIN_EUSAGE, "option-missing", "--%s is needed", name);
	return burin_error_advice(e, "burin %s %s",
	    help_name(c->verb, verb, sizeof(verb)), c->verb->usage);
}

int
work_out(struct cli *c, const char **path, struct burin_error *e)
{
	if (work_required(c, "out", path, e) != 0)
		return -1;
	if (c->want_json && strcmp(*path, "-") == 0)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--json and --out - both want standard output");
	return 0;
}

int
work_token(struct cli *c, int want_blank, struct burin_token **t,
    struct burin_error *e)
{
	const char *name = arg_value(c->args, "token");

	*t = NULL;
	if (!want_blank && c->wait.uri == NULL &&
	    work_required(c, "token", &name, e) != 0)
		return -1;
	if (cli_pin_uri(c, name, e) != 0 || cli_p11(c, e) != 0)
		return -1;
	if (wait_token(c, name, want_blank, t, e) != 0)
		return burin_error_step(e, "find-token");
	worker_token(c, burin_token_name(*t));
	out_json(c, "token", json_token(*t));
	return 0;
}

int
work_key(struct cli *c, struct burin_key **k, struct burin_error *e)
{
	return work_key_called(c, arg_value(c->args, "key"), k, e);
}

int
work_key_called(
    struct cli *c, const char *uri, struct burin_key **k, struct burin_error *e)
{
	struct burin_token *t;

	*k = NULL;
	/* The only key of the token that is waited for needs no name. */
	if (uri == NULL)
		uri = c->wait.uri;
	if (uri == NULL && work_required(c, "key", &uri, e) != 0)
		return -1;
	if (cli_pin_uri(c, uri, e) != 0 || cli_p11(c, e) != 0)
		return -1;
	if (c->wait.asked && wait_token(c, uri, 0, &t, e) != 0)
		return burin_error_step(e, "find-token");
	if (burin_key_find(c->p11, uri, k, e) != 0)
		return burin_error_step(e, "find-key");
	worker_token(c, burin_token_name(burin_key_token(*k)));
	out_json(c, "token", json_token(burin_key_token(*k)));
	out_json(c, "key", json_key(*k));
	return 0;
}

int
work_job(struct cli *c, struct job *job, struct burin_error *e)
{
	const char *const *words;

	memset(job, 0, sizeof(*job));
	(void)arg_words(c->args, &words);
	if (cli_journal(c, e) != 0)
		return -1;
	if (journal_load(c->journal, words[0], job, e) != 0)
		return burin_error_step(e, "journal");
	worker_job(c, job->id, job_state_name(job->state));
	out_json(c, "id", json_text(job->id));
	return 0;
}

int
work_say_place(struct cli *c, struct burin_token *t, const char *slot,
    unsigned usage, int replace, struct burin_error *e)
{
	const struct burin_place *place;
	struct place_use use;
	int rc;

	if (burin_token_place(t, slot, usage, &place, e) != 0)
		return burin_error_step(e, "slot");
	if (place == NULL)
		return 0;
	if (place_look(t, place, &use, e) != 0)
		return -1;
	rc = place_check(t, &use, replace, e);
	if (rc == 0)
		out_text(c, "%s%s", use.text,
		    use.occupied ? ": it would be lost" : "");
	place_use_clear(&use);
	return rc;
}

int
work_key_type(
    const char *name, enum burin_key_type *type, struct burin_error *e)
{
	char list[256] = "";
	size_t n = 0;
	int t;

	*type = burin_key_type_parse(name);
	if (*type != BURIN_KEY_UNKNOWN)
		return 0;
	for (t = BURIN_KEY_UNKNOWN + 1; t < BURIN_KEY_TYPES; t++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s",
		    n > 0 ? ", " : "",
		    burin_key_type_name((enum burin_key_type)t));
	(void)burin_fail(e, BURIN_EUSAGE, "key-type-unknown",
	    "there is no key type \"%s\"", name);
	return burin_error_advice(e, "one of %s", list);
}

int
work_usage(const char *text, unsigned *usage, struct burin_error *e)
{
	unsigned bit;
	size_t n;

	*usage = 0;
	for (;; text += n + 1) {
		n = strcspn(text, ",");
		if ((bit = plan_usage_word(text, n)) == 0) {
			(void)burin_fail(e, BURIN_EUSAGE, "usage-unknown",
			    "--usage is a comma list of sign, decrypt, "
			    "derive, not \"%s\"",
			    text);
			return -1;
		}
		*usage |= bit;
		if (text[n] == '\0')
			return 0;
	}
}

int
work_number(const char *name, const char *text, long min, long max, long *out,
    struct burin_error *e)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *out < min ||
	    *out > max)
		return burin_fail(e, BURIN_EUSAGE, "number",
		    "--%s takes a number from %ld to %ld, not \"%s\"", name,
		    min, max, text);
	return 0;
}

static int
parse_certs(const unsigned char *data, size_t len, void *arg,
    STACK_OF(X509) * *out, struct burin_error *e)
{
	(void)arg;
	return burin_certs_parse(data, len, BURIN_EUSAGE, out, e);
}

int
work_certs(const char *path, STACK_OF(X509) * *out, struct burin_error *e)
{
	return work_certs_by(path, parse_certs, NULL, out, e);
}

int
work_certs_by(const char *path, work_parse *parse, void *arg,
    STACK_OF(X509) * *out, struct burin_error *e)
{
	unsigned char *data;
	size_t len;
	int rc;

	*out = NULL;
	if (file_read(path, BURIN_MAX_RESPONSE, &data, &len, e) != 0)
		return burin_error_step(e, "read-certificates");
	rc = parse(data, len, arg, out, e);
	free(data);
	if (rc != 0) {
		(void)burin_error_cause(e, "read from %s", path);
		(void)burin_error_step(e, "read-certificates");
	}
	return rc;
}

int
work_pem(STACK_OF(X509) * certs, char **pem, size_t *len, struct burin_error *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;
	int i, rc = -1;

	*pem = NULL;
	if (bio == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < sk_X509_num(certs); i++)
		if (!PEM_write_bio_X509(bio, sk_X509_value(certs, i))) {
			(void)burin_fail_openssl(e, BURIN_EINTERNAL,
			    "pem-write", "cannot write a certificate as PEM");
			goto out;
		}
	n = BIO_get_mem_data(bio, &text);
	if ((*pem = malloc((size_t)n + 1)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	memcpy(*pem, text, (size_t)n);
	(*pem)[n] = '\0';
	if (len != NULL)
		*len = (size_t)n;
	rc = 0;
out:
	BIO_free(bio);
	return rc;
}

int
work_certs_pem(const char *path, char **pem, struct burin_error *e)
{
	STACK_OF(X509) *certs = NULL;
	int rc;

	*pem = NULL;
	if (work_certs(path, &certs, e) != 0)
		return -1;
	rc = work_pem(certs, pem, NULL, e);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

void
work_say_identity(struct cli *c, struct burin_key *key, X509 *cert)
{
	char *uri, *dn, *from, *to;

	if (key != NULL) {
		uri = burin_key_uri(key);
		out_text(c, "key          %s", uri != NULL ? uri : "?");
		free(uri);
	}
	if (cert == NULL)
		return;
	dn = burin_dn_text(X509_get_subject_name(cert));
	from = burin_time_text(X509_get0_notBefore(cert));
	to = burin_time_text(X509_get0_notAfter(cert));
	out_text(c, "certificate  %s",
	    dn == NULL		? "?"
		: dn[0] == '\0' ? "(no subject: named by its alternative names)"
				: dn);
	out_text(c, "valid        %s to %s", from != NULL ? from : "?",
	    to != NULL ? to : "?");
	free(dn);
	free(from);
	free(to);
}

void
work_cost(struct cli *c, const struct timespec *start)
{
	struct burin_p11_calls calls = { 0, 0 };
	struct timespec now;

	if (c->p11 != NULL)
		burin_p11_calls(c->p11, &calls);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	out_json(c, "calls", json_integer((json_int_t)calls.total));
	out_json(c, "seconds",
	    json_real((double)(now.tv_sec - start->tv_sec) +
		(double)(now.tv_nsec - start->tv_nsec) / 1e9));
}
