/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A profile for people, and for programs. What a certificate must have are
 * the lines of [certificate] that no request decides; what it may have is
 * copied, or needs a URL that an authority may lack.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "profile_words.h"

#define LIST 1024 /* bytes of a list of words */

const char *
profile_join(
    const char *const *words, const char *separator, char *buf, size_t size)
{
	size_t i;

	buf[0] = '\0';
	for (i = 0; words[i] != NULL; i++) {
		if (i > 0)
			(void)OPENSSL_strlcat(buf, separator, size);
		(void)OPENSSL_strlcat(buf, words[i], size);
	}
	return buf;
}

json_t *
profile_json_list(const char *const *words)
{
	json_t *list = json_array();

	for (; *words != NULL; words++)
		(void)json_array_append_new(list, json_text(*words));
	return list;
}

/* Which proof of possession a key of this profile can give. */
static int
can_sign(const struct burin_profile *p)
{
	const char *const *types = burin_profile_key_types(p);
	const char *usage = burin_profile_usage(p);

	if (usage[0] != '\0')
		return strstr(usage, "sign") != NULL;
	for (; *types != NULL; types++) {
		if (strcasecmp(*types, "x25519") != 0)
			return 1;
	}
	return 0;
}

static int
can_agree(const struct burin_profile *p)
{
	const char *usage = burin_profile_usage(p);

	return !can_sign(p) &&
	    (usage[0] == '\0' || strstr(usage, "derive") != NULL);
}

/* --- for people ------------------------------------------------------------
 */

/* OpenSSL's words for what is not known yet. */
static const char *
in_words(const char *value)
{
	if (strcmp(value, "hash") == 0)
		return "made of its key";
	if (strcmp(value, "keyid") == 0 || strcmp(value, "keyid:always") == 0)
		return "the authority's key";
	return value;
}

static void
say_line(struct cli *c, const struct burin_profile_line *line, const char *more)
{
	out_text(c, "  %-24s %s%s%s", line->name, in_words(line->value),
	    line->critical ? " (critical)" : "", more);
}

static void
say_key(struct cli *c, const struct burin_profile *p)
{
	const char *usage = burin_profile_usage(p);
	char list[LIST];

	out_text(c, "key          %s",
	    profile_join(burin_profile_key_types(p), ", ", list, sizeof(list)));
	if (burin_profile_key_types(p)[1] != NULL)
		out_text(c,
		    "             the first one when nobody says "
		    "which");
	out_text(
	    c, "key use      %s", usage[0] != '\0' ? usage : "by its type");
	if (can_sign(p))
		out_text(c,
		    "proof        by its signature, in PKCS#10, CRMF "
		    "or CMC");
	else if (can_agree(p))
		out_text(c,
		    "proof        it signs nothing: by a challenge, in "
		    "CMC, or by agreement with a "
		    "certificate of the authority (--pop-cert)");
	else
		out_text(c,
		    "proof        it signs nothing: by a challenge, in "
		    "CMC");
}

static void
say_identity(struct cli *c, const struct burin_profile *p)
{
	const char *const *schemes = burin_profile_schemes(p);
	char list[LIST];

	if (burin_profile_names(p)[0] == NULL) {
		out_text(c, "identity     none; names by --subject and --san");
	} else {
		out_text(c, "identity     an address becomes %s%s",
		    profile_join(
			burin_profile_names(p), " ", list, sizeof(list)),
		    burin_profile_names_cn(p)
			? ", and the common name when there is none"
			: "");
		if (schemes[0] != NULL)
			out_text(c, "             it begins with %s:%s",
			    profile_join(schemes, ": or ", list, sizeof(list)),
			    schemes[1] != NULL ? "; without, with the first"
					       : ", or nothing");
		else
			out_text(c, "             it has no scheme");
	}
	if (burin_profile_takes_prefix(p))
		out_text(c, "blocks       address blocks by --prefix");
}

static void
say_request(struct cli *c, const struct burin_profile *p)
{
	struct burin_profile_line line;
	size_t i;
	int ski = 1;

	out_text(c, "\nThe request asks for");
	for (i = 0; burin_profile_line(p, BURIN_PROFILE_REQUEST, i, &line);
	     i++) {
		say_line(c, &line, "");
		ski &= strcmp(line.name, "subjectKeyIdentifier") != 0;
	}
	if (burin_profile_names(p)[0] != NULL)
		out_text(
		    c, "  %-24s the names of the address", "subjectAltName");
	if (burin_profile_takes_prefix(p))
		out_text(c, "  %-24s the blocks of --prefix (critical)",
		    "sbgp-ipAddrBlock");
	if (ski)
		out_text(c, "  %-24s made of its key", "subjectKeyIdentifier");
	out_text(c, "  and what the options of the command line say");
}

static void
say_must(struct cli *c, const struct burin_profile *p)
{
	struct burin_profile_line line;
	size_t i;

	out_text(c, "\nThe certificate must have");
	out_text(
	    c, "  %-24s at most %u days", "a life of", burin_profile_days(p));
	for (i = 0; burin_profile_line(p, BURIN_PROFILE_CERTIFICATE, i, &line);
	     i++) {
		if (!line.needs_base && !burin_profile_copies(p, line.name))
			say_line(c, &line, "");
	}
}

/* The line that is used when the request does not have the extension. */
static int
fallback(const struct burin_profile *p, const char *copied,
    struct burin_profile_line *line)
{
	size_t i;

