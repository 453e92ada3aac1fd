/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens: listed once per module, found by name, never guessed (PKCS#11 2.40
 * section 5.5, RFC 7512).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>

#include "p11.h"
#include "uri.h"

void
p11_text(char *dst, size_t size, const unsigned char *src, size_t len)
{
	const unsigned char *nul;
	unsigned long c;
	size_t i, o = 0;
	int n;

	if (len > 0 && (nul = memchr(src, '\0', len)) != NULL)
		len = (size_t)(nul - src);
	while (len > 0 && src[len - 1] == ' ')
		len--;
	for (i = 0; i < len; i += (size_t)n) {
		n = UTF8_getc(src + i, len - i > 4 ? 4 : (int)(len - i), &c);
		if (n <= 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			n = n <= 0 ? 1 : n;
			if (o + 1 >= size)
				break;
			dst[o++] = '?';
			continue;
		}
		if (o + (size_t)n >= size)
			break;
		memcpy(dst + o, src + i, (size_t)n);
		o += (size_t)n;
	}
	dst[o] = '\0';
}

static void
set_flags(struct burin_token *t, CK_FLAGS f)
{
	struct burin_token_info *i = &t->info;

	t->flags = f;
	/* Some modules set only the second one on a token in use. */
	i->initialized =
	    (f & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED)) != 0;
	i->pin_set = (f & CKF_USER_PIN_INITIALIZED) != 0;
	i->pin_pad = (f & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	i->login_required = (f & CKF_LOGIN_REQUIRED) != 0;
	i->write_protected = (f & CKF_WRITE_PROTECTED) != 0;
	i->pin_count_low = (f & CKF_USER_PIN_COUNT_LOW) != 0;
	i->pin_final_try = (f & CKF_USER_PIN_FINAL_TRY) != 0;
	i->pin_locked = (f & CKF_USER_PIN_LOCKED) != 0;
	i->so_pin_count_low = (f & CKF_SO_PIN_COUNT_LOW) != 0;
	i->so_pin_final_try = (f & CKF_SO_PIN_FINAL_TRY) != 0;
	i->so_pin_locked = (f & CKF_SO_PIN_LOCKED) != 0;
}

static void
set_name(struct burin_token *t)
{
	size_t n = 0;

#define ADD(...) \
	n += (size_t)snprintf(t->name + n, sizeof(t->name) - n, __VA_ARGS__)
	/* The fields are short (CK_TOKEN_INFO): it always fits. */
	if (t->info.initialized)
		ADD("label '%s'", t->label);
	else
		ADD("blank token");
	if (t->serial[0] != '\0')
		ADD(" serial %s", t->serial);
	else
		ADD(" in slot %lu", t->slot);
	if (t->model[0] != '\0')
		ADD(" (%s)", t->model);
#undef ADD
}

static void
set_info(struct burin_token *t, const CK_TOKEN_INFO *ti)
{
	struct burin_token_info *i = &t->info;

	p11_text(t->label, sizeof(t->label), ti->label, sizeof(ti->label));
	p11_text(t->serial, sizeof(t->serial), ti->serialNumber,
	    sizeof(ti->serialNumber));
	p11_text(t->model, sizeof(t->model), ti->model, sizeof(ti->model));
	p11_text(t->manufacturer, sizeof(t->manufacturer), ti->manufacturerID,
	    sizeof(ti->manufacturerID));
	i->label = t->label;
	i->serial = t->serial;
	i->model = t->model;
	i->manufacturer = t->manufacturer;
	i->module = t->m->name;
	i->slot = t->slot;
	i->pin_min = ti->ulMinPinLen;
	i->pin_max = ti->ulMaxPinLen;
	t->max_sessions = ti->ulMaxSessionCount;
	if (t->max_sessions == CK_UNAVAILABLE_INFORMATION)
		t->max_sessions = CK_EFFECTIVELY_INFINITE;
	set_flags(t, ti->flags);
	set_name(t);
}

