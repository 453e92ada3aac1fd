/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: what can be read and cannot be meant. Each rule is a function; it
 * notes what it finds and is no judge of the others.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/names.h>
#include <burin/usage.h>

#include "check.h"
#include "internal.h"
#include "profile.h"

#define TEXT 160 /* bytes of a list of usages */

#define USAGE_RULE "RFC 5280 section 4.2.1.3"
#define PURPOSE_RULE "RFC 5280 section 4.2.1.12"

struct judged {
	const struct burin_profile *p;
	const STACK_OF(X509_EXTENSION) * asked;
	const STACK_OF(X509_EXTENSION) * given;
	struct burin_error *e;
};

static int contradict(const struct judged *j, const char *section,
    const char *key, const char *rule, const char *fmt, ...) BURIN_PRINTF(5, 6);

static int
contradict(const struct judged *j, const char *section, const char *key,
    const char *rule, const char *fmt, ...)
{
	char why[BURIN_ERROR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	(void)burin_fail_openssl(j->e, BURIN_EUSAGE, "profile-contradiction",
	    "the profile %s%s%s", j->p->name != NULL ? j->p->name : "",
	    j->p->name != NULL ? " " : "", why);
	if (rule != NULL)
		(void)burin_error_rule(j->e, "%s", rule);
	return csr_profile_note(j->p, j->e, section, key);
}

/* --- keys ------------------------------------------------------------------
 */

/* The types of burin-keygen(1): what each can do, and does unless told. */
static const struct kind {
	const char *name;
	unsigned can, does;
} kinds[] = {
	{ "rsa:2048", BURIN_USE_SIGN | BURIN_USE_DECRYPT, BURIN_USE_SIGN },
	{ "rsa:3072", BURIN_USE_SIGN | BURIN_USE_DECRYPT, BURIN_USE_SIGN },
	{ "rsa:4096", BURIN_USE_SIGN | BURIN_USE_DECRYPT, BURIN_USE_SIGN },
	{ "ec:P-256", BURIN_USE_SIGN | BURIN_USE_DERIVE, BURIN_USE_SIGN },
	{ "ec:P-384", BURIN_USE_SIGN | BURIN_USE_DERIVE, BURIN_USE_SIGN },
	{ "ec:P-521", BURIN_USE_SIGN | BURIN_USE_DERIVE, BURIN_USE_SIGN },
	{ "ed25519", BURIN_USE_SIGN, BURIN_USE_SIGN },
	{ "ed448", BURIN_USE_SIGN, BURIN_USE_SIGN },
	{ "x25519", BURIN_USE_DERIVE, BURIN_USE_DERIVE },
};

static const struct use {
	unsigned bit;
	const char *word;      /* of "usage" */
	const char *key_usage; /* in burin_profile.key_usage */
} uses[] = {
	{ BURIN_USE_SIGN, "sign", "digitalSignature" },
	{ BURIN_USE_DECRYPT, "decrypt", "keyEncipherment" },
	{ BURIN_USE_DERIVE, "derive", "keyAgreement" },
};
#define N_USES (sizeof(uses) / sizeof(uses[0]))

static const struct kind *
find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (OPENSSL_strcasecmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* What "usage" says, 0 when it says nothing. */
static unsigned
usage_bits(const struct burin_profile *p)
{
	unsigned bits = 0;
	size_t i;

	for (i = 0; i < N_USES; i++) {
		if (strstr(p->key_usage, uses[i].key_usage) != NULL)
			bits |= uses[i].bit;
	}
	return bits;
}

static int
judge_key_types(const struct judged *j)
{
	unsigned usage = usage_bits(j->p);
	size_t i, k;

	for (i = 0; j->p->key_types[i] != NULL; i++) {
		const char *type = j->p->key_types[i];
		const struct kind *kind = find_kind(type);

		if (kind == NULL &&
		    csr_profile_flaw(j->p, j->e, PROFILE_SECTION, "key_types",
			"takes keys of a type that is not known: \"%.40s\"",
			type) == -1)
			return -1;
		for (k = 0; kind != NULL && k < N_USES; k++) {
			if ((usage & uses[k].bit & ~kind->can) != 0 &&
			    contradict(j, PROFILE_SECTION, "key_types", NULL,
				"takes keys of type %s, which cannot do what "
				"usage says: %s",
				kind->name, uses[k].word) == -1)
				return -1;
		}
	}
	return 0;
}

/* What a key of this profile does: all that usage says, else by its type. */
static int
judge_bits_of(const struct judged *j, const char *section, uint32_t bits,
    unsigned does, const char *whose)
{
	const char *key = csr_profile_spelled(j->p, section, NID_key_usage);
	uint32_t cannot = 0;
	char text[TEXT];
	size_t i;

	for (i = 0; i < CSR_USAGES; i++) {
		if ((bits & csr_usages[i].bit) != 0 && csr_usages[i].use != 0 &&
		    (does & csr_usages[i].use) == 0)
			cannot |= csr_usages[i].bit;
	}
	if (cannot == 0)
		return 0;
	csr_list_usages(cannot, text, sizeof(text));
	return contradict(j, section, key, USAGE_RULE,
	    "%s a keyUsage that is not for %s: %s",
	    strcmp(section, REQUEST_SECTION) == 0 ? "asks for" : "gives", whose,
	    text);
}

/* CA bits are for CAs; the last two say something of keyAgreement only. */
static int
judge_bits_alone(const struct judged *j, const char *section, uint32_t bits,
    const STACK_OF(X509_EXTENSION) * exts)
{
	const char *key = csr_profile_spelled(j->p, section, NID_key_usage);

	if ((bits & KU_KEY_CERT_SIGN) != 0 && !csr_says_ca(exts) &&
	    contradict(j, section, key, "RFC 5280 section 4.2.1.9",
		"has keyCertSign in a keyUsage without basicConstraints "
		"of an authority") == -1)
		return -1;
	if ((bits & (KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY)) != 0 &&
	    (bits & KU_KEY_AGREEMENT) == 0)
		return contradict(j, section, key, USAGE_RULE,
		    "has encipherOnly or decipherOnly in a keyUsage without "
		    "keyAgreement");
	return 0;
}

static int
judge_bits(const struct judged *j, const char *section,
    const STACK_OF(X509_EXTENSION) * exts)
{
	uint32_t bits = csr_usage_bits(exts);
	unsigned usage = usage_bits(j->p);
	char whose[TEXT];
	size_t i;

	if (judge_bits_alone(j, section, bits, exts) == -1)
		return -1;
	if (usage != 0)
		return judge_bits_of(j, section, bits, usage,
		    "a key with the usage of the profile");
	for (i = 0; j->p->key_types[i] != NULL; i++) {
		const struct kind *kind = find_kind(j->p->key_types[i]);

		if (kind == NULL)
			continue;
		(void)snprintf(whose, sizeof(whose),
		    "a key of type %s, made without usage", kind->name);
		if (judge_bits_of(j, section, bits, kind->does, whose) == -1)
			return -1;
	}
	return 0;
}

static int
judge_key_usage(const struct judged *j)
{
	if (judge_bits(j, REQUEST_SECTION, j->asked) == -1)
		return -1;
	return judge_bits(j, CERTIFICATE_SECTION, j->given);
}

/* --- names -----------------------------------------------------------------
 */

/*
 * What an address may be behind its scheme: of a person, a host, a network
 * address, a URL, a URN, a telephone.
 */
static const char *const addresses[] = { "user@example.com", "example.com",
	"192.0.2.1", "2001:db8::1", "//example.com/user", "example:user",
	"+15555550100" };
#define N_ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

/* 1 when an address makes this name (NULL: all of them); e: why not. */
static int
is_made(const struct judged *j, const char *template, const char *rest,
    struct burin_error *e)
{
	const char *scheme = j->p->schemes[0];
	struct burin_subject *s = NULL;
	char address[BURIN_MAX_TEXT];
	int rc = -1;

	(void)snprintf(address, sizeof(address), "%s%s%s",
	    scheme != NULL ? scheme : "", scheme != NULL ? ":" : "", rest);
	if (burin_subject_new(&s, e) == -1)
		return 0;
	if (template == NULL)
		rc = burin_profile_identity(j->p, s, address, e);
	else
		rc = csr_profile_make_name(j->p, s, template, address, e);
	burin_subject_free(&s);
	return rc == 0;
}

static int
judge_name(const struct judged *j, const char *template)
{
	struct burin_error why = BURIN_ERROR_INIT, next;
	size_t i;

	for (i = 0; i < N_ADDRESSES; i++) {
		burin_error_clear(&next);
		if (is_made(j, template, addresses[i], &next))
			return 1;
		if (i == 0)
			why = next;
	}
	if (template == NULL)
		return contradict(j, PROFILE_SECTION, "identity", NULL,
		    "makes names that no one address can be: %.160s",
		    why.reason);
	return contradict(j, PROFILE_SECTION, "identity", NULL,
	    "makes no name \"%.60s\" of any kind of address: %.160s", template,
	    why.reason);
}

/* Each by itself, then all together; what is no template was said before. */
static int
judge_names(const struct judged *j)
{
	size_t i;
	int rc, all = 1;

	if (j->p->names[0] == NULL && j->p->schemes[0] != NULL)
		return contradict(j, PROFILE_SECTION, "identity_schemes", NULL,
		    "has identity_schemes without identity");
	for (i = 0; j->p->names[i] != NULL; i++) {
		rc = 0;
		if (csr_profile_template_flaw(j->p->names[i]) == NULL)
			rc = judge_name(j, j->p->names[i]);
		if (rc == -1)
			return -1;
		all &= rc;
	}
	if (i > 1 && all)
		return judge_name(j, NULL) == -1 ? -1 : 0;
	return 0;
}

/* RFC 3986 section 3.1. */
static int
is_scheme(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return strspn(s, letters) > 0 &&
	    s[strspn(s,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")] == '\0';
}

static int
judge_schemes(const struct judged *j)
{
	size_t i;

	for (i = 0; j->p->schemes[i] != NULL; i++) {
		if (!is_scheme(j->p->schemes[i]) &&
		    contradict(j, PROFILE_SECTION, "identity_schemes",
			"RFC 3986 section 3.1",
			"has a scheme that no address can have: \"%.40s\"",
			j->p->schemes[i]) == -1)
			return -1;
	}
	return 0;
}

/* --- what is asked for and what is given ------------------------------------
 */

static int
has(const STACK_OF(X509_EXTENSION) * exts, int nid)
{
	return csr_ext_find(exts, OBJ_nid2obj(nid)) >= 0;
}

static int
copies(const struct judged *j, int nid)
{
	return burin_profile_copies(j->p, OBJ_nid2sn(nid));
}

/* Names and blocks come from the command line, and only by "copy" further. */
static int
judge_asked_by_options(const struct judged *j)
{
	if (j->p->names[0] != NULL && !copies(j, NID_subject_alt_name) &&
	    contradict(j, CERTIFICATE_SECTION, "copy",
		"RFC 5280 section 4.2.1.6",
		"makes names of an address, and does not copy "
		"subjectAltName: no certificate will have them") == -1)
		return -1;
	if (j->p->prefix && !copies(j, NID_sbgp_ipAddrBlock) &&
	    !has(j->given, NID_sbgp_ipAddrBlock))
		return contradict(j, CERTIFICATE_SECTION, "copy",
		    "RFC 3779 section 2",
		    "takes address blocks, and does not copy "
		    "sbgp-ipAddrBlock: no certificate will have them");
	return 0;
}

static int
judge_given_bits(const struct judged *j)
{
	uint32_t lost = csr_usage_bits(j->asked) & ~csr_usage_bits(j->given);
	char text[TEXT];

	if (lost == 0 || copies(j, NID_key_usage) ||
	    !has(j->given, NID_key_usage))
		return 0;
	csr_list_usages(lost, text, sizeof(text));
	return contradict(j, CERTIFICATE_SECTION,
	    csr_profile_spelled(j->p, CERTIFICATE_SECTION, NID_key_usage),
	    USAGE_RULE,
	    "asks for a keyUsage that it does not give, so that check G5 "
	    "refuses the certificate: %s",
	    text);
}

static int
judge_given_purposes(const struct judged *j)
{
	EXTENDED_KEY_USAGE *asked = NULL, *given = NULL;
	char *text;
	int i, rc = 0;

	if (copies(j, NID_ext_key_usage))
		return 0;
	asked = X509V3_get_d2i(j->asked, NID_ext_key_usage, NULL, NULL);
	given = X509V3_get_d2i(j->given, NID_ext_key_usage, NULL, NULL);
	for (i = 0; rc == 0 && i < sk_ASN1_OBJECT_num(asked); i++) {
		const ASN1_OBJECT *oid = sk_ASN1_OBJECT_value(asked, i);

		if (csr_has_purpose(given, oid))
			continue;
		text = burin_eku_text(oid);
		rc = contradict(j, CERTIFICATE_SECTION,
		    csr_profile_spelled(
			j->p, CERTIFICATE_SECTION, NID_ext_key_usage),
		    PURPOSE_RULE,
		    "asks for the purpose %.60s and does not give it, so that "
		    "check G5 refuses the certificate",
		    text != NULL ? text : "?");
		free(text);
	}
	EXTENDED_KEY_USAGE_free(asked);
	EXTENDED_KEY_USAGE_free(given);
	return rc;
}

/* RFC 6487 section 6.1.1: without cA, no basicConstraints is an answer. */
static int
is_looked_at_elsewhere(const struct judged *j, int nid)
{
	return nid == NID_key_usage || nid == NID_ext_key_usage ||
	    nid == NID_subject_key_identifier ||
	    (nid == NID_basic_constraints && !csr_says_ca(j->asked));
}

static int
judge_lost(const struct judged *j)
{
	char name[BURIN_PROFILE_WORD];
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(j->asked); i++) {
		const ASN1_OBJECT *oid = X509_EXTENSION_get_object(
		    sk_X509_EXTENSION_value(j->asked, i));
		int nid = OBJ_obj2nid(oid);

		if (OBJ_obj2txt(name, sizeof(name), oid, 1) <= 0 ||
		    is_looked_at_elsewhere(j, nid) ||
		    burin_profile_copies(j->p, name) ||
		    csr_ext_find(j->given, oid) >= 0)
			continue;
		if (nid != NID_undef)
			(void)snprintf(
			    name, sizeof(name), "%s", OBJ_nid2sn(nid));
		if (contradict(j, REQUEST_SECTION,
			csr_profile_spelled(j->p, REQUEST_SECTION, nid),
			"RFC 5280 section 4.2",
			"asks for %s, which it neither copies nor gives",
			name) == -1)
			return -1;
	}
	return 0;
}

static int
judge_authority(const struct judged *j)
{
	if (!csr_says_ca(j->given) || csr_says_ca(j->asked))
		return 0;
	return contradict(j, CERTIFICATE_SECTION,
	    csr_profile_spelled(
		j->p, CERTIFICATE_SECTION, NID_basic_constraints),
	    "RFC 5280 section 4.2.1.9",
	    "gives the certificate of an authority, which it does not ask "
	    "for, so that check G5 refuses it");
}

/* Only when there is an authority's half. */
static int
judge_halves(const struct judged *j)
{
	if (!j->p->has_certificate)
		return 0;
	if (judge_asked_by_options(j) == -1 || judge_given_bits(j) == -1 ||
	    judge_given_purposes(j) == -1 || judge_lost(j) == -1)
		return -1;
	return judge_authority(j);
}

/* --- extensions by themselves -----------------------------------------------
 */

/* What RFC 5280 wants to be not critical, always. */
static const struct plain {
	int nid;
	const char *rule;
} plain[] = {
	{ NID_authority_key_identifier, "RFC 5280 section 4.2.1.1" },
	{ NID_subject_key_identifier, "RFC 5280 section 4.2.1.2" },
	{ NID_subject_directory_attributes, "RFC 5280 section 4.2.1.8" },
	{ NID_freshest_crl, "RFC 5280 section 4.2.1.15" },
	{ NID_info_access, "RFC 5280 section 4.2.2.1" },
	{ NID_sinfo_access, "RFC 5280 section 4.2.2.2" },
};

static int
judge_plain(const struct judged *j, const char *section,
    const STACK_OF(X509_EXTENSION) * exts)
{
	size_t i;
	int at;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		at = csr_ext_find(exts, OBJ_nid2obj(plain[i].nid));
		if (at < 0 ||
		    !X509_EXTENSION_get_critical(
			sk_X509_EXTENSION_value(exts, at)))
			continue;
		if (contradict(j, section,
			csr_profile_spelled(j->p, section, plain[i].nid),
			plain[i].rule, "has %s critical, which it must not be",
			OBJ_nid2sn(plain[i].nid)) == -1)
			return -1;
	}
	return 0;
}

static int
judge_critical(const struct judged *j)
{
	if (judge_plain(j, REQUEST_SECTION, j->asked) == -1)
		return -1;
	return judge_plain(j, CERTIFICATE_SECTION, j->given);
}

/* By another name than the first time: the reader's keys are all unlike. */
static int
judge_given_twice(const struct judged *j)
{
	char name[BURIN_PROFILE_WORD];
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(j->given); i++) {
		const ASN1_OBJECT *oid = X509_EXTENSION_get_object(
		    sk_X509_EXTENSION_value(j->given, i));

		if (csr_ext_find(j->given, oid) == i)
			continue;
		(void)OBJ_obj2txt(name, sizeof(name), oid, 0);
		if (contradict(j, CERTIFICATE_SECTION,
			csr_profile_spelled(
			    j->p, CERTIFICATE_SECTION, OBJ_obj2nid(oid)),
			"RFC 5280 section 4.2", "gives %s by two lines",
			name) == -1)
			return -1;
	}
	return 0;
}

/* ----------------------------------------------------------------------------
 */

static int (*const rules[])(const struct judged *j) = { judge_key_types,
	judge_key_usage, judge_names, judge_schemes, judge_halves,
	judge_critical, judge_given_twice };

static int
judge_all(const struct burin_profile *p, const struct csr_profile_made *made,
    struct burin_error *e)
{
	struct judged j = { p, NULL, made->given, e };
	STACK_OF(X509_EXTENSION) *asked = NULL;
	size_t i;
	int rc = 0;

	burin_subject_set_ski(made->asked, 0);
	if (csr_subject_extensions(made->asked, NULL, &asked, e) == -1)
		return csr_profile_note(p, e, REQUEST_SECTION, NULL);
	j.asked = asked;
	for (i = 0; rc == 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
		rc = rules[i](&j);
	sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
	ERR_clear_error();
	return rc;
}

/* It is found by the name of its file, and known by its own. */
static int
judge_own_name(
    const struct burin_profile *p, const char *name, struct burin_error *e)
{
	if (name == NULL || p->name == NULL || strcmp(p->name, name) == 0)
		return 0;
	return csr_profile_flaw(p, e, PROFILE_SECTION, "name",
	    "has another name than its file: %.100s", name);
}

int
burin_profile_judge(const char *text, size_t len, const char *name,
    struct burin_profile_flaws *out, struct burin_error *e)
{
	struct burin_error own = BURIN_ERROR_INIT;
	struct csr_profile_made made = { NULL, NULL };
	struct burin_profile *p;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	p = OPENSSL_zalloc(sizeof(*p));
	out->list = OPENSSL_zalloc(BURIN_MAX_FLAWS * sizeof(*out->list));
	if (p == NULL || out->list == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	p->text = text;
	p->len = len;
	p->flaws = out;
	rc = csr_profile_read(p, &made, &own);
	if (rc == 0 && p->conf != NULL)
		rc = csr_profile_check_twice(p, &own);
	if (rc == 0 && p->conf != NULL)
		rc = judge_own_name(p, name, &own);
	if (rc == 0 && p->conf != NULL)
		rc = judge_all(p, &made, &own);
	if (rc == -1 && e != NULL)
		*e = own;
out:
	csr_profile_made_clear(&made);
	burin_profile_free(&p);
	if (rc == -1)
		burin_profile_flaws_clear(out);
	return rc;
}
