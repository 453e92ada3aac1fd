/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests in CRMF made to order; included once by each test of them, behind
 * cmocka.
 */

#ifndef TESTS_CRMFING_H
#define TESTS_CRMFING_H

#include <stdint.h>
#include <string.h>

#include <openssl/err.h>

#include <burin/crmf.h>

#include "csr/crmf/asn1.h"
#include "pki.h"

static struct burin_error e;

static const char *const agreement_exts[] = { "keyUsage=critical,keyAgreement",
	NULL };

static inline void
refused(int rc, const char *code)
{
	assert_int_equal(rc, -1);
	if (strcmp(e.code, code) != 0)
		fail_msg("%s instead of %s: %s", e.code, code, e.reason);
	assert_string_not_equal(e.reason, "");
	assert_int_equal(ERR_peek_error(), 0);
	burin_error_clear(&e);
}

static inline void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static inline struct burin_subject *
subject(const char *dn)
{
	struct burin_subject *s;

	burin_error_clear(&e);
	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, dn, &e));
	return s;
}

/* One CertReqMsg in DER. */
struct der {
	unsigned char *data;
	size_t len;
};

static inline struct der
make(EVP_PKEY *pub, uint32_t id, const struct burin_pop_how *how)
{
	struct burin_subject *s = subject("CN=Alice,O=Example");
	struct der d;

	must(burin_subject_add_san(s, "dns:a.example", &e));
	must(burin_crmf_make(s, pub, id, how, &d.data, &d.len, &e));
	burin_subject_free(&s);
	return d;
}

static inline struct der
make_signed(EVP_PKEY *key, uint32_t id)
{
	struct burin_pop_how how = { BURIN_POP_SIGNATURE, key, NULL, NULL, -1 };

	return make(key, id, &how);
}

static inline struct burin_crmf *
parse(const struct der *d, int cmc)
{
	struct burin_crmf *m;

	must(burin_crmf_parse(d->data, d->len, cmc, BURIN_ECHECK, &m, &e));
	return m;
}

static inline CRMF_MSG *
open_der(const struct der *d)
{
	const unsigned char *p = d->data;
	CRMF_MSG *msg = d2i_CRMF_MSG(NULL, &p, (long)d->len);

	assert_non_null(msg);
	assert_ptr_equal(p, d->data + d->len);
	return msg;
}

/* Encodes anew, signed again by key unless NULL, and frees msg. */
static inline struct der
close_der(CRMF_MSG *msg, EVP_PKEY *key)
{
	CRMF_SIGNING_KEY *sk;
	struct der d = { NULL, 0 };
	int n;

	msg->certReq->enc.modified = 1;
	if (key != NULL) {
		sk = msg->popo->value.signature;
		assert_true(ASN1_item_sign(ASN1_ITEM_rptr(CRMF_REQUEST),
				sk->algorithmIdentifier, NULL, sk->signature,
				msg->certReq, key, EVP_sha256()) > 0);
	}
	n = i2d_CRMF_MSG(msg, &d.data);
	assert_true(n > 0);
	d.len = (size_t)n;
	CRMF_MSG_free(msg);
	return d;
}

static inline void
look_at(const struct burin_crmf *m, EVP_PKEY *key, uint32_t id)
{
	char text[64];

	assert_int_equal(burin_crmf_id(m), id);
	assert_non_null(
	    X509_NAME_oneline(burin_crmf_subject(m), text, sizeof(text)));
	assert_string_equal(text, "/CN=Alice/O=Example");
	assert_int_equal(EVP_PKEY_eq(burin_crmf_public_key(m), key), 1);
	assert_int_equal(X509v3_get_ext_by_NID(burin_crmf_extensions(m),
			     NID_subject_alt_name, -1),
	    0);
	assert_true(X509v3_get_ext_by_NID(burin_crmf_extensions(m),
			NID_subject_key_identifier, -1) > 0);
	assert_null(burin_crmf_control_oid(m, 0));
}

static inline X509 *
authority_cert(EVP_PKEY *key, const char *cn, const char *const *exts)
{
	struct pki_spec spec = { .cn = cn, .exts = exts, .key = key };

	return pki_cert(&spec);
}

#endif