int
p11_token_reload(struct burin_token *t, struct burin_error *e)
{
	CK_TOKEN_INFO ti;
	CK_RV rv;

	memset(&ti, 0, sizeof(ti));
	rv = p11_GetTokenInfo(t->m, t->slot, &ti);
	if (rv != CKR_OK) {
		p11_note_rv(t, rv);
		return p11_fail(e, t, "C_GetTokenInfo", rv);
	}
	/* Names stay: what is in the slot by now may be another token. */
	set_flags(t, ti.flags);
	return 0;
}

int
p11_token_is_there(struct burin_token *t)
{
	char serial[sizeof(t->serial)];
	CK_SLOT_ID *slots;
	CK_TOKEN_INFO ti;
	CK_ULONG i, n = BURIN_MAX_SLOTS;
	int there = 1;

	if ((slots = malloc(n * sizeof(*slots))) == NULL)
		return 1;
	if (p11_GetSlotList(t->m, CK_TRUE, slots, &n) == CKR_OK &&
	    n <= BURIN_MAX_SLOTS) {
		for (i = 0; i < n && slots[i] != t->slot; i++)
			continue;
		memset(&ti, 0, sizeof(ti));
		there = i < n && p11_GetTokenInfo(t->m, t->slot, &ti) == CKR_OK;
		p11_text(serial, sizeof(serial), ti.serialNumber,
		    sizeof(ti.serialNumber));
		there = there && strcmp(serial, t->serial) == 0;
	}
	free(slots);
	return there;
}

void
p11_forget_tokens(struct p11_module *m)
{
	size_t i;

	for (i = 0; i < m->n_tokens; i++)
		free(m->tokens[i]);
	free(m->tokens);
	m->tokens = NULL;
	m->n_tokens = 0;
	m->n_mute = 0;
	m->silent_rv = CKR_OK;
	m->listed = 0;
}

/* The slots of m in one call: there is room for as many as we take. */
static int
list_slots(
    struct p11_module *m, CK_SLOT_ID **out, CK_ULONG *n, struct burin_error *e)
{
	CK_SLOT_ID *slots;
	CK_RV rv;

	slots = malloc(BURIN_MAX_SLOTS * sizeof(*slots));
	if (slots == NULL)
		return burin_fail_memory(e);
	*n = BURIN_MAX_SLOTS;
	rv = p11_GetSlotList(m, CK_TRUE, slots, n);
	if (rv == CKR_OK && *n <= BURIN_MAX_SLOTS) {
		*out = slots;
		return 0;
	}
	free(slots);
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL) {
		burin_fail(e, BURIN_ETOKEN, "too-many-slots",
		    "module %s lists more than %d slots", m->name,
		    BURIN_MAX_SLOTS);
		return burin_error_rule(
		    e, "PKCS#11 2.40 section 5.5, C_GetSlotList");
	}
	p11_fail(e, NULL, "C_GetSlotList", rv);
	return burin_error_cause(e, "module %s", m->name);
}

int
p11_list_tokens(struct p11_module *m, struct burin_error *e)
{
	CK_SLOT_ID *slots = NULL;
	CK_TOKEN_INFO ti;
	CK_ULONG i, n = 0;
	CK_RV rv;

	if (m->listed)
		return 0;
	if (list_slots(m, &slots, &n, e) == -1)
		return -1;
	m->tokens = calloc(n + 1, sizeof(*m->tokens));
	for (i = 0; m->tokens != NULL && i < n; i++) {
		struct burin_token *t;

		memset(&ti, 0, sizeof(ti));
		rv = p11_GetTokenInfo(m, slots[i], &ti);
		if (rv != CKR_OK) {
			m->n_mute++;
			m->mute_rv = rv;
			continue;
		}
		if ((t = calloc(1, sizeof(*t))) == NULL)
			break;
		t->m = m;
		t->slot = slots[i];
		set_info(t, &ti);
		m->tokens[m->n_tokens++] = t;
	}
	free(slots);
	if (m->tokens == NULL || i < n) {
		p11_forget_tokens(m);
		return burin_fail_memory(e);
	}
	m->listed = 1;
	return 0;
}

