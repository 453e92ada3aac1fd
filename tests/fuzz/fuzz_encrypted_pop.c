/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A challenge from a stranger, solved with a key: without the right witness
 * there is no proof.
 */

#include <openssl/evp.h>
#include <openssl/objects.h>

#include <burin/cmc.h>

#include "csr/cmc/asn1.h"
#include "fuzz.h"

/* Of nobody: made for this test, the corpus is encrypted for it. */
static const unsigned char ec_key[] = { 0x30, 0x77, 0x02, 0x01, 0x01, 0x04,
	0x20, 0x28, 0xdc, 0xef, 0x71, 0x92, 0xd6, 0xc7, 0xb5, 0x07, 0x77, 0xbd,
	0xf5, 0x8f, 0xb0, 0x6e, 0x20, 0x1b, 0x6f, 0x39, 0x4c, 0xfd, 0x2f, 0xd3,
	0x6a, 0x33, 0x9e, 0x69, 0xc6, 0x75, 0x25, 0x4a, 0x07, 0xa0, 0x0a, 0x06,
	0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03,
	0x42, 0x00, 0x04, 0x05, 0x7c, 0xed, 0x3f, 0x08, 0xa6, 0xe3, 0x11, 0xa2,
	0x27, 0xa7, 0xe6, 0x84, 0xc5, 0xac, 0x3c, 0x92, 0xa6, 0xac, 0x7a, 0xe1,
	0xc3, 0x44, 0xdb, 0x93, 0x30, 0x08, 0xcb, 0xf9, 0xa7, 0x30, 0xb1, 0x5f,
	0x32, 0x8d, 0xa5, 0xa0, 0xbd, 0xb1, 0x48, 0xaa, 0xa4, 0xd4, 0xed, 0xd1,
	0xd4, 0xf9, 0x70, 0xe6, 0x74, 0x0b, 0xa0, 0x49, 0x2f, 0x0a, 0x04, 0x01,
	0x66, 0xdc, 0x9d, 0x80, 0x9c, 0xe9, 0xe1 };

static EVP_PKEY *
the_key(void)
{
	static EVP_PKEY *key;
	const unsigned char *p = ec_key;

	if (key == NULL)
		key = d2i_AutoPrivateKey(NULL, &p, sizeof(ec_key));
	DEMAND(key != NULL);
	return key;
}

static int
oid_text(const X509_ALGOR *alg, char out[64])
{
	int n = OBJ_obj2txt(out, 64, alg->algorithm, 1);

	return n > 0 && n < 64;
}

static void
solve(const CMC_ENCRYPTED_POP *pop)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cmc_challenge c = { 0 };
	struct burin_cmc_pop out;
	EVP_PKEY *key = the_key();
	int rc;

	if (pop->request->type != V_ASN1_OTHER ||
	    pop->cms->type != V_ASN1_SEQUENCE ||
	    !oid_text(pop->thePOPAlgID, c.pop_algorithm) ||
	    !oid_text(pop->witnessAlgID, c.witness_algorithm))
		return;
	c.id = 1;
	c.request = ASN1_STRING_get0_data(pop->request->value.asn1_string);
	c.request_len =
	    (size_t)ASN1_STRING_length(pop->request->value.asn1_string);
	c.cms = ASN1_STRING_get0_data(pop->cms->value.sequence);
	c.cms_len = (size_t)ASN1_STRING_length(pop->cms->value.sequence);
	c.witness = ASN1_STRING_get0_data(pop->witness);
	c.witness_len = (size_t)ASN1_STRING_length(pop->witness);
	rc = burin_cmc_solve(&c, key, key, NULL, 0, 1, 0, &out, &e);
	demand_clean(rc, &e);
	/* It hashes to the witness: somebody knew what is inside. */
	DEMAND(rc == -1 || (c.witness_len >= 20 && out.value_len >= 20));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const unsigned char *p = data;
	CMC_ENCRYPTED_POP *pop = d2i_CMC_ENCRYPTED_POP(NULL, &p, (long)len);

	ERR_clear_error();
	if (pop != NULL)
		solve(pop);
	CMC_ENCRYPTED_POP_free(pop);
	return 0;
}
