/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages for people: a tree of everything that their JSON says, in lines of
 * a hundred columns.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "attest_out.h"
#include "show_parts.h"

#define WIDTH 100   /* columns of a line */
#define LABEL 14    /* columns of a label with its colon */
#define STEP 2	    /* columns that one level is indented */
#define MAX_HANG 60 /* no line begins farther to the right */

/* Where a member has another name on paper than its own. */
static const struct {
	const char *key, *label;
} labels[] = {
	{ "sans", "Names" },
	{ "ekus", "Purposes" },
	{ "mac", "MAC" },
	{ "sha256", "SHA-256" },
	{ "crl", "CRL" },
	{ "crls", "CRL" },
	{ "pop", "Possession" },
	{ "pop_kind", "Proof" },
	{ "not_before", "Valid from" },
	{ "not_after", "Valid until" },
	{ "this_update", "Issued" },
	{ "controls", "Control" },
	{ "requests", "Request" },
	{ "messages", "Message" },
	{ "others", "Other" },
	{ "signers", "Signer" },
	{ "recipients", "Recipient" },
	{ "certificates", "Certificate" },
	{ "places", "Place" },
};

/* --- lines -----------------------------------------------------------------
 */

/* Bytes of s that fill at most room columns, one for each character. */
static size_t
fitting(const char *s, size_t room)
{
	size_t i = 0, n = 0;

	while (s[i] != '\0' && n < room) {
		i++;
		while (((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
		n++;
	}
	return i;
}

/* Whoever made the JSON cleaned it; this is the last line before a screen. */
static void
put_bytes(FILE *out, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		(void)fputc(
		    (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i],
		    out);
}

/* s from column col on; more lines begin at column hang. */
static void
put_wrapped(FILE *out, const char *s, size_t col, size_t hang)
{
	size_t n, cut;

	if (hang > MAX_HANG)
		hang = MAX_HANG;
	for (;;) {
		n = fitting(s, col < WIDTH ? WIDTH - col : 1);
		if (s[n] == '\0') {
			put_bytes(out, s, n);
			(void)fputc('\n', out);
			return;
		}
		for (cut = n; cut > 0 && s[cut] != ' '; cut--)
			continue;
		if (cut > 0)
			n = cut;
		put_bytes(out, s, n);
		s += n + (s[n] == ' ');
		(void)fprintf(out, "\n%*s", (int)hang, "");
		col = hang;
	}
}

/* "Label:  text"; label NULL: one more line of the last. */
static void
put_line(FILE *out, size_t indent, const char *label, const char *text)
{
	size_t col = indent + LABEL;

	(void)fprintf(out, "%*s", (int)indent, "");
	if (*text == '\0') {
		(void)fprintf(out, "%s:\n", label != NULL ? label : "");
		return;
	}
	if (label == NULL) {
		(void)fprintf(out, "%*s", LABEL, "");
	} else {
		if (strlen(label) + 2 > LABEL)
			col = indent + strlen(label) + 2;
		(void)fprintf(out, "%s:%*s", label,
		    (int)(col - indent - strlen(label) - 1), "");
	}
	put_wrapped(out, text, col, indent + LABEL);
}

/* "pend_token" becomes "Pend token". */
static const char *
label_of(const char *key, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strcmp(labels[i].key, key) == 0)
			return labels[i].label;
	}
	(void)snprintf(buf, size, "%s", key);
	buf[0] = (char)toupper((unsigned char)buf[0]);
	for (i = 0; buf[i] != '\0'; i++)
		if (buf[i] == '_')
			buf[i] = ' ';
	return buf;
}

static const char *
string_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* What stands on the line of a scalar; free(). */
static char *
scalar_text(const json_t *value)
{
	char *s = NULL;
	int n = -1;

	if (json_is_integer(value))
		n = asprintf(
		    &s, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		n = asprintf(&s, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_string(value))
		n = asprintf(&s, "%s",
		    json_string_length(value) > 0 ? json_string_value(value)
						  : "(empty)");
	return n < 0 ? NULL : s;
}

/* --- members that fit a line -----------------------------------------------
 */

static char *
extension_text(const json_t *o)
{
	char *s;

	return asprintf(&s, "%s%s: %s", string_of(o, "name"),
		   json_is_true(json_object_get(o, "critical")) ? " (critical)"
								: "",
		   string_of(o, "text")) < 0
	    ? NULL
	    : s;
}

static char *
revoked_text(const json_t *o)
{
	const char *reason = string_of(o, "reason");
	char *s;

	return asprintf(&s, "%s on %s%s%s", string_of(o, "serial"),
		   string_of(o, "date"), *reason != '\0' ? ", " : "",
		   reason) < 0
	    ? NULL
	    : s;
}

static char *
check_text(const json_t *o)
{
	const char *result = string_of(o, "result"),
		   *rule = string_of(o, "rule");
	char *s;

	return asprintf(&s, "%s: %s: %s%s%s%s",
		   strcmp(result, "pass") == 0	     ? "ok"
		       : strcmp(result, "fail") == 0 ? "WRONG"
						     : "not checked",
		   string_of(o, "what"), string_of(o, "detail"),
		   *rule != '\0' ? " (" : "", rule,
		   *rule != '\0' ? ")" : "") < 0
	    ? NULL
	    : s;
}

static char *
attestation_text(const json_t *o)
{
	char line[400];

	attest_line(o, line, sizeof(line));
	return strdup(line);
}

static const struct {
	const char *key;
	char *(*text)(const json_t *o);
} line_members[] = {
	{ "extensions", extension_text },
	{ "revoked", revoked_text },
	{ "checked", check_text },
	{ "attestation", attestation_text },
};

/* --- the tree ---------------------------------------------------------------
 */

/* What a block is called by the line above it; its keys are not repeated. */
static char *
block_title(const json_t *o)
{
	const char *form = string_of(o, "form"), *name = string_of(o, "name");
	const char *oid = string_of(o, "oid");
	char *s;
	int n;

	if (*name != '\0')
		n = asprintf(&s, "%s%s%s%s", name, *oid != '\0' ? " (" : "",
		    oid, *oid != '\0' ? ")" : "");
	else if (strcmp(form, "pkcs10") == 0 || strcmp(form, "crmf") == 0)
		n = asprintf(&s, "%s", form[0] == 'p' ? "PKCS#10" : "CRMF");
	else if (json_object_get(o, "envelope") != NULL)
		n = asprintf(&s, "%s", show_title(string_of(o, "type")));
	else if (json_object_get(o, "no_signature") != NULL)
		n = asprintf(&s, "%s",
		    json_is_true(json_object_get(o, "no_signature"))
			? "noSignature"
			: string_of(o, "signature"));
	else
		n = asprintf(&s, "%s", string_of(o, "kind"));
	return n < 0 ? NULL : s;
}

static int
is_in_title(const json_t *o, const char *key, const json_t *value)
{
	static const char *const keys[] = { "name", "oid", "type", "id", "kind",
		"no_signature", "pop_verified" /* "pop" says it */ };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i]) == 0)
			return 1;
	}
	if (strcmp(key, "signature") == 0)
		return json_object_get(o, "no_signature") != NULL;
	return strcmp(key, "form") == 0 &&
	    json_object_get(o, "controls") != NULL && json_is_string(value);
}

