/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The certificates of an RA. Its CA issues them, "burin enroll" and "burin
 * renew" put them on the token beside their keys, and here the RA takes them
 * from there; DIR has copies for who cannot see the token.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include <burin/names.h>

#include "ca.h"

static const struct own {
	const char *file, *what, *name;
	const char *profile; /* that it is enrolled with */
	int purpose;	     /* of extendedKeyUsage, 0: any */
	uint32_t usage;	     /* of keyUsage */
	const char *needs, *rule;
	unsigned use; /* of the key */
	int p256;     /* only such a key */
} owns[] = {
	[ENROLLED_CMC] = { "cmc.pem", "to sign CMC", "CMC", "cmc-ra", NID_cmcRA,
	    KU_DIGITAL_SIGNATURE,
	    "the purpose cmcRA and the key usage digitalSignature",
	    "RFC 6402 section 2.10", BURIN_USE_SIGN, 0 },
	[ENROLLED_TLS] = { "tls.pem", "for this server", "TLS", "tls-server",
	    NID_server_auth, KU_DIGITAL_SIGNATURE,
	    "the purpose serverAuth and the key usage digitalSignature",
	    "RFC 5280 section 4.2.1.12", BURIN_USE_SIGN, 1 },
	[ENROLLED_POP] = { "pop.pem", "to agree on keys", "POP",
	    "key-agreement", 0, KU_KEY_AGREEMENT, "the key usage keyAgreement",
	    "RFC 5280 section 4.2.1.3", BURIN_USE_DERIVE, 1 },
};
#define OWNS (sizeof(owns) / sizeof(owns[0]))

/* --- what it has to be ------------------------------------------------------
 */

/* The line of the shell that mends it. */
static int
advise(const struct own *o, struct burin_key *key, struct burin_error *e)
{
	char *uri = burin_key_uri(key);
	int rc;

	if (uri == NULL)
		return burin_fail_memory(e);
	rc = burin_error_advice(e,
	    "burin enroll --profile %s --replace --protocol cmc --ca URL "
	    "--trust CA.pem, with an invite of the CA for that profile and "
	    "--key '%s'",
	    o->profile, uri);
	free(uri);
	return rc;
}

static int
check_key(const struct own *o, struct burin_key *key, struct burin_error *e)
{
	enum burin_key_type type = burin_key_get_type(key);

	if ((burin_key_usage(key) & o->use) == 0)
		(void)burin_fail(e, BURIN_EUSAGE, "key-unfit",
		    "the %s key cannot %s", o->name,
		    o->use == BURIN_USE_SIGN ? "sign" : "agree on secrets");
	else if (o->p256 && type != BURIN_EC_P256)
		(void)burin_fail(e, BURIN_EUSAGE, "key-unfit",
		    "the %s key is %s, and has to be ec:P-256", o->name,
		    burin_key_type_name(type));
	else if (type == BURIN_ED25519 || type == BURIN_ED448)
		(void)burin_fail(e, BURIN_EUSAGE, "key-unfit",
		    "the %s key is %s, and has to be RSA or EC", o->name,
		    burin_key_type_name(type));
	else
		return 0;
	return burin_error_advice(e,
	    "make another key: burin enroll --token "
	    "TOKEN --profile %s",
	    o->profile);
}

static int
check_hosts(const struct own *o, X509 *cert, const char *const *hosts,
    struct burin_error *e)
{
	if (o->purpose != NID_server_auth)
		return 0;
	for (; hosts != NULL && *hosts != NULL; hosts++) {
		if (cert_has_host(cert, *hosts))
			continue;
		(void)burin_fail(e, BURIN_EUSAGE, "enrolment-unfit",
		    "the certificate of the %s key is not for the host %s",
		    o->name, *hosts);
		return burin_error_rule(e, "RFC 9110 section 4.3.4");
	}
	return 0;
}