/* Lists every module; what fails in the registry is only noted. */
static int
list_all(struct burin_p11 *p11, size_t *n, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	size_t i;
	int r;

	*n = 0;
	for (i = 0; i < p11->n_modules; i++) {
		struct p11_module *m = p11->modules[i];

		p11_lock(m);
		r = p11_list_tokens(m, m->managed ? &why : e);
		p11_unlock(m);
		if (r == -1 && !m->managed)
			return -1;
		if (r == -1) {
			p11_note(
			    p11, "module %s left out: %s", m->name, why.reason);
			burin_error_clear(&why);
		}
		*n += m->n_tokens;
	}
	return 0;
}

int
burin_tokens(struct burin_p11 *p11, struct burin_token *const **tokens,
    size_t *n, struct burin_error *e)
{
	struct burin_token **all;
	size_t i, j, k = 0, count;

	/* Who asked before still holds the list. */
	*tokens = p11->all;
	*n = p11->n_all;
	if (p11->all != NULL)
		return 0;
	if (list_all(p11, &count, e) == -1)
		return burin_error_step(e, "tokens");
	all = calloc(count + 1, sizeof(*all));
	if (all == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < p11->n_modules; i++)
		for (j = 0; j < p11->modules[i]->n_tokens; j++)
			all[k++] = p11->modules[i]->tokens[j];
	*tokens = p11->all = all;
	*n = p11->n_all = count;
	return 0;
}

/* Whether u means t; a blank token has to be asked for. */
static int
is_meant(const struct p11_uri *u, struct burin_token *t, int want_blank)
{
	int blank = !t->info.initialized;

	if (u->word == NULL && p11_uri_any_token(u))
		return blank == (want_blank != 0);
	if (!p11_uri_match_token(u, t))
		return 0;
	return !blank || want_blank || u->has_slot_id ||
	    (u->token != NULL && u->token[0] == '\0');
}

/*
 * "A in slot 1; B in slot 2; and 3 more" of the tokens that u means, or of
 * all when u is NULL.
 */
static void
list_names(char *buf, size_t size, struct burin_token *const *t, size_t n,
    const struct p11_uri *u, int want_blank)
{
	size_t i, k, len = 0, left = 0;
	char one[256];

	buf[0] = '\0';
	for (i = 0; i < n; i++) {
		if (u != NULL && !is_meant(u, t[i], want_blank))
			continue;
		(void)snprintf(
		    one, sizeof(one), "%s%s", len > 0 ? "; " : "", t[i]->name);
		/* Without a serial number the name has the slot already. */
		if (t[i]->serial[0] != '\0') {
			k = strlen(one);
			(void)snprintf(one + k, sizeof(one) - k, " in slot %lu",
			    t[i]->slot);
		}
		if (left > 0 || len + strlen(one) + 24 > size) {
			left++;
			continue;
		}
		memcpy(buf + len, one, strlen(one) + 1);
		len += strlen(one);
	}
	if (left > 0)
		(void)snprintf(buf + len, size - len, "; and %zu more", left);
}

/*
 * A reader that another program has for itself (SCardConnect with
 * SCARD_SHARE_EXCLUSIVE) is listed without a token, or its slot does not say
 * what it holds.
 */
static void
say_mute(struct p11_module *m, struct burin_error *e)
{
	if (m->silent_rv != CKR_OK) {
		burin_error_cause(e,
		    "%s does not list its slots (%s); is its service (pcscd) "
		    "running?",
		    m->name, p11_ckr_name(m->silent_rv));
		return;
	}
	if (m->n_mute > 0)
		burin_error_cause(e,
		    "%u slots of %s did not say what they hold (%s)", m->n_mute,
		    m->name, p11_ckr_name(m->mute_rv));
	if (!m->initialized_by_us || m->n_tokens > 0)
		return;
	p11_look_closer(m);
	if (m->empty_slots > 0 && m->rivals[0] != '\0')
		burin_error_cause(e,
		    "%u readers seem empty to %s, which is so also when "
		    "another program has them for itself: %s",
		    m->empty_slots, m->name, m->rivals);
	else if (m->empty_slots > 0)
		burin_error_cause(e,
		    "%u readers seem empty to %s, which is so also when "
		    "another program has them for itself",
		    m->empty_slots, m->name);
}

