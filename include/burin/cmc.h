/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificate Management over CMS (RFC 10002; what RFC 5272 and RFC 6402
 * peers send is read as well) in the role of the end entity: what is asked,
 * and what the answer says. Pure functions: no I/O, no token, no clock; keys
 * are EVP_PKEYs, wherever they live.
 *
 * Every function returns 0, or -1 with the error struct filled.
 */

#ifndef BURIN_CMC_H
#define BURIN_CMC_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/x509.h>

#include <burin/cms.h>
#include <burin/crmf.h>
#include <burin/error.h>
#include <burin/request.h>
#include <burin/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The content types of its messages. */
#define BURIN_CMC_PKI_DATA "1.3.6.1.5.5.7.12.2"
#define BURIN_CMC_PKI_RESPONSE "1.3.6.1.5.5.7.12.3"

#define BURIN_CMC_MAX_REQUESTS 8  /* certification requests we send */
#define BURIN_CMC_MAX_PARTS 256	  /* body parts in one message */
#define BURIN_CMC_MAX_DEPTH 4	  /* messages in messages */
#define BURIN_CMC_MAX_OCTETS 1024 /* dataReturn, regInfo, pendToken */
#define BURIN_CMC_MAX_STATUS 32	  /* statuses in one response */
#define BURIN_CMC_NONCE 32	  /* bytes of our nonces */
#define BURIN_CMC_TRANSACTION 16  /* bytes of our transactionId */
#define BURIN_CMC_RANDOM 64	  /* bytes of popLinkRandom */

/* --- a conversation ------------------------------------------------------ */

struct burin_cmc_octets {
	unsigned char data[BURIN_CMC_MAX_OCTETS];
	size_t len; /* 0: none */
};

/*
 * What goes through all messages of one transaction (RFC 10002 section 6.6),
 * to be kept from one to the next, over restarts.
 */
struct burin_cmc_thread {
	struct burin_cmc_octets transaction; /* magnitude, big-endian */
	struct burin_cmc_octets sent;	     /* our last senderNonce */
	struct burin_cmc_octets received;    /* the server's last one */
	struct burin_cmc_octets pop_random;  /* popLinkRandom */
};
/* Random numbers for a first message; and the fresh nonce of each next. */
int burin_cmc_begin(struct burin_cmc_thread *t, struct burin_error *e);
int burin_cmc_next(struct burin_cmc_thread *t, struct burin_error *e);

/* The secret shared with the authority (section 6.2). Borrowed. */
struct burin_cmc_identity {
	const char *identification; /* UTF-8, NULL: no such control */
	const struct burin_secret *secret;
	/*
	 * identityProof and popLinkWitness of RFC 2797 (SHA-1) instead, for
	 * peers that know nothing else
	 */
	int legacy;
	/* popLinkWitness keyed with secret and identification: Dogtag's */
	int link_with_name;
};

/* --- what is asked -------------------------------------------------------- */

enum burin_cmc_form {
	BURIN_CMC_PKCS10,
	BURIN_CMC_CRMF
};

/* One certification request. Borrowed. */
struct burin_cmc_request {
	enum burin_cmc_form form;
	const struct burin_subject *subject;
	EVP_PKEY *pub; /* in software */
	struct burin_pop_how how;
};

/*
 * Makes the reqSequence (DER): body part ids 1, 2, …; a popLinkWitnessV2 in
 * each request when identity is not NULL (section 6.3). One operation of
 * each key. OPENSSL_free *der. A later message of the same transaction
 * repeats it as it is.
 */
int burin_cmc_requests_make(const struct burin_cmc_request *list, size_t n,
    const struct burin_cmc_thread *t, const struct burin_cmc_identity *identity,
    unsigned char **der, size_t *der_len, struct burin_error *e);

/* revokeRequest (section 6.11). */
struct burin_cmc_revocation {
	const X509_NAME *issuer;
	const ASN1_INTEGER *serial;
	int reason;	     /* CRL_REASON_* of RFC 5280 section 5.3.1 */
	time_t invalid;	     /* invalidityDate, 0: none */
	const char *comment; /* NULL none */
	const struct burin_secret *secret; /* NULL: the message is signed */
};

/* An answer to encryptedPOP: burin_cmc_solve. */
struct burin_cmc_pop {
	uint32_t id;	    /* of the request, in the message it goes to */
	char algorithm[64]; /* dotted OID of thePOPAlgID */
	unsigned char value[64];
	size_t value_len;
};

/* How a message is protected (sections 3.2 and 5). */
enum burin_cmc_protect {
	BURIN_CMC_SIGNED,	 /* by signer */
	BURIN_CMC_AUTHENTICATED, /* AuthenticatedData with identity's secret */
};

