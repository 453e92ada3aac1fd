/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan of an enrolment: everything that was asked for, complete enough
 * to be carried out again by another process at another time. Holds no
 * secret, only where secrets come from.
 */

#ifndef BURIN_PLAN_H
#define BURIN_PLAN_H

#include <stddef.h>

#include <burin/attest.h>
#include <burin/cmc.h>
#include <burin/error.h>
#include <burin/request.h>
#include <burin/token.h>

/* A growing list of strings, all malloc'd. */
struct texts {
	char **list;
	size_t n;
};
int texts_add(struct texts *t, const char *text, struct burin_error *e);
void texts_clear(struct texts *t);

struct plan {
	/* where */
	char *token; /* as named by the user; NULL with key */
	char *key;   /* URI of an existing key, or NULL */
	char *slot;  /* place of the new key ("9a"), NULL: the usual one */
	/* what key */
	char *key_type; /* "ec:P-256"; NULL: the profile's first */
	char *label;	/* NULL: made of the identity */
	unsigned usage; /* BURIN_USE_*, 0: the profile's */
	int always_authenticate;
	/* what identity */
	char *profile_name; /* NULL: none */
	char *profile_text; /* the whole file, as it was at the time */
	char *identity;
	char *dn;
	struct texts sans, ekus, exts, prefixes, attributes;
	char *attestation; /* "yubico", "draft"; NULL: none in the request */
	/* how it is asked */
	char *format;	  /* "pkcs10", "cmc"; NULL: as the protocol has it */
	char *inner;	  /* in CMC: "pkcs10", "crmf"; NULL: by the key */
	char *pop;	  /* "signature", "challenge"...; NULL: by key */
	char *pop_cert;	  /* PEM: the authority's, for agreement */
	char *reg_info;	  /* regInfo of CMC (RFC 10002 section 6.12) */
	int legacy;	  /* CMC: proofs of RFC 2797, SHA-1 */
	char *encrypt_to; /* PEM: CMC messages are for its eyes only */
	/* from whom */
	char *protocol;	   /* "est", "cmp", "file" */
	char *cmp_command; /* "ir", "p10cr"; NULL: as is usual */
	char *url;
	char *trust;	      /* PEM: anchors of the certificate */
	char *tls_trust;      /* PEM: anchors of the server, NULL: trust */
	char *ca_fingerprint; /* SHA-256 hex of the CA, first contact */
	char *user;
	char *secret_source; /* "file:…", "env:…", NULL none */
	char *proxy;
	long timeout; /* seconds, 0 default */
	/* renewal: who vouches for the new certificate, or NULL */
	char *reenroll_key; /* URI of the key whose certificate is renewed */
	/* files */
	char *request_file; /* protocol file: where the request goes */
	int mime;	    /* ... as a mail */
	/* how */
	int replace;	    /* another certificate, or a key in the new
			     * one's place, may be replaced */
	int consumer_check; /* burin-consumer-check before done */
};
void plan_clear(struct plan *p);

/* JSON text, free(). Unknown keys in plan_parse are an error. */
int plan_format(const struct plan *p, char **json, struct burin_error *e);
int plan_parse(const char *json, struct plan *p, struct burin_error *e);

/* The subject that the plan (profile, identity, options) asks for. */
int plan_subject(
    const struct plan *p, struct burin_subject **out, struct burin_error *e);
/*
 * Puts the attestation of k, as its token shows it, into s, when the plan
 * asks for it. An unknown form is BURIN_EUSAGE "attestation-form".
 */
int plan_attestation_form(
    const struct plan *p, enum burin_attest_form *form, struct burin_error *e);
int plan_attest(const struct plan *p, struct burin_key *k,
    struct burin_subject *s, struct burin_error *e);
/* 1 when the request will have attributes beside the extensions. */
int plan_has_attributes(const struct plan *p);
/* 1 when the plan has no DN, name, identity or prefix of its own. */
int plan_names_nobody(const struct plan *p);
/* Fills in the label that was left open: the identity, the DN, a name. */
int plan_settle_label(struct plan *p, struct burin_error *e);
/* BURIN_USE_* of "sign", "decrypt", "derive" (n bytes, any case); 0: none. */
unsigned plan_usage_word(const char *word, size_t n);
/* What the key may do: as asked, or what its type does by default. */
unsigned plan_usage(const struct burin_key_spec *spec);
/* Key type, usage and label (borrowed) that the plan resolves to. */
int plan_key_spec(
    const struct plan *p, struct burin_key_spec *spec, struct burin_error *e);
/* 1 when the plan asks in Full requests of CMC (dialect.c). */
int plan_speaks_cmc(const struct plan *p);
/*
 * 1 when a name or a source of the shared secret says that there is one; a
 * certificate that is there already is a better identity (RFC 10002 section
 * 6.3.2).
 */
int plan_has_secret(const struct plan *p);
/* 1 when a plan without trust finds anchors: by a fingerprint, or in the
 * answer, where the secret authenticates them (RFC 10002 section 6.16). */
int plan_finds_anchors(const struct plan *p);
/*
 * PKCS#10 is signed with the key it is for: any other key is refused
 * (BURIN_EUSAGE "key-cannot-sign"), unless the plan speaks CMC or CRMF,
 * which have proofs for every key, or names another proof. usage 0: what keys
 * of type may do.
 */
int plan_can_prove(const struct plan *p, enum burin_key_type type,
    unsigned usage, struct burin_error *e);

/* --- plan_pop.c: proofs and forms of requests --------------------------- */

int plan_key_signs(const struct burin_key *k);
/* 1: decryptedPOP is over the request without its tag. */
int plan_pop_untagged(const struct plan *p);
/* What of format, inner, pop and pop_cert is wrong whatever the key. */
int plan_check_form(const struct plan *p, struct burin_error *e);
/* authority: the certificates of pop_cert. how borrows from k and from it. */
int plan_pop(const struct plan *p, struct burin_key *k,
    STACK_OF(X509) * authority, struct burin_pop_how *how,
    struct burin_error *e);
/* The form of a request with that proof inside CMC. */
enum burin_cmc_form plan_inner(
    const struct plan *p, const struct burin_pop_how *how);
/* For whom encrypt_to, which is set, wants messages; borrows from certs. */
int plan_recipient(const struct plan *p, STACK_OF(X509) * *certs,
    struct burin_cms_recipient *to, struct burin_error *e);
/* text of an option as the octets of a control; NULL: none. */
int plan_octets(const char *text, const char *option,
    struct burin_cmc_octets *o, struct burin_error *e);

#endif
