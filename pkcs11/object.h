/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the token layer: what the files about objects share. Every function
 * wants the module's lock held.
 */

#ifndef BURIN_OBJECT_H
#define BURIN_OBJECT_H

#include <stddef.h>

#include "p11.h"
#include "template.h"

/* Limits on what one object may hold; longer values count as not given. */
#define P11_MAX_MODULUS 2048 /* bytes: 16384 bits */
#define P11_MAX_EXPONENT 32  /* bytes of a public exponent */
#define P11_MAX_PARAMS 128   /* bytes of CKA_EC_PARAMS */
#define P11_MAX_POINT 160    /* bytes of CKA_EC_POINT: P-521 needs 136 */
#define P11_MAX_SPKI 2560    /* bytes of CKA_PUBLIC_KEY_INFO */
#define P11_MAX_SAME_ID 64   /* objects under one CKA_ID */

/* --- object.c ---------------------------------------------------------- */

/*
 * What is to be done after a failed call: the session it was made on is not
 * used again, lost logins and handles are noticed, e is filled. -1.
 */
int p11_failed(struct burin_token *t, const char *function, CK_RV rv,
    struct burin_error *e);
/*
 * Fills the rooms of a with one C_GetAttributeValue. What the token does not
 * give is absent and no error; one call per attribute only for modules that
 * fail as a whole.
 */
int p11_read(struct burin_token *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct attrs *a, struct burin_error *e);
/* In the write session: p11_write_done is to follow. */
int p11_destroy(
    struct burin_token *t, CK_OBJECT_HANDLE o, struct burin_error *e);
/* The public values in a. */
void p11_pubkey_from(const struct attrs *a, struct p11_pubkey *p);
/* The certificate in CKA_VALUE, whole; NULL when it does not parse. */
X509 *p11_cert_from(const struct attrs *a);
/* BURIN_USE_* of a private key; otherwise for what the token does not say. */
/*
 * 1 when the token says, as far as its kind can say it, that the private key
 * in a never leaves it: SENSITIVE and not EXTRACTABLE. What it does not say
 * proves nothing.
 */
int p11_is_protected(struct burin_token *t, const struct attrs *a);
unsigned p11_usage_from(const struct attrs *a, unsigned otherwise);
/* CKA_ID and CKA_LABEL, bounded; label is text without control bytes. */
void p11_names_from(const struct attrs *a, unsigned char id[BURIN_MAX_ID],
    size_t *id_len, char label[BURIN_MAX_LABEL + 1]);

/* --- place.c ----------------------------------------------------------- */

/*
 * On a token whose keys have places: whether id is one. BURIN_EREFUSED
 * "id-is-no-slot".
 */
int p11_check_place(struct burin_token *t, const unsigned char *id,
    size_t id_len, struct burin_error *e);

/* --- keytype.c --------------------------------------------------------- */

/* One way to ask a token for a key pair of a type. */
struct key_way {
	CK_MECHANISM_TYPE mech;
	const unsigned char *params; /* CKA_EC_PARAMS; NULL: RSA */
	size_t params_len;
};

#define P11_MAX_WAYS 3

struct key_type {
	const char *name; /* "ec:P-256" */
	const char *evp;  /* EVP_PKEY type name */
	int bits;	  /* as EVP_PKEY_get_bits says */
	int curve;	  /* NID of an EC group, 0: none */
	/* ulMaxKeySize must not be under, ulMinKeySize not over: */
	CK_ULONG at_least, at_most;
	unsigned can, usage; /* BURIN_USE_*: possible, and by default */
	struct key_way ways[P11_MAX_WAYS]; /* in this order; mech 0: end */
};

/* NULL for BURIN_KEY_UNKNOWN and what is no type. */
const struct key_type *p11_key_type(enum burin_key_type type);

/* --- keygen.c ---------------------------------------------------------- */

/*
 * CKR_OK when t says that it can go way for a type, asked once per mechanism
 * and kept with the token; else what it answered.
 */
CK_RV p11_can_go(struct burin_token *t, const struct key_type *type,
    const struct key_way *way);

/* --- key.c ------------------------------------------------------------- */

/* A key with nothing in it; NULL with e set. Free with burin_key_free. */
struct burin_key *p11_key_new(struct burin_token *t, struct burin_error *e);
/* Takes the public half over and the type with it. */
void p11_key_set_public(struct burin_key *k, EVP_PKEY *pub);
/*
 * Logs in and finds the handles of k again when they are not valid any more.
 * A key that is gone is BURIN_ETOKEN "key-missing".
 */
int p11_key_ready(struct burin_key *k, struct burin_error *e);

/* --- key_find.c -------------------------------------------------------- */

/* The rooms for what every token says of a private key. */
void p11_private_rooms(struct attrs *a);
/* What they say: id, label, usage, always_auth. */
void p11_private_take(struct burin_key *k, const struct attrs *a);
/* Objects of a class under a CKA_ID; free *out. */
int p11_find_id(struct burin_token *t, CK_SESSION_HANDLE s, CK_OBJECT_CLASS cls,
    const unsigned char *id, size_t id_len, CK_OBJECT_HANDLE **out, size_t *n,
    struct burin_error *e);
/*
 * The public key in object o, whose key type is kt (any:
 * CK_UNAVAILABLE_INFORMATION); NULL and 0 when its values do not say enough.
 */
int p11_public_read(struct burin_token *t, CK_SESSION_HANDLE s,
    CK_OBJECT_HANDLE o, CK_KEY_TYPE kt, EVP_PKEY **out, struct burin_error *e);
/* Fills k from private key object o and from what says its public half. */
int p11_key_load(struct burin_key *k, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
    struct burin_error *e);

/* --- key_made.c -------------------------------------------------------- */

/* 1 when the CKA_ID that a key is made with is the final one. */
int p11_keeps_id(struct burin_token *t, const struct burin_key_spec *spec);
/*
 * From a pair that is just there, handles and public half known, to a key:
 * attributes read back, the pair destroyed when they are not as they must
 * be, spec->made told, the final CKA_ID set.
 */
int p11_key_finish(struct burin_key *k, const struct burin_key_spec *spec,
    struct burin_error *e);
/* After a failure: removes both halves; what cannot be removed is told. */
void p11_key_undo(struct burin_key *k, struct burin_error *e);

/* --- id_use.c ---------------------------------------------------------- */

/* One certificate under a CKA_ID. */
struct id_cert {
	CK_OBJECT_HANDLE handle;
	X509 *cert;   /* NULL: does not parse */
	int ours;     /* 1: of the key's public half */
	int by_token; /* placeholder or attestation: nobody's certificate */
};

struct id_certs {
	struct id_cert *list;
	size_t n;
	int id_taken; /* a key that is not k has the CKA_ID */
};

/* Everything under k's CKA_ID but k itself. Free with p11_id_certs_clear. */
int p11_id_search(struct burin_key *k, CK_SESSION_HANDLE s,
    struct id_certs *out, struct burin_error *e);
/* The certificates only; id_taken is left 0. */
int p11_id_search_certs(struct burin_key *k, CK_SESSION_HANDLE s,
    struct id_certs *out, struct burin_error *e);
void p11_id_certs_clear(struct id_certs *c);
/* 1 when p11_id_search found nothing but k, and nothing happened since. */
int p11_id_alone(const struct burin_key *k);
/* BURIN_EREFUSED "id-taken". */
int p11_fail_id_taken(const struct burin_token *t, struct burin_error *e);

#endif
