/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Data objects: GET DATA and PUT DATA (SP 800-73-4 part 2 sections 3.1.2 and
 * 3.3.2), their names in part 1 table 3.
 */

#include <stdlib.h>
#include <string.h>

#include "state.h"

#define TAG_DISCOVERY 0x7e
#define TAG_FINGERPRINTS 0x5fc103
#define TAG_FACE 0x5fc108
#define TAG_PRINTED 0x5fc109
#define TAG_IRIS 0x5fc121
#define TAG_PAIRING 0x5fc123

struct object *
object_find(struct card *c, unsigned tag)
{
	size_t i;

	for (i = 0; i < N_OBJECTS; i++)
		if (c->objects[i].data != NULL && c->objects[i].tag == tag)
			return &c->objects[i];
	return NULL;
}

static struct object *
free_place(struct card *c)
{
	size_t i;

	for (i = 0; i < N_OBJECTS; i++)
		if (c->objects[i].data == NULL)
			return &c->objects[i];
	return NULL;
}

/* An empty value removes. 0: no room. */
int
object_put(struct card *c, unsigned tag, const uint8_t *p, size_t len)
{
	struct object *o = object_find(c, tag);
	uint8_t *copy;

	c->changed = 1;
	if (len == 0) {
		if (o != NULL) {
			free(o->data);
			o->data = NULL;
		}
		return 1;
	}
	if (o == NULL)
		o = free_place(c);
	copy = o == NULL ? NULL : malloc(len);
	if (copy == NULL)
		return 0;
	memcpy(copy, p, len);
	free(o->data);
	o->tag = tag;
	o->data = copy;
	o->len = len;
	return 1;
}

/* Part 1 table 2: what is read with the PIN only. */
static int
wants_pin(unsigned tag)
{
	return tag == TAG_FINGERPRINTS || tag == TAG_FACE ||
	    tag == TAG_PRINTED || tag == TAG_IRIS || tag == TAG_PAIRING;
}

static int
known(unsigned tag)
{
	return (tag >= 0x5fc101 && tag <= 0x5fc123) ||
	    (tag >= 0x5fff00 && tag <= 0x5fff1f);
}

/* The tag list 5C names one object. */
static int
named(struct span *in, unsigned *tag)
{
	struct span name;
	unsigned list;
	size_t i;

	if (tlv_next(in, &list, &name) != 1 || list != 0x5c || name.len == 0 ||
	    name.len > 3)
		return 0;
	*tag = 0;
	for (i = 0; i < name.len; i++)
		*tag = *tag << 8 | name.p[i];
	return 1;
}

/*
 * Part 1 section 3.3.2: the PIV application, and a PIN policy of 40 00:
 * the application PIN alone satisfies.
 */
static void
discovery(struct buf *out)
{
	static const uint8_t value[] = { 0x4f, 0x0b, 0xa0, 0x00, 0x00, 0x03,
		0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00, 0x5f, 0x2f, 0x02,
		0x40, 0x00 };

	buf_tlv(out, TAG_DISCOVERY, value, sizeof(value));
}

enum sw
piv_get_data(struct card *c, const struct apdu *a)
{
	struct span in = card_data(c);
	const struct object *o;
	unsigned tag;

	if (a->p1 != 0x3f || a->p2 != 0xff)
		return SW_P1P2;
	if (!named(&in, &tag) || in.len != 0)
		return SW_DATA;
	if (tag == TAG_DISCOVERY) {
		discovery(&c->answer);
		return SW_OK;
	}
	if (wants_pin(tag) && !c->pin_ok)
		return SW_SECURITY;
	o = object_find(c, tag);
	if (o == NULL)
		return SW_NOT_FOUND;
	buf_tlv(&c->answer, 0x53, o->data, o->len);
	return SW_OK;
}

enum sw
piv_put_data(struct card *c, const struct apdu *a)
{
	struct span in = card_data(c), value;
	unsigned tag, outer;

	if (a->p1 != 0x3f || a->p2 != 0xff)
		return SW_P1P2;
	if (!c->mgm_ok)
		return SW_SECURITY;
	if (!named(&in, &tag))
		return SW_DATA;
	if (!known(tag))
		return SW_NOT_FOUND;
	if (tlv_next(&in, &outer, &value) != 1 || outer != 0x53 || in.len != 0)
		return SW_DATA;
	if (value.len > OBJECT_MAX)
		return SW_MEMORY;
	return object_put(c, tag, value.p, value.len) ? SW_OK : SW_MEMORY;
}
