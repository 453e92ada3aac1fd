/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificate Management over CMS (RFC 10002) in the roles of the server: what
 * an RA or a CA hears, how it finds out what to believe, and what it answers
 * or passes on. Pure functions: no I/O, no token, no clock, no store; who is
 * known and which secrets there are is the caller's to say. Keys are EVP_PKEYs,
 * wherever they live.
 *
 * A server takes these steps, each of which may end in a refusal:
 *
 *	burin_cmc_hear          the envelopes off, the body read; nothing is
 *				believed
 *	burin_cmc_hear_signer   the signature, with the certificate it found
 *	burin_cmc_hear_secret   MAC, identity proof, link to the POP
 *	burin_cmc_hear_pops     the proof of possession of each request
 *	burin_cmc_answer_make   the response
 *
 * and begins again with each message inside (cmsSequence). Every function
 * returns 0, or -1 with the error struct filled. A refusal that the peer is
 * to be told is BURIN_EAUTHORITY, and what it is told is in struct
 * burin_cmc_refusal.
 */

#ifndef BURIN_CMC_SERVER_H
#define BURIN_CMC_SERVER_H

#include <burin/cmc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_CMC_MAX_REFUSED 32  /* parts that one status is about */
#define BURIN_CMC_MAX_UNSIGNED 16 /* values of unsignedData */
#define BURIN_CMC_SHA256 32	  /* bytes */
/* Simple requests in a layer: their certificates come in one message. */
#define BURIN_CMC_MAX_SIMPLE 48

/* CMCFailInfo (RFC 10002 section 6.1.4). */
enum burin_cmc_fail {
	BURIN_CMC_FAIL_NONE = -1, /* no failInfo */
	BURIN_CMC_BAD_ALG = 0,
	BURIN_CMC_BAD_MESSAGE_CHECK = 1,
	BURIN_CMC_BAD_REQUEST = 2,
	BURIN_CMC_BAD_TIME = 3,
	BURIN_CMC_BAD_CERT_ID = 4,
	BURIN_CMC_UNSUPPORTED_EXT = 5,
	BURIN_CMC_MUST_ARCHIVE_KEYS = 6,
	BURIN_CMC_BAD_IDENTITY = 7,
	BURIN_CMC_FAIL_POP_REQUIRED = 8,
	BURIN_CMC_POP_FAILED = 9,
	BURIN_CMC_NO_KEY_REUSE = 10,
	BURIN_CMC_INTERNAL_CA_ERROR = 11,
	BURIN_CMC_TRY_LATER = 12,
	BURIN_CMC_AUTH_DATA_FAIL = 13
};

/* Where a part is: outermost message first (BodyPartPath). */
struct burin_cmc_path {
	uint32_t ids[BURIN_CMC_MAX_DEPTH + 1];
	size_t n; /* 0: the whole message */
};

/* What the peer is told of a refusal. */
struct burin_cmc_refusal {
	enum burin_cmc_status status; /* FAILED, or NO_SUPPORT */
	enum burin_cmc_fail fail;     /* NONE with NO_SUPPORT */
	size_t n;		      /* parts; 0: the whole message, {0} */
	uint32_t parts[BURIN_CMC_MAX_REFUSED];
};

/* --- what was heard ------------------------------------------------------- */

/* Who protected a message (sections 3.2 and 6.11). */
enum burin_cmc_by {
	BURIN_CMC_BY_NOBODY,   /* no SignerInfo: a revocation with a secret */
	BURIN_CMC_BY_CERT,     /* a certificate, named or in the message */
	BURIN_CMC_BY_REQUEST,  /* the key of a request in the message */
	BURIN_CMC_BY_KEY,      /* a key id that no request here has: a poll */
	BURIN_CMC_BY_SECRET,   /* AuthenticatedData */
	BURIN_CMC_NO_SIGNATURE /* id-alg-noSignature: proves nothing */
};

