/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin request: a certification request for a key, or for several: PKCS#10
 * (RFC 2986), CRMF (RFC 4211), CMC (RFC 10002).
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>

#include "request_form.h"
#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "key", 0, OPT_LIST, "URI",
	    "the key on the token; CRMF and CMC take several" },
	{ "out", 0, OPT_VALUE, "FILE",
	    "where it goes; - is standard output; NAME.pem makes PEM" },
	{ "pem", 0, OPT_FLAG, NULL, "PEM whatever the name" },
	{ "challenge", 0, OPT_VALUE, "SRC",
	    "where a challengePassword comes from" },
	{ "user", 0, OPT_VALUE, "NAME",
	    "CMC: the name that the secret goes with" },
	{ "secret", 0, OPT_VALUE, "SRC",
	    "CMC: where the secret shared with the authority comes from" },
	{ "signer", 0, OPT_VALUE, "URI",
	    "CMC: a key whose certificate is the identity" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_subject, opts_form,
	opts_wait, opts_dry_run, opts_common, NULL };

static int
to_pem(const unsigned char *der, size_t len, const char *name, const char *path,
    struct burin_error *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;
	int rc = -1;

	if (bio == NULL || PEM_write_bio(bio, name, "", der, (long)len) <= 0) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "pem-write",
		    "cannot write the request as PEM");
		goto out;
	}
	n = BIO_get_mem_data(bio, &text);
	rc = file_write(path, text, (size_t)n, 0644, e);
out:
	BIO_free(bio);
	return rc;
}

static int
is_form(const struct plan *p, const char *form)
{
	return strcmp(p->format != NULL ? p->format : "pkcs10", form) == 0;
}

/* There is no PEM label for CertReqMessages. */
static int
write_out(struct cli *c, const struct plan *plan, const char *path,
    const unsigned char *der, size_t len, struct burin_error *e)
{
	size_t n = strlen(path);

	if (!arg_flag(c->args, "pem") &&
	    (n <= 4 || strcmp(path + n - 4, ".pem") != 0))
		return file_write(path, der, len, 0644, e);
	if (is_form(plan, "crmf"))
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "CRMF has no PEM form; give --out another name");
	return to_pem(der, len,
	    is_form(plan, "cmc") ? PEM_STRING_CMS : PEM_STRING_X509_REQ, path,
	    e);
}

/* --- what is asked -------------------------------------------------------- */

static int
options(struct cli *c, struct plan *plan, struct burin_error *e)
{
	int cmc;

	if (work_plan_form(c, plan, e) != 0)
		return -1;
	cmc = is_form(plan, "cmc");
	if (!cmc && !is_form(plan, "crmf") && !is_form(plan, "pkcs10"))
		return burin_fail(e, BURIN_EUSAGE, "format-unknown",
		    "--format is pkcs10, crmf or cmc, not \"%s\"",
		    plan->format);
	if (cmc)
		return 0;
	if (plan->inner != NULL || plan->reg_info != NULL || plan->legacy ||
	    plan->encrypt_to != NULL || arg_value(c->args, "user") != NULL ||
	    arg_value(c->args, "secret") != NULL ||
	    arg_value(c->args, "signer") != NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--inner, --reg-info, --encrypt-to, --legacy, --user, "
		    "--secret and --signer are for --format cmc");
	return 0;
}

static int
read_secret(struct cli *c, const char *option, const char *what,
    struct burin_secret **out, struct burin_error *e)
{
	const char *src = arg_value(c->args, option);

	if (src == NULL)
		return 0;
	if (source_check(src, e) != 0)
		return burin_error_step(e, "secret");
	return source_read(src, what, 0, out, e);
}

/* Nothing is asked of a token when what is asked for makes no sense. */
static int
check_subject(struct cli *c, struct plan *plan, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	const char *user = arg_value(c->args, "user");

	if (work_plan_subject(c, plan, e) != 0 ||
	    plan_subject(plan, &s, e) != 0)
		return burin_error_step(e, "subject");
	burin_subject_free(&s);
	if (user != NULL && (plan->user = strdup(user)) == NULL)
		return burin_fail_memory(e);
	if (user == NULL || arg_value(c->args, "secret") != NULL)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "option-missing",
	    "--user names a secret, and there is none");
	return burin_error_advice(e, "add --secret SRC");
}

