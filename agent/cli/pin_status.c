/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How it stands with the PINs of a token: what the token says, what the
 * journal remembers, what a YubiKey tells beyond PKCS#11. No login is tried.
 */

#include <string.h>
#include <time.h>

#include "pin_status.h"
#include "secrets.h"

/* One of PIN, SO PIN and PUK. */
struct state {
	const char *key, *name;
	enum burin_login who;
	int told; /* whether the token's flags say anything of it */
	int low, final_try, locked;
	const struct burin_piv_secret *piv; /* NULL: not to be known */
};

static const char *const policies[] = { "default", "never", "once", "always" };
static const char *const touches[] = { "default", "never", "always", "cached" };

static const char *
word(const char *const *words, size_t n, int i)
{
	return i >= 0 && (size_t)i < n ? words[i] : "unknown";
}

static const char *
flag_words(const struct state *s)
{
	if (s->locked || (s->piv != NULL && s->piv->tries_left == 0))
		return "locked";
	if (s->final_try || (s->piv != NULL && s->piv->tries_left == 1))
		return "one try left";
	if (s->low)
		return "wrong tries were counted";
	if (!s->told && s->piv != NULL && s->piv->tries_left < 0)
		return "how many tries are left is not told";
	return "no wrong try is told of";
}

static json_t *
state_json(const struct state *s, const struct pin_tries *tries)
{
	json_t *o = json_object(), *r = json_object();

	if (o == NULL || r == NULL) {
		json_decref(o);
		json_decref(r);
		return NULL;
	}
	if (s->told) {
		(void)json_object_set_new(o, "count_low", json_boolean(s->low));
		(void)json_object_set_new(
		    o, "final_try", json_boolean(s->final_try));
		(void)json_object_set_new(o, "locked", json_boolean(s->locked));
	} else if (s->piv != NULL && s->piv->tries_left >= 0) {
		(void)json_object_set_new(
		    o, "locked", json_boolean(s->piv->tries_left == 0));
	}
	if (s->piv != NULL && s->piv->tries_left >= 0)
		(void)json_object_set_new(
		    o, "tries_left", json_integer(s->piv->tries_left));
	if (s->piv != NULL && s->piv->tries >= 0)
		(void)json_object_set_new(
		    o, "tries", json_integer(s->piv->tries));
	if (s->piv != NULL && s->piv->factory >= 0)
		(void)json_object_set_new(
		    o, "factory", json_boolean(s->piv->factory));
	(void)json_object_set_new(r, "wrong", json_integer(tries->wrong));
	(void)json_object_set_new(r, "unknown", json_integer(tries->unknown));
	(void)json_object_set_new(r, "refused",
	    json_boolean(tries->wrong + tries->unknown >= tries->limit));
	(void)json_object_set_new(o, "remembered", r);
	return o;
}

static void
say_remembered(
    struct cli *c, const struct state *s, const struct pin_tries *tries)
{
	char when[32] = "?";
	struct tm tm;
	int n = tries->wrong + tries->unknown;