/* How far a request has proved possession of its key. */
enum burin_cmc_proved {
	BURIN_CMC_POP_NOT_YET,	    /* nothing looked at, or no proof in it */
	BURIN_CMC_POP_PROVED,	    /* signature, or static ECDH */
	BURIN_CMC_POP_TO_CHALLENGE, /* says that encryptedPOP is to follow */
	BURIN_CMC_POP_SAYS_RA,	    /* raVerified: an RA's word, if it is one */
	BURIN_CMC_POP_WRONG,	    /* proof that does not hold: why */
	BURIN_CMC_POP_UNKNOWN	    /* one that cannot be judged here: why */
};

/* One certification request of the message. */
struct burin_cmc_item {
	uint32_t id; /* its bodyPartID, or certReqId */
	enum burin_cmc_form form;
	const unsigned char *tagged; /* TaggedRequest as it came */
	size_t tagged_len;
	const unsigned char *der; /* PKCS#10 or CertReqMsg (SEQUENCE) */
	size_t der_len;
	unsigned char sha256[BURIN_CMC_SHA256]; /* of der: names it */
	/*
	 * What it asks for; may be changed by burin_cmc_item_modify. Names of
	 * changeSubjectName are in asked_name, the outer ones in asked.
	 */
	struct burin_asked asked;
	int renames;		  /* changeSubjectName is there: ... */
	X509_NAME *new_subject;	  /* ... NULL: empty */
	GENERAL_NAMES *new_names; /* ... NULL: none */
	unsigned char key_id[BURIN_MAX_KEY_ID]; /* SKI asked for */
	size_t key_id_len;			/* 0: not asked for */
	int anybody; /* its proof is a signature: whoever reads it can verify */
	enum burin_cmc_proved proved; /* burin_cmc_hear_pops */
	char why[BURIN_ERROR_TEXT];   /* WRONG, UNKNOWN: for people */
	/* an attribute of PKCS#9: challengePassword, RFC 7894; NULL none */
	struct burin_secret *revocation;
};

/* revokeRequest, as it came. */
struct burin_cmc_revoke_part {
	uint32_t id;
	const X509_NAME *issuer;
	const ASN1_INTEGER *serial;
	int reason;
	time_t invalid;		     /* 0: not said */
	struct burin_secret *secret; /* NULL: none in it */
	char comment[BURIN_ERROR_TEXT];
};

/* getCert, getCRL, confirmCertAcceptance: a certificate, or a CRL. */
struct burin_cmc_named {
	uint32_t id;
	const X509_NAME *issuer;
	const ASN1_INTEGER *serial; /* NULL: getCRL */
	time_t time;		    /* getCRL: newest before; 0 newest */
};

/* publishCert. */
struct burin_cmc_publish_part {
	uint32_t id;
	int publish;   /* 0: dontPublish */
	size_t n;      /* SHA-1 or SHA-2 hashes of certificates */
	char hash[16]; /* "SHA256" */
	unsigned char hashes[BURIN_CMC_MAX_REQUESTS][64];
	size_t hash_len;
};

/* What a client says of our last message: a status control of its own. */
struct burin_cmc_said {
	enum burin_cmc_status status;
	enum burin_cmc_fail fail;
	struct burin_cmc_path part;
};

/* What an RA states about parts of the message it sends (section 7). */
enum burin_cmc_statement_kind {
	BURIN_CMC_STATES_POP,	    /* lraPOPWitness: path, ids */
	BURIN_CMC_STATES_IDENTITY,  /* raIdentityWitness: path */
	BURIN_CMC_STATES_PROCESSED, /* controlProcessed: path of a control */
	BURIN_CMC_STATES_TEMPLATE,  /* modCertTemplate: path, ids, der */
	BURIN_CMC_STATES_EXTENSIONS /* addExtensions: path, ids, der */
};
struct burin_cmc_statement {
	enum burin_cmc_statement_kind kind;
	uint32_t control; /* its own bodyPartID */
	/*
	 * POP, TEMPLATE, EXTENSIONS: of the message that holds the requests,
	 * n 0 for this one. IDENTITY, PROCESSED: of what is meant.
	 */
	struct burin_cmc_path path;
	size_t n_ids; /* of the requests in it */
	uint32_t ids[BURIN_CMC_MAX_PARTS];
	int replace;		  /* TEMPLATE */
	const unsigned char *der; /* CertTemplate, or Extensions */
	size_t der_len;
};

