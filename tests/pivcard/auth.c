/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * GENERAL AUTHENTICATE with asymmetric keys (SP 800-73-4 part 2 section
 * 3.2.4, appendices A.3 to A.5): RSA as a bare private operation, ECDSA over
 * a hash, ECDH. Slots are not bound to a use, as on a YubiKey.
 */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "state.h"

#define RESULT_MAX 512

/* Signing and deciphering are one operation without padding. */
static int
rsa_private(
    struct card *c, EVP_PKEY *pkey, struct span in, uint8_t *out, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, pkey, NULL);
	int rc;

	rc = ctx != NULL && in.len == (size_t)EVP_PKEY_get_size(pkey) &&
	    EVP_PKEY_decrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
	    EVP_PKEY_decrypt(ctx, out, len, in.p, in.len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* The card does not cut a hash that is longer than the curve: refused. */
static int
ecdsa(struct card *c, EVP_PKEY *pkey, struct span in, uint8_t *out, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, pkey, NULL);
	int rc;

	rc = ctx != NULL && in.len != 0 &&
	    in.len * 8 <= (size_t)EVP_PKEY_get_bits(pkey) &&
	    EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_sign(ctx, out, len, in.p, in.len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
ecdh(struct card *c, EVP_PKEY *pkey, struct span in, uint8_t *out, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, pkey, NULL);
	EVP_PKEY *peer = EVP_PKEY_new();
	int rc;

	rc = ctx != NULL && peer != NULL && in.len != 0 &&
	    EVP_PKEY_copy_parameters(peer, pkey) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(peer, in.p, in.len) == 1 &&
	    EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, out, len) == 1;
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* The PIN as the slot's policy has it; c->touched as its touch policy. */
static int
allowed(struct card *c, const struct key *k, int fresh)
{
	c->touched = k->touch_policy != TOUCH_NEVER;
	switch (k->pin_policy) {
	case PIN_NEVER:
		return 1;
	case PIN_ALWAYS:
		return c->pin_ok && fresh;
	default:
		return c->pin_ok;
	}
}

static enum sw
use_key(struct card *c, const struct key *k)
{
	struct span template, challenge, point, response;
	struct buf inner = { .len = 0 };
	uint8_t out[RESULT_MAX];
	size_t len = sizeof(out);
	int done, rsa = EVP_PKEY_is_a(k->pkey, "RSA") == 1;

	/* An empty 82 asks for the result; 81 is data, 85 a peer's point. */
	if (!tlv_find(card_data(c), 0x7c, &template) ||
	    !tlv_find(template, 0x82, &response) || response.len != 0)
		return SW_DATA;
	if (tlv_find(template, 0x81, &challenge))
		done = rsa ? rsa_private(c, k->pkey, challenge, out, &len)
			   : ecdsa(c, k->pkey, challenge, out, &len);
	else if (!rsa && tlv_find(template, 0x85, &point))
		done = ecdh(c, k->pkey, point, out, &len);
	else
		done = 0;
	if (!done)
		return SW_DATA;
	buf_tlv(&inner, 0x82, out, len);
	buf_tlv(&c->answer, 0x7c, inner.data, inner.len);
	OPENSSL_cleanse(out, sizeof(out));
	return SW_OK;
}

enum sw
piv_authenticate(struct card *c, const struct apdu *a)
{
	const struct key *k;
	int fresh = c->pin_fresh;

	c->pin_fresh = 0;
	if (a->p2 == REF_MGM)
		return mgm_authenticate(c, a);
	c->challenge = CHALLENGE_NONE;
	k = key_find(c, a->p2);
	if (k == NULL || k->ref == REF_ATTEST)
		return SW_P1P2;
	if (k->origin == ORIGIN_NONE)
		return SW_REFERENCE;
	if (a->p1 != k->alg)
		return SW_P1P2;
	if (!allowed(c, k, fresh))
		return SW_SECURITY;
	return use_key(c, k);
}
