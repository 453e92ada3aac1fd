/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 7512 URIs. p11-kit decodes them; what it lets pass in silence (an
 * attribute twice, unknown ones, white space, PINs) is refused here first.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "uri.h"

#define SCHEME "pkcs11:"

enum attr {
	A_TOKEN,
	A_MANUFACTURER,
	A_SERIAL,
	A_MODEL,
	A_LIB_MANUFACTURER,
	A_LIB_DESCRIPTION,
	A_LIB_VERSION,
	A_SLOT_ID,
	A_SLOT_DESCRIPTION,
	A_SLOT_MANUFACTURER,
	A_OBJECT,
	A_TYPE,
	A_ID,
	A_QUERY, /* those below are query attributes */
	A_PIN_SOURCE = A_QUERY,
	A_PIN_VALUE,
	A_MODULE_NAME,
	A_MODULE_PATH,
	N_ATTRS
};

/* RFC 7512 section 2.3, pk11-pattr and pk11-qattr. */
static const char *const attrs[N_ATTRS] = {
	[A_TOKEN] = "token",
	[A_MANUFACTURER] = "manufacturer",
	[A_SERIAL] = "serial",
	[A_MODEL] = "model",
	[A_LIB_MANUFACTURER] = "library-manufacturer",
	[A_LIB_DESCRIPTION] = "library-description",
	[A_LIB_VERSION] = "library-version",
	[A_SLOT_ID] = "slot-id",
	[A_SLOT_DESCRIPTION] = "slot-description",
	[A_SLOT_MANUFACTURER] = "slot-manufacturer",
	[A_OBJECT] = "object",
	[A_TYPE] = "type",
	[A_ID] = "id",
	[A_PIN_SOURCE] = "pin-source",
	[A_PIN_VALUE] = "pin-value",
	[A_MODULE_NAME] = "module-name",
	[A_MODULE_PATH] = "module-path",
};

/* The attributes of one URI: where each value is, undecoded. */
struct scan {
	const char *value[N_ATTRS];
	size_t len[N_ATTRS];
};

static int
is_uri(const char *text)
{
	return strncasecmp(text, SCHEME, sizeof(SCHEME) - 1) == 0;
}

static int
bad(struct burin_error *e, const char *rule, const char *what,
    const char *detail)
{
	burin_fail(e, BURIN_EUSAGE, "uri-malformed", "the token URI %s%s", what,
	    detail);
	burin_error_rule(e, "RFC 7512 section %s", rule);
	return burin_error_advice(e,
	    "write it as in pkcs11:token=LABEL;serial=NUMBER, a blank as "
	    "%%20; burin tokens shows the URI of every token");
}

static int
refuse_pin(struct burin_error *e)
{
	burin_fail(e, BURIN_EUSAGE, "uri-pin", "the token URI has a PIN in it");
	burin_error_rule(e, "RFC 7512 section 2.4 and 4 (pin-value)");
	return burin_error_advice(e,
	    "everybody can see it there: use --pin-source file:PATH, or "
	    "?pin-source=file:PATH in the URI; change the PIN");
}

/* One "name=value" of length len. */
static int
scan_one(
    struct scan *s, const char *p, size_t len, int query, struct burin_error *e)
{
	const char *eq = memchr(p, '=', len);
	size_t i, n;
	char name[32];

	if (eq == NULL || eq == p)
		return bad(e, "2.3", "has a part that is not name=value", "");
	n = (size_t)(eq - p);
	(void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
	/* Anywhere and in any spelling: it must not reach a log. */
	if (strcasecmp(name, attrs[A_PIN_VALUE]) == 0)
		return refuse_pin(e);
	for (i = query ? A_QUERY : 0; i < (query ? N_ATTRS : A_QUERY); i++)
		if (strlen(attrs[i]) == n && memcmp(attrs[i], p, n) == 0)
			break;
	if (i == N_ATTRS)
		return 0; /* section 2.3: unknown query: ignored */
	if (i == A_QUERY && !query)
		return bad(e, "2.3", "has an unknown attribute: ", name);
	if (s->value[i] != NULL)
		return bad(e, "2.3", "has an attribute twice: ", name);
	s->value[i] = eq + 1;
	s->len[i] = len - n - 1;
	/* No field of a token has one; C strings would end there. */
	if (i != A_ID && s->len[i] >= 3 &&
	    memmem(s->value[i], s->len[i], "%00", 3) != NULL)
		return bad(e, "2.3", "has a NUL in ", name);
	return 0;
}

static int
scan_part(
    struct scan *s, const char *p, size_t len, int query, struct burin_error *e)
{
	const char sep = query ? '&' : ';';
	const char *end = p + len, *next;