static int
check_cert(const struct own *o, const struct issuer *ca, X509 *cert,
    const char *const *hosts, time_t now, struct burin_error *e)
{
	char *serial;

	if ((X509_get_key_usage(cert) & o->usage) == 0 ||
	    (o->purpose != 0 && !burin_cert_has_purpose(cert, o->purpose))) {
		(void)burin_fail(e, BURIN_EUSAGE, "enrolment-unfit",
		    "the certificate of the %s key is not for that: it needs "
		    "%s",
		    o->name, o->needs);
		(void)burin_error_rule(e, "%s", o->rule);
	} else if (X509_cmp_time(X509_get0_notAfter(cert), &now) < 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "enrolment-expired",
		    "the certificate of the %s key is over", o->name);
	} else if (own_check(ca, cert, now, e) != 0) {
		e->status = BURIN_EUSAGE;
		(void)burin_error_cause(
		    e, "the certificate of the %s key", o->name);
	} else if (check_hosts(o, cert, hosts, e) == 0) {
		return 0;
	}
	if ((serial = burin_serial_text(X509_get0_serialNumber(cert))) != NULL)
		(void)burin_error_cause(e, "serial number %s", serial);
	free(serial);
	return -1;
}

/* --- which one --------------------------------------------------------------
 */

/* The newest first, of those of one day the one that lasts longer. */
static int
by_age(const X509 *const *a, const X509 *const *b)
{
	int order =
	    ASN1_TIME_compare(X509_get0_notBefore(*b), X509_get0_notBefore(*a));

	return order != 0
	    ? order
	    : ASN1_TIME_compare(X509_get0_notAfter(*b), X509_get0_notAfter(*a));
}

int
enrolled_find(const struct issuer *ca, struct burin_key *key,
    enum enrolled which, const char *const *hosts, time_t now, X509 **out,
    struct burin_error *e)
{
	const struct own *o = &owns[which];
	struct burin_error why = BURIN_ERROR_INIT;
	STACK_OF(X509) *certs = NULL;
	X509 *cert;
	int i;

	*out = NULL;
	if (check_key(o, key, e) != 0 || burin_cert_read(key, &certs, e) != 0)
		return -1;
	(void)sk_X509_set_cmp_func(certs, by_age);
	sk_X509_sort(certs);
	for (i = 0; i < sk_X509_num(certs) && *out == NULL; i++) {
		cert = sk_X509_value(certs, i);
		burin_error_clear(&why);
		if (check_cert(o, ca, cert, hosts, now, &why) == 0 &&
		    X509_up_ref(cert))
			*out = cert;
		/* What is wrong with the newest one is what there is to say. */
		if (*out == NULL && i == 0)
			*e = why;
	}
	if (*out != NULL)
		burin_error_clear(e);
	else if (i == 0)
		(void)burin_fail(e, BURIN_EUSAGE, "enrolment-missing",
		    "there is no certificate of the %s key on its token",
		    o->name);
	sk_X509_pop_free(certs, X509_free);
	return *out != NULL ? 0 : advise(o, key, e);
}

/* --- an RA that opens
 * ---------------------------------------------------------
 */

int
enrolled_record(
    struct store *st, enum enrolled which, X509 *cert, struct burin_error *e)
{
	char *serial = burin_serial_text(X509_get0_serialNumber(cert));
	int rc;

	if (serial == NULL)
		return burin_fail_memory(e);
	if ((rc = store_begin(st, e)) == 0) {
		rc = store_audit(
		    st, e, "enrolled", "%s %s", serial, owns[which].what);
		if (store_end(st, rc == 0, e) != 0)
			rc = -1;
	}
	free(serial);
	return rc;
}

/* Takes the place of the one that DIR has, which may be the same. */
static int
keep(
    struct authority *a, enum enrolled which, X509 *cert, struct burin_error *e)
{
	X509 *before;
	int same;

	same = ca_cert_read(a->dir, owns[which].file, &before, NULL) == 0 &&
	    X509_cmp(before, cert) == 0;
	X509_free(before);
	if (same)
		return 0;
	if (enrolled_record(a->store, which, cert, e) != 0)
		return -1;
	return ca_cert_write(a->dir, owns[which].file, cert, e);
}

int
enrolled_open(struct authority *a, time_t now, struct burin_error *e)
{
	const struct {
		struct burin_key *key;
		X509 **cert;
	} own[] = {
		[ENROLLED_CMC] = { a->cmc_key, &a->cmc_cert },
		[ENROLLED_TLS] = { a->tls_key, &a->tls_cert },
		[ENROLLED_POP] = { a->pop_key, &a->pop_cert },
	};
	size_t i;

	for (i = 0; i < OWNS; i++)
		if (enrolled_find(&a->ca, own[i].key, (enum enrolled)i,
			(const char *const *)a->cnf.hosts, now, own[i].cert,
			e) != 0 ||
		    keep(a, (enum enrolled)i, *own[i].cert, e) != 0)
			return -1;
	return 0;
}
