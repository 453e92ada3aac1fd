/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The card: selection, command chaining, answers in pieces (ISO/IEC 7816-4
 * sections 5.3.3 and 5.3.4) and which command is which.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "state.h"

#define INS_SELECT 0xa4
#define INS_GET_RESPONSE 0xc0
#define INS_VERIFY 0x20

static const uint8_t aid_piv[] = { 0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00,
	0x10, 0x00, 0x01, 0x00 };
static const uint8_t aid_mgmt[] = { 0xa0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11,
	0x17 };
static const uint8_t aid_otp[] = { 0xa0, 0x00, 0x00, 0x05, 0x27, 0x20, 0x01,
	0x01 };

/* Of a YubiKey 5: the historical bytes say YubiKey. */
const uint8_t *
card_atr(size_t *len)
{
	static const uint8_t atr[] = { 0x3b, 0xfd, 0x13, 0x00, 0x00, 0x81, 0x31,
		0xfe, 0x15, 0x80, 0x73, 0xc0, 0x21, 0xc0, 0x57, 0x59, 0x75,
		0x62, 0x69, 0x4b, 0x65, 0x79, 0x40 };

	*len = sizeof(atr);
	return atr;
}

struct span
card_data(const struct card *c)
{
	return (struct span) { c->command.data, c->command.len };
}

int
firmware_since(const struct card *c, uint8_t major, uint8_t minor)
{
	return c->firmware[0] > major ||
	    (c->firmware[0] == major && c->firmware[1] >= minor);
}

static void
log_out(struct card *c)
{
	c->pin_ok = c->pin_fresh = c->mgm_ok = 0;
	c->challenge = CHALLENGE_NONE;
}

void
card_reset(struct card *c)
{
	log_out(c);
	c->app = APP_NONE;
	c->chaining = 0;
	c->command.len = c->answer.len = c->sent = 0;
	c->touched = 0;
}

/* An AID may be cut on its right, down to what names the application. */
static int
aid_is(struct span in, const uint8_t *aid, size_t len, size_t least)
{
	return in.len >= least && in.len <= len &&
	    memcmp(in.p, aid, in.len) == 0;
}

static void
put_u32(struct buf *out, uint32_t n)
{
	buf_byte(out, (uint8_t)(n >> 24));
	buf_byte(out, (uint8_t)(n >> 16));
	buf_byte(out, (uint8_t)(n >> 8));
	buf_byte(out, (uint8_t)n);
}

/* SP 800-73-4 part 2 table 4: the application property template. */
static void
property_template(struct buf *out)
{
	static const uint8_t value[] = { 0x4f, 0x06, 0x00, 0x00, 0x10, 0x00,
		0x01, 0x00, 0x79, 0x07, 0x4f, 0x05, 0xa0, 0x00, 0x00, 0x03,
		0x08 };

	buf_tlv(out, 0x61, value, sizeof(value));
}

static void
otp_status(struct card *c)
{
	static const uint8_t rest[] = { 0x01, 0x05, 0x00 };

	buf_put(&c->answer, c->firmware, sizeof(c->firmware));
	buf_put(&c->answer, rest, sizeof(rest));
}

static enum sw
cmd_select(struct card *c, const struct apdu *a)
{
	struct span in = card_data(c);
	char text[64];

	c->pin_fresh = 0;
	if (a->p1 != 0x04 || (a->p2 & 0xf3) != 0)
		return SW_P1P2;
	if (aid_is(in, aid_piv, sizeof(aid_piv), 5)) {
		/* Section 3.1.1: selected again, logins stay. */
		if (c->app != APP_PIV)
			log_out(c);
		c->app = APP_PIV;
		property_template(&c->answer);
		return SW_OK;
	}
	if (aid_is(in, aid_mgmt, sizeof(aid_mgmt), sizeof(aid_mgmt))) {
		log_out(c);
		c->app = APP_MGMT;
		(void)snprintf(text, sizeof(text),
		    "Virtual mgr - FW version %u.%u.%u", c->firmware[0],
		    c->firmware[1], c->firmware[2]);
		buf_put(&c->answer, text, strlen(text));
		return SW_OK;
	}
	if (aid_is(in, aid_otp, sizeof(aid_otp), 7)) {
		log_out(c);
		c->app = APP_OTP;
		otp_status(c);
		return SW_OK;
	}
	return SW_NOT_FOUND;
}

static enum sw
cmd_version(struct card *c, const struct apdu *a)
{
	(void)a;
	buf_put(&c->answer, c->firmware, sizeof(c->firmware));
	return SW_OK;
}