	if (len == 0)
		return 0;
	for (;;) {
		next = memchr(p, sep, (size_t)(end - p));
		if (scan_one(s, p, (size_t)((next != NULL ? next : end) - p),
			query, e) == -1)
			return -1;
		if (next == NULL)
			return 0;
		p = next + 1;
	}
}

static int
scan_uri(struct scan *s, const char *text, struct burin_error *e)
{
	const char *p, *path = text + sizeof(SCHEME) - 1, *query;

	memset(s, 0, sizeof(*s));
	for (p = path; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '#')
			return bad(e, "2.3",
			    "has a character that must be percent-encoded", "");
	query = strchr(path, '?');
	if (query == NULL)
		return scan_part(s, path, strlen(path), 0, e);
	if (scan_part(s, path, (size_t)(query - path), 0, e) == -1)
		return -1;
	return scan_part(s, query + 1, strlen(query + 1), 1, e);
}

/* p11-kit lets large numbers overflow. */
static int
slot_number(const struct scan *s, CK_SLOT_ID *out, struct burin_error *e)
{
	const char *v = s->value[A_SLOT_ID];
	char *end;

	errno = 0;
	*out = strtoul(v, &end, 10);
	if (!isdigit((unsigned char)*v) || errno != 0 ||
	    end != v + s->len[A_SLOT_ID])
		return bad(e, "2.3", "has a slot-id that is no number", "");
	return 0;
}

static int
take(char **out, const unsigned char *src, size_t len)
{
	*out = malloc(len + 1);
	if (*out == NULL)
		return -1;
	p11_text(*out, len + 1, src, len);
	return 0;
}

static int
take_string(char **out, const char *src)
{
	*out = src != NULL ? strdup(src) : NULL;
	return src != NULL && *out == NULL ? -1 : 0;
}

#define TAKE(seen, out, field) \
	((seen) != NULL && take(&(out), (field), sizeof(field)) == -1)

/* The strings of u, from p11-kit's decoded fields. */
static int
take_fields(struct p11_uri *u, const struct scan *s, P11KitUri *k)
{
	const CK_TOKEN_INFO *t = p11_kit_uri_get_token_info(k);
	const CK_SLOT_INFO *slot = p11_kit_uri_get_slot_info(k);
	const CK_INFO *lib = p11_kit_uri_get_module_info(k);

	u->has_lib_version = s->value[A_LIB_VERSION] != NULL;
	u->lib_version = lib->libraryVersion;
	if (TAKE(s->value[A_TOKEN], u->token, t->label) ||
	    TAKE(
		s->value[A_MANUFACTURER], u->manufacturer, t->manufacturerID) ||
	    TAKE(s->value[A_SERIAL], u->serial, t->serialNumber) ||
	    TAKE(s->value[A_MODEL], u->model, t->model) ||
	    TAKE(s->value[A_SLOT_DESCRIPTION], u->slot_description,
		slot->slotDescription) ||
	    TAKE(s->value[A_SLOT_MANUFACTURER], u->slot_manufacturer,
		slot->manufacturerID) ||
	    TAKE(s->value[A_LIB_MANUFACTURER], u->lib_manufacturer,
		lib->manufacturerID) ||
	    TAKE(s->value[A_LIB_DESCRIPTION], u->lib_description,
		lib->libraryDescription) ||
	    take_string(&u->module_name, p11_kit_uri_get_module_name(k)) ||
	    take_string(&u->module_path, p11_kit_uri_get_module_path(k)) ||
	    take_string(&u->pin_source, p11_kit_uri_get_pin_source(k)))
		return -1;
	return 0;
}

static int
take_object(struct p11_uri *u, P11KitUri *k, struct burin_error *e)
{
	const CK_ATTRIBUTE *a;

	a = p11_kit_uri_get_attribute(k, CKA_ID);
	if (a != NULL) {
		if (a->ulValueLen > sizeof(u->id))
			return bad(e, "2.3", "has an id that is too long", "");
		u->has_id = 1;
		u->id_len = a->ulValueLen;
		if (u->id_len > 0)
			memcpy(u->id, a->pValue, u->id_len);
	}
	a = p11_kit_uri_get_attribute(k, CKA_LABEL);
	if (a != NULL) {
		if (a->ulValueLen > BURIN_MAX_LABEL)
			return bad(
			    e, "2.3", "has an object that is too long", "");
		u->object = calloc(1, a->ulValueLen + 1);
		if (u->object == NULL)
			return burin_fail_memory(e);
		if (a->ulValueLen > 0)
			memcpy(u->object, a->pValue, a->ulValueLen);
	}
	a = p11_kit_uri_get_attribute(k, CKA_CLASS);
	if (a != NULL) {
		u->has_class = 1;
		memcpy(&u->cls, a->pValue, sizeof(u->cls));
	}
	return 0;
}

static int
check_query(const struct p11_uri *u, struct burin_error *e)
{
	if (u->pin_source != NULL && u->pin_source[0] == '|') {
		burin_fail(e, BURIN_EUSAGE, "uri-command",
		    "the pin-source of the token URI is a command");
		burin_error_rule(e, "RFC 7512 section 2.4 (pin-source)");
		return burin_error_advice(e,
		    "commands are never run for a PIN: use "
		    "pin-source=file:PATH, or --pin-source");
	}
	if (u->module_path != NULL && u->module_path[0] != '/')
		return bad(e, "2.4", "has a module-path that is relative", "");
	return 0;
}

static int
parse_uri(struct p11_uri *u, const char *text, struct burin_error *e)
{
	struct scan s;
	P11KitUri *k = NULL;
	int r, rc = -1;

	if (scan_uri(&s, text, e) == -1)
		return -1;
	if ((k = p11_kit_uri_new()) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	r = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, k);
	if (r != P11_KIT_URI_OK) {
		bad(e, "2.3", "is malformed: ", p11_kit_uri_message(r));
		goto out;
	}
	/* The names are known: a value is too long, or the type is not. */
	if (p11_kit_uri_any_unrecognized(k)) {
		bad(e, "2.3",
		    "has an attribute too long for its field or an unknown "
		    "type",
		    "");
		goto out;
	}
	u->has_slot_id = s.value[A_SLOT_ID] != NULL;
	if (u->has_slot_id && slot_number(&s, &u->slot_id, e) == -1)
		goto out;
	if (take_fields(u, &s, k) == -1) {
		burin_fail_memory(e);
		goto out;
	}
	if (take_object(u, k, e) == -1 || check_query(u, e) == -1)
		goto out;
	rc = 0;
out:
	p11_kit_uri_free(k);
	return rc;
}

int
p11_uri_parse(struct p11_uri **out, const char *text, struct burin_error *e)
{
	struct p11_uri *u;
	size_t len = text != NULL ? strlen(text) : 0;
	int rc = -1;

	*out = NULL;
	if (len > P11_MAX_URI)
		return burin_fail(e, BURIN_EUSAGE, "token-name-length",
		    "the name of the token is longer than %d characters",
		    P11_MAX_URI);
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return burin_fail_memory(e);
	if (text != NULL && is_uri(text)) {
		if (parse_uri(u, text, e) == -1)
			goto out;
	} else if (text != NULL) {
		if (take(&u->word, (const unsigned char *)text, len) == -1) {
			burin_fail_memory(e);
			goto out;
		}
		if (u->word[0] == '\0') {
			burin_fail(e, BURIN_EUSAGE, "token-name-empty",
			    "the name of the token is empty");
			burin_error_advice(e,
			    "give a label, a serial number or a URI; a blank "
			    "token is named pkcs11:slot-id=...");
			goto out;
		}
	}
	*out = u;
	u = NULL;
	rc = 0;
out:
	p11_uri_free(&u);
	return rc;
}

void
p11_uri_free(struct p11_uri **pp)
{
	struct p11_uri *u;

	if (pp == NULL || (u = *pp) == NULL)
		return;
	*pp = NULL;
	free(u->word);
	free(u->token);
	free(u->manufacturer);
	free(u->serial);
	free(u->model);
	free(u->slot_description);
	free(u->slot_manufacturer);
	free(u->lib_manufacturer);
	free(u->lib_description);
	free(u->module_path);
	free(u->module_name);
	free(u->object);
	free(u->pin_source);
	free(u);
}

int
burin_uri_pin_source(const char *uri, char **out, struct burin_error *e)
{
	struct p11_uri *u = NULL;

	*out = NULL;
	if (uri == NULL || !is_uri(uri))
		return 0;
	if (p11_uri_parse(&u, uri, e) == -1)
		return -1;
	*out = u->pin_source;
	u->pin_source = NULL;
	p11_uri_free(&u);
	return 0;
}

const char *
p11_uri_show(const char *text, char *buf, size_t size)
{
	size_t n = strlen(text);

	if (is_uri(text)) {
		n = strcspn(text, "?");
		if (strcasestr(text, attrs[A_PIN_VALUE]) != NULL)
			n = sizeof(SCHEME) - 1;
	}
	if (n > BURIN_ERROR_TEXT / 2)
		n = BURIN_ERROR_TEXT / 2;
	p11_text(buf, size, (const unsigned char *)text, n);
	return buf;
}
