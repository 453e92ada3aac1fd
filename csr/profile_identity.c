/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: the names that are made of one address.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "internal.h"
#include "profile.h"

/* An address and its parts; scheme_len is 0 when none was typed. */
struct address {
	const char *text;
	size_t scheme_len;
	const char *scheme; /* the typed one, else the profile's first */
	const char *bare;
	const char *at; /* in bare, NULL when there is none */
};

/* What {word} stands for. 0 when the address has no such part. */
typedef int (*part_fn)(const struct address *a, struct csr_text *t);

static int
add_bare(const struct address *a, struct csr_text *t)
{
	csr_text_puts(t, a->bare);
	return 1;
}

static int
add_address(const struct address *a, struct csr_text *t)
{
	if (a->scheme_len > 0)
		csr_text_add(t, a->text, a->scheme_len + 1);
	else if (a->scheme != NULL) {
		csr_text_puts(t, a->scheme);
		csr_text_puts(t, ":");
	}
	return add_bare(a, t);
}

static int
add_user(const struct address *a, struct csr_text *t)
{
	if (a->at == NULL)
		return 0;
	csr_text_add(t, a->bare, (size_t)(a->at - a->bare));
	return 1;
}

static int
add_domain(const struct address *a, struct csr_text *t)
{
	csr_text_puts(t, a->at != NULL ? a->at + 1 : a->bare);
	return 1;
}

static const struct part {
	const char *word;
	part_fn add;
} parts[] = {
	{ "{address}", add_address },
	{ "{bare}", add_bare },
	{ "{user}", add_user },
	{ "{domain}", add_domain },
};

static const struct part *
find_part(const char *s)
{
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strncmp(s, parts[i].word, strlen(parts[i].word)) == 0)
			return &parts[i];
	}
	return NULL;
}

static int
has_known_words(const char *template)
{
	const struct part *part;

	while ((template = strpbrk(template, "{}")) != NULL) {
		if ((part = find_part(template)) == NULL)
			return 0;
		template += strlen(part->word);
	}
	return 1;
}

/* Before its first '{' it must say which kind of name it is. */
const char *
csr_profile_template_flaw(const char *template)
{
	if (strcspn(template, ":") > strcspn(template, "{") ||
	    strchr(template, ':') == NULL)
		return "without a kind of name (email: uri: xmpp: dns:)";
	if (!has_known_words(template))
		return "with other words than {address} {bare} {user} {domain}";
	return NULL;
}

int
csr_profile_check_names(const struct burin_profile *p, struct burin_error *e)
{
	const char *why;
	size_t i;

	for (i = 0; p->names[i] != NULL; i++) {
		why = csr_profile_template_flaw(p->names[i]);
		if (why != NULL &&
		    csr_profile_flaw(p, e, PROFILE_SECTION, "identity",
			"has an identity \"%.60s\" %s", p->names[i], why) == -1)
			return -1;
	}
	if (p->identity_cn && p->names[0] == NULL)
		return csr_profile_flaw(p, e, PROFILE_SECTION, "identity_cn",
		    "has identity_cn without identity");
	return 0;
}

static int
refuse(const struct burin_profile *p, const char *text, const char *code,
    const char *why, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, code,
	    "the profile %s makes no names of \"%.100s\": %s", p->name, text,
	    why);
	return -1;
}

/*
 * A scheme is taken for one only when it has letters and a ':' comes before
 * every '@' (RFC 3986 section 3.1).
 */
static size_t
scheme_len(const char *text)
{
	size_t n = strcspn(text, ":@/");
	size_t i;

	if (text[n] != ':' || !isalpha((unsigned char)text[0]))
		return 0;
	for (i = 0; i < n; i++) {
		if (!isalnum((unsigned char)text[i]) &&
		    strchr("+-.", text[i]) == NULL)
			return 0;
	}
	return n;
}

static int
is_scheme_of(const struct burin_profile *p, const char *scheme, size_t len)
{
	size_t i;

	for (i = 0; p->schemes[i] != NULL; i++) {
		if (strlen(p->schemes[i]) == len &&
		    OPENSSL_strncasecmp(p->schemes[i], scheme, len) == 0)
			return 1;
	}
	return 0;
}