static enum sw
cmd_serial(struct card *c, const struct apdu *a)
{
	(void)a;
	if (!firmware_since(c, 5, 0))
		return SW_INS;
	put_u32(&c->answer, c->serial);
	return SW_OK;
}

static void
metadata_pin(struct buf *out, const struct pin *p, const char *factory)
{
	const uint8_t alg = 0xff, is_default = (uint8_t)pin_is(p, factory);
	const uint8_t tries[2] = { p->max, p->left };

	buf_tlv(out, 0x01, &alg, 1);
	buf_tlv(out, 0x05, &is_default, 1);
	buf_tlv(out, 0x06, tries, 2);
}

static void
metadata_mgm(struct buf *out, const struct mgm *m)
{
	const uint8_t is_default = (uint8_t)mgm_is_factory(m);
	const uint8_t policy[2] = { 0, m->touch_policy };

	buf_tlv(out, 0x01, &m->alg, 1);
	buf_tlv(out, 0x02, policy, 2);
	buf_tlv(out, 0x05, &is_default, 1);
}

static void
metadata_key(struct buf *out, const struct key *k)
{
	const uint8_t policy[2] = { k->pin_policy, k->touch_policy };
	struct buf public = { .len = 0 };

	buf_tlv(out, 0x01, &k->alg, 1);
	buf_tlv(out, 0x02, policy, 2);
	buf_tlv(out, 0x03, &k->origin, 1);
	key_public(&public, k);
	buf_tlv(out, 0x04, public.data, public.len);
	out->overflow |= public.overflow;
}

/* Firmware 5.3 and later. */
enum sw
piv_metadata(struct card *c, const struct apdu *a)
{
	const struct key *k;

	if (!firmware_since(c, 5, 3))
		return SW_INS;
	if (a->p1 != 0)
		return SW_P1P2;
	switch (a->p2) {
	case REF_PIN:
		metadata_pin(&c->answer, &c->pin, FACTORY_PIN);
		return SW_OK;
	case REF_PUK:
		metadata_pin(&c->answer, &c->puk, FACTORY_PUK);
		return SW_OK;
	case REF_MGM:
		metadata_mgm(&c->answer, &c->mgm);
		return SW_OK;
	}
	k = key_find(c, a->p2);
	if (k == NULL)
		return SW_P1P2;
	if (k->origin == ORIGIN_NONE)
		return SW_REFERENCE;
	metadata_key(&c->answer, k);
	return SW_OK;
}

static void
factory_secrets(struct card *c)
{
	pin_set(&c->pin, FACTORY_PIN);
	pin_set(&c->puk, FACTORY_PUK);
	c->pin.left = c->pin.max = FACTORY_TRIES;
	c->puk.left = c->puk.max = FACTORY_TRIES;
	mgm_factory(&c->mgm);
}

/* When PIN and PUK are blocked. The attestation key and its certificate stay.
 */
enum sw
piv_factory_reset(struct card *c, const struct apdu *a)
{
	size_t i;

	if (a->p1 != 0 || a->p2 != 0)
		return SW_P1P2;
	if (c->pin.left != 0 || c->puk.left != 0)
		return SW_CONDITIONS;
	for (i = 0; i < N_KEYS; i++)
		if (c->keys[i].ref != REF_ATTEST)
			key_clear(&c->keys[i]);
	for (i = 0; i < N_OBJECTS; i++)
		if (c->objects[i].data != NULL && c->objects[i].tag != 0x5fff01)
			(void)object_put(c, c->objects[i].tag, NULL, 0);
	factory_secrets(c);
	log_out(c);
	c->changed = 1;
	return SW_OK;
}

static const struct {
	uint8_t ins;
	enum sw (*run)(struct card *c, const struct apdu *a);
} commands[] = {
	{ INS_VERIFY, piv_verify },
	{ 0x24, piv_change_reference },
	{ 0x2c, piv_reset_retry },
	{ 0x47, piv_generate },
	{ 0x87, piv_authenticate },
	{ 0xcb, piv_get_data },
	{ 0xdb, piv_put_data },
	{ 0xf7, piv_metadata },
	{ 0xf8, cmd_serial },
	{ 0xf9, piv_attest },
	{ 0xfa, piv_set_retries },
	{ 0xfb, piv_factory_reset },
	{ 0xfd, cmd_version },
	{ 0xfe, piv_import },
	{ 0xff, piv_set_mgm },
};

