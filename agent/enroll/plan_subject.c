/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a plan resolves to: the subject of the request, the key.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <burin/profile.h>

#include "plan.h"

#define MAX_DEFAULT_LABEL 64 /* bytes; some tokens cut longer ones */

/* *out stays NULL when the plan has no profile. */
static int
parse_profile(
    const struct plan *p, struct burin_profile **out, struct burin_error *e)
{
	*out = NULL;
	if (p->profile_text == NULL)
		return 0;
	return burin_profile_parse(
	    p->profile_text, strlen(p->profile_text), out, e);
}

static int
add_each(const struct texts *t, struct burin_subject *s,
    int (*add)(struct burin_subject *, const char *, struct burin_error *),
    struct burin_error *e)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (add(s, t->list[i], e) != 0)
			return -1;
	return 0;
}

static int
add_identity(const struct plan *p, const struct burin_profile *profile,
    struct burin_subject *s, struct burin_error *e)
{
	if (p->identity == NULL)
		return 0;
	if (profile != NULL)
		return burin_profile_identity(profile, s, p->identity, e);
	burin_fail(e, BURIN_EUSAGE, "identity-without-profile",
	    "no profile says which names '%s' makes", p->identity);
	return burin_error_advice(
	    e, "give --profile, or the names themselves with --san");
}

static int
add_prefixes(const struct plan *p, const struct burin_profile *profile,
    struct burin_subject *s, struct burin_error *e)
{
	size_t i;

	if (profile == NULL)
		return add_each(&p->prefixes, s, burin_subject_add_prefix, e);
	for (i = 0; i < p->prefixes.n; i++)
		if (burin_profile_prefix(profile, s, p->prefixes.list[i], e) !=
		    0)
			return -1;
	return 0;
}

/* A renewal takes its names from the certificate that is renewed. */
static int
check_named(const struct plan *p, struct burin_error *e)
{
	if (plan_names_nobody(p) && p->reenroll_key == NULL) {
		burin_fail(e, BURIN_EUSAGE, "subject-missing",
		    "nothing says who the certificate is for");
		return burin_error_advice(
		    e, "give --subject, --san, --identity or --prefix");
	}
	return 0;
}

int
plan_names_nobody(const struct plan *p)
{
	return (p->dn == NULL || p->dn[0] == '\0') && p->identity == NULL &&
	    p->sans.n == 0 && p->prefixes.n == 0;
}

int
plan_subject(
    const struct plan *p, struct burin_subject **out, struct burin_error *e)
{
	struct burin_profile *profile = NULL;
	struct burin_subject *s = NULL;
	int rc = -1;

	*out = NULL;
	if (check_named(p, e) != 0 || parse_profile(p, &profile, e) != 0 ||
	    burin_subject_new(&s, e) != 0)
		goto out;
	if (p->dn != NULL && burin_subject_set_dn(s, p->dn, e) != 0)
		goto out;
	if (add_identity(p, profile, s, e) != 0 ||
	    add_each(&p->sans, s, burin_subject_add_san, e) != 0 ||
	    add_each(&p->ekus, s, burin_subject_add_eku, e) != 0 ||
	    add_each(&p->exts, s, burin_subject_add_ext, e) != 0 ||
	    add_prefixes(p, profile, s, e) != 0 ||
	    add_each(&p->attributes, s, burin_subject_add_attribute, e) != 0)
		goto out;
	if (profile != NULL && burin_profile_apply(profile, s, e) != 0)
		goto out;
	*out = s;
	s = NULL;
	rc = 0;
out:
	burin_subject_free(&s);
	burin_profile_free(&profile);
	return rc;
}

/* --- the key ----------------------------------------------------------- */

static int
in_profile(const struct burin_profile *profile, enum burin_key_type type,
    struct burin_error *e)
{
	const char *const *names = burin_profile_key_types(profile);
	char all[256] = "";
	size_t n = 0;

	for (; *names != NULL; names++) {
		if (burin_key_type_parse(*names) == type)
			return 0;
		if (n < sizeof(all))
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
			    n > 0 ? ", " : "", *names);
	}
	burin_fail(e, BURIN_EUSAGE, "key-type-profile",
	    "the profile '%s' does not take keys of type %s",
	    burin_profile_name(profile), burin_key_type_name(type));
	return burin_error_advice(e, "it takes %s", all);
}

static int
key_type(const struct plan *p, const struct burin_profile *profile,
    enum burin_key_type *type, struct burin_error *e)
{
	const char *name = p->key_type;

	if (name == NULL && profile != NULL)
		name = burin_profile_key_types(profile)[0];
	if (name == NULL)
		name = burin_key_type_name(BURIN_EC_P256);
	if ((*type = burin_key_type_parse(name)) == BURIN_KEY_UNKNOWN) {
		burin_fail(e, BURIN_EUSAGE, "key-type-unknown",
		    "'%s' is not a key type", name);
		return burin_error_advice(e,
		    "rsa:2048, rsa:3072, rsa:4096, ec:P-256, ec:P-384, "
		    "ec:P-521, ed25519, ed448, x25519");
	}
	return profile != NULL ? in_profile(profile, *type, e) : 0;
}

