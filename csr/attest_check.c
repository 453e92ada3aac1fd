/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The checks A1 to A4 of docs/checks.md: what an attestation proves.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "attest.h"
#include "check.h"

#define AUTH_LEVEL 2 /* as in G2 */

struct state {
	const struct burin_attest_input *in;
	struct burin_attest *attest;
	struct burin_checks *out;
	int unmarked; /* the attestation key's certificate is no marked CA */
};

/* --- A2: the path -------------------------------------------------------- */

/*
 * Devices up to firmware 5.2.4 or so have a certificate of the attestation
 * key without basicConstraints; OpenSSL calls it "invalid CA certificate",
 * and the devices cannot be mended. It is let pass here
 *  - in the one place where it stands, under the one name it has: it issued
 *    the attestation and was itself issued by a self-signed anchor;
 *  - when it says nothing of what it is, neither basicConstraints nor
 *    keyUsage: what says that it is no CA is none;
 *  - when it is no attestation itself: the key that it attests belongs to
 *    the user, who could sign "attestations" of any key with it.
 * Signatures, times, names and everything else stay with OpenSSL.
 */
static int
may_be_unmarked(X509_STORE_CTX *ctx, X509 *cert)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	X509_EXTENSION *policy, *serial;
	char slot[3];

	if (X509_STORE_CTX_get_error_depth(ctx) != 1 ||
	    sk_X509_num(chain) != 3 || !csr_attest_is_key(cert) ||
	    X509_self_signed(sk_X509_value(chain, 2), 0) != 1)
		return 0;
	if (X509_get_ext_by_NID(cert, NID_basic_constraints, -1) >= 0 ||
	    X509_get_ext_by_NID(cert, NID_key_usage, -1) >= 0)
		return 0;
	(void)csr_attest_ext(X509_get0_extensions(cert), OID_POLICY, &policy);
	(void)csr_attest_ext(X509_get0_extensions(cert), OID_SERIAL, &serial);
	return policy == NULL && serial == NULL && !csr_attest_slot(cert, slot);
}

static int
verify_step(int ok, X509_STORE_CTX *ctx)
{
	struct state *s = X509_STORE_CTX_get_app_data(ctx);
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);

	if (ok || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_INVALID_CA ||
	    cert == NULL || !may_be_unmarked(ctx, cert))
		return ok;
	s->unmarked = 1;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

/* 1 when list holds, from number i on, no attestation of a key. */
static int
is_no_attestation(STACK_OF(X509) * list, int i)
{
	char slot[3];

	for (; i < sk_X509_num(list); i++)
		if (csr_attest_slot(sk_X509_value(list, i), slot))
			return 0;
	return 1;
}

/* No attestation stands above another, whatever OpenSSL makes of it. */
static void
judge_chain(struct state *s, struct burin_check *c, STACK_OF(X509) * chain)
{
	int n = sk_X509_num(chain);
	char *name;

	if (n < 2 || !is_no_attestation(chain, 1)) {
		csr_check_set(c, BURIN_FAIL,
		    "it is not signed by an attestation key, but by a key "
		    "that was attested, or stands for itself");
		return;
	}
	name =
	    burin_dn_text(X509_get_subject_name(sk_X509_value(chain, n - 1)));
	csr_check_set(c, BURIN_PASS, "%d certificates, root %.140s%s", n,
	    name != NULL ? name : "",
	    s->unmarked ? "; the attestation key's is not marked as CA" : "");
	free(name);
}

static int
verify(struct state *s, X509_STORE_CTX *ctx, struct burin_check *c,
    STACK_OF(X509) * *chain, struct burin_error *e)
{
	int ok = X509_verify_cert(ctx), why = X509_STORE_CTX_get_error(ctx);

	if (why == X509_V_ERR_OUT_OF_MEM)
		return burin_fail_memory(e);
	if (ok != 1) {
		csr_check_set(c, BURIN_FAIL, "%s (%d up)",
		    X509_verify_cert_error_string(
			why == X509_V_OK ? X509_V_ERR_UNSPECIFIED : why),
		    X509_STORE_CTX_get_error_depth(ctx));
		return 0;
	}
	if ((*chain = X509_STORE_CTX_get1_chain(ctx)) == NULL)
		return burin_fail_memory(e);
	judge_chain(s, c, *chain);
	return 0;
}

static void
set_rules(X509_STORE_CTX *ctx, struct state *s, int partial)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(param, s->in->now);
	X509_VERIFY_PARAM_set_depth(param, BURIN_MAX_CHAIN - 2);
	(void)X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	if (partial)
		(void)X509_VERIFY_PARAM_set_flags(
		    param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set_app_data(ctx, s);
	X509_STORE_CTX_set_verify_cb(ctx, verify_step);
}

static int
check_path(struct state *s, struct burin_check *c, STACK_OF(X509) * *chain,
    struct burin_error *e)
{
	const struct burin_attest_input *in = s->in;
	X509_STORE_CTX *ctx = NULL;
	X509_STORE *store = NULL;
	int partial, rc = -1;