static enum sw
piv_command(struct card *c, const struct apdu *a)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].ins != a->ins)
			continue;
		/*
		 * "Always" means that VERIFY comes right before; to ask how
		 * many tries are left does not count.
		 */
		if (a->ins != 0x87 &&
		    !(a->ins == INS_VERIFY && c->command.len == 0))
			c->pin_fresh = 0;
		if (a->ins != 0x87)
			c->challenge = CHALLENGE_NONE;
		return commands[i].run(c, a);
	}
	return SW_INS;
}

/* Yubico's management application: READ CONFIG, a length and elements. */
static enum sw
mgmt_command(struct card *c, const struct apdu *a)
{
	static const uint8_t ccid[2] = { 0x02, 0x3f };
	struct buf list = { .len = 0 };
	const uint8_t serial[4] = { (uint8_t)(c->serial >> 24),
		(uint8_t)(c->serial >> 16), (uint8_t)(c->serial >> 8),
		(uint8_t)c->serial };

	if (a->ins != 0x1d)
		return SW_INS;
	buf_tlv(&list, 0x01, ccid, sizeof(ccid)); /* supported over USB */
	buf_tlv(&list, 0x02, serial, sizeof(serial));
	buf_tlv(&list, 0x03, ccid, sizeof(ccid)); /* enabled */
	buf_tlv(&list, 0x04, &c->form_factor, 1);
	buf_tlv(&list, 0x05, c->firmware, sizeof(c->firmware));
	buf_byte(&c->answer, (uint8_t)list.len);
	buf_put(&c->answer, list.data, list.len);
	return SW_OK;
}

/* The OTP application: status, and the serial number that older ask for. */
static enum sw
otp_command(struct card *c, const struct apdu *a)
{
	if (a->ins == 0x03) {
		otp_status(c);
		return SW_OK;
	}
	if (a->ins != 0x01 || a->p1 != 0x10)
		return SW_INS;
	put_u32(&c->answer, c->serial);
	return SW_OK;
}

static enum sw
run(struct card *c, const struct apdu *a)
{
	if (a->ins == INS_SELECT)
		return cmd_select(c, a);
	switch (c->app) {
	case APP_PIV:
		return piv_command(c, a);
	case APP_MGMT:
		return mgmt_command(c, a);
	case APP_OTP:
		return otp_command(c, a);
	default:
		return SW_INS;
	}
}

/* Collects the pieces: 1 when the command is whole. */
static int
gather(struct card *c, const struct apdu *a, enum sw *sw)
{
	if (c->chaining &&
	    (c->first.ins != a->ins || c->first.p1 != a->p1 ||
		c->first.p2 != a->p2))
		c->chaining = 0;
	if (!c->chaining) {
		c->command.len = 0;
		c->command.overflow = 0;
	}
	c->first = *a;
	c->chaining = (a->cla & CLA_CHAIN) != 0;
	buf_put(&c->command, a->data.p, a->data.len);
	if (c->command.overflow) {
		c->chaining = 0;
		*sw = SW_LENGTH;
		return 0;
	}
	*sw = SW_OK;
	return !c->chaining;
}

static size_t
finish(uint8_t *out, size_t len, unsigned sw)
{
	out[len] = (uint8_t)(sw >> 8);
	out[len + 1] = (uint8_t)sw;
	return len + 2;
}

/* As much of the answer as was asked for, and whether there is more. */
static size_t
give(struct card *c, size_t le, uint8_t *out)
{
	size_t left = c->answer.len - c->sent;
	size_t n = left < le ? left : le;

	memcpy(out, c->answer.data + c->sent, n);
	c->sent += n;
	left -= n;
	if (left == 0)
		return finish(out, n, SW_OK);
	return finish(out, n, SW_MORE | (left > 255 ? 0 : (unsigned)left));
}

static size_t
execute(struct card *c, const struct apdu *a, uint8_t *out)
{
	enum sw sw;

	c->answer.len = c->sent = 0;
	c->answer.overflow = 0;
	if (!gather(c, a, &sw))
		return finish(out, 0, sw);
	sw = run(c, a);
	OPENSSL_cleanse(c->command.data, c->command.len);
	c->command.len = 0;
	ERR_clear_error();
	if (c->answer.overflow)
		sw = SW_ERROR;
	if (sw != SW_OK) {
		c->answer.len = 0;
		return finish(out, 0, sw);
	}
	return give(c, a->le, out);
}