static int
token_missing(struct burin_p11 *p11, const char *name, struct burin_error *e)
{
	char list[320], shown[128];
	size_t i;

	list_names(list, sizeof(list), p11->all, p11->n_all, NULL, 0);
	if (p11->n_all == 0)
		burin_fail(e, BURIN_ETOKEN, "token-missing",
		    "there is no token at all");
	else if (name == NULL)
		burin_fail(e, BURIN_ETOKEN, "token-missing",
		    "there is no such token; there is: %s", list);
	else
		burin_fail(e, BURIN_ETOKEN, "token-missing",
		    "no token is named '%s'; there is: %s",
		    p11_uri_show(name, shown, sizeof(shown)), list);
	burin_error_rule(e, "RFC 7512");
	for (i = 0; i < p11->n_modules; i++) {
		p11_lock(p11->modules[i]);
		say_mute(p11->modules[i], e);
		p11_unlock(p11->modules[i]);
	}
	return burin_error_advice(e,
	    "put the token in, or give its whole label, its serial number or "
	    "its URI; burin tokens shows them, --module adds more modules");
}

static int
token_ambiguous(struct burin_p11 *p11, const struct p11_uri *u,
    const char *name, int want_blank, size_t n, struct burin_error *e)
{
	char list[384], shown[96];

	list_names(list, sizeof(list), p11->all, p11->n_all, u, want_blank);
	if (name == NULL)
		burin_fail(e, BURIN_ETOKEN, "token-ambiguous",
		    "%zu tokens could be meant: %s", n, list);
	else
		burin_fail(e, BURIN_ETOKEN, "token-ambiguous",
		    "%zu tokens are named '%s': %s", n,
		    p11_uri_show(name, shown, sizeof(shown)), list);
	burin_error_rule(e, "RFC 7512");
	return burin_error_advice(e,
	    "name one of them by its serial number or slot, as in "
	    "pkcs11:serial=... or pkcs11:slot-id=...");
}

int
burin_token_find(struct burin_p11 *p11, const char *name, int want_blank,
    struct burin_token **out, struct burin_error *e)
{
	struct burin_token *const *tokens, *found = NULL;
	struct p11_uri *u = NULL;
	size_t i, n, hits = 0;
	int rc = -1;

	*out = NULL;
	if (p11_uri_parse(&u, name, e) == -1 ||
	    burin_tokens(p11, &tokens, &n, e) == -1)
		goto out;
	for (i = 0; i < n; i++)
		if (is_meant(u, tokens[i], want_blank)) {
			found = tokens[i];
			hits++;
		}
	if (hits == 0) {
		token_missing(p11, name, e);
		goto out;
	}
	if (hits > 1) {
		token_ambiguous(p11, u, name, want_blank, hits, e);
		goto out;
	}
	*out = found;
	rc = 0;
out:
	p11_uri_free(&u);
	return rc == 0 ? 0 : burin_error_step(e, "find-token");
}

const struct burin_token_info *
burin_token_info(const struct burin_token *t)
{
	return &t->info;
}

const char *
burin_token_name(const struct burin_token *t)
{
	return t->name;
}

char *
burin_token_uri(const struct burin_token *t)
{
	return p11_uri_make(t, NULL, 0, NULL, NULL);
}

int
burin_token_matches(const struct burin_token *t, const char *uri)
{
	struct p11_uri *u = NULL;
	int r = 0;

	if (uri != NULL && p11_uri_parse(&u, uri, NULL) == 0)
		r = p11_uri_match_token(u, t);
	p11_uri_free(&u);
	return r;
}
