/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's side, with OpenSSL's default library context: none of the
 * card's own.
 */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

static void
open_card(struct host *h)
{
	char why[256] = "";

	h->card = card_open(&h->conf, why, sizeof(why));
	if (h->card == NULL)
		fail_msg("%s", why);
}

void
host_start(struct host *h, const char *root)
{
	memset(h, 0, sizeof(*h));
	(void)snprintf(h->dir, sizeof(h->dir), "/tmp/pivcard-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	card_defaults(&h->conf);
	h->conf.dir = h->dir;
	h->conf.root = root;
	open_card(h);
}

void
host_again(struct host *h)
{
	card_free(h->card);
	open_card(h);
}

void
host_end(struct host *h)
{
	DIR *d = opendir(h->dir);
	const struct dirent *e;

	card_free(h->card);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
	(void)closedir(d);
	assert_int_equal(rmdir(h->dir), 0);
}

unsigned
host_raw(struct host *h, const uint8_t *apdu, size_t len)
{
	uint8_t out[ANSWER_MAX];
	size_t n = card_transmit(h->card, apdu, len, out);

	assert_true(n >= 2 && n <= sizeof(out));
	buf_put(&h->answer, out, n - 2);
	return (unsigned)out[n - 2] << 8 | out[n - 1];
}

unsigned
host_send(struct host *h, uint8_t ins, uint8_t p1, uint8_t p2, const void *data,
    size_t len)
{
	static const uint8_t more[] = { 0, 0xc0, 0, 0, 0 };
	const uint8_t *p = data;
	uint8_t apdu[261];
	unsigned sw;
	size_t n;

	h->answer.len = 0;
	do {
		n = len > 255 ? 255 : len;
		apdu[0] = len > n ? 0x10 : 0x00;
		apdu[1] = ins;
		apdu[2] = p1;
		apdu[3] = p2;
		apdu[4] = (uint8_t)n;
		if (n != 0)
			memcpy(apdu + 5, p, n);
		sw = host_raw(h, apdu, n == 0 ? 4 : 5 + n);
		if (n != 0)
			p += n;
		len -= n;
	} while (len > 0 && sw == SW_OK);
	while ((sw & 0xff00) == SW_MORE)
		sw = host_raw(h, more, sizeof(more));
	return sw;
}

void
host_select(struct host *h)
{
	static const uint8_t aid[] = { 0xa0, 0, 0, 3, 8 };

	assert_int_equal(host_send(h, 0xa4, 4, 0, aid, sizeof(aid)), SW_OK);
}

unsigned
host_verify(struct host *h, const char *pin)
{
	uint8_t data[8];

	memset(data, 0xff, sizeof(data));
	memcpy(data, pin, strlen(pin));
	return host_send(h, 0x20, 0, REF_PIN, data, sizeof(data));
}

unsigned
host_two_pins(
    struct host *h, uint8_t ins, uint8_t ref, const char *a, const char *b)
{
	uint8_t data[16];

	memset(data, 0xff, sizeof(data));
	memcpy(data, a, strlen(a));
	memcpy(data + 8, b, strlen(b));
	return host_send(h, ins, 0, ref, data, sizeof(data));
}

static void
cipher(uint8_t alg, const uint8_t *key, int encrypt, const uint8_t *in,
    uint8_t *out, size_t block)
{
	const char *name = alg == ALG_3DES ? "DES-EDE3"
	    : alg == ALG_AES128		   ? "AES-128-ECB"
	    : alg == ALG_AES192		   ? "AES-192-ECB"
					   : "AES-256-ECB";
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	assert_int_equal(
	    EVP_CipherInit_ex2(ctx, c, key, NULL, encrypt, NULL), 1);
	(void)EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_int_equal(EVP_CipherUpdate(ctx, out, &n, in, (int)block), 1);
	assert_int_equal(n, (int)block);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(c);
}

/* The one element of the template in the answer. */
static struct span
element(struct host *h, unsigned tag)
{
	struct span in = { h->answer.data, h->answer.len }, template, v;

	assert_int_equal(tlv_find(in, 0x7c, &template), 1);
	assert_int_equal(tlv_find(template, tag, &v), 1);
	return v;
}

unsigned
host_mgm(struct host *h, uint8_t alg, const uint8_t *key)
{
	static const uint8_t ask[] = { 0x7c, 0x02, 0x80, 0x00 };
	static const uint8_t ours[16] = "challenge of us";
	size_t block = alg == ALG_3DES ? 8 : 16;
	struct buf in = { .len = 0 }, out = { .len = 0 };
	uint8_t plain[16], expected[16];
	struct span v;
	unsigned sw;

	sw = host_send(h, 0x87, alg, REF_MGM, ask, sizeof(ask));
	if (sw != SW_OK)
		return sw;
	v = element(h, 0x80);
	assert_int_equal(v.len, block);
	cipher(alg, key, 0, v.p, plain, block);
	buf_tlv(&in, 0x80, plain, block);
	buf_tlv(&in, 0x81, ours, block);
	buf_tlv(&out, 0x7c, in.data, in.len);
	sw = host_send(h, 0x87, alg, REF_MGM, out.data, out.len);
	if (sw != SW_OK)
		return sw;
	v = element(h, 0x82);
	cipher(alg, key, 1, ours, expected, block);
	assert_int_equal(v.len, block);
	assert_memory_equal(v.p, expected, block);
	return sw;
}

void
host_mgm_factory(struct host *h)
{
	struct card_conf conf;

	card_defaults(&conf);
	assert_int_equal(host_mgm(h, conf.mgm_alg, conf.mgm), SW_OK);
}

unsigned
host_generate(
    struct host *h, uint8_t ref, uint8_t alg, uint8_t pin, uint8_t touch)
{
	struct buf in = { .len = 0 }, out = { .len = 0 };

	buf_tlv(&in, 0x80, &alg, 1);
	if (pin != 0)
		buf_tlv(&in, 0xaa, &pin, 1);
	if (touch != 0)
		buf_tlv(&in, 0xab, &touch, 1);
	buf_tlv(&out, 0xac, in.data, in.len);
	return host_send(h, 0x47, 0, ref, out.data, out.len);
}

unsigned
host_use(struct host *h, uint8_t ref, uint8_t alg, unsigned tag,
    const void *data, size_t len, struct span *value)
{
	struct buf in = { .len = 0 }, out = { .len = 0 };
	unsigned sw;

	buf_tlv(&in, 0x82, NULL, 0);
	buf_tlv(&in, tag, data, len);
	buf_tlv(&out, 0x7c, in.data, in.len);
	sw = host_send(h, 0x87, alg, ref, out.data, out.len);
	if (sw == SW_OK)
		*value = element(h, 0x82);
	return sw;
}

X509 *
host_attest(struct host *h, uint8_t ref)
{
	const unsigned char *p = h->answer.data;
	X509 *x;

	assert_int_equal(host_send(h, 0xf9, ref, 0, NULL, 0), SW_OK);
	x = d2i_X509(NULL, &p, (long)h->answer.len);
	assert_non_null(x);
	assert_ptr_equal(p, h->answer.data + h->answer.len);
	return x;
}

unsigned
host_get(struct host *h, unsigned tag, struct span *value)
{
	const uint8_t list[] = { 0x5c, 3, (uint8_t)(tag >> 16),
		(uint8_t)(tag >> 8), (uint8_t)tag };
	unsigned sw = host_send(h, 0xcb, 0x3f, 0xff, list, sizeof(list));
	struct span in = { h->answer.data, h->answer.len };

	if (sw == SW_OK)
		assert_int_equal(tlv_find(in, 0x53, value), 1);
	return sw;
}

unsigned
host_put(struct host *h, unsigned tag, const void *data, size_t len)
{
	struct buf out = { .len = 0 };
	const uint8_t list[] = { 0x5c, 3, (uint8_t)(tag >> 16),
		(uint8_t)(tag >> 8), (uint8_t)tag };

	buf_put(&out, list, sizeof(list));
	buf_tlv(&out, 0x53, data, len);
	return host_send(h, 0xdb, 0x3f, 0xff, out.data, out.len);
}

X509 *
host_attestation_cert(struct host *h)
{
	const unsigned char *p;
	struct span object, v;
	X509 *x;

	assert_int_equal(host_get(h, 0x5fff01, &object), SW_OK);
	assert_int_equal(tlv_find(object, 0x70, &v), 1);
	p = v.p;
	x = d2i_X509(NULL, &p, (long)v.len);
	assert_non_null(x);
	return x;
}
