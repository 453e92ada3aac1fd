/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin request: a certification request (PKCS#10, RFC 2986) for a key.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <burin/names.h>

#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI", "the key on the token" },
	{ "out", 0, OPT_VALUE, "FILE",
	    "where it goes; - is standard output; NAME.pem makes PEM" },
	{ "pem", 0, OPT_FLAG, NULL, "PEM whatever the name" },
	{ "format", 0, OPT_VALUE, "NAME", "pkcs10" },
	{ "challenge", 0, OPT_VALUE, "SRC",
	    "where a challengePassword comes from" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_subject, opts_wait,
	opts_dry_run, opts_common, NULL };

static int
subject(struct cli *c, struct plan *plan, struct burin_subject **out,
    struct burin_error *e)
{
	const char *src = arg_value(c->args, "challenge");
	struct burin_secret *challenge = NULL;
	int rc = -1;

	if (src != NULL && source_check(src, e) != 0)
		goto out;
	if (work_plan_subject(c, plan, e) != 0 ||
	    plan_subject(plan, out, e) != 0)
		goto out;
	if (src == NULL) {
		rc = 0;
		goto out;
	}
	if (source_read(src, "challenge password", 0, &challenge, e) != 0)
		goto out;
	rc = burin_subject_set_challenge(*out, challenge, e);
out:
	burin_secret_free(&challenge);
	if (rc != 0)
		(void)burin_error_step(e, "subject");
	return rc;
}

static int
to_pem(const unsigned char *der, size_t len, const char *path,
    struct burin_error *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;
	int rc = -1;

	if (bio == NULL ||
	    PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der, (long)len) <= 0) {
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
write_out(struct cli *c, const char *path, const unsigned char *der, size_t len,
    struct burin_error *e)
{
	size_t n = strlen(path);

	if (arg_flag(c->args, "pem") ||
	    (n > 4 && strcmp(path + n - 4, ".pem") == 0))
		return to_pem(der, len, path, e);
	return file_write(path, der, len, 0644, e);
}

static int
options(struct cli *c, const char **path, struct burin_error *e)
{
	const char *format = arg_value(c->args, "format");

	if (work_out(c, path, e) != 0)
		return -1;
	if (format != NULL && strcmp(format, "pkcs10") != 0)
		return burin_fail(e, BURIN_EUSAGE, "format-unknown",
		    "--format is pkcs10, not \"%s\"", format);
	return 0;
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	struct burin_key *key = NULL;
	unsigned char *der = NULL;
	struct timespec start;
	const char *path;
	struct plan plan;
	EVP_PKEY *evp;
	size_t len;
	int rc = -1;

	memset(&plan, 0, sizeof(plan));
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (options(c, &path, e) != 0)
		return burin_error_step(e, "options");
	if (subject(c, &plan, &s, e) != 0 || work_key(c, &key, e) != 0)
		goto out;
	if (plan_can_sign(burin_key_get_type(key), burin_key_usage(key), e) !=
	    0) {
		(void)burin_error_step(e, "find-key");
		(void)burin_error_token(
		    e, "%s", burin_token_name(burin_key_token(key)));
		goto out;
	}
	if (c->dry_run) {
		out_text(c, "would sign a request and write it to %s", path);
		rc = 0;
		goto out;
	}
	if (plan_attest(&plan, key, s, e) != 0) {
		(void)burin_error_step(e, "attestation");
		goto out;
	}
	if ((evp = burin_key_evp(key, e)) == NULL)
		goto out;
	if (burin_pkcs10_make(
		s, burin_key_public(key), evp, NULL, &der, &len, e) != 0) {
		(void)burin_key_last_error(key, e);
		(void)burin_error_step(e, "request");
		goto out;
	}
	if (write_out(c, path, der, len, e) != 0) {
		(void)burin_error_step(e, "write-file");
		goto out;
	}
	out_json(c, "out", json_text(path));
	out_json(c, "bytes", json_integer((json_int_t)len));
	if (strcmp(path, "-") != 0)
		out_text(c, "request in %s, %zu bytes of DER", path, len);
	work_cost(c, &start);
	rc = 0;
out:
	OPENSSL_free(der);
	burin_key_free(&key);
	burin_subject_free(&s);
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
