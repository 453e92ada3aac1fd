/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The card in a file: one "name value..." a line, bytes in hex. A new file
 * takes the old one's place at once, so that a card whose process is killed
 * is the card before or after a command. (It is not meant to survive a
 * machine: there is no fsync.)
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/x509.h>

#include "state.h"

static void
put_hex(FILE *f, const uint8_t *p, size_t len)
{
	size_t i;

	(void)fputc(' ', f);
	for (i = 0; i < len; i++)
		(void)fprintf(f, "%02x", p[i]);
	(void)fputc('\n', f);
}

static int
put_key(FILE *f, const struct key *k)
{
	PKCS8_PRIV_KEY_INFO *p8;
	unsigned char *der = NULL;
	int len = -1;

	if (k->origin == ORIGIN_NONE)
		return 1;
	p8 = EVP_PKEY2PKCS8(k->pkey);
	if (p8 != NULL)
		len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
	PKCS8_PRIV_KEY_INFO_free(p8);
	if (len <= 0)
		return 0;
	(void)fprintf(f, "key %02x %02x %u %u %u", k->ref, k->alg, k->origin,
	    k->pin_policy, k->touch_policy);
	put_hex(f, der, (size_t)len);
	OPENSSL_clear_free(der, (size_t)len);
	return 1;
}

static int
put_card(FILE *f, const struct card *c)
{
	size_t i;

	(void)fprintf(f, "serial %u\nform-factor %u\nfirmware", c->serial,
	    c->form_factor);
	put_hex(f, c->firmware, sizeof(c->firmware));
	(void)fprintf(f, "pin %u %u", c->pin.left, c->pin.max);
	put_hex(f, c->pin.value, PIN_LEN);
	(void)fprintf(f, "puk %u %u", c->puk.left, c->puk.max);
	put_hex(f, c->puk.value, PIN_LEN);
	(void)fprintf(f, "mgm %02x %u", c->mgm.alg, c->mgm.touch_policy);
	put_hex(f, c->mgm.key, c->mgm.len);
	for (i = 0; i < N_KEYS; i++)
		if (!put_key(f, &c->keys[i]))
			return 0;
	for (i = 0; i < N_OBJECTS; i++) {
		if (c->objects[i].data == NULL)
			continue;
		(void)fprintf(f, "object %06x", c->objects[i].tag);
		put_hex(f, c->objects[i].data, c->objects[i].len);
	}
	(void)fputs("end\n", f);
	return 1;
}

int
store_save(struct card *c, const char *path)
{
	char temp[4096];
	FILE *f;
	int rc;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return 0;
	f = fopen(temp, "w");
	if (f == NULL)
		return 0;
	rc = fchmod(fileno(f), 0600) == 0 && put_card(f, c) && !ferror(f);
	if (fclose(f) != 0 || !rc || rename(temp, path) != 0) {
		(void)remove(temp);
		return 0;
	}
	c->changed = 0;
	return 1;
}

/* Hex into out, which has room for size bytes; -1 when it is none. */
static long
get_hex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (; text[0] != '\0' && text[0] != '\n'; text += 2) {
		unsigned byte;

		if (n == size || sscanf(text, "%2x", &byte) != 1 ||
		    text[1] == '\0' || text[1] == '\n')
			return -1;
		out[n++] = (uint8_t)byte;
	}
	return (long)n;
}

static int
get_pin(const char *text, struct pin *p)
{
	unsigned left, max;
	int at = 0;

	if (sscanf(text, "%u %u %n", &left, &max, &at) != 2 || left > max ||
	    max > 255 || get_hex(text + at, p->value, PIN_LEN) != PIN_LEN)
		return 0;
	p->left = (uint8_t)left;
	p->max = (uint8_t)max;
	return 1;
}

static int
get_mgm(const char *text, struct mgm *m)
{
	unsigned alg, touch;
	int at = 0;
	long len;

	if (sscanf(text, "%x %u %n", &alg, &touch, &at) != 2 || alg > 255 ||
	    touch > TOUCH_CACHED)
		return 0;
	len = get_hex(text + at, m->key, sizeof(m->key));
	if (len <= 0 || mgm_key_len((uint8_t)alg) != (size_t)len)
		return 0;
	m->alg = (uint8_t)alg;
	m->touch_policy = (uint8_t)touch;
	m->len = (size_t)len;
	return 1;
}

static int
get_key(struct card *c, const char *text)
{
	unsigned ref, alg, origin, pin, touch;
	uint8_t der[BUF_MAX];
	const unsigned char *p = der;
	struct key *k;
	int at = 0;
	long len;

	if (sscanf(text, "%x %x %u %u %u %n", &ref, &alg, &origin, &pin, &touch,
		&at) != 5 ||
	    ref > 255 || origin == ORIGIN_NONE || origin > ORIGIN_IMPORTED ||
	    pin > PIN_ALWAYS || touch > TOUCH_CACHED)
		return 0;
	k = key_find(c, (uint8_t)ref);
	len = get_hex(text + at, der, sizeof(der));
	if (k == NULL || k->pkey != NULL || len <= 0)
		return 0;
	k->pkey = d2i_AutoPrivateKey_ex(NULL, &p, len, c->lib, NULL);
	OPENSSL_cleanse(der, sizeof(der));
	if (k->pkey == NULL || key_alg(k->pkey) != alg)
		return 0;
	k->alg = (uint8_t)alg;
	k->origin = (uint8_t)origin;
	k->pin_policy = (uint8_t)pin;
	k->touch_policy = (uint8_t)touch;
	return 1;
}

static int
get_object(struct card *c, const char *text)
{
	uint8_t data[OBJECT_MAX];
	unsigned tag;
	int at = 0;
	long len;

	if (sscanf(text, "%x %n", &tag, &at) != 1)
		return 0;
	len = get_hex(text + at, data, sizeof(data));
	return len > 0 && object_put(c, tag, data, (size_t)len);
}

static int
get_line(struct card *c, const char *line)
{
	const char *value = strchr(line, ' ');
	unsigned n;

	if (value == NULL)
		return 0;
	value++;
	if (strncmp(line, "serial ", 7) == 0)
		return sscanf(value, "%u", &c->serial) == 1;
	if (strncmp(line, "form-factor ", 12) == 0) {
		if (sscanf(value, "%u", &n) != 1 || n > 255)
			return 0;
		c->form_factor = (uint8_t)n;
		return 1;
	}
	if (strncmp(line, "firmware ", 9) == 0)
		return get_hex(value, c->firmware, 3) == 3;
	if (strncmp(line, "pin ", 4) == 0)
		return get_pin(value, &c->pin);
	if (strncmp(line, "puk ", 4) == 0)
		return get_pin(value, &c->puk);
	if (strncmp(line, "mgm ", 4) == 0)
		return get_mgm(value, &c->mgm);
	if (strncmp(line, "key ", 4) == 0)
		return get_key(c, value);
	if (strncmp(line, "object ", 7) == 0)
		return get_object(c, value);
	return 0;
}

/* 1 when the whole card was read. */
int
store_load(struct card *c, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	int whole = 0;

	if (f == NULL)
		return 0;
	while (getline(&line, &size, f) > 0) {
		whole = strcmp(line, "end\n") == 0;
		if (!whole && !get_line(c, line))
			break;
	}
	free(line);
	(void)fclose(f);
	c->changed = 0;
	return whole;
}
