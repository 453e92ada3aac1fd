/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a user types for a request. The first byte says as what the rest is
 * taken: n a DN, s a name, k an EKU, e an extension, p a prefix, a an
 * attribute. A DN that was taken is written and read back the same.
 */

#include <openssl/evp.h>

#include <burin/request.h>

#include "fuzz.h"

static EVP_PKEY *
key(void)
{
	static EVP_PKEY *one;

	if (one == NULL)
		one = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	DEMAND(one != NULL);
	return one;
}

static int
add(struct burin_subject *s, char kind, const char *text, struct burin_error *e)
{
	switch (kind) {
	case 'n':
		return burin_subject_set_dn(s, text, e);
	case 's':
		return burin_subject_add_san(s, text, e);
	case 'k':
		return burin_subject_add_eku(s, text, e);
	case 'e':
		return burin_subject_add_ext(s, text, e);
	case 'p':
		return burin_subject_add_prefix(s, text, e);
	default:
		return burin_subject_add_attribute(s, text, e);
	}
}

/* What was taken makes a request that we ourselves accept. */
static void
make(const struct burin_subject *s)
{
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der = NULL;
	X509_REQ *req = NULL;
	size_t len;
	int rc;

	rc = burin_pkcs10_make(s, key(), key(), NULL, &der, &len, &e);
	demand_clean(rc, &e);
	if (rc == -1)
		return;
	rc = burin_pkcs10_parse(der, len, BURIN_ECHECK, &req, &e);
	demand_clean(rc, &e);
	DEMAND(rc == 0);
	X509_REQ_free(req);
	OPENSSL_free(der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_subject *s = NULL;
	char *text;
	int rc;

	if (len < 1)
		return 0;
	text = as_text(data + 1, len - 1);
	DEMAND(burin_subject_new(&s, &e) == 0);
	rc = add(s, (char)data[0], text, &e);
	demand_clean(rc, &e);
	if (rc == 0)
		make(s);
	burin_subject_free(&s);
	free(text);
	return 0;
}