/* A card whose state cannot be kept says so and does not go on. */
static int
keep(struct card *c)
{
	char path[4096];

	if (!c->changed)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/card", c->dir);
	return store_save(c, path);
}

size_t
card_transmit(struct card *c, const uint8_t *in, size_t len, uint8_t *out)
{
	struct apdu a;
	size_t n;

	c->touched = 0;
	if (!apdu_parse(&a, in, len))
		return finish(out, 0, SW_LENGTH);
	if ((a.cla & ~CLA_CHAIN) != 0)
		return finish(out, 0, SW_CLA);
	if (a.ins == INS_GET_RESPONSE) {
		if (c->sent == c->answer.len)
			return finish(out, 0, SW_CONDITIONS);
		return give(c, a.le, out);
	}
	n = execute(c, &a, out);
	return keep(c) ? n : finish(out, 0, SW_ERROR);
}

int
card_touched(const struct card *c)
{
	return c->touched;
}

void
card_defaults(struct card_conf *conf)
{
	struct mgm m;

	memset(conf, 0, sizeof(*conf));
	conf->serial = 12345678;
	conf->firmware[0] = 5;
	conf->firmware[1] = 4;
	conf->firmware[2] = 3;
	conf->form_factor = 1;
	memcpy(conf->pin, FACTORY_PIN, sizeof(FACTORY_PIN));
	memcpy(conf->puk, FACTORY_PUK, sizeof(FACTORY_PUK));
	conf->pin_tries = conf->puk_tries = FACTORY_TRIES;
	mgm_factory(&m);
	conf->mgm_alg = m.alg;
	conf->mgm_len = m.len;
	memcpy(conf->mgm, m.key, m.len);
}

static int
make(struct card *c, const struct card_conf *conf, char *why, size_t size)
{
	char root[4096];

	if (strlen(conf->pin) < PIN_MIN || strlen(conf->puk) < PIN_MIN ||
	    conf->pin_tries == 0 || conf->puk_tries == 0) {
		(void)snprintf(why, size,
		    "PIN and PUK are six to eight bytes, with a try at least");
		return 0;
	}
	if (mgm_key_len(conf->mgm_alg) == 0 ||
	    mgm_key_len(conf->mgm_alg) != conf->mgm_len) {
		(void)snprintf(
		    why, size, "the management key's length is wrong");
		return 0;
	}
	c->serial = conf->serial;
	memcpy(c->firmware, conf->firmware, sizeof(c->firmware));
	c->form_factor = conf->form_factor;
	pin_set(&c->pin, conf->pin);
	pin_set(&c->puk, conf->puk);
	c->pin.left = c->pin.max = conf->pin_tries;
	c->puk.left = c->puk.max = conf->puk_tries;
	c->mgm.alg = conf->mgm_alg;
	c->mgm.touch_policy = TOUCH_NEVER;
	c->mgm.len = conf->mgm_len;
	memcpy(c->mgm.key, conf->mgm, conf->mgm_len);
	(void)snprintf(root, sizeof(root), "%s/attestation-root", conf->dir);
	if (!attest_make(c, conf->root == NULL ? root : conf->root)) {
		(void)snprintf(why, size, "no attestation key");
		return 0;
	}
	c->changed = 1;
	if (!keep(c)) {
		(void)snprintf(why, size, "cannot write into %s: %s", conf->dir,
		    strerror(errno));
		return 0;
	}
	return 1;
}

struct card *
card_open(const struct card_conf *conf, char *why, size_t size)
{
	struct card *c = calloc(1, sizeof(*c));
	char path[4096];
	int done;

	if (c == NULL)
		return NULL;
	c->lib = OSSL_LIB_CTX_new();
	c->dir = strdup(conf->dir);
	keys_init(c);
	(void)snprintf(path, sizeof(path), "%s/card", conf->dir);
	if (c->lib == NULL || c->dir == NULL) {
		(void)snprintf(why, size, "out of memory");
		done = 0;
	} else if (access(path, F_OK) == 0) {
		done = store_load(c, path);
		if (!done)
			(void)snprintf(why, size, "%s is damaged", path);
	} else {
		done = make(c, conf, why, size);
	}
	if (!done) {
		card_free(c);
		return NULL;
	}
	card_reset(c);
	return c;
}

void
card_free(struct card *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < N_KEYS; i++)
		key_clear(&c->keys[i]);
	for (i = 0; i < N_OBJECTS; i++)
		free(c->objects[i].data);
	OSSL_LIB_CTX_free(c->lib);
	free(c->dir);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}
