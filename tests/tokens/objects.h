/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of objects on SoftHSM share: a token, certificates for its
 * keys, and what is on it; included once by each of them.
 */

#ifndef TESTS_OBJECTS_H
#define TESTS_OBJECTS_H

#include "pkcs11/object.h"
/* Ed25519 keys are among them. */
#define SOFTHSM_LEAKS
#include "softhsm.h"
#include "tests/pki.h"

static struct softhsm h;
static EVP_PKEY *ca_key;
static X509 *ca;

static inline int
setup(void **state)
{
	(void)state;
	softhsm_start(&h);
	ca_key = pki_key("P-256");
	ca = pki_ca("Test CA", ca_key);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	softhsm_stop(&h);
	return 0;
}

static inline X509 *
certify(EVP_PKEY *pub, const char *cn)
{
	struct pki_spec spec = {
		.cn = cn, .key = pub, .issuer = ca, .issuer_key = ca_key
	};

	return pki_cert(&spec);
}

static inline struct burin_p11_calls
calls_now(void)
{
	struct burin_p11_calls c;

	burin_p11_calls(h.p11, &c);
	return c;
}

static inline void
assert_id_is_ski(const struct burin_key *k)
{
	unsigned char ski[20];
	const unsigned char *id;
	size_t len;

	assert_int_equal(p11_pubkey_ski(burin_key_public(k), ski), 0);
	id = burin_key_id(k, &len);
	assert_int_equal(len, sizeof(ski));
	assert_memory_equal(id, ski, sizeof(ski));
}

/* Objects of a class with k's CKA_ID. */
static inline size_t
count(const struct burin_key *k, enum burin_object_class cls)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_object *objects;
	size_t i, n, found = 0;

	must(burin_token_objects(h.t, &objects, &n, &e), &e);
	for (i = 0; i < n; i++)
		if (objects[i].cls == cls && objects[i].id_len == k->id_len &&
		    memcmp(objects[i].id, k->id, k->id_len) == 0)
			found++;
	burin_objects_free(&objects, n);
	return found;
}

static inline void
refused(
    int rc, struct burin_error *e, enum burin_status status, const char *code)
{
	assert_int_equal(rc, -1);
	assert_string_equal(e->code, code);
	assert_int_equal(e->status, status);
	assert_true(e->reason[0] != '\0');
	assert_true(e->step[0] != '\0');
	burin_error_clear(e);
}

static inline void
remove_key(struct burin_key **k)
{
	struct burin_error e = BURIN_ERROR_INIT;

	must(burin_key_destroy(*k, &e), &e);
	assert_int_equal(count(*k, BURIN_OBJECT_PRIVATE), 0);
	assert_int_equal(count(*k, BURIN_OBJECT_PUBLIC), 0);
	burin_key_free(k);
}

/* As another tool would. */
static inline void
set_id(CK_OBJECT_HANDLE o, const unsigned char *id, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct attrs a = { 0 };
	CK_SESSION_HANDLE s;

	attrs_add(&a, CKA_ID, id, len);
	must(p11_work_session(h.t, &s, &e), &e);
	assert_int_equal(p11_SetAttributeValue(h.t->m, s, o, a.a, a.n), CKR_OK);
	attrs_clear(&a);
}

#endif