/* Where a certificate is published (RFC 4211 section 6.3, pubMethod). */
enum burin_cmc_place {
	BURIN_CMC_ANYWHERE, /* dontCare: as the authority has it */
	BURIN_CMC_X500,
	BURIN_CMC_WEB,
	BURIN_CMC_LDAP
};

/* Everything a message can say; zeroed is nothing. Borrowed. */
struct burin_cmc_ask {
	const struct burin_cmc_thread *thread; /* NULL: no such controls */
	const unsigned char *requests;	       /* reqSequence, or NULL */
	size_t requests_len;
	/* identification and identityProofV2 over requests; NULL: neither */
	const struct burin_cmc_identity *identity;
	int link; /* 1: popLinkRandom, for the witnesses in requests */
	struct burin_cmc_octets data_return, reg_info;
	struct burin_cmc_octets pend_token; /* queryPending */
	const struct burin_cmc_pop *pops;   /* decryptedPOP */
	size_t n_pops;
	X509 *confirm; /* confirmCertAcceptance for it, ... */
	int reject;    /* ... 1: status failed, not success */
	/* tells that the challenge for this request was wrong: section 6.7
	 * step 3; 0: nothing */
	uint32_t abort_pop;
	const struct burin_cmc_revocation *revoke;
	const X509_NAME *get_issuer; /* getCert, with get_serial; or ... */
	const ASN1_INTEGER *get_serial;
	int get_crl;		  /* ... 1: getCRL of get_issuer */
	STACK_OF(X509) * publish; /* publishCert, ... */
	int unpublish;		  /* ... 1: dontPublish */
	/* ... else where, and at which URI; NULL: the authority knows */
	enum burin_cmc_place publish_place;
	const char *publish_uri;
	/* protection */
	enum burin_cmc_protect protect;
	const struct burin_cms_signer *signer;	   /* SIGNED */
	const struct burin_cms_recipient *encrypt; /* around it all, or NULL */
};
/*
 * What the RFCs do not let a message say is BURIN_EUSAGE, with the section.
 * Of signers: BY_KEY and UNSIGNED name the subjectKeyIdentifier of a request
 * in the message (but in a poll, a confirmation, the end of a challenge);
 * BY_KEY only that of one which is signed itself; BY_NOBODY, or none, is for
 * a revocation with its own secret, or a getCert or getCRL, and nothing else.
 * *der is OPENSSL_free'd by the caller.
 */
int burin_cmc_make(const struct burin_cmc_ask *ask, unsigned char **der,
    size_t *der_len, struct burin_error *e);
/*
 * What ask.encrypt does, for who keeps the message as it was before (section
 * 5): burin_cmc_read and burin_asked_parse want to see that one.
 */
int burin_cmc_encrypt(const void *message, size_t len,
    const struct burin_cms_recipient *to, unsigned char **der, size_t *der_len,
    struct burin_error *e);

/*
 * changeSubjectName (RFC 6402 section 2.8) as an attribute of s, which
 * asks for the names of the old certificate: those of to are wanted. old: the
 * encoding of RFC 6402.
 */
int burin_cmc_change_name(struct burin_subject *s,
    const struct burin_subject *to, int old, struct burin_error *e);
/*
 * For a request that cert vouches for: the names of s become those of cert,
 * and those that s had go into a changeSubjectName (RFC 7030 section 4.2.2).
 * *changed is 0, and s left as it is, when they are the same names.
 */
int burin_cmc_rename(struct burin_subject *s, X509 *cert, int old, int *changed,
    struct burin_error *e);

/* --- what comes back ------------------------------------------------------ */

enum burin_cmc_status {
	BURIN_CMC_SUCCESS = 0,
	BURIN_CMC_FAILED = 2,
	BURIN_CMC_PENDING = 3,
	BURIN_CMC_NO_SUPPORT = 4,
	BURIN_CMC_CONFIRM_REQUIRED = 5,
	BURIN_CMC_POP_REQUIRED = 6,
	BURIN_CMC_PARTIAL = 7
};
/* "confirmRequired", "badIdentity"; NULL: not defined */
const char *burin_cmc_status_name(long status);
const char *burin_cmc_fail_name(long fail);