	for (i = 0; burin_profile_line(p, BURIN_PROFILE_CERTIFICATE, i, line);
	     i++) {
		if (strcmp(line->name, copied) == 0)
			return 1;
	}
	return 0;
}

static void
say_may(struct cli *c, const struct burin_profile *p)
{
	const char *const *copied = burin_profile_copied(p);
	struct burin_profile_line line;
	size_t i;

	out_text(c, "\nIt may have");
	for (i = 0; copied[i] != NULL; i++) {
		if (fallback(p, copied[i], &line))
			out_text(c, "  %-24s as asked for, else %s%s",
			    copied[i], line.value,
			    line.critical ? " (critical)" : "");
		else
			out_text(c, "  %-24s as asked for", copied[i]);
	}
	for (i = 0; burin_profile_line(p, BURIN_PROFILE_CERTIFICATE, i, &line);
	     i++) {
		if (line.needs_base && !burin_profile_copies(p, line.name))
			say_line(c, &line, ", of an authority with a URL");
	}
}

void
profile_words(struct cli *c, const struct burin_profile *p)
{
	say_key(c, p);
	say_identity(c, p);
	say_request(c, p);
	if (!burin_profile_issues(p)) {
		out_text(c,
		    "\nWhat the certificate has is the authority's to "
		    "say: there is no [certificate].");
		return;
	}
	say_must(c, p);
	say_may(c, p);
	out_text(c, "\nIt must not have");
	out_text(c, "  any other extension; one that is asked for is left out");
	out_text(c,
	    "  the usages of an authority that are not named above; a "
	    "request for them is refused");
}

/* --- for programs ----------------------------------------------------------
 */

static json_t *
json_line(const struct burin_profile_line *line)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "name", json_text(line->name));
	(void)json_object_set_new(o, "value", json_text(line->value));
	(void)json_object_set_new(o, "critical", json_boolean(line->critical));
	return o;
}

static json_t *
json_request(const struct burin_profile *p)
{
	struct burin_profile_line line;
	json_t *list = json_array();
	size_t i;

	for (i = 0; burin_profile_line(p, BURIN_PROFILE_REQUEST, i, &line); i++)
		(void)json_array_append_new(list, json_line(&line));
	return list;
}

/* Lines that no request decides; needs_base as wanted. */
static void
add_lines(json_t *list, const struct burin_profile *p, int needs_base)
{
	struct burin_profile_line line;
	json_t *o;
	size_t i;

	for (i = 0; burin_profile_line(p, BURIN_PROFILE_CERTIFICATE, i, &line);
	     i++) {
		if (line.needs_base != needs_base ||
		    burin_profile_copies(p, line.name))
			continue;
		o = json_line(&line);
		if (needs_base)
			(void)json_object_set_new(
			    o, "when", json_string("authority-has-url"));
		(void)json_array_append_new(list, o);
	}
}

static json_t *
json_may(const struct burin_profile *p)
{
	const char *const *copied = burin_profile_copied(p);
	struct burin_profile_line line;
	json_t *list = json_array(), *o;

	for (; *copied != NULL; copied++) {
		if (fallback(p, *copied, &line)) {
			o = json_line(&line);
		} else {
			o = json_object();
			(void)json_object_set_new(
			    o, "name", json_text(*copied));
		}
		(void)json_object_set_new(o, "when", json_string("asked-for"));
		(void)json_array_append_new(list, o);
	}
	add_lines(list, p, 1);
	return list;
}

static json_t *
json_certificate(const struct burin_profile *p)
{
	json_t *o, *must = json_array(), *never;

	add_lines(must, p, 0);
	never = json_array();
	(void)json_array_append_new(never, json_string("other-extensions"));
	(void)json_array_append_new(never, json_string("authority-usages"));
	o = json_object();
	(void)json_object_set_new(
	    o, "days", json_integer(burin_profile_days(p)));
	(void)json_object_set_new(o, "must", must);
	(void)json_object_set_new(o, "may", json_may(p));
	(void)json_object_set_new(o, "must_not", never);
	return o;
}

static json_t *
json_proofs(const struct burin_profile *p)
{
	json_t *list = json_array();

	(void)json_array_append_new(
	    list, json_string(can_sign(p) ? "signature" : "challenge"));
	if (can_agree(p))
		(void)json_array_append_new(list, json_string("agreement"));
	return list;
}

json_t *
profile_json(const struct burin_profile *p)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "name", json_text(burin_profile_name(p)));
	(void)json_object_set_new(
	    o, "description", json_text(burin_profile_description(p)));
	(void)json_object_set_new(
	    o, "key_types", profile_json_list(burin_profile_key_types(p)));
	(void)json_object_set_new(
	    o, "usage", json_text(burin_profile_usage(p)));
	(void)json_object_set_new(o, "proofs", json_proofs(p));
	(void)json_object_set_new(
	    o, "names", profile_json_list(burin_profile_names(p)));
	(void)json_object_set_new(
	    o, "schemes", profile_json_list(burin_profile_schemes(p)));
	(void)json_object_set_new(
	    o, "common_name", json_boolean(burin_profile_names_cn(p)));
	(void)json_object_set_new(
	    o, "prefix", json_boolean(burin_profile_takes_prefix(p)));
	(void)json_object_set_new(o, "request", json_request(p));
	(void)json_object_set_new(o, "certificate",
	    burin_profile_issues(p) ? json_certificate(p) : json_null());
	return o;
}