/* A message inside (cmsSequence). */
struct burin_cmc_inside {
	uint32_t id;
	int batched;		  /* batchRequests names it */
	const unsigned char *der; /* ContentInfo as it came */
	size_t len;
};

struct cmc_heard_kept;
/* One message, read. Everything is borrowed from kept. */
struct burin_cmc_heard {
	int simple; /* a bare PKCS#10: items has one, nothing else is there */
	int encrypted; /* it was in EnvelopedData or AuthEnvelopedData */
	const unsigned char *message; /* without: what an RA passes on */
	size_t message_len;
	enum burin_cmc_by by;
	X509 *signer;			/* BY_CERT; NULL: not in it, ... */
	const X509_NAME *signer_issuer; /* ... named by these, ... */
	const ASN1_INTEGER *signer_serial;
	const unsigned char *signer_key_id; /* ... or by this (BY_KEY too) */
	size_t signer_key_id_len;
	time_t signing_time; /* 0: not said; nothing until it is verified */
	STACK_OF(X509) * certs;
	const char *identification; /* NULL: none */
	int has_proof;		    /* identityProof, V1 or V2 */
	int has_random;		    /* popLinkRandom */
	uint32_t auth_data; /* authData, not 0: needs burin_cmc_hear_secret */
	struct burin_cmc_octets transaction, sender_nonce, recipient_nonce;
	uint32_t nonce_part; /* bodyPartID of recipientNonce, 0 none */
	struct burin_cmc_octets data_return, reg_info;
	int has_transaction;		    /* one of 0 is not none */
	struct burin_cmc_octets pend_token; /* queryPending */
	const unsigned char *reqs;	    /* reqSequence as it came */
	size_t reqs_len;
	size_t n_items, n_pops, n_revokes, n_certs, n_crls, n_publishes;
	size_t n_said, n_statements, n_inside;
	struct burin_cmc_item *items;
	struct burin_cmc_pop *pops; /* decryptedPOP */
	struct burin_cmc_revoke_part *revokes;
	struct burin_cmc_named *get_certs, *get_crls; /* n_certs, n_crls */
	struct burin_cmc_named confirm;		      /* serial NULL: none */
	struct burin_cmc_publish_part *publishes;
	struct burin_cmc_said *said;
	struct burin_cmc_statement *statements;
	struct burin_cmc_inside *inside;
	struct cmc_heard_kept *kept;
};

/* What the server listens with. Borrowed. */
struct burin_cmc_listen {
	/* encrypted messages; key NULL: refused */
	EVP_PKEY *key, *pub;
	const struct burin_cms_recipient *us;
	int legacy;	/* 1: SHA-1 proofs and signatures */
	int final;	/* 1: forwards to nobody: unknown controls refused */
	unsigned depth; /* messages around this one */
	/* what of this message an RA around it has processed: its controls */
	const uint32_t *processed;
	size_t n_processed;
};
/*
 * Takes off encryption, reads envelope and body, holds them against the rules
 * that need no knowledge of anybody: sections 3.2.1, 3.2.2, 6. Nothing is
 * believed. What is no message at all leaves why->n 0. A refused message
 * still gives *h with what could be read of transaction and nonces, so that
 * the refusal can be answered; clear it in any case.
 */
int burin_cmc_hear(const void *data, size_t len,
    const struct burin_cmc_listen *l, struct burin_cmc_heard *h,
    struct burin_cmc_refusal *why, struct burin_error *e);
void burin_cmc_heard_clear(struct burin_cmc_heard *h);

/*
 * The signature around it. BY_CERT: with cert, which the caller found and
 * whom to trust it judged (h->signer, or one of its own); BY_REQUEST with the
 * key of that request; BY_KEY with pub, that of the request that is polled.
 * Wrong: badMessageCheck.
 */
int burin_cmc_hear_signer(struct burin_cmc_heard *h, X509 *cert, EVP_PKEY *pub,
    int legacy, struct burin_cmc_refusal *why, struct burin_error *e);

