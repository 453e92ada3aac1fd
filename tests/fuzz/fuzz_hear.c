/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A request from a stranger, as a server hears it, with a key it may be
 * encrypted for and a secret it may be made with. A PKIData alone is put into
 * an envelope first. What is refused says why, and everything that was heard
 * can be asked further.
 */

#include <openssl/evp.h>

#include <burin/cmc_server.h>

#include "csr/cmc/hear.h"
#include "csr/cmc/proofs.h"
#include "csr/cms/internal.h"
#include "fuzz.h"

#define MAX_ROUNDS 1000
#define SECRET "correct horse battery staple"

/* Of nobody: made for this test. */
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

static const struct burin_secret *
the_secret(void)
{
	static struct burin_secret *secret;
	struct burin_error e = BURIN_ERROR_INIT;

	if (secret == NULL)
		DEMAND(
		    burin_secret_new(&secret, SECRET, strlen(SECRET), &e) == 0);
	return secret;
}

static void
demand_why(
    int rc, const struct burin_cmc_refusal *why, const struct burin_error *e)
{
	demand_clean(rc, e);
	if (rc == 0) {
		DEMAND(why->status == BURIN_CMC_SUCCESS && why->n == 0);
		return;
	}
	DEMAND(e->status == BURIN_EAUTHORITY);
	DEMAND(why->status == BURIN_CMC_FAILED ||
	    why->status == BURIN_CMC_NO_SUPPORT);
	DEMAND((why->fail == BURIN_CMC_FAIL_NONE) ==
	    (why->status == BURIN_CMC_NO_SUPPORT));
	DEMAND(why->fail != BURIN_CMC_INTERNAL_CA_ERROR);
	DEMAND(why->n <= BURIN_CMC_MAX_REFUSED);
}

static void
demand_items(struct burin_cmc_heard *h)
{
	struct burin_cmc_refusal why;
	struct burin_error e;
	size_t i, k;

	for (i = 0; i < h->n_items; i++) {
		struct burin_cmc_item *item = &h->items[i];

		DEMAND(item->asked.pub != NULL && item->asked.subject != NULL);
		DEMAND(item->id != 0 && item->der_len > 0);
		for (k = 0; k < h->n_pops; k++) {
			burin_error_clear(&e);
			demand_why(burin_cmc_challenge_check(item, &h->pops[k],
				       the_secret(), 1, &why, &e),
			    &why, &e);
		}
		for (k = 0; k < h->n_statements; k++) {
			if (h->statements[k].der == NULL)
				continue;
			burin_error_clear(&e);
			demand_why(burin_cmc_item_modify(
				       item, &h->statements[k], &why, &e),
			    &why, &e);
		}
	}
}

static int
is_slow_mac(const struct burin_cms *cms)
{
	const CSR_PWRI *pwri = cms->ad != NULL ? csr_pwri_of(cms->ad) : NULL;
	int is = pwri != NULL && csr_pwri_rounds(pwri) > MAX_ROUNDS;

	ERR_clear_error();
	return is;
}

/* PBKDF2 is of OpenSSL, and there are other ways to be slow. */
static int
is_slow(const struct burin_cmc_heard *h)
{
	const struct cmc_heard_kept *kept = h->kept;
	size_t i;

	if (h->simple)
		return 0;
	for (i = 0; i < h->n_items; i++) {
		const ASN1_TYPE *w = kept->own[i].witness[1];

		if (w != NULL && cmc_link_rounds(w) > MAX_ROUNDS)
			return 1;
	}
	return h->auth_data != 0 || is_slow_mac(kept->cms);
}

static void
believe(struct burin_cmc_heard *h)
{
	struct burin_cmc_identity id = { h->identification, the_secret(), 0,
		0 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cmc_refusal why;
	int rc;

	rc = burin_cmc_hear_signer(h, h->signer, the_key(), 1, &why, &e);
	demand_why(rc, &why, &e);
	burin_error_clear(&e);
	if (!is_slow(h)) {
		rc = burin_cmc_hear_secret(h, &id, 0, 1, &why, &e);
		demand_why(rc, &why, &e);
	}
	burin_error_clear(&e);
	demand_clean(burin_cmc_hear_pops(h, NULL, NULL, &e), &e);
	demand_items(h);
}

static void
hear(const void *data, size_t len, int final)
{
	struct burin_cms_recipient us = { .pub = the_key(), .serial = 1 };
	struct burin_cmc_listen l = { .key = the_key(),
		.pub = the_key(),
		.us = &us,
		.legacy = 1,
		.final = final };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cmc_refusal why;
	struct burin_cmc_heard h;
	int rc;

	rc = burin_cmc_hear(data, len, &l, &h, &why, &e);
	demand_why(rc, &why, &e);
	if (rc == 0)
		believe(&h);
	burin_cmc_heard_clear(&h);
	DEMAND(ERR_peek_error() == 0);
}

/* The first request's key id signs, if it asks for one. */
static void
hear_data(const uint8_t *data, size_t len)
{
	static const unsigned char id[] = { 1, 2, 3 };
	struct burin_cms_signer by = {
		.by = BURIN_CMS_UNSIGNED, .key_id = id, .key_id_len = sizeof(id)
	};
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der;
	size_t n;

	if (burin_cms_sign(&by, CMC_OID_PKI_DATA, data, len, &der, &n, &e) ==
	    -1)
		return;
	hear(der, n, 0);
	OPENSSL_free(der);
}

static int
is_pki_data(const uint8_t *data, size_t len)
{
	const unsigned char *p = data;
	CMC_PKI_DATA *d = d2i_CMC_PKI_DATA(NULL, &p, (long)len);
	int is = d != NULL;

	CMC_PKI_DATA_free(d);
	ERR_clear_error();
	return is;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	hear(data, len, 1);
	if (is_pki_data(data, len))
		hear_data(data, len);
	return 0;
}
