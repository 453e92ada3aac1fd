/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages of CMC made to order, and what "burin show" says of them; included
 * once by each test of it.
 */

#ifndef TESTS_SHOWING_H
#define TESTS_SHOWING_H

#include <openssl/err.h>

#include <burin/cmc.h>
#include <burin/cms.h>
#include <burin/names.h>

#include "agent/cli/show.h"
#include "csr/cmc/controls.h"
#include "pki.h"

#define MAX_FILE 65536
#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct burin_error e;
static unsigned char data[MAX_FILE];
static size_t len;
static EVP_PKEY *key;
static X509 *cert;

/* --- what is shown -------------------------------------------------------- */

static inline json_t *
json(void)
{
	json_t *o = NULL;

	burin_error_clear(&e);
	if (show_json(&o, data, len, &e) == -1)
		fail_msg("%s", e.reason);
	assert_int_equal(ERR_peek_error(), 0);
	return o;
}

/* No line is too long, nothing in it moves a cursor. */
static inline void
assert_readable(const char *s)
{
	size_t columns = 0;

	for (; *s != '\0'; s++) {
		assert_true(*s == '\n' || (unsigned char)*s >= 0x20);
		columns = *s == '\n'
		    ? 0
		    : columns + (((unsigned char)*s & 0xc0) != 0x80);
		assert_true(columns <= 100);
	}
}

static inline char *
text(void)
{
	char *s = NULL;
	size_t size;
	FILE *out = open_memstream(&s, &size);

	assert_non_null(out);
	burin_error_clear(&e);
	if (show_text(out, data, len, &e) == -1)
		fail_msg("%s", e.reason);
	(void)fclose(out);
	assert_int_equal(ERR_peek_error(), 0);
	assert_readable(s);
	return s;
}

static inline void
assert_holds(const char *s, const char *piece)
{
	if (strstr(s, piece) == NULL)
		fail_msg("\"%s\" is not in:\n%s", piece, s);
}

static inline void
assert_says(const char *piece)
{
	char *s = text();

	assert_holds(s, piece);
	free(s);
}

/* The first object of the file. */
static inline json_t *
first(json_t *o)
{
	return json_array_get(json_object_get(o, "objects"), 0);
}

static inline const char *
string_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s == NULL)
		fail_msg("no string %s", name);
	return s;
}

/* The result of the check of this name; the i-th of that name. */
static inline void
assert_check(json_t *o, const char *what, size_t nth, const char *result,
    const char *detail)
{
	json_t *list = json_object_get(o, "checked");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);

		if (strcmp(string_of(one, "what"), what) != 0 || nth-- > 0)
			continue;
		assert_string_equal(string_of(one, "result"), result);
		assert_holds(string_of(one, "detail"), detail);
		return;
	}
	fail_msg("nothing checked \"%s\"", what);
}

/* --- messages made to order ------------------------------------------------
 */

static inline ASN1_TYPE *
any_of(const unsigned char *der, size_t n)
{
	const unsigned char *p = der;
	ASN1_TYPE *any = d2i_ASN1_TYPE(NULL, &p, (long)n);

	assert_non_null(any);
	assert_ptr_equal(p, der + n);
	return any;
}

static inline void
add_control(STACK_OF(CMC_ATTR) * list, uint32_t id, const char *oid,
    const unsigned char *value, size_t n)
{
	CMC_ATTR *attr = CMC_ATTR_new();

	assert_int_equal(ASN1_INTEGER_set_uint64(attr->bodyPartID, id), 1);
	ASN1_OBJECT_free(attr->attrType);
	assert_non_null(attr->attrType = OBJ_txt2obj(oid, 1));
	assert_true(sk_ASN1_TYPE_push(attr->attrValues, any_of(value, n)) > 0);
	assert_true(sk_CMC_ATTR_push(list, attr) > 0);
}