	if (sk_X509_num(in->anchors) <= 0) {
		csr_check_set(
		    c, BURIN_FAIL, "not verified: give the maker's root");
		return 0;
	}
	if (!is_no_attestation(in->anchors, 0)) {
		csr_check_set(c, BURIN_FAIL,
		    "an attestation was given as root, and vouches for "
		    "nothing");
		return 0;
	}
	if ((store = csr_anchor_store(in->anchors, &partial)) == NULL ||
	    (ctx = X509_STORE_CTX_new()) == NULL ||
	    X509_STORE_CTX_init(ctx, store, in->cert, in->above) != 1) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "path-setup",
		    "the path check could not be set up");
		goto out;
	}
	set_rules(ctx, s, partial);
	rc = verify(s, ctx, c, chain, e);
out:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return rc;
}

/* --- the others ---------------------------------------------------------- */

static void
check_key(struct state *s, struct burin_check *c)
{
	EVP_PKEY *key = X509_get0_pubkey(s->in->cert);

	if (key == NULL)
		csr_check_set(c, BURIN_FAIL,
		    "the attestation's public key cannot be decoded");
	else if (s->in->pub == NULL)
		csr_check_set(c, BURIN_SKIP, "no key to compare with");
	else if (EVP_PKEY_eq(key, s->in->pub) != 1)
		csr_check_set(
		    c, BURIN_FAIL, "the attestation is for another key");
	else
		csr_check_set(c, BURIN_PASS, "same key");
}

static int
has_name(const char *text)
{
	return text[0] != '\0' && (text[0] < '0' || text[0] > '9');
}

static void
check_readable(
    struct state *s, struct burin_check *c, const struct burin_error *why)
{
	const struct burin_attest *a = s->attest;
	char pin[BURIN_ATTEST_WORD], touch[BURIN_ATTEST_WORD];
	char firmware[BURIN_ATTEST_WORD];

	if (why->status != BURIN_OK) {
		csr_check_set(c, BURIN_FAIL, "%.200s", why->reason);
		return;
	}
	if (a->firmware[0] < 0 || a->pin_policy < 0) {
		csr_check_set(c, BURIN_FAIL,
		    "it does not tell the firmware version and the policies");
		return;
	}
	(void)burin_attest_pin(a, pin);
	(void)burin_attest_touch(a, touch);
	(void)burin_attest_firmware(a, firmware);
	if (!has_name(pin) || !has_name(touch))
		csr_check_set(c, BURIN_WARN,
		    "firmware %s, PIN %s, touch %s: a number has no name here",
		    firmware, pin, touch);
	else if (a->serial < 0)
		csr_check_set(c, BURIN_WARN,
		    "firmware %s, PIN %s, touch %s; no serial number is told",
		    firmware, pin, touch);
	else
		csr_check_set(c, BURIN_PASS,
		    "firmware %s, serial %lld, PIN %s, touch %s", firmware,
		    (long long)a->serial, pin, touch);
}

/* A device attests no key that it did not make. */
static void
check_made(struct state *s, struct burin_check *c)
{
	const struct burin_check *list = s->out->list;

	if (s->attest->slot[0] == '\0')
		csr_check_set(c, BURIN_FAIL,
		    "its subject is not that of a key in a PIV slot");
	else if (list[0].level == BURIN_PASS && list[1].level == BURIN_PASS &&
	    list[2].level != BURIN_FAIL)
		csr_check_set(c, BURIN_PASS, "in slot %s", s->attest->slot);
	else
		csr_check_set(c, BURIN_SKIP,
		    "it says so for slot %s; to be believed when A1 to A3 hold",
		    s->attest->slot);
}

static const struct row {
	const char *id;
	const char *title;
	const char *rule;
	const char *advice;
} rows[] = {
	{ "A1", "the attestation is for the token's key",
	    "RFC 5280 section 4.1.2.7",
	    "this attestation proves nothing of this key" },
	{ "A2", "signature and path to the maker's root",
	    "RFC 5280 section 6.1",
	    "give the root certificate that the maker of the device publishes "
	    "for PIV attestation (--trust FILE), with those between; an "
	    "attestation key that was replaced has another root" },
	{ "A3", "what it says can be read",
	    "Yubico PIV attestation, extensions 1.3.6.1.4.1.41482.3",
	    "is this the attestation of a YubiKey? burin show prints it" },
	{ "A4", "the key was made on the device",
	    "Yubico PIV attestation, subject",
	    "do not rely on this key being on this device only" },
};

const char *
csr_attest_advice(const char *id)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].id, id) == 0)
			return rows[i].advice;
	return "";
}

int
burin_attest_check(const struct burin_attest_input *in,
    struct burin_checks *out, struct burin_attest *attest,
    struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	struct state s = { in, attest, out, 0 };
	STACK_OF(X509) *chain = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	for (out->n = 0; out->n < sizeof(rows) / sizeof(rows[0]); out->n++) {
		out->list[out->n].id = rows[out->n].id;
		out->list[out->n].title = rows[out->n].title;
		out->list[out->n].rule = rows[out->n].rule;
	}
	(void)X509_check_purpose(in->cert, -1, 0);
	check_key(&s, &out->list[0]);
	rc = check_path(&s, &out->list[1], &chain, e);
	if (rc == 0) {
		/* A verified path says better than a name who the issuer is. */
		(void)burin_attest_parse(in->cert,
		    chain != NULL ? chain : in->above, BURIN_EVERIFY, attest,
		    &why);
		check_readable(&s, &out->list[2], &why);
		check_made(&s, &out->list[3]);
	}
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return rc;
}
