/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The attestation of a key. ykcs11 shows it as a certificate of the same
 * public key and CKA_ID that is not on the token (CKA_TOKEN FALSE: it is made
 * when somebody looks), and the certificate of the attestation key as one
 * more. Nothing here asks which module it is.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "object.h"

#define MAX_CERTS 1024 /* certificates looked at */
#define MAX_ABOVE 8    /* certificates above an attestation */

/* Firmware version: the extension that every attestation of Yubico has. */
#define OID_FIRMWARE "1.3.6.1.4.1.41482.3.3"

/* A certificate a module shows; NULL cert: does not parse. */
struct shown {
	X509 *cert;
	int on_token;
};

static int
has_firmware(const X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_FIRMWARE, 1);
	int found = oid != NULL && X509_get_ext_by_OBJ(cert, oid, -1) >= 0;

	ASN1_OBJECT_free(oid);
	return found;
}

/* How well it fits as attestation of k: 0 not at all. */
static int
fitness(const struct burin_key *k, const struct shown *c)
{
	EVP_PKEY *pub = c->cert != NULL ? X509_get0_pubkey(c->cert) : NULL;

	if (pub == NULL || k->public_key == NULL ||
	    EVP_PKEY_eq(pub, k->public_key) != 1)
		return 0;
	return 2 * has_firmware(c->cert) + !c->on_token;
}

static int
read_one(struct burin_token *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct shown *c, struct burin_error *e)
{
	struct attrs a = { 0 };
	int rc;

	attrs_room_bool(&a, CKA_TOKEN);
	attrs_room(&a, CKA_VALUE, BURIN_MAX_CERT);
	if ((rc = p11_read(t, s, o, &a, e)) == 0) {
		c->on_token = attrs_bool(&a, CKA_TOKEN, 1);
		c->cert = p11_cert_from(&a);
	}
	attrs_clear(&a);
	return rc;
}

static void
shown_free(struct shown *list, size_t n)
{
	size_t i;

	for (i = 0; list != NULL && i < n; i++)
		X509_free(list[i].cert);
	free(list);
}

/* All certificates, on the token or not; under k's CKA_ID, or all. */
static int
read_shown(struct burin_key *k, CK_SESSION_HANDLE s, int by_id,
    struct shown **out, size_t *n, struct burin_error *e)
{
	struct attrs match = { 0 };
	CK_OBJECT_HANDLE *list = NULL;
	size_t count = 0;
	int rc = -1;