/* number is that of the control; value is hex. */
static inline void
add(STACK_OF(CMC_ATTR) * list, uint32_t id, int number, const char *hex)
{
	unsigned char value[1024];
	char oid[64];
	size_t n;

	assert_int_equal(burin_unhex(hex, value, sizeof(value), &n), 0);
	(void)snprintf(oid, sizeof(oid), CMC_OID_ARC "%d", number);
	add_control(list, id, oid, value, n);
}

static inline void
add_message(STACK_OF(CMC_CONTENT) * list, uint32_t id, const unsigned char *der,
    size_t n)
{
	CMC_CONTENT *part = CMC_CONTENT_new();

	assert_int_equal(ASN1_INTEGER_set_uint64(part->bodyPartID, id), 1);
	ASN1_TYPE_free(part->contentInfo);
	part->contentInfo = any_of(der, n);
	assert_true(sk_CMC_CONTENT_push(list, part) > 0);
}

static inline void
add_other(STACK_OF(CMC_OTHER) * list, uint32_t id, const char *oid)
{
	CMC_OTHER *part = CMC_OTHER_new();

	assert_int_equal(ASN1_INTEGER_set_uint64(part->bodyPartID, id), 1);
	ASN1_OBJECT_free(part->type);
	assert_non_null(part->type = OBJ_txt2obj(oid, 1));
	ASN1_TYPE_set(part->value, V_ASN1_NULL, NULL);
	assert_true(sk_CMC_OTHER_push(list, part) > 0);
}

static inline CMC_PKI_DATA *
new_data(void)
{
	static const unsigned char none[] = { 0x30, 0x00 };
	CMC_PKI_DATA *d = CMC_PKI_DATA_new();

	assert_non_null(d);
	assert_int_equal(ASN1_STRING_set(d->reqs, none, sizeof(none)), 1);
	return d;
}

/* Signs what it holds into data, len; frees it. */
static inline void
sign(const ASN1_ITEM *it, void *body, const char *type,
    const struct burin_cms_signer *signer)
{
	unsigned char *der = NULL, *message;
	int n = ASN1_item_i2d(body, &der, it);

	assert_true(n > 0);
	burin_error_clear(&e);
	if (burin_cms_sign(signer, type, der, (size_t)n, &message, &len, &e) ==
	    -1)
		fail_msg("%s", e.reason);
	assert_true(len <= sizeof(data));
	memcpy(data, message, len);
	OPENSSL_free(message);
	OPENSSL_free(der);
	ASN1_item_free(body, it);
}

static inline struct burin_cms_signer
by_cert(void)
{
	return (struct burin_cms_signer) {
		.by = BURIN_CMS_BY_CERT,
		.key = key,
		.pub = key,
		.cert = cert,
		.signing_time = PKI_NOW,
	};
}

static inline void
sign_data(CMC_PKI_DATA *d)
{
	struct burin_cms_signer signer = by_cert();

	sign(ASN1_ITEM_rptr(CMC_PKI_DATA), d, CMC_OID_PKI_DATA, &signer);
}

static inline void
sign_response(CMC_PKI_RESPONSE *r)
{
	struct burin_cms_signer signer = by_cert();

	sign(
	    ASN1_ITEM_rptr(CMC_PKI_RESPONSE), r, CMC_OID_PKI_RESPONSE, &signer);
}

/* What is in data goes into a message of cmsSequence. */
static inline CMC_PKI_DATA *
around(uint32_t id)
{
	CMC_PKI_DATA *d = new_data();

	add_message(d->cms, id, data, len);
	return d;
}

static inline void
sign_small(void)
{
	sign_data(new_data());
}

static inline int
setup(void **state)
{
	static const char *const exts[] = { "subjectKeyIdentifier=hash", NULL };
	struct pki_spec spec = {
		.cn = "Issuing CA", .exts = exts, .serial = 9
	};

	(void)state;
	spec.key = key = pki_key("ED25519");
	cert = pki_cert(&spec);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

#endif