/*
 * What the shared secret must show: the MAC of AuthenticatedData
 * (badMessageCheck), identityProof or V2 over reqs when has_proof
 * (badIdentity), and popLinkWitness in every request when has_random
 * (popFailed, and the ids of those that lack it). A proof without link, or a
 * link without a proof, is refused unless linked: the caller holds the names
 * of the requests against what the secret is for (RFC 6402 section 2.3 (c)).
 * What authData refers to: its MAC (authDataFail); nothing may be asked in it.
 * id NULL: no secret is known; what needs one is refused.
 */
int burin_cmc_hear_secret(struct burin_cmc_heard *h,
    const struct burin_cmc_identity *id, int linked, int legacy,
    struct burin_cmc_refusal *why, struct burin_error *e);

/*
 * The proof in each request, into items[].proved. key and cert: of the
 * authority, for static ECDH; NULL: such proofs are UNKNOWN. Never fails for
 * a proof that is wrong.
 */
int burin_cmc_hear_pops(struct burin_cmc_heard *h, EVP_PKEY *key, X509 *cert,
    struct burin_error *e);

/* --- encryptedPOP (section 6.7) ------------------------------------------- */

/*
 * The value (DER) of encryptedPOP for an item: y encrypted to its key, witness
 * SHA-256 (legacy: SHA-1), thePOPAlgID HMAC with the same. The recipient is
 * named by the SKI asked for, or by an empty issuer and the bodyPartID.
 * OPENSSL_free *der.
 */
int burin_cmc_challenge_make(const struct burin_cmc_item *item,
    const struct burin_secret *y, int legacy, unsigned char **der,
    size_t *der_len, struct burin_error *e);
/*
 * 0 when pop is the MAC over this item (with its tag, or without) keyed with
 * y; else popFailed. Constant time.
 */
int burin_cmc_challenge_check(const struct burin_cmc_item *item,
    const struct burin_cmc_pop *pop, const struct burin_secret *y, int legacy,
    struct burin_cmc_refusal *why, struct burin_error *e);

/* --- what an RA changes (section 6.5) --------------------------------------
 */

/*
 * Applies TEMPLATE or EXTENSIONS to item->asked: subject and extensions one by
 * one; replace 0 removes them. Public key and keyUsage are not to be
 * touched, nor may basicConstraints make an authority: unsupportedExt, about
 * s->control.
 */
int burin_cmc_item_modify(struct burin_cmc_item *item,
    const struct burin_cmc_statement *s, struct burin_cmc_refusal *why,
    struct burin_error *e);

/*
 * Puts the names of changeSubjectName in the place of those in item->asked,
 * once these were held against the certificate (RFC 6402 section 2.8).
 */
int burin_cmc_item_rename(struct burin_cmc_item *item, struct burin_error *e);

/* --- the response -----------------------------------------------------------
 */

/* One statusInfoV2. Borrowed. */
struct burin_cmc_state_of {
	enum burin_cmc_status status;
	enum burin_cmc_fail fail;	    /* looked at only with FAILED */
	const struct burin_cmc_path *parts; /* path of one id: an id */
	size_t n;			    /* 0: the whole message, {0} */
	const char *text;		    /* NULL none */
	const struct burin_cmc_octets *pend_token; /* NULL none, ... */
	time_t pend_time;			   /* ... with it */
};
/* One DER value with the part it is about, or by itself. Borrowed. */
struct burin_cmc_bytes {
	const unsigned char *der;
	size_t len;
};
/* trustedAnchors (section 6.15). */
struct burin_cmc_publication {
	long number; /* seqNumber */
	STACK_OF(X509) * anchors;
	/* not NULL: in authData, MACed with it (section 6.16) */
	const struct burin_cmc_identity *identity;
	unsigned long rounds; /* of PBKDF2; 0: what a weak secret needs */
};

