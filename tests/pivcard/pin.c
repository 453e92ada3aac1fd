/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PIN and PUK: VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (SP
 * 800-73-4 part 2 sections 3.2.1 to 3.2.3), Yubico's SET PIN RETRIES.
 */

#include <string.h>

#include <openssl/crypto.h>

#include "state.h"

void
pin_set(struct pin *p, const char *text)
{
	memset(p->value, 0xff, sizeof(p->value));
	memcpy(p->value, text, strnlen(text, PIN_LEN));
}

int
pin_is(const struct pin *p, const char *text)
{
	struct pin other;

	pin_set(&other, text);
	return memcmp(p->value, other.value, PIN_LEN) == 0;
}

/* Six to eight bytes, then FF up to eight. */
static int
well_formed(const uint8_t *pin)
{
	size_t n = 0;

	while (n < PIN_LEN && pin[n] != 0xff)
		n++;
	if (n < PIN_MIN)
		return 0;
	for (; n < PIN_LEN; n++)
		if (pin[n] != 0xff)
			return 0;
	return 1;
}

static enum sw
tries(uint8_t left)
{
	return SW_TRIES | (left > 15 ? 15 : left);
}

/*
 * Compares and counts. The wrong one that was the last try still says 63C0;
 * from then on it is 6983, also for the right one.
 */
static enum sw
check(struct card *c, struct pin *p, const uint8_t *value)
{
	if (p->left == 0)
		return SW_BLOCKED;
	if (CRYPTO_memcmp(p->value, value, PIN_LEN) != 0) {
		p->left--;
		c->changed = 1;
		return tries(p->left);
	}
	if (p->left != p->max) {
		p->left = p->max;
		c->changed = 1;
	}
	return SW_OK;
}

enum sw
piv_verify(struct card *c, const struct apdu *a)
{
	struct span in = card_data(c);
	enum sw sw;

	if (a->p2 != REF_PIN)
		return SW_REFERENCE;
	if (a->p1 == 0xff && in.len == 0) {
		c->pin_ok = c->pin_fresh = 0;
		return SW_OK;
	}
	if (a->p1 != 0)
		return SW_P1P2;
	if (in.len == 0) {
		if (c->pin.left == 0)
			return SW_BLOCKED;
		return c->pin_ok ? SW_OK : tries(c->pin.left);
	}
	if (in.len != PIN_LEN || !well_formed(in.p))
		return SW_DATA;
	sw = check(c, &c->pin, in.p);
	c->pin_ok = c->pin_fresh = sw == SW_OK;
	return sw;
}

enum sw
piv_change_reference(struct card *c, const struct apdu *a)
{
	struct pin *p = a->p2 == REF_PIN ? &c->pin : &c->puk;
	struct span in = card_data(c);
	enum sw sw;

	if (a->p1 != 0)
		return SW_P1P2;
	if (a->p2 != REF_PIN && a->p2 != REF_PUK)
		return SW_REFERENCE;
	if (in.len != (size_t)2 * PIN_LEN || !well_formed(in.p + PIN_LEN))
		return SW_DATA;
	sw = check(c, p, in.p);
	if (a->p2 == REF_PIN)
		c->pin_ok = sw == SW_OK;
	if (sw == SW_OK) {
		memcpy(p->value, in.p + PIN_LEN, PIN_LEN);
		c->changed = 1;
	}
	return sw;
}

enum sw
piv_reset_retry(struct card *c, const struct apdu *a)
{
	struct span in = card_data(c);
	enum sw sw;

	if (a->p1 != 0)
		return SW_P1P2;
	if (a->p2 != REF_PIN)
		return SW_REFERENCE;
	if (in.len != (size_t)2 * PIN_LEN || !well_formed(in.p + PIN_LEN))
		return SW_DATA;
	sw = check(c, &c->puk, in.p);
	if (sw != SW_OK)
		return sw;
	memcpy(c->pin.value, in.p + PIN_LEN, PIN_LEN);
	c->pin.left = c->pin.max;
	c->pin_ok = 0;
	c->changed = 1;
	return SW_OK;
}

/* Both become the factory's, with new counters. */
enum sw
piv_set_retries(struct card *c, const struct apdu *a)
{
	if (!c->mgm_ok || !c->pin_ok)
		return SW_SECURITY;
	if (a->p1 == 0 || a->p2 == 0)
		return SW_P1P2;
	pin_set(&c->pin, FACTORY_PIN);
	pin_set(&c->puk, FACTORY_PUK);
	c->pin.left = c->pin.max = a->p1;
	c->puk.left = c->puk.max = a->p2;
	c->pin_ok = 0;
	c->changed = 1;
	return SW_OK;
}
