/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The card management key 9B: GENERAL AUTHENTICATE as external and mutual
 * authentication (SP 800-73-4 part 2 section 3.2.4 and appendix A.1), and
 * Yubico's SET MANAGEMENT KEY.
 */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "state.h"

static const struct {
	uint8_t alg;
	size_t key, block;
	const char *cipher;
} ciphers[] = {
	{ ALG_3DES, 24, 8, "DES-EDE3" },
	{ ALG_AES128, 16, 16, "AES-128-ECB" },
	{ ALG_AES192, 24, 16, "AES-192-ECB" },
	{ ALG_AES256, 32, 16, "AES-256-ECB" },
};

#define N_CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static size_t
row(uint8_t alg)
{
	size_t i;

	for (i = 0; i < N_CIPHERS; i++)
		if (ciphers[i].alg == alg)
			break;
	return i;
}

size_t
mgm_key_len(uint8_t alg)
{
	size_t i = row(alg);

	return i == N_CIPHERS ? 0 : ciphers[i].key;
}

void
mgm_factory(struct mgm *m)
{
	size_t i;

	m->alg = ALG_3DES;
	m->touch_policy = TOUCH_NEVER;
	m->len = 24;
	for (i = 0; i < m->len; i++)
		m->key[i] = (uint8_t)(i % 8 + 1);
}

int
mgm_is_factory(const struct mgm *m)
{
	struct mgm f;

	mgm_factory(&f);
	return m->alg == f.alg && m->len == f.len &&
	    memcmp(m->key, f.key, f.len) == 0;
}

/* One block. */
static int
encrypt(const struct card *c, const uint8_t *in, uint8_t *out)
{
	size_t i = row(c->mgm.alg);
	EVP_CIPHER_CTX *ctx = NULL;
	EVP_CIPHER *cipher = NULL;
	int n = 0, rc = 0;

	if (i == N_CIPHERS)
		return 0;
	ctx = EVP_CIPHER_CTX_new();
	cipher = EVP_CIPHER_fetch(c->lib, ciphers[i].cipher, NULL);
	if (ctx == NULL || cipher == NULL ||
	    EVP_EncryptInit_ex2(ctx, cipher, c->mgm.key, NULL, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1)
		goto out;
	rc = EVP_EncryptUpdate(ctx, out, &n, in, (int)ciphers[i].block) == 1 &&
	    n == (int)ciphers[i].block;
out:
	EVP_CIPHER_free(cipher);
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

/* An answer of one element in the dynamic authentication template. */
static void
answer(struct card *c, unsigned tag, const uint8_t *p, size_t len)
{
	struct buf inner = { .len = 0 };

	buf_tlv(&inner, tag, p, len);
	buf_tlv(&c->answer, 0x7c, inner.data, inner.len);
}

/* The host asks for a witness (encrypted) or a challenge (plain). */
static enum sw
ask(struct card *c, enum challenge kind, size_t block)
{
	uint8_t fresh[16], shown[16];

	if (RAND_bytes_ex(c->lib, fresh, block, 0) != 1 ||
	    !encrypt(c, fresh, shown))
		return SW_ERROR;
	c->challenge = kind;
	if (kind == CHALLENGE_WITNESS) {
		memcpy(c->expected, fresh, block);
		answer(c, 0x80, shown, block);
	} else {
		memcpy(c->expected, shown, block);
		answer(c, 0x81, fresh, block);
	}
	return SW_OK;
}

static int
proves(struct card *c, enum challenge kind, struct span proof, size_t block)
{
	enum challenge was = c->challenge;

	c->challenge = CHALLENGE_NONE; /* one try for each */
	return was == kind && proof.len == block &&
	    CRYPTO_memcmp(proof.p, c->expected, block) == 0;
}

static enum sw
mutual(struct card *c, struct span witness, struct span challenge, size_t block)
{
	uint8_t response[16];

	if (!proves(c, CHALLENGE_WITNESS, witness, block))
		return SW_SECURITY;
	if (challenge.len != block)
		return SW_DATA;
	if (!encrypt(c, challenge.p, response))
		return SW_ERROR;
	answer(c, 0x82, response, block);
	c->mgm_ok = 1;
	return SW_OK;
}

enum sw
mgm_authenticate(struct card *c, const struct apdu *a)
{
	struct span template, witness, challenge, response;
	size_t block;
	int has_witness, has_challenge, has_response;

	if ((a->p1 == 0 ? ALG_3DES : a->p1) != c->mgm.alg)
		return SW_P1P2;
	if (!tlv_find(card_data(c), 0x7c, &template))
		return SW_DATA;
	block = ciphers[row(c->mgm.alg)].block;
	has_witness = tlv_find(template, 0x80, &witness);
	has_challenge = tlv_find(template, 0x81, &challenge);
	has_response = tlv_find(template, 0x82, &response);
	c->touched = c->mgm.touch_policy != TOUCH_NEVER;

	if (has_witness && witness.len == 0)
		return ask(c, CHALLENGE_WITNESS, block);
	if (has_witness && has_challenge)
		return mutual(c, witness, challenge, block);
	if (has_challenge && challenge.len == 0)
		return ask(c, CHALLENGE_PLAIN, block);
	if (!has_response)
		return SW_DATA;
	if (!proves(c, CHALLENGE_PLAIN, response, block))
		return SW_SECURITY;
	c->mgm_ok = 1;
	return SW_OK;
}

/* Algorithm, 9B, length, key. AES came with firmware 5.4. */
enum sw
piv_set_mgm(struct card *c, const struct apdu *a)
{
	struct span in = card_data(c);
	size_t len;

	if (!c->mgm_ok)
		return SW_SECURITY;
	if (a->p1 != 0xff || a->p2 < 0xfd)
		return SW_P1P2;
	if (in.len < 3 || in.p[1] != REF_MGM)
		return SW_DATA;
	len = mgm_key_len(in.p[0]);
	if (len == 0 || in.p[2] != len || in.len != 3 + len ||
	    (in.p[0] != ALG_3DES && !firmware_since(c, 5, 4)))
		return SW_DATA;
	c->mgm.alg = in.p[0];
	c->mgm.len = len;
	memcpy(c->mgm.key, in.p + 3, len);
	c->mgm.touch_policy = a->p2 == 0xff ? TOUCH_NEVER
	    : a->p2 == 0xfe		    ? TOUCH_ALWAYS
					    : TOUCH_CACHED;
	c->changed = 1;
	return SW_OK;
}