unsigned
plan_usage_word(const char *word, size_t n)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "sign", BURIN_USE_SIGN },
		{ "decrypt", BURIN_USE_DECRYPT },
		{ "derive", BURIN_USE_DERIVE },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == n &&
		    strncasecmp(word, words[i].word, n) == 0)
			return words[i].bit;
	return 0;
}

static int
usage_bits(const char *text, unsigned *bits, struct burin_error *e)
{
	const char *at = text;
	unsigned bit;
	size_t n;

	*bits = 0;
	for (at += strspn(at, ", \t"); *at != '\0'; at += strspn(at, ", \t")) {
		n = strcspn(at, ", \t");
		if ((bit = plan_usage_word(at, n)) == 0)
			return burin_fail(e, BURIN_EUSAGE, "key-usage-unknown",
			    "'%.*s' in the profile is no use of a key", (int)n,
			    at);
		*bits |= bit;
		at += n;
	}
	return 0;
}

int
plan_key_spec(
    const struct plan *p, struct burin_key_spec *spec, struct burin_error *e)
{
	struct burin_profile *profile = NULL;
	int rc = -1;

	memset(spec, 0, sizeof(*spec));
	if (parse_profile(p, &profile, e) != 0 ||
	    key_type(p, profile, &spec->type, e) != 0)
		goto out;
	spec->usage = p->usage;
	if (spec->usage == 0 && profile != NULL &&
	    usage_bits(burin_profile_usage(profile), &spec->usage, e) != 0)
		goto out;
	spec->label = p->label;
	spec->always_authenticate = p->always_authenticate;
	rc = 0;
out:
	burin_profile_free(&profile);
	return rc;
}

unsigned
plan_usage(const struct burin_key_spec *spec)
{
	if (spec->usage != 0)
		return spec->usage;
	return spec->type == BURIN_X25519 ? BURIN_USE_DERIVE : BURIN_USE_SIGN;
}

int
plan_can_prove(const struct plan *p, enum burin_key_type type, unsigned usage,
    struct burin_error *e)
{
	const char *name = burin_key_type_name(type);
	int by_itself = p->pop != NULL && strcmp(p->pop, "signature") == 0;

	if (type != BURIN_X25519 &&
	    (usage == 0 || (usage & BURIN_USE_SIGN) != 0))
		return 0;
	if (by_itself) {
		(void)burin_fail(e, BURIN_EUSAGE, "key-cannot-sign",
		    "this key (%s) may not sign, and --pop signature is made "
		    "by the key itself",
		    name);
		return burin_error_advice(e,
		    "leave --pop out: in CMC the key then proves its "
		    "possession by a challenge");
	}
	if (plan_speaks_cmc(p) || p->pop != NULL ||
	    (p->format != NULL && strcmp(p->format, "crmf") == 0))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "key-cannot-sign",
	    "this key (%s%s) may not sign, and a PKCS#10 request is signed by "
	    "its own key to prove possession",
	    name,
	    usage == BURIN_USE_DECRYPT	    ? ", decrypts only"
		: usage == BURIN_USE_DERIVE ? ", derives only"
					    : "");
	(void)burin_error_rule(e, "RFC 2986 section 4.2");
	return burin_error_advice(e, "%s",
	    usage == BURIN_USE_DECRYPT
		? "use a key that may sign (burin keygen --usage sign,decrypt "
		  "makes one for both), or a protocol of CMC (--protocol cmc)"
		: "use a key that may sign (RSA, EC, ed25519 or ed448), or a "
		  "protocol of CMC (--protocol cmc)");
}

/* "CN=Alice,O=Example" is called Alice; another DN by the whole of it. */
static size_t
dn_short(const char **dn)
{
	size_t n;

	if (strncasecmp(*dn, "CN=", 3) != 0)
		return strlen(*dn);
	n = strcspn(*dn + 3, ",+\\");
	if (n == 0 || (*dn)[3 + n] == '\\')
		return strlen(*dn);
	*dn += 3;
	return n;
}

int
plan_settle_label(struct plan *p, struct burin_error *e)
{
	const char *from = "burin", *colon;
	size_t n = 0;

	if (p->label != NULL)
		return 0;
	if (p->identity != NULL) {
		from = p->identity;
	} else if (p->dn != NULL && p->dn[0] != '\0') {
		from = p->dn;
		n = dn_short(&from);
	} else if (p->sans.n > 0) {
		from = (colon = strchr(p->sans.list[0], ':')) != NULL
		    ? colon + 1
		    : p->sans.list[0];
	}
	if (n == 0)
		n = strlen(from);
	if (n > MAX_DEFAULT_LABEL) {
		n = MAX_DEFAULT_LABEL;
		/* Not within a UTF-8 sequence. */
		while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
			n--;
	}
	if ((p->label = strndup(from, n)) == NULL)
		return burin_fail_memory(e);
	return 0;
}
