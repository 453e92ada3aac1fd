/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Places of keys on tokens that have them, and what the certificates are
 * that such tokens write by themselves (NIST SP 800-73-4 part 1 section 3;
 * Yubico's PIV attestation).
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "object.h"
#include "quirk.h"

static void
list_places(const struct burin_place *p, char *buf, size_t size)
{
	size_t n = 0;

	for (buf[0] = '\0'; p->name != NULL && n < size; p++)
		n += (size_t)snprintf(
		    buf + n, size - n, "%s%s", n > 0 ? ", " : "", p->name);
}

int
burin_token_place(struct burin_token *t, const char *name, unsigned usage,
    const struct burin_place **out, struct burin_error *e)
{
	const struct burin_place *p;
	char list[192];

	*out = NULL;
	p11_lock(t->m);
	p = p11_quirk(t)->places;
	p11_unlock(t->m);
	if (p == NULL && name == NULL)
		return 0;
	if (p == NULL) {
		burin_fail(e, BURIN_EUSAGE, "slot-unknown",
		    "the token has no slots with names: its keys have a free "
		    "CKA_ID");
		burin_error_token(e, "%s", t->name);
		return burin_error_advice(e, "leave --slot out");
	}
	list_places(p, list, sizeof(list));
	for (; p->name != NULL; p++)
		if (name != NULL ? strcasecmp(p->name, name) == 0
				 : (p->usage & usage) != 0)
			break;
	if (p->name == NULL) {
		burin_fail(e, BURIN_EUSAGE, "slot-unknown",
		    name != NULL ? "the token has no slot '%.32s'"
				 : "no slot of the token is the usual one for "
				   "such a key%s",
		    name != NULL ? name : "");
		burin_error_token(e, "%s", t->name);
		burin_error_rule(e, "NIST SP 800-73-4 part 1, table 4b");
		return burin_error_advice(e, "--slot is one of %s", list);
	}
	*out = p;
	return 0;
}

const struct burin_place *
burin_token_place_of(
    struct burin_token *t, const unsigned char *id, size_t id_len)
{
	const struct burin_place *p;

	p11_lock(t->m);
	p = p11_quirk(t)->places;
	p11_unlock(t->m);
	if (p == NULL || id_len != 1)
		return NULL;
	while (p->name != NULL && p->id != id[0])
		p++;
	return p->name != NULL ? p : NULL;
}

int
p11_check_place(struct burin_token *t, const unsigned char *id, size_t id_len,
    struct burin_error *e)
{
	char list[192];

	if (p11_quirk(t)->places == NULL ||
	    burin_token_place_of(t, id, id_len) != NULL)
		return 0;
	list_places(p11_quirk(t)->places, list, sizeof(list));
	burin_fail(e, BURIN_EREFUSED, "id-is-no-slot",
	    "a CKA_ID is the number of a slot on this token, and this one is "
	    "not the number of a slot for keys");
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e, "name the slot: --slot %s", list);
}

/* --- certificates by their content ------------------------------------- */

/* Yubico's arc for what an attestation tells: 1.3.6.1.4.1.41482.3. */
static int
is_attestation(const X509 *cert)
{
	static const char arc[] = "1.3.6.1.4.1.41482.3.";
	const ASN1_OBJECT *oid;
	char text[64];
	int i;

	for (i = 0; i < X509_get_ext_count(cert); i++) {
		oid = X509_EXTENSION_get_object(X509_get_ext(cert, i));
		if (OBJ_obj2txt(text, sizeof(text), oid, 1) > 0 &&
		    strncmp(text, arc, sizeof(arc) - 1) == 0)
			return 1;
	}
	return 0;
}

/* Nobody's certificate has the serial number 0 (RFC 5280 section 4.1.2.2). */
static int
has_no_serial(const X509 *cert)
{
	uint64_t n;

	return ASN1_INTEGER_get_uint64(&n, X509_get0_serialNumber(cert)) == 1 &&
	    n == 0;
}

enum burin_cert_kind
burin_cert_kind(X509 *cert)
{
	EVP_PKEY *pub;
	int own;

	if (is_attestation(cert))
		return BURIN_CERT_ATTESTATION;
	if (X509_NAME_cmp(
		X509_get_subject_name(cert), X509_get_issuer_name(cert)) != 0)
		return BURIN_CERT_ORDINARY;
	(void)ERR_set_mark();
	pub = X509_get0_pubkey(cert);
	own = pub != NULL && X509_verify(cert, pub) == 1;
	(void)ERR_pop_to_mark();
	if (has_no_serial(cert) &&
	    (!own ||
		ASN1_TIME_compare(
		    X509_get0_notBefore(cert), X509_get0_notAfter(cert)) >= 0))
		return BURIN_CERT_PLACEHOLDER;
	return own ? BURIN_CERT_SELF_SIGNED : BURIN_CERT_ORDINARY;
}

int
burin_cert_is_by_token(enum burin_cert_kind kind)
{
	return kind == BURIN_CERT_PLACEHOLDER || kind == BURIN_CERT_ATTESTATION;
}