/* Everything that a PKIResponse can say; zeroed is nothing. Borrowed. */
struct burin_cmc_answer {
	const struct burin_cmc_heard *to; /* transactionId, recipientNonce,
					     dataReturn come from it; or NULL */
	const unsigned char *nonce;	  /* senderNonce, when to has one */
	size_t nonce_len;
	struct burin_cmc_octets response_info;
	const struct burin_cmc_state_of *states;
	size_t n_states;
	int old_states; /* 1: statusInfo beside each statusInfoV2 */
	const struct burin_cmc_bytes *challenges; /* encryptedPOP */
	size_t n_challenges;
	X509 *const *confirm; /* confirmCertAcceptance for each */
	size_t n_confirm;
	const struct burin_cmc_publication *publication;
	/*
	 * Answers inside, ContentInfo each, in cmsSequence; batch 1:
	 * batchResponses names them all. body not 0: responseBody says that
	 * the one with this number (1 is the first) is the answer proper.
	 */
	const struct burin_cmc_bytes *inside;
	size_t n_inside;
	/*
	 * Their bodyPartIDs; NULL: 1…n_inside. In a batch, those of the
	 * messages they answer, for peers without transactionId.
	 */
	const uint32_t *inside_ids;
	int batch;
	size_t body;
	/* protection: by signer (its certs and crls go with it), ... */
	const struct burin_cms_signer *signer;
	/* ... or, signer NULL, AuthenticatedData with this */
	const struct burin_cmc_identity *identity;
	const struct burin_cms_recipient *encrypt; /* around it, or NULL */
};
/* *der is OPENSSL_free'd by the caller. */
int burin_cmc_answer_make(const struct burin_cmc_answer *a, unsigned char **der,
    size_t *der_len, struct burin_error *e);

/* --- what an RA sends on (section 7) ----------------------------------------
 */

/* A statement about what is passed on. Borrowed. Paths start at this layer. */
struct burin_cmc_vouch {
	enum burin_cmc_statement_kind kind;
	struct burin_cmc_path path; /* as in struct burin_cmc_statement */
	const uint32_t *ids;
	size_t n_ids;
	/* TEMPLATE: NULL fields stay as they are; ... */
	int remove; /* ... 1: these are to go (replace FALSE) */
	const X509_NAME *subject;
	const STACK_OF(X509_EXTENSION) * extensions;
};
/*
 * A layer around requests of others: Full requests into cmsSequence with
 * body part ids 1…n_messages, batchRequests naming them (batch 1), PKCS#10 of
 * Simple requests into reqSequence with the ids behind. unsignedData of the
 * messages is lifted: their id before its path, into our unsigned attributes.
 * EXTENSIONS is not stated: what is deprecated is only read.
 */
struct burin_cmc_layer {
	const struct burin_cmc_thread *thread;
	const struct burin_cmc_bytes *messages;
	size_t n_messages;
	int batch;
	const struct burin_cmc_bytes *simple;
	size_t n_simple;
	const struct burin_cmc_vouch *vouches;
	size_t n_vouches;
	struct burin_cmc_octets pend_token; /* a poll: nothing else but it */
	const struct burin_cms_signer *signer;
};
int burin_cmc_layer_make(const struct burin_cmc_layer *l, unsigned char **der,
    size_t *der_len, struct burin_error *e);
/*
 * The answers inside a reply to a layer: burin_cmc_read has verified it, with
 * expect.layer. For message number i (1…n_messages) its own PKIResponse or
 * certs-only, as it came; -1 and NULL: not in this reply, or not to be told
 * apart. What is found is what brings back transactionId and nonce of the
 * message; for one that has neither, what holds a certificate for its key, or
 * has its number, or its place. No answer is for two messages.
 */
int burin_cmc_reply_inside(const struct burin_cmc_reply *r, size_t i,
    const unsigned char **der, size_t *len);
/* What a reply says of one part of the layer. */
struct burin_cmc_part_state {
	enum burin_cmc_status status;
	enum burin_cmc_fail fail;
	char text[BURIN_ERROR_TEXT]; /* "" none */
	struct burin_cmc_octets pend_token;
	time_t pend_time; /* 0: not said */
};
/*
 * The worst that is said of the part with this id: a Simple request, or a
 * message as a whole. -1: nothing, which is success where all is done.
 */
int burin_cmc_reply_part(const struct burin_cmc_reply *r, uint32_t id,
    struct burin_cmc_part_state *out);

#ifdef __cplusplus
}
#endif

#endif
