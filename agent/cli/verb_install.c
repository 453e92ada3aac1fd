/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin install: certificates from files, checked, written, read back.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <burin/cmc.h>

#include "verbs.h"
#include "work.h"

#define SKEW 300 /* seconds that clocks may differ */

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI", "the key on the token" },
	{ "trust", 0, OPT_VALUE, "FILE", "anchors of the certificate" },
	{ "replace", 0, OPT_FLAG, NULL,
	    "another certificate of the key may go" },
	{ "force-untrusted", 0, OPT_FLAG, NULL,
	    "install without a path to an anchor" },
	{ "force-expired", 0, OPT_FLAG, NULL,
	    "install although it is not valid now" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_wait, opts_dry_run,
	opts_common, NULL };

/* A Full response of CMC; *is 0 when it is anything else. */
static int
is_response(const unsigned char *data, size_t len)
{
	struct burin_cms *cms = NULL;
	int is;

	if (burin_cms_parse(data, len, BURIN_ECHECK, &cms, NULL) != 0)
		return 0;
	is = strcmp(burin_cms_content_type(cms), BURIN_CMC_PKI_RESPONSE) == 0;
	burin_cms_free(&cms);
	return is;
}

/*
 * Certificates of a Full response are taken when it says success and is
 * signed by the authority. Nonces and transaction are those of a request
 * that is not known here.
 */
static int
read_response(const unsigned char *data, size_t len, STACK_OF(X509) * anchors,
    STACK_OF(X509) * *out, struct burin_error *e)
{
	struct burin_cmc_expect x;
	struct burin_cmc_reply r;
	int rc = -1;

	memset(&x, 0, sizeof(x));
	memset(&r, 0, sizeof(r));
	x.status = BURIN_ECHECK;
	x.anchors = anchors;
	x.now = time(NULL);
	x.skew = SKEW;
	x.anchors_seen = -1;
	if (anchors == NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "trust-missing",
		    "a response of CMC is believed by its signature");
		(void)burin_error_advice(e, "give --trust FILE");
		goto out;
	}
	if (burin_cmc_read(data, len, &x, &r, e) != 0)
		goto out;
	if (r.outcome != BURIN_CMC_DONE) {
		(void)burin_fail(e, BURIN_ECHECK, "response-not-final",
		    "this response is not the end of its enrolment");
		(void)burin_error_advice(
		    e, "burin resume ID --response-file FILE goes on with it");
		goto out;
	}
	*out = r.certs;
	r.certs = NULL;
	rc = 0;
out:
	burin_cmc_reply_clear(&r);
	return rc;
}

/* Certificates by themselves or in a response. */
static int
parse_any(const unsigned char *data, size_t len, void *arg,
    STACK_OF(X509) * *out, struct burin_error *e)
{
	STACK_OF(X509) *anchors = arg;

	return is_response(data, len)
	    ? read_response(data, len, anchors, out, e)
	    : burin_certs_parse(data, len, BURIN_EUSAGE, out, e);
}

/* All files make one bag: leaf, intermediates, in any order. */
static int
read_bag(struct cli *c, STACK_OF(X509) * anchors, STACK_OF(X509) * *bag,
    struct burin_error *e)
{
	const char *const *words;
	STACK_OF(X509) * some;
	size_t i, n = arg_words(c->args, &words);

	if ((*bag = sk_X509_new_null()) == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < n; i++) {
		if (work_certs_by(words[i], parse_any, anchors, &some, e) != 0)
			return -1;
		if (sk_X509_num(*bag) + sk_X509_num(some) > BURIN_MAX_CERTS) {
			sk_X509_pop_free(some, X509_free);
			return burin_fail(e, BURIN_EUSAGE,
			    "certificates-too-many",
			    "the files hold more than %d certificates",
			    BURIN_MAX_CERTS);
		}
		if (X509_add_certs(*bag, some, X509_ADD_FLAG_UP_REF) != 1) {
			sk_X509_pop_free(some, X509_free);
			return burin_fail_memory(e);
		}
		sk_X509_pop_free(some, X509_free);
	}
	return 0;
}

static int
anchors(struct cli *c, struct install_input *in, struct burin_error *e)
{
	const char *trust = arg_value(c->args, "trust");

	if (trust != NULL)
		return work_certs(trust, &in->anchors, e);
	if (in->force_untrusted)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "option-missing",
	    "--trust is needed: whose certificates are believed?");
	return burin_error_advice(
	    e, "--trust FILE names the anchor; --force-untrusted does without");
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct install_input in;
	struct engine_report r;
	struct engine en;
	json_t *report;
	int rc = -1;

	memset(&in, 0, sizeof(in));
	memset(&r, 0, sizeof(r));
	in.replace = arg_flag(c->args, "replace") > 0;
	in.force_untrusted = arg_flag(c->args, "force-untrusted") > 0;
	in.force_expired = arg_flag(c->args, "force-expired") > 0;
	in.dry_run = c->dry_run;
	if (anchors(c, &in, e) != 0 ||
	    read_bag(c, in.anchors, &in.bag, e) != 0 ||
	    work_key(c, &in.key, e) != 0 || work_engine(c, &en, e) != 0)
		goto out;
	rc = engine_install(&en, &in, &r, e);
	(void)burin_error_token(
	    e, "%s", burin_token_name(burin_key_token(in.key)));
	if (c->json != NULL) {
		report = json_report(&r);
		(void)json_object_update(c->json, report);
		json_decref(report);
		out_json(c, "state",
		    json_string(rc != 0	 ? "refused"
			    : c->dry_run ? "checked"
					 : "done"));
	}
	if (rc != 0)
		goto out;
	work_say_identity(c, r.key, r.cert);
	if (c->dry_run)
		out_text(c, "every check passed; nothing was written");
out:
	engine_report_clear(&r);
	burin_key_free(&in.key);
	sk_X509_pop_free(in.bag, X509_free);
	sk_X509_pop_free(in.anchors, X509_free);
	return rc;
}

const struct verb verb_install = {
	.name = "install",
	.usage = "--key URI --trust FILE FILE…",
	.help = "check certificates and write them to the token",
	.opts = groups,
	.min_words = 1,
	.max_words = BURIN_MAX_CERTS,
	.run = run,
};
