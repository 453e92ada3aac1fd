/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin authority revoke, crl, list and log: what was issued, what is not
 * good any more, and what happened.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

#include "../authority/authority.h"
#include "verbs.h"
#include "work.h"

static const struct opt *const list_groups[] = { opts_common, NULL };

#define TIME_TEXT 32

static const char *
time_text(time_t t, char text[TIME_TEXT])
{
	struct tm tm;

	text[0] = '\0';
	if (t != 0 && gmtime_r(&t, &tm) != NULL)
		(void)strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

/* --- revoke --------------------------------------------------------------- */

static const struct opt revoke_opts[] = {
	{ "reason", 0, OPT_VALUE, "REASON",
	    "keyCompromise, superseded, certificateHold, ..." },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const revoke_groups[] = { revoke_opts, opts_dry_run,
	opts_common, NULL };

static int
run_revoke(struct cli *c, struct burin_error *e)
{
	const char *const *words, *reason = arg_value(c->args, "reason");

	(void)arg_words(c->args, &words);
	out_json(c, "serial", json_text(words[1]));
	out_json(
	    c, "reason", json_text(reason != NULL ? reason : "unspecified"));
	if (c->dry_run) {
		out_text(c, "would revoke certificate %s", words[1]);
		return 0;
	}
	if (authority_revoke(words[0], words[1], reason, e) != 0)
		return -1;
	if (reason != NULL && strcmp(reason, "removeFromCRL") == 0)
		out_text(c, "certificate %s is good again", words[1]);
	else
		out_text(c, "certificate %s is on the next CRL", words[1]);
	return 0;
}

const struct verb verb_authority_revoke = {
	.name = "authority",
	.sub = "revoke",
	.usage = "DIR SERIAL",
	.help = "revoke a certificate, hold it, or let it go",
	.opts = revoke_groups,
	.min_words = 2,
	.max_words = 2,
	.alone = 1,
	.run = run_revoke,
};

/* --- crl ------------------------------------------------------------------ */

static const struct opt crl_opts[] = {
	{ "out", 0, OPT_VALUE, "FILE", "PEM; \"-\" is standard output" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const crl_groups[] = { crl_opts, opts_dry_run,
	opts_common, NULL };

static int
write_crl(const char *path, X509_CRL *crl, struct burin_error *e)
{
	BIO *out;
	int ok;

	out = strcmp(path, "-") == 0 ? BIO_new_fp(stdout, BIO_NOCLOSE)
				     : BIO_new_file(path, "w");
	ok = out != NULL && PEM_write_bio_X509_CRL(out, crl) &&
	    BIO_flush(out) == 1;
	BIO_free(out);
	return ok ? 0
		  : burin_fail_openssl(e, BURIN_EINTERNAL, "file-write",
			"cannot write %s", path);
}

static int
run_crl(struct cli *c, struct burin_error *e)
{
	const char *const *words, *path = arg_value(c->args, "out");
	X509_CRL *crl = NULL;
	int n, rc = -1;

	(void)arg_words(c->args, &words);
	if (path != NULL && work_out(c, &path, e) != 0)
		return -1;
	if (c->dry_run) {
		out_text(c, "would make a CRL of %s", words[0]);
		return 0;
	}
	if (cli_p11(c, e) != 0 || authority_crl(words[0], c->p11, &crl, e) != 0)
		goto out;
	if (path != NULL && write_crl(path, crl, e) != 0)
		goto out;
	n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
	n = n > 0 ? n : 0;
	out_json(c, "revoked", json_integer(n));
	if (path == NULL || strcmp(path, "-") != 0)
		out_text(c, "a CRL with %d certificates", n);
	rc = 0;
out:
	X509_CRL_free(crl);
	return rc;
}

const struct verb verb_authority_crl = {
	.name = "authority",
	.sub = "crl",
	.usage = "DIR",
	.help = "make a new list of revoked certificates",
	.opts = crl_groups,
	.min_words = 1,
	.max_words = 1,
	.run = run_crl,
};

/* --- list ----------------------------------------------------------------- */

struct listing {
	struct cli *c;
	json_t *list;
};

static void
each_cert(void *arg, const struct authority_cert *k)
{
	char issued[TIME_TEXT], until[TIME_TEXT], revoked[TIME_TEXT];
	struct listing *l = arg;
	json_t *o;

	(void)time_text(k->issued, issued);
	(void)time_text(k->until, until);
	(void)time_text(k->revoked, revoked);
	out_text(l->c, "%s  %-8s %s  %-12s %s", k->serial, k->state, until,
	    k->profile, k->subject);
	if (l->c->json == NULL || (o = json_object()) == NULL)
		return;
	(void)json_object_set_new(o, "serial", json_text(k->serial));
	(void)json_object_set_new(o, "state", json_text(k->state));
	(void)json_object_set_new(o, "issued", json_text(issued));
	(void)json_object_set_new(o, "until", json_text(until));
	if (k->reason != NULL) {
		(void)json_object_set_new(o, "revoked", json_text(revoked));
		(void)json_object_set_new(o, "reason", json_text(k->reason));
	}
	(void)json_object_set_new(o, "confirmed", json_boolean(k->confirmed));
	(void)json_object_set_new(o, "profile", json_text(k->profile));
	(void)json_object_set_new(o, "who", json_text(k->principal));
	(void)json_object_set_new(o, "subject", json_text(k->subject));
	(void)json_array_append_new(l->list, o);
}

static int
run_list(struct cli *c, struct burin_error *e)
{
	struct listing l = { c, json_array() };
	const char *const *words;
	int rc;

	(void)arg_words(c->args, &words);
	rc = authority_list(words[0], each_cert, &l, e);
	out_json(c, "certificates", l.list);
	return rc;
}

const struct verb verb_authority_list = {
	.name = "authority",
	.sub = "list",
	.usage = "DIR",
	.help = "certificates that were issued",
	.opts = list_groups,
	.min_words = 1,
	.max_words = 1,
	.alone = 1,
	.run = run_list,
};

/* --- log ------------------------------------------------------------------ */

static const struct opt log_opts[] = {
	{ "verify", 0, OPT_FLAG, NULL, "only look whether it is whole" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const log_groups[] = { log_opts, opts_common, NULL };

static void
each_line(void *arg, const struct authority_line *line)
{
	struct listing *l = arg;
	char when[TIME_TEXT];
	json_t *o;

	(void)time_text(line->time, when);
	out_text(l->c, "%-6lld %s  %-12s %s", line->seq, when, line->event,
	    line->detail);
	if (l->c->json == NULL || (o = json_object()) == NULL)
		return;
	(void)json_object_set_new(o, "line", json_integer(line->seq));
	(void)json_object_set_new(o, "time", json_text(when));
	(void)json_object_set_new(o, "event", json_text(line->event));
	(void)json_object_set_new(o, "detail", json_text(line->detail));
	(void)json_array_append_new(l->list, o);
}

static int
run_log(struct cli *c, struct burin_error *e)
{
	struct listing l = { c, NULL };
	const char *const *words;
	char *hash = NULL;
	long long lines;
	int rc;

	(void)arg_words(c->args, &words);
	if (!arg_flag(c->args, "verify")) {
		l.list = json_array();
		rc = authority_log(words[0], each_line, &l, e);
		out_json(c, "log", l.list);
		return rc;
	}
	if (authority_log_verify(words[0], &lines, &hash, e) != 0)
		return -1;
	out_json(c, "lines", json_integer(lines));
	out_json(c, "head", json_text(hash));
	out_text(c, "the log is whole: %lld lines, the last one's hash is %s",
	    lines, hash);
	free(hash);
	return 0;
}

const struct verb verb_authority_log = {
	.name = "authority",
	.sub = "log",
	.usage = "DIR",
	.help = "what happened, and whether the log of it is whole",
	.opts = log_groups,
	.min_words = 1,
	.max_words = 1,
	.alone = 1,
	.run = run_log,
};