	if (n == 0)
		return;
	if (gmtime_r(&tries->last, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	out_text(c, "      remembered   %d wrong %s since the last success, %s",
	    n, n == 1 ? "try" : "tries", when);
	if (tries->unknown > 0)
		out_text(c,
		    "                   %d of them ended without an answer",
		    tries->unknown);
	if (n >= tries->limit)
		out_text(c,
		    "                   no %s is sent without --last-try",
		    s->name);
}

static int
tell(struct cli *c, const struct burin_token *t, const struct state *s,
    const char *more, struct burin_error *e)
{
	const char *flags = flag_words(s);
	struct pin_tries tries;
	char left[64] = "";

	if (pin_memory_tries(c->journal, t, s->who, &tries, e) != 0)
		return -1;
	if (s->piv != NULL && s->piv->tries_left >= 0 && s->piv->tries >= 0)
		(void)snprintf(left, sizeof(left), "; %d of %d tries left",
		    s->piv->tries_left, s->piv->tries);
	else if (s->piv != NULL && s->piv->tries_left >= 0)
		(void)snprintf(
		    left, sizeof(left), "; %d tries left", s->piv->tries_left);
	out_text(c, "    %-15s%s%s%s%s", s->name, more, flags, left,
	    s->piv != NULL && s->piv->factory == 1
		? "; still the one it left the factory with"
		: "");
	say_remembered(c, s, &tries);
	out_json(c, s->key, state_json(s, &tries));
	return 0;
}

/* What a YubiKey's module says is the length of its management key. */
static unsigned long
pin_max(const struct burin_token_info *i, int is_piv)
{
	return is_piv && i->pin_max > GENERATED_PIN ? GENERATED_PIN
						    : i->pin_max;
}

/* "set, 4 to 255 bytes; " */
static void
pin_bounds(const struct burin_token_info *i, int is_piv, char *out, size_t size)
{
	const char *set = i->pin_set ? "set" : "NOT SET";
	unsigned long max = pin_max(i, is_piv);

	if (max != 0 && max >= i->pin_min && max <= BURIN_SECRET_MAX)
		(void)snprintf(
		    out, size, "%s, %lu to %lu bytes; ", set, i->pin_min, max);
	else
		(void)snprintf(out, size, "%s; ", set);
}

static void
add_bounds(struct cli *c, const struct burin_token_info *i, int is_piv)
{
	json_t *pin = c->json != NULL ? json_object_get(c->json, "pin") : NULL;

	if (pin == NULL)
		return;
	(void)json_object_set_new(pin, "set", json_boolean(i->pin_set));
	(void)json_object_set_new(
	    pin, "length_min", json_integer((json_int_t)i->pin_min));
	(void)json_object_set_new(
	    pin, "length_max", json_integer((json_int_t)pin_max(i, is_piv)));
}

/* Which keys ask for the PIN each time, and which for a touch. */
static int
slots(struct cli *c, struct burin_token *t, json_t *yubikey)
{
	static const unsigned char ids[] = { 0x9a, 0x9c, 0x9d, 0x9e };
	struct burin_error ignored = BURIN_ERROR_INIT;
	json_t *list = json_array(), *o;
	struct burin_piv_slot slot;
	char name[8];
	size_t i;

	for (i = 0; i < sizeof(ids); i++) {
		const char *pin, *touch;
		int rc = burin_piv_slot(t, ids[i], &slot, &ignored);

		if (rc == -1)
			break; /* older firmware: it does not tell */
		if (rc == 0)
			continue;
		pin = word(policies, 4, slot.pin_policy);
		touch = word(touches, 4, slot.touch_policy);
		(void)snprintf(name, sizeof(name), "%02x", ids[i]);
		out_text(c, "    key %s         PIN %s, touch %s, %s", name,
		    pin, touch,
		    slot.generated ? "made on it" : "brought to it");
		o = json_object();
		(void)json_object_set_new(o, "slot", json_text(name));
		(void)json_object_set_new(o, "pin_policy", json_text(pin));
		(void)json_object_set_new(o, "touch_policy", json_text(touch));
		(void)json_object_set_new(
		    o, "generated", json_boolean(slot.generated));
		(void)json_array_append_new(list, o);
	}
	(void)json_object_set_new(yubikey, "slots", list);
	return 0;
}

static int
tell_yubikey(struct cli *c, struct burin_token *t,
    const struct burin_piv_info *info, struct burin_error *e)
{
	struct state puk;
	json_t *o = json_object();

	memset(&puk, 0, sizeof(puk));
	puk.key = "puk";
	puk.name = "PUK";
	puk.who = BURIN_LOGIN_PUK;
	puk.piv = &info->puk;
	if (o == NULL || tell(c, t, &puk, "", e) != 0) {
		json_decref(o);
		return -1;
	}
	out_text(c, "    firmware       %s, management key %s%s", info->version,
	    info->key_type != NULL ? info->key_type : "of a type not told",
	    info->key.factory == 1 ? ", still the one it left the factory with"
				   : "");
	(void)json_object_set_new(o, "firmware", json_text(info->version));
	(void)json_object_set_new(
	    o, "management_key", json_text(info->key_type));
	(void)slots(c, t, o);
	out_json(c, "yubikey", o);
	return 0;
}

int
pin_status(struct cli *c, struct burin_token *t, struct burin_error *e)
{
	const struct burin_token_info *i = burin_token_info(t);
	struct burin_error why = BURIN_ERROR_INIT;
	struct burin_piv_info piv;
	struct state user, so;
	char bounds[80];
	int is_piv = burin_piv_is(t);

	if (is_piv && burin_piv_info(t, &piv, &why) != 0) {
		out_note(c, "exact tries are not known: %s", why.reason);
		is_piv = 0;
	}
	memset(&user, 0, sizeof(user));
	user.key = "pin";
	user.name = "PIN";
	user.who = BURIN_LOGIN_USER;
	user.told = 1;
	user.low = i->pin_count_low;
	user.final_try = i->pin_final_try;
	user.locked = i->pin_locked;
	memset(&so, 0, sizeof(so));
	so.key = "so_pin";
	so.name = burin_token_so_name(t);
	so.who = BURIN_LOGIN_SO;
	so.told = 1;
	so.low = i->so_pin_count_low;
	so.final_try = i->so_pin_final_try;
	so.locked = i->so_pin_locked;
	if (is_piv) {
		user.piv = &piv.pin;
		so.piv = &piv.key;
	}
	pin_bounds(i, burin_piv_is(t), bounds, sizeof(bounds));
	out_text(c, "%s", burin_token_name(t));
	if (i->pin_pad)
		out_text(c, "    PINs are typed on the reader");
	out_json(c, "pad", json_boolean(i->pin_pad));
	if (tell(c, t, &user, bounds, e) != 0 || tell(c, t, &so, "", e) != 0)
		return -1;
	add_bounds(c, i, burin_piv_is(t));
	return is_piv ? tell_yubikey(c, t, &piv, e) : 0;
}
