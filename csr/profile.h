/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside a profile. Strings that are not freed are the configuration's.
 */

#ifndef CSR_PROFILE_H
#define CSR_PROFILE_H

#include <openssl/conf.h>

#include <burin/profile.h>

#define PROFILE_SECTION "profile"
#define REQUEST_SECTION "request"
#define CERTIFICATE_SECTION "certificate"
#define CSR_KEY_USAGE 64  /* bytes of "digitalSignature,keyEncipherment,..." */
#define CSR_BASE "{base}" /* in [certificate]: the authority's URL */

struct burin_profile {
	CONF *conf;
	const char *name;
	const char *description;
	const char *usage;
	char key_usage[CSR_KEY_USAGE]; /* of usage, when nothing else is said */
	char **key_types;	       /* lists: NULL-terminated, owned */
	char **names;		       /* templates of alternative names */
	char **schemes;
	char **copy;
	int has_certificate;
	int identity_cn;
	int prefix;
	unsigned days;
	/* While a profile is judged: what is wrong, and its text. Else NULL. */
	struct burin_profile_flaws *flaws;
	const char *text;
	size_t len;
};

/* What a profile asks for and gives, as far as its lines are sound. */
struct csr_profile_made {
	struct burin_subject *asked;
	STACK_OF(X509_EXTENSION) * given;
};

/* The lines of a section in their order; NULL when it is not there. */
STACK_OF(CONF_VALUE) *
    csr_profile_lines(const struct burin_profile *p, const char *section);
/* "profile NAME ..." as BURIN_EUSAGE "profile-malformed". */
int csr_profile_refuse(const struct burin_profile *p, struct burin_error *e,
    const char *fmt, ...) BURIN_PRINTF(3, 4);
/*
 * The same, found at key of [section] (either may be NULL). -1; while p is
 * judged 0, when it was noted and reading goes on.
 */
int csr_profile_flaw(const struct burin_profile *p, struct burin_error *e,
    const char *section, const char *key, const char *fmt, ...)
    BURIN_PRINTF(5, 6);
/*
 * What is in e already was found there. -1; while p is judged 0 and e is
 * empty again.
 */
int csr_profile_note(const struct burin_profile *p, struct burin_error *e,
    const char *section, const char *key);
/* Line at 0: looked for. */
int csr_profile_note_at(const struct burin_profile *p, struct burin_error *e,
    const char *section, const char *key, long line);
/* Keys that stand twice in a section; OpenSSL takes the last one. */
int csr_profile_check_twice(
    const struct burin_profile *p, struct burin_error *e);
/*
 * All of it. p->text, p->len are read; made is filled as far as it went,
 * csr_profile_made_clear.
 */
int csr_profile_read(struct burin_profile *p, struct csr_profile_made *made,
    struct burin_error *e);
void csr_profile_made_clear(struct csr_profile_made *made);
/* Why a template of a name is none, NULL when it is sound. */
const char *csr_profile_template_flaw(const char *template);
/* Templates are sound; said of p when not. */
int csr_profile_check_names(
    const struct burin_profile *p, struct burin_error *e);
/* Adds to s the name that a template makes of address. */
int csr_profile_make_name(const struct burin_profile *p,
    struct burin_subject *s, const char *template, const char *address,
    struct burin_error *e);
/*
 * [certificate] as far as it can be judged without a request; its extensions
 * are pushed to given.
 */
int csr_profile_check_issue(const struct burin_profile *p,
    STACK_OF(X509_EXTENSION) * given, struct burin_error *e);
/* The name that an extension has in a section; NULL when it is not there. */
const char *csr_profile_spelled(
    const struct burin_profile *p, const char *section, int nid);
/* The extension type called name, or NULL; ASN1_OBJECT_free. */
ASN1_OBJECT *csr_profile_type(const char *name);
/* 1 when name is a key of [certificate] that is no extension. */
int csr_profile_is_own_key(const char *name);

#endif
