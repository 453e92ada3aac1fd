/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * People, keys and messages for the tests of making CMC; included once by
 * each of them, behind cmocka.
 */

#ifndef TESTS_CMCING_H
#define TESTS_CMCING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "csr/cmc/controls.h"
#include "csr/cmc/proofs.h"

#include "pki.h"

static struct burin_error e;
static EVP_PKEY *ed, *other, *rsa, *x25519;
static X509 *cert;
static STACK_OF(X509) * certs; /* cert alone */
static unsigned char ed_id[20], rsa_id[20];
static struct burin_subject *subject;
static struct burin_secret *secret;
static struct burin_cmc_identity identity;
static struct burin_cmc_thread thread;
static struct burin_cms_signer by_key, by_cert, unsigned_rsa, by_nobody;
static struct burin_cmc_revocation revocation;

static inline void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static inline void
key_id(EVP_PKEY *key, unsigned char id[20])
{
	struct pki_spec spec = {
		.cn = "a", .key = key, .issuer = cert, .issuer_key = ed
	};
	X509 *holder = pki_cert(&spec);
	unsigned int len = 20;

	assert_int_equal(X509_pubkey_digest(holder, EVP_sha1(), id, &len), 1);
	X509_free(holder);
}

static inline int
setup(void **state)
{
	(void)state;
	ed = pki_key("ED25519");
	other = pki_key("ED25519");
	rsa = pki_key("RSA");
	x25519 = pki_key("X25519");
	cert = pki_ca("Example CA", ed);
	certs = sk_X509_new_null();
	assert_true(sk_X509_push(certs, cert) > 0);
	key_id(ed, ed_id);
	key_id(rsa, rsa_id);
	must(burin_subject_new(&subject, &e));
	must(burin_subject_set_dn(subject, "CN=r7", &e));
	must(burin_secret_new(&secret, "correct horse", 13, &e));
	identity = (struct burin_cmc_identity) { "r7", secret, 0, 0 };
	must(burin_cmc_begin(&thread, &e));
	by_key = (struct burin_cms_signer) { .by = BURIN_CMS_BY_KEY,
		.key = ed,
		.pub = ed,
		.key_id = ed_id,
		.key_id_len = 20 };
	by_cert = (struct burin_cms_signer) {
		.by = BURIN_CMS_BY_CERT, .key = ed, .pub = ed, .cert = cert
	};
	unsigned_rsa = (struct burin_cms_signer) {
		.by = BURIN_CMS_UNSIGNED, .key_id = rsa_id, .key_id_len = 20
	};
	by_nobody = (struct burin_cms_signer) { .by = BURIN_CMS_BY_NOBODY };
	revocation =
	    (struct burin_cmc_revocation) { .issuer =
						X509_get_issuer_name(cert),
		    .serial = X509_get0_serialNumber(cert) };
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	burin_secret_free(&secret);
	burin_subject_free(&subject);
	sk_X509_free(certs);
	X509_free(cert);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(other);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(x25519);
	return 0;
}

/* --- requests ------------------------------------------------------------- */

static inline struct burin_cmc_request
signed_by(enum burin_cmc_form form, EVP_PKEY *key)
{
	return (struct burin_cmc_request) { form, subject, key,
		{ .pop = BURIN_POP_SIGNATURE, .key = key, .agree = -1 } };
}

static inline struct burin_cmc_request
challenged(enum burin_cmc_form form, EVP_PKEY *key)
{
	return (struct burin_cmc_request) { form, subject, key,
		{ .pop = BURIN_POP_CHALLENGE, .agree = -1 } };
}

struct der {
	unsigned char *data;
	size_t len;
};

static inline struct der
requests(const struct burin_cmc_request *list, size_t n,
    const struct burin_cmc_identity *id)
{
	struct der d;

	burin_error_clear(&e);
	must(
	    burin_cmc_requests_make(list, n, &thread, id, &d.data, &d.len, &e));
	return d;
}

/* ed signs its own as PKCS#10, rsa waits for its challenge as CRMF. */
static inline struct der
pair(const struct burin_cmc_identity *id)
{
	struct burin_cmc_request list[2] = { signed_by(BURIN_CMC_PKCS10, ed),
		challenged(BURIN_CMC_CRMF, rsa) };

	return requests(list, 2, id);
}

static inline struct der
one(struct burin_cmc_request r)
{
	return requests(&r, 1, NULL);
}