/* What the reader holds the answer against. Borrowed. */
struct burin_cmc_expect {
	enum burin_status status; /* of what is no message at all */
	const struct burin_cmc_thread *thread; /* NULL: no nonces were sent */
	/*
	 * The message that was sent, as it was before it was encrypted. NULL
	 * with thread NULL: of it nothing is left (an answer out of a file).
	 */
	const unsigned char *request;
	size_t request_len;
	STACK_OF(X509) * anchors;
	/*
	 * 1: anchors is NULL, and those are taken that the answer publishes
	 * and the shared secret authenticates (authData, section 6.16).
	 */
	int bootstrap;
	time_t now;
	time_t skew;
	/*
	 * When the request was made, or its job: with the nonces of thread no
	 * answer to it is older, however late it is read. 0: now
	 */
	time_t since;
	/* AuthenticatedData in the answer; NULL: refused. And authData; NULL:
	 * not looked at where the answer is signed by the authority */
	const struct burin_cmc_identity *identity;
	/*
	 * Where identity is NULL and an answer needs it: gives it, for who
	 * must ask a person. *out NULL: there is none. NULL: nobody is asked
	 */
	int (*find_identity)(void *arg, const struct burin_cmc_identity **out,
	    struct burin_error *e);
	void *arg;
	/* an encrypted answer; NULL: refused */
	EVP_PKEY *key, *pub;
	const struct burin_cms_recipient *us;
	/* the last seqNumber of trustedAnchors of this publisher */
	long anchors_seen;
	int legacy; /* 1: SHA-1 signatures and proofs */
	/* 1: a Simple response (unsigned) may be believed as far as its
	 * certificates can be checked by themselves */
	int simple;
	/*
	 * The layer of an RA (burin_cmc_layer_make) that this answers: request
	 * itself, or what request polls for the rest of. What is said of the
	 * requests in it is said to others: the outcome is that of the whole,
	 * or waiting for more of them (burin_cmc_reply_part has the rest).
	 * NULL: the request is one's own.
	 */
	const unsigned char *layer;
	size_t layer_len;
};

enum burin_cmc_outcome {
	BURIN_CMC_DONE,	     /* success; certificates in certs, if any */
	BURIN_CMC_WAIT,	     /* pending or partial: pend_token, pend_time */
	BURIN_CMC_CHALLENGE, /* encryptedPOP: burin_cmc_solve each */
	BURIN_CMC_CONFIRM    /* certs must be confirmed before use */
};

/* One encryptedPOP; everything borrowed from the reply. */
struct burin_cmc_challenge {
	uint32_t id; /* of the request in our message */
	const unsigned char *request, *cms, *witness;
	size_t request_len, cms_len, witness_len;
	char pop_algorithm[64], witness_algorithm[64]; /* dotted OIDs */
};

struct cmc_kept;
struct burin_cmc_reply {
	enum burin_cmc_outcome outcome;
	STACK_OF(X509) * certs; /* all that came: unordered, not trusted */
	STACK_OF(X509_CRL) * crls;
	char text[BURIN_ERROR_TEXT]; /* statusStrings, for people */
	char signer[256]; /* who answered, for people; "" nobody (simple) */
	struct burin_cmc_octets server_nonce; /* goes into thread.received */
	struct burin_cmc_octets data_return, response_info;
	struct burin_cmc_octets pend_token;
	time_t pend_time; /* 0: not said */
	size_t n_challenges;
	struct burin_cmc_challenge challenges[BURIN_CMC_MAX_REQUESTS];
	/* trustedAnchors that passed every rule of section 6.15 */
	STACK_OF(X509) * anchors;
	long anchors_number;   /* their seqNumber: to be remembered */
	struct cmc_kept *kept; /* owns what is borrowed above */
};

/*
 * Reads an answer and checks it: signature or MAC, who may sign (the CA, its
 * namesake with id-kp-cmcCA), transactionId, nonces, body parts, statuses.
 * A refusal of the authority is BURIN_EAUTHORITY "cmc-badIdentity" with its
 * own words; an answer that is not believed is BURIN_ECHECK. "failed" with
 * popRequired and an encryptedPOP is a challenge, no refusal. The
 * certificates are not checked here (burin_check_cert).
 */
int burin_cmc_read(const void *data, size_t len,
    const struct burin_cmc_expect *x, struct burin_cmc_reply *r,
    struct burin_error *e);
void burin_cmc_reply_clear(struct burin_cmc_reply *r);

/*
 * Decrypts a challenge with the key of its request (one operation, may be on
 * a token; key_id is the SKI that was asked for), checks the witness and
 * computes thePOP. A wrong witness or one that cannot be decrypted is
 * BURIN_ECHECK "pop-challenge"; then the authority is to be told
 * (ask.abort_pop). untagged: the MAC over the request without its tag.
 */
int burin_cmc_solve(const struct burin_cmc_challenge *c, EVP_PKEY *key,
    EVP_PKEY *pub, const unsigned char *key_id, size_t key_id_len, int legacy,
    int untagged, struct burin_cmc_pop *out, struct burin_error *e);

#ifdef __cplusplus
}
#endif

#endif