/* --- the keys ------------------------------------------------------------- */

static int
find_keys(struct cli *c, struct request_input *in, struct burin_error *e)
{
	const char *const *list;
	size_t i, n = arg_list(c->args, "key", &list);

	if (n > REQUEST_MAX_KEYS || (n > 1 && is_form(in->plan, "pkcs10"))) {
		(void)burin_fail(e, BURIN_EUSAGE, "keys-too-many",
		    "%zu keys are too many for one request of this form", n);
		return burin_error_advice(e,
		    "CRMF and CMC take up to %d, PKCS#10 one",
		    REQUEST_MAX_KEYS);
	}
	for (i = 0; i < n || i == 0; i++) {
		if (work_key_called(
			c, n > 0 ? list[i] : NULL, &in->keys[i], e) != 0)
			return -1;
		in->n++;
		if (plan_can_prove(in->plan, burin_key_get_type(in->keys[i]),
			burin_key_usage(in->keys[i]), e) == 0)
			continue;
		(void)burin_error_step(e, "find-key");
		return burin_error_token(
		    e, "%s", burin_token_name(burin_key_token(in->keys[i])));
	}
	return 0;
}

/* "key" is what every verb tells; the others have a list. */
static void
tell_keys(struct cli *c, const struct request_input *in)
{
	json_t *keys;
	size_t i;

	if (in->n < 2 || (keys = json_array()) == NULL)
		return;
	for (i = 0; i < in->n; i++)
		(void)json_array_append_new(keys, json_key(in->keys[i]));
	out_json(c, "key", json_key(in->keys[0]));
	out_json(c, "keys", keys);
}

static int
find_signer(struct cli *c, struct request_input *in, struct burin_error *e)
{
	const char *uri = arg_value(c->args, "signer");

	if (uri == NULL)
		return 0;
	if (burin_key_find(c->p11, uri, &in->signer, e) != 0)
		return burin_error_step(e, "find-signer");
	return 0;
}

static void
input_clear(struct request_input *in)
{
	while (in->n > 0)
		burin_key_free(&in->keys[--in->n]);
	burin_key_free(&in->signer);
	burin_secret_free(&in->challenge);
	burin_secret_free(&in->secret);
}

static int
make(struct cli *c, const struct request_input *in, const char *path,
    struct burin_error *e)
{
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	if (request_make(in, &der, &len, e) != 0) {
		(void)burin_error_step(e, "request");
		goto out;
	}
	if (write_out(c, in->plan, path, der, len, e) != 0) {
		(void)burin_error_step(e, "write-file");
		goto out;
	}
	out_json(c, "out", json_text(path));
	out_json(c, "bytes", json_integer((json_int_t)len));
	if (strcmp(path, "-") != 0)
		out_text(c, "request in %s, %zu bytes of DER", path, len);
	rc = 0;
out:
	OPENSSL_free(der);
	return rc;
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct request_input in;
	struct timespec start;
	const char *path;
	struct plan plan;
	int rc = -1;

	memset(&plan, 0, sizeof(plan));
	memset(&in, 0, sizeof(in));
	in.plan = &plan;
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (work_out(c, &path, e) != 0 || options(c, &plan, e) != 0) {
		(void)burin_error_step(e, "options");
		goto out;
	}
	if (check_subject(c, &plan, e) != 0 ||
	    read_secret(
		c, "challenge", "challenge password", &in.challenge, e) != 0 ||
	    read_secret(c, "secret", "enrolment secret", &in.secret, e) != 0 ||
	    find_keys(c, &in, e) != 0 || find_signer(c, &in, e) != 0)
		goto out;
	tell_keys(c, &in);
	if (c->dry_run) {
		out_text(c, "would sign a request and write it to %s", path);
		rc = 0;
		goto out;
	}
	if (make(c, &in, path, e) != 0)
		goto out;
	work_cost(c, &start);
	rc = 0;
out:
	input_clear(&in);
	plan_clear(&plan);
	return rc;
}

const struct verb verb_request = {
	.name = "request",
	.usage = "--key URI --profile PROFILE --out FILE",
	.help = "write a certification request for a key",
	.opts = groups,
	.run = run,
};