static int
read_address(const struct burin_profile *p, const char *text, struct address *a,
    struct burin_error *e)
{
	memset(a, 0, sizeof(*a));
	if (strlen(text) > BURIN_MAX_TEXT || text[0] == '\0')
		return refuse(p, "", "identity-malformed",
		    "the address is empty or longer than 1024 bytes", e);
	if (!csr_is_clean(text, strlen(text)))
		return refuse(p, text, "identity-malformed",
		    "it holds control characters or no UTF-8", e);
	a->text = text;
	a->scheme_len = scheme_len(text);
	a->scheme = p->schemes[0];
	a->bare = a->scheme_len > 0 ? text + a->scheme_len + 1 : text;
	a->at = strrchr(a->bare, '@');
	if (a->scheme_len > 0 && !is_scheme_of(p, text, a->scheme_len)) {
		(void)refuse(p, text, "identity-scheme",
		    "its scheme is not one of the profile's", e);
		return burin_error_advice(e,
		    p->schemes[0] != NULL
			? "begin the address with %s:"
			: "give the address without a scheme%s",
		    p->schemes[0] != NULL ? p->schemes[0] : "");
	}
	return 0;
}

/* In a URI every byte that is not ASCII is percent-encoded: RFC 5122. */
static char *
encode_uri(const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	struct csr_text t = { 0 };

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		char code[3] = { '%', digits[c >> 4], digits[c & 0xf] };

		if (c < 0x80)
			csr_text_add(&t, text, 1);
		else
			csr_text_add(&t, code, sizeof(code));
	}
	return csr_text_take(&t);
}

static int
add_name(const struct burin_profile *p, struct burin_subject *s,
    const char *template, const struct address *a, struct burin_error *e)
{
	struct csr_text t = { 0 };
	const char *at = template;
	char *name, *uri;
	int whole = 1, rc = -1;

	while (*at != '\0' && whole) {
		const struct part *part = find_part(at);

		if (part == NULL) {
			csr_text_add(&t, at++, 1);
			continue;
		}
		whole = part->add(a, &t);
		at += strlen(part->word);
	}
	if ((name = csr_text_take(&t)) == NULL)
		return burin_fail_memory(e);
	if (!whole) {
		(void)refuse(p, a->text, "identity-malformed",
		    "an address of the form user@domain is needed", e);
		goto out;
	}
	if (strncmp(name, "uri:", 4) == 0) {
		if ((uri = encode_uri(name)) == NULL) {
			(void)burin_fail_memory(e);
			goto out;
		}
		free(name);
		name = uri;
	}
	rc = burin_subject_add_san(s, name, e);
out:
	free(name);
	return rc;
}

int
csr_profile_make_name(const struct burin_profile *p, struct burin_subject *s,
    const char *template, const char *address, struct burin_error *e)
{
	struct address a;

	if (read_address(p, address, &a, e) == -1)
		return -1;
	return add_name(p, s, template, &a, e);
}

static int
add_cn(const struct burin_profile *p, struct burin_subject *s,
    const struct address *a, struct burin_error *e)
{
	X509_NAME_ENTRY *cn;
	int ok;

	if (!p->identity_cn ||
	    X509_NAME_get_index_by_NID(s->dn, NID_commonName, -1) >= 0)
		return 0;
	cn = csr_dn_entry(OBJ_nid2obj(NID_commonName),
	    (const unsigned char *)a->bare, (int)strlen(a->bare));
	ok = cn != NULL && X509_NAME_add_entry(s->dn, cn, -1, 0) == 1;
	X509_NAME_ENTRY_free(cn);
	if (ok)
		return 0;
	(void)burin_fail_openssl(e, BURIN_EUSAGE, "dn-value",
	    "\"%.100s\" is too long for a common name", a->bare);
	(void)burin_error_rule(e, "RFC 5280 appendix A.1");
	return burin_error_advice(e, "give a shorter one: --subject CN=NAME");
}

int
burin_profile_identity(const struct burin_profile *p, struct burin_subject *s,
    const char *address, struct burin_error *e)
{
	struct address a;
	size_t i;

	if (p->names[0] == NULL) {
		(void)refuse(p, address, "profile-no-identity",
		    "it has no key \"identity\"", e);
		return burin_error_advice(e,
		    "give the names with --subject and --san, or use another "
		    "profile");
	}
	if (read_address(p, address, &a, e) == -1)
		return -1;
	for (i = 0; p->names[i] != NULL; i++) {
		if (add_name(p, s, p->names[i], &a, e) == -1)
			return -1;
	}
	return add_cn(p, s, &a, e);
}
