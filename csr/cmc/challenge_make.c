/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * encryptedPOP, as the server makes it: RFC 10002 section 6.7, step 2.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/cmc_server.h>

#include "../cms/internal.h"
#include "asn1.h"
#include "proofs.h"

#define MIN_CHALLENGE 16 /* bytes: nobody is to guess it */

static int
refuse(const char *why, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, "pop-challenge", "%s", why);
	return burin_error_rule(e, "RFC 10002 section 6.7");
}

static int
check(const struct burin_cmc_item *item, const struct burin_secret *y,
    struct burin_error *e)
{
	size_t len = y != NULL ? burin_secret_len(y) : 0;

	if (len < MIN_CHALLENGE || len > CMC_MAX_POP_KEY)
		return refuse(
		    "a challenge hides a value of 16 to 64 random bytes", e);
	if (item->tagged == NULL || item->tagged_len == 0 ||
	    item->tagged_len > BURIN_MAX_MESSAGE || item->asked.pub == NULL)
		return refuse(
		    "there is no request, or no key in it, to challenge", e);
	return 0;
}

/* For the key of the request, by the only names that it has. */
static int
encrypt(const struct burin_cmc_item *item, const struct burin_secret *y,
    unsigned char **der, size_t *len, struct burin_error *e)
{
	struct burin_cms_recipient to = { .pub = item->asked.pub };

	if (item->key_id_len > 0) {
		to.key_id = item->key_id;
		to.key_id_len = item->key_id_len;
	} else {
		to.serial = item->id;
	}
	return burin_cms_encrypt(&to, 1, BURIN_CMS_AES256_CBC, OID_DATA,
	    burin_secret_bytes(y), burin_secret_len(y), der, len, e);
}

/* What is DER already, whatever its tag. */
static int
set_der(ASN1_TYPE *any, int type, const unsigned char *der, size_t len)
{
	ASN1_STRING *s = ASN1_STRING_type_new(type);

	if (s == NULL || ASN1_STRING_set(s, der, (int)len) != 1) {
		ASN1_STRING_free(s);
		return 0;
	}
	ASN1_TYPE_set(any, type, s);
	return 1;
}

static int
fill(CMC_ENCRYPTED_POP *pop, const struct burin_cmc_item *item,
    const struct burin_secret *y, int legacy, struct burin_error *e)
{
	const char *hash = legacy ? "SHA1" : "SHA256";
	unsigned char witness[CMC_MAX_DIGEST], *cms = NULL;
	size_t n, len;
	int rc = -1;

	if (cmc_hash(hash, burin_secret_bytes(y), burin_secret_len(y), NULL, 0,
		witness, &n, e) == -1 ||
	    encrypt(item, y, &cms, &len, e) == -1)
		return -1;
	X509_ALGOR_free(pop->thePOPAlgID);
	X509_ALGOR_free(pop->witnessAlgID);
	pop->thePOPAlgID = cmc_hmac_algor(hash);
	pop->witnessAlgID = cmc_hash_algor(hash);
	if (pop->thePOPAlgID == NULL || pop->witnessAlgID == NULL ||
	    !set_der(
		pop->request, V_ASN1_OTHER, item->tagged, item->tagged_len) ||
	    !set_der(pop->cms, V_ASN1_SEQUENCE, cms, len) ||
	    ASN1_OCTET_STRING_set(pop->witness, witness, (int)n) != 1)
		(void)burin_fail_memory(e);
	else
		rc = 0;
	OPENSSL_free(cms);
	return rc;
}

int
burin_cmc_challenge_make(const struct burin_cmc_item *item,
    const struct burin_secret *y, int legacy, unsigned char **der,
    size_t *der_len, struct burin_error *e)
{
	CMC_ENCRYPTED_POP *pop;
	int n, rc = -1;

	*der = NULL;
	*der_len = 0;
	if (check(item, y, e) == -1)
		return -1;
	if ((pop = CMC_ENCRYPTED_POP_new()) == NULL)
		return burin_fail_memory(e);
	if (fill(pop, item, y, legacy, e) == 0) {
		if ((n = i2d_CMC_ENCRYPTED_POP(pop, der)) > 0) {
			*der_len = (size_t)n;
			rc = 0;
		} else {
			(void)burin_fail_openssl(e, BURIN_EINTERNAL,
			    "message-encode",
			    "a challenge cannot be put together");
		}
	}
	CMC_ENCRYPTED_POP_free(pop);
	return rc;
}