static inline struct burin_cmc_ask
ask_for(const struct der *reqs, const struct burin_cms_signer *signer)
{
	struct burin_cmc_ask ask = { .thread = &thread, .signer = signer };

	if (reqs != NULL) {
		ask.requests = reqs->data;
		ask.requests_len = reqs->len;
	}
	burin_error_clear(&e);
	return ask;
}

/* --- messages ------------------------------------------------------------- */

struct message {
	struct der der;
	struct burin_cms *cms;
	CMC_PKI_DATA *data;
};

static inline struct message
make(const struct burin_cmc_ask *ask)
{
	struct message m;
	const unsigned char *p, *start;
	size_t len;

	must(burin_cmc_make(ask, &m.der.data, &m.der.len, &e));
	must(burin_cms_parse(m.der.data, m.der.len, BURIN_ECHECK, &m.cms, &e));
	assert_string_equal(
	    burin_cms_content_type(m.cms), "1.3.6.1.5.5.7.12.2");
	start = p = burin_cms_content(m.cms, &len);
	assert_non_null(m.data = d2i_CMC_PKI_DATA(NULL, &p, (long)len));
	assert_ptr_equal(p, start + len);
	assert_int_equal(sk_CMC_CONTENT_num(m.data->cms), 0);
	assert_int_equal(sk_CMC_OTHER_num(m.data->others), 0);
	return m;
}

static inline void
drop(struct message *m)
{
	CMC_PKI_DATA_free(m->data);
	burin_cms_free(&m->cms);
	OPENSSL_free(m->der.data);
}

static inline CMC_ATTR *
attr_of(const struct message *m, enum cmc_control number, int nth)
{
	char oid[64], want[64];
	int i;

	(void)snprintf(want, sizeof(want), CMC_OID_ARC "%d", number);
	for (i = 0; i < sk_CMC_ATTR_num(m->data->controls); i++) {
		CMC_ATTR *a = sk_CMC_ATTR_value(m->data->controls, i);

		assert_int_equal(sk_ASN1_TYPE_num(a->attrValues), 1);
		assert_true(OBJ_obj2txt(oid, sizeof(oid), a->attrType, 1) > 0);
		if (strcmp(oid, want) == 0 && nth-- == 0)
			return a;
	}
	return NULL;
}

/* The same where one must be there. */
static inline CMC_ATTR *
the_attr(const struct message *m, enum cmc_control number, int nth)
{
	CMC_ATTR *a = attr_of(m, number, nth);

	if (a == NULL) {
		fail_msg("control %d is not there", (int)number);
		abort();
	}
	return a;
}

/* The value of a control that is there once. */
static inline ASN1_TYPE *
value_of(const struct message *m, enum cmc_control number)
{
	CMC_ATTR *a = attr_of(m, number, 0);

	assert_null(attr_of(m, number, 1));
	return a != NULL ? sk_ASN1_TYPE_value(a->attrValues, 0) : NULL;
}

static inline void
octets_are(const struct message *m, enum cmc_control number, const void *data,
    size_t len)
{
	const ASN1_TYPE *v =
	    sk_ASN1_TYPE_value(the_attr(m, number, 0)->attrValues, 0);

	assert_null(attr_of(m, number, 1));
	assert_int_equal(v->type, V_ASN1_OCTET_STRING);
	assert_int_equal(v->value.octet_string->length, len);
	assert_memory_equal(v->value.octet_string->data, data, len);
}

static inline void
controls_are(const struct message *m, const enum cmc_control *list)
{
	char oid[64], want[64];
	int i, n = sk_CMC_ATTR_num(m->data->controls);

	for (i = 0; i < n; i++) {
		(void)OBJ_obj2txt(oid, sizeof(oid),
		    sk_CMC_ATTR_value(m->data->controls, i)->attrType, 1);
		(void)snprintf(want, sizeof(want), CMC_OID_ARC "%d", list[i]);
		assert_string_equal(oid, want);
	}
	assert_int_equal(list[n], 0);
}

/* Of controls and requests; none 0, none twice. */
static inline void
ids_are_unique(const struct message *m, size_t n_reqs)
{
	int i, j, n = sk_CMC_ATTR_num(m->data->controls);

	for (i = 0; i < n; i++) {
		long id = ASN1_INTEGER_get(
		    sk_CMC_ATTR_value(m->data->controls, i)->bodyPartID);

		assert_true(id > (long)n_reqs);
		for (j = 0; j < i; j++)
			assert_int_not_equal(id,
			    ASN1_INTEGER_get(
				sk_CMC_ATTR_value(m->data->controls, j)
				    ->bodyPartID));
	}
}

#endif
