/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: what a kind of identity is, as data in OpenSSL's configuration
 * syntax (docs/profiles/, burin-profile(5)). The requester and the
 * authority read the same file.
 *
 *	[profile]
 *	name = im
 *	description = Instant messaging identity (RFC 9734)
 *	key_types = ec:P-256, ec:P-384, rsa:3072   # first one: the default
 *	usage = sign                               # of the private key
 *	identity = uri:{address} xmpp:{bare}       # SANs made of --identity
 *	identity_schemes = im, xmpp                # schemes it takes
 *	[request]                                  # extensions asked for
 *	keyUsage = critical,digitalSignature
 *	extendedKeyUsage = 1.3.6.1.5.5.7.3.40
 *	[certificate]                              # what the authority gives
 *	days = 365
 *	copy = subjectAltName                      # taken from the request
 *	keyUsage = critical,digitalSignature
 *	...
 */

#ifndef BURIN_PROFILE_H
#define BURIN_PROFILE_H

#include <stddef.h>

#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/request.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_MAX_PROFILE 65536 /* bytes of one profile */

struct burin_profile;

/*
 * From the text of a profile file (not NUL-terminated). .include and
 * $ENV:: are refused: a profile is data. Unknown keys in [profile] and
 * unknown sections are refused by name. BURIN_EUSAGE "profile-malformed".
 */
int burin_profile_parse(const char *text, size_t len,
    struct burin_profile **out, struct burin_error *e);
void burin_profile_free(struct burin_profile **p);

const char *burin_profile_name(const struct burin_profile *p);
const char *burin_profile_description(const struct burin_profile *p);
/* Key type names, NULL-terminated, first one the default; owned by p. */
const char *const *burin_profile_key_types(const struct burin_profile *p);
/* "sign", "decrypt", "derive", comma-separated; "" for by key type. */
const char *burin_profile_usage(const struct burin_profile *p);
/* Days a certificate lives (authority side). */
unsigned burin_profile_days(const struct burin_profile *p);

/* Templates of alternative names, NULL-terminated; owned by p. */
const char *const *burin_profile_names(const struct burin_profile *p);
/* Schemes an address may have, the first one is the default; owned by p. */
const char *const *burin_profile_schemes(const struct burin_profile *p);
/* Extensions taken over from a request, by name; owned by p. */
const char *const *burin_profile_copied(const struct burin_profile *p);
/* 1 when the extension called name is one of them, however it is written. */
int burin_profile_copies(const struct burin_profile *p, const char *name);
/* 1 when an address becomes the common name. */
int burin_profile_names_cn(const struct burin_profile *p);
/* 1 when --prefix is taken. */
int burin_profile_takes_prefix(const struct burin_profile *p);
/* 1 when there is a [certificate]: an authority can issue with it. */
int burin_profile_issues(const struct burin_profile *p);

enum burin_profile_part {
	BURIN_PROFILE_REQUEST,	  /* what is asked for */
	BURIN_PROFILE_CERTIFICATE /* what the authority gives */
};

/* An extension as the profile writes it; the strings are p's. */
struct burin_profile_line {
	const char *name;
	const char *value; /* without "critical," */
	int critical;
	int needs_base; /* left out by an authority without a URL */
};
/*
 * The i-th extension of a part. 0 when there are not so many. A keyUsage that
 * is made of "usage" comes last.
 */
int burin_profile_line(const struct burin_profile *p,
    enum burin_profile_part part, size_t i, struct burin_profile_line *out);

/* --- judging a profile -----------------------------------------------------
 */

#define BURIN_MAX_FLAWS 100   /* noted of one profile */
#define BURIN_PROFILE_WORD 80 /* of a section or key, with the NUL */

/* What is wrong, and where. */
struct burin_profile_flaw {
	long line;			  /* 0: of no line */
	char section[BURIN_PROFILE_WORD]; /* "": of the whole */
	char key[BURIN_PROFILE_WORD];	  /* "": of the section */
	struct burin_error error; /* "profile-malformed", "-contradiction"… */
};
struct burin_profile_flaws {
	size_t n;
	size_t more;			 /* not noted: too many */
	struct burin_profile_flaw *list; /* by line */
};
/*
 * Everything that burin_profile_parse would refuse, not only the first, and
 * what cannot be meant: another name than name (NULL: any), keys that cannot do
 * what they are for, what is asked for and never given, names that no address
 * makes. A syntax error ends the reading, and is the only one. 0 also when
 * there are flaws; -1 when judging failed. burin_profile_flaws_clear.
 */
int burin_profile_judge(const char *text, size_t len, const char *name,
    struct burin_profile_flaws *out, struct burin_error *e);
void burin_profile_flaws_clear(struct burin_profile_flaws *flaws);

/* Adds what [request] asks for and the default usages to s. */
int burin_profile_apply(const struct burin_profile *p, struct burin_subject *s,
    struct burin_error *e);
/*
 * Adds the names that the profile makes of an address ("im:alice@b",
 * "xmpp:alice@b", "sip:…", "mailto:a@b" or "a@b"), and CN when the DN has
 * none and the profile says "identity_cn = yes". {address}: as typed,
 * {bare}: without scheme, {user}, {domain}. An address typed without a
 * scheme is one of the first of identity_schemes.
 */
int burin_profile_identity(const struct burin_profile *p,
    struct burin_subject *s, const char *address, struct burin_error *e);
/* Adds --prefix; a profile without "prefix = yes" refuses. */
int burin_profile_prefix(const struct burin_profile *p, struct burin_subject *s,
    const char *prefix, struct burin_error *e);

/* 0 when url can be a base: http or https, no blank, no comma. */
int burin_url_check(const char *url, struct burin_error *e);
/*
 * Authority side: fills the extensions of a certificate to be issued from
 * [certificate] and, where "copy" says so, from what is asked (an extension
 * that is not copied is left out). issuer is the CA's certificate (AKI), base
 * the authority's URL, which {base} in a line stands for; NULL: such lines
 * are left out. Subject, key, serial, validity are the caller's, and set
 * before. A line whose extension was copied is not used. What the request may
 * not have (key usage of an authority, no name at all) is BURIN_EAUTHORITY.
 */
int burin_profile_extensions(const struct burin_profile *p,
    const struct burin_asked *asked, X509 *issuer, const char *base, X509 *cert,
    struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
