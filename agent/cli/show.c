/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin show: the objects of a file, as JSON or line by line for people.
 */

#include <string.h>

#include "attest_out.h"
#include "show.h"
#include "show_parts.h"

#define LABEL 14 /* columns of a label with its colon */

/* How a member of an object is called on paper, in the order of the lines. */
static const struct line {
	const char *key;
	const char *label;
} lines[] = {
	{ "subject", "Subject" },
	{ "issuer", "Issuer" },
	{ "serial", "Serial" },
	{ "not_before", "Valid from" },
	{ "not_after", "Valid until" },
	{ "this_update", "Issued" },
	{ "next_update", "Next update" },
	{ "content", "Content" },
	{ "signers", "Signers" },
	{ "key", "Key" },
	{ "signature", "Signature" },
	{ "pop", "Possession" },
	{ "sans", "Names" },
	{ "key_usage", "Key usage" },
	{ "ekus", "Purposes" },
	{ "attributes", "Attributes" },
	{ "revoked", "Revoked" },
	{ "attestation", "Attestation" },
	{ "extensions", "Extensions" },
	{ "sha256", "SHA-256" },
};

static const struct line titles[] = {
	{ "certificate", "Certificate" },
	{ "request", "Certificate request (PKCS#10)" },
	{ "crl", "Certificate revocation list" },
	{ "certs-only", "Certificates (PKCS#7 certs-only)" },
	{ "message", "Message (PKCS#7)" },
	{ "cmc-request", "CMC request (PKIData)" },
	{ "cmc-response", "CMC response (PKIResponse)" },
	{ "envelope", "Message (CMS)" },
	{ "crmf", "Certificate requests (CRMF)" },
};

const char *
show_title(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		if (strcmp(titles[i].key, type) == 0)
			return titles[i].label;
	}
	return "";
}

static const char *
string_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static const char *
type_of(const json_t *o)
{
	return string_of(o, "type");
}

/* An extension, an entry of a revocation list, or an attestation. */
static void
print_member(FILE *out, const json_t *o)
{
	const char *reason = string_of(o, "reason");
	char line[400];

	if (json_object_get(o, "form_factor") != NULL ||
	    json_object_get(o, "error") != NULL) {
		attest_line(o, line, sizeof(line));
		(void)fputs(line, out);
		return;
	}
	if (json_object_get(o, "serial") != NULL)
		(void)fprintf(out, "%s on %s%s%s", string_of(o, "serial"),
		    string_of(o, "date"), *reason != '\0' ? ", " : "", reason);
	else
		(void)fprintf(out, "%s%s: %s", string_of(o, "name"),
		    json_is_true(json_object_get(o, "critical")) ? " (critical)"
								 : "",
		    string_of(o, "text"));
}

static void
print_value(FILE *out, const json_t *value)
{
	if (json_is_string(value))
		(void)fputs(json_string_value(value), out);
	else if (json_is_integer(value))
		(void)fprintf(
		    out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_object(value))
		print_member(out, value);
}

/* One line, or one for each element; nothing for an empty list. */
static void
print_line(FILE *out, const char *label, const json_t *value)
{
	size_t i, n = json_is_array(value) ? json_array_size(value) : 1;

	for (i = 0; i < n; i++) {
		(void)fprintf(out, "  %s%s%*s", i == 0 ? label : "",
		    i == 0 ? ":" : "",
		    LABEL - (i == 0 ? (int)strlen(label) + 1 : 0), "");
		print_value(out,
		    json_is_array(value) ? json_array_get(value, i) : value);
		(void)fputc('\n', out);
	}
}

static void
print_object(FILE *out, json_t *o)
{
	size_t i;

	if (json_object_get(o, "envelope") != NULL ||
	    strcmp(type_of(o), "crmf") == 0) {
		show_tree(out, o);
		return;
	}
	(void)fprintf(out, "%s\n", show_title(type_of(o)));
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const json_t *value = json_object_get(o, lines[i].key);

		if (value != NULL && !json_is_null(value))
			print_line(out, lines[i].label, value);
	}
	show_tree_controls(out, o);
}

int
show_text(
    FILE *out, const unsigned char *data, size_t len, struct burin_error *e)
{
	json_t *list;
	size_t i;
	int rc = 0;

	if (show_read(&list, data, len, e) == -1)
		return -1;
	for (i = 0; i < json_array_size(list); i++) {
		if (i > 0)
			(void)fputc('\n', out);
		print_object(out, json_array_get(list, i));
	}
	if (fflush(out) != 0 || ferror(out))
		rc = burin_fail(e, BURIN_EINTERNAL, "write-failed",
		    "the output could not be written");
	json_decref(list);
	return rc;
}

/* What the file is as a whole: its first object, "bundle" for several. */
static const char *
whole_type(const json_t *list)
{
	const char *first = type_of(json_array_get(list, 0));

	if (json_array_size(list) == 1 || strcmp(first, "certs-only") == 0 ||
	    strcmp(first, "message") == 0)
		return first;
	return "bundle";
}

int
show_json(
    json_t **out, const unsigned char *data, size_t len, struct burin_error *e)
{
	json_t *list, *o = json_object();

	*out = NULL;
	if (show_read(&list, data, len, e) == -1) {
		json_decref(o);
		return -1;
	}
	if (show_put(o, "type", json_string(whole_type(list))) == -1 ||
	    show_put(o, "objects", json_incref(list)) == -1) {
		json_decref(o);
		json_decref(list);
		return burin_fail_memory(e);
	}
	json_decref(list);
	*out = o;
	return 0;
}