static void put_member(
    FILE *out, size_t indent, const char *key, json_t *value);

static void
put_members(FILE *out, size_t indent, json_t *o)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value)
	{
		if (is_in_title(o, key, value))
			continue;
		/* The value of a control is the control. */
		if (strcmp(key, "value") == 0 && json_is_object(value))
			put_members(out, indent, value);
		else
			put_member(out, indent, key, value);
	}
}

static void
put_block(FILE *out, size_t indent, const char *label, json_t *o)
{
	char *id = scalar_text(json_object_get(o, "id"));
	char *title = block_title(o);
	char line[64];

	(void)snprintf(line, sizeof(line), "%s%s%.20s", label,
	    id != NULL ? " " : "", id != NULL ? id : "");
	put_line(out, indent, line, title != NULL ? title : "");
	put_members(out, indent + STEP, o);
	free(id);
	free(title);
}

/* 1 when it was an object that is one line. */
static int
put_line_member(FILE *out, size_t indent, const char *label, const char *key,
    const json_t *value)
{
	char *text;
	size_t i;

	for (i = 0; i < sizeof(line_members) / sizeof(line_members[0]); i++) {
		if (strcmp(line_members[i].key, key) != 0)
			continue;
		if ((text = line_members[i].text(value)) != NULL)
			put_line(out, indent, label, text);
		free(text);
		return 1;
	}
	return 0;
}

static void
put_one(FILE *out, size_t indent, const char *label, const char *key,
    json_t *value, int first)
{
	char *text;

	if (json_is_object(value)) {
		if (!put_line_member(
			out, indent, first ? label : NULL, key, value))
			put_block(out, indent, label, value);
		return;
	}
	if ((text = scalar_text(value)) != NULL)
		put_line(out, indent, first ? label : NULL, text);
	free(text);
}

static void
put_member(FILE *out, size_t indent, const char *key, json_t *value)
{
	char buf[64];
	const char *label = label_of(key, buf, sizeof(buf));
	size_t i;

	if (!json_is_array(value)) {
		put_one(out, indent, label, key, value, 1);
		return;
	}
	for (i = 0; i < json_array_size(value); i++)
		put_one(
		    out, indent, label, key, json_array_get(value, i), i == 0);
}

void
show_tree(FILE *out, json_t *o)
{
	(void)fprintf(out, "%s\n", show_title(string_of(o, "type")));
	put_members(out, STEP, o);
}

void
show_tree_controls(FILE *out, json_t *o)
{
	json_t *controls = json_object_get(o, "controls");

	if (controls != NULL)
		put_member(out, STEP, "controls", controls);
}