	*out = NULL;
	*n = 0;
	/* Not attrs_add_class: that asks for objects on the token. */
	attrs_add_number(&match, CKA_CLASS, CKO_CERTIFICATE);
	if (by_id)
		attrs_add(&match, CKA_ID, k->id, k->id_len);
	if (attrs_ok(&match, e) == -1 ||
	    p11_find(k->t, s, match.a, match.n, MAX_CERTS, &list, &count, e) ==
		-1)
		goto out;
	if ((*out = calloc(count + 1, sizeof(**out))) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	for (; *n < count; ++*n)
		if (read_one(k->t, s, list[*n], &(*out)[*n], e) == -1)
			goto out;
	rc = 0;
out:
	if (rc == -1) {
		shown_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	free(list);
	attrs_clear(&match);
	return rc;
}

static X509 *
best_of(const struct burin_key *k, const struct shown *list, size_t n)
{
	X509 *best = NULL;
	size_t i;
	int fit, most = 0;

	for (i = 0; i < n; i++)
		if ((fit = fitness(k, &list[i])) > most) {
			most = fit;
			best = list[i].cert;
		}
	return best;
}

/* Under k's CKA_ID; *cert NULL and 0 when this session shows none. */
static int
find_cert(struct burin_key *k, CK_SESSION_HANDLE s, X509 **cert,
    struct burin_error *e)
{
	struct shown *list;
	size_t n;
	int rc = 0;

	*cert = NULL;
	if (read_shown(k, s, 1, &list, &n, e) == -1)
		return -1;
	*cert = best_of(k, list, n);
	if (*cert != NULL && X509_up_ref(*cert) != 1) {
		*cert = NULL;
		rc = burin_fail_memory(e);
	}
	shown_free(list, n);
	return rc;
}

static int
is_in(STACK_OF(X509) * list, const X509 *cert)
{
	int i;

	for (i = 0; i < sk_X509_num(list); i++)
		if (X509_cmp(sk_X509_value(list, i), cert) == 0)
			return 1;
	return 0;
}

/* By name and key identifiers; who really signed is for a check to say. */
static int
may_issue(X509 *cert, X509 *below)
{
	return cert != NULL && X509_cmp(cert, below) != 0 &&
	    X509_check_issued(cert, below) == X509_V_OK;
}

/* What may be above cert, level by level. */
static int
collect_above(const struct shown *list, size_t n, X509 *cert,
    STACK_OF(X509) * above, struct burin_error *e)
{
	X509 *below = cert;
	size_t i;
	int level = 0;

	while (below != NULL) {
		for (i = 0; i < n; i++) {
			X509 *up = list[i].cert;

			if (!may_issue(up, below) || is_in(above, up) ||
			    sk_X509_num(above) == MAX_ABOVE)
				continue;
			if (X509_add_cert(above, up, X509_ADD_FLAG_UP_REF) != 1)
				return burin_fail_memory(e);
		}
		below = sk_X509_value(above, level++);
	}
	return 0;
}

static int
fail_missing(const struct burin_key *k, struct burin_error *e)
{
	burin_fail(e, BURIN_ETOKEN, "attestation-missing",
	    "no attestation of this key is shown: the key was imported, or "
	    "the module or the token does not attest keys, or does not yet "
	    "show that of a key made in this run");
	burin_error_token(e, "%s", k->t->name);
	return burin_error_advice(e,
	    "try once more in a new run; a key that was imported has none: "
	    "make one on the device");
}

/* The attestation out of list, unless *cert is known, and what is above. */
static int
pick(const struct burin_key *k, const struct shown *list, size_t n, X509 **cert,
    STACK_OF(X509) * above, struct burin_error *e)
{
	if (*cert == NULL) {
		X509 *best = best_of(k, list, n);

		if (best == NULL)
			return fail_missing(k, e);
		if (X509_up_ref(best) != 1)
			return burin_fail_memory(e);
		*cert = best;
	}
	return collect_above(list, n, *cert, above, e);
}

/*
 * First where it should be, under the key's CKA_ID: few calls. A session may
 * be older than the key; what a new one shows is looked at as a whole.
 */
static int
find_all(struct burin_key *k, X509 **cert, STACK_OF(X509) * above,
    struct burin_error *e)
{
	struct shown *list;
	CK_SESSION_HANDLE s;
	size_t n;
	int rc;

	if (p11_work_session(k->t, &s, e) == -1 ||
	    (k->id_len > 0 && find_cert(k, s, cert, e) == -1) ||
	    (*cert == NULL && p11_fresh_session(k->t, &s, e) == -1) ||
	    read_shown(k, s, 0, &list, &n, e) == -1)
		return -1;
	rc = pick(k, list, n, cert, above, e);
	shown_free(list, n);
	return rc;
}

int
burin_attestation_read(struct burin_key *k, X509 **cert,
    STACK_OF(X509) * *intermediates, struct burin_error *e)
{
	STACK_OF(X509) *above = sk_X509_new_null();
	X509 *found = NULL;
	int rc = -1;

	*cert = NULL;
	*intermediates = NULL;
	p11_lock(k->t->m);
	(void)ERR_set_mark();
	if (above == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	if (p11_key_ready(k, e) == -1 || find_all(k, &found, above, e) == -1)
		goto out;
	*cert = found;
	*intermediates = above;
	found = NULL;
	above = NULL;
	rc = 0;
out:
	(void)ERR_pop_to_mark();
	p11_unlock(k->t->m);
	X509_free(found);
	sk_X509_pop_free(above, X509_free);
	return rc == 0 ? 0 : burin_error_step(e, "attestation");
}
