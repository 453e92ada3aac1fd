/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the authority's CMC: one message under way. The steps record in it
 * what the answer will say.
 */

#ifndef BURIN_AUTHORITY_CMC_WORK_H
#define BURIN_AUTHORITY_CMC_WORK_H

#include "cmc.h"

#define CMC_PRINCIPAL 160 /* bytes */
#define CMC_HASH_TEXT 33  /* 16 octets of a hash in hex */
#define CMC_RA_NAME 40	  /* bytes */

/* Who speaks, as far as it is proved. */
enum cmc_speaker {
	CMC_SPEAKER_NONE,
	CMC_SPEAKER_INVITE,  /* knows the secret of an invite */
	CMC_SPEAKER_CERT,    /* signed with a certificate of ours */
	CMC_SPEAKER_VOUCHED, /* an RA around it says that it knows who it is */
	CMC_SPEAKER_MAIL /* a bare PKCS#10 by mail: the operator finds out */
};

/* What the RAs around a message state about it. */
struct cmc_around {
	const struct cmc_around *outer; /* the layer around, NULL: none */
	const struct burin_cmc_heard *heard;
	uint32_t part;	       /* the message's bodyPartID in it */
	const char *principal; /* of the RA: "certificate:SERIAL" */
	const char *name;      /* of the RA, which a renewal leaves alone */
};

/* One status of the answer. */
struct cmc_told {
	enum burin_cmc_status status;
	enum burin_cmc_fail fail;
	struct burin_cmc_path *parts;
	size_t n;
	char *text; /* or NULL */
	struct burin_cmc_octets token;
};

struct cmc_work {
	const struct cmc_server *s;
	const struct cmc_turn *t;
	const struct cmc_around *around; /* NULL: it came by itself */
	unsigned depth;
	struct burin_cmc_heard h;
	struct burin_cmc_refusal why; /* of the error that is under way */
	enum cmc_speaker speaker;
	int is_ra;		     /* CERT: with id-kp-cmcRA */
	struct issued cert;	     /* CERT */
	struct invite invite;	     /* INVITE */
	struct burin_secret *secret; /* INVITE */
	int waits;		     /* its requests do, for the operator */
	char principal[CMC_PRINCIPAL];
	char ra_name[CMC_RA_NAME]; /* is_ra: "ra:HEX", of its key */
	int nonce_ours;		   /* recipientNonce is one that we gave */
	/* of an RA */
	const unsigned char *asked_again; /* token of the poll, or NULL */
	unsigned char *passed; /* the answer of the CA: OPENSSL_free */
	size_t passed_len;
	int passed_full;
	int later; /* it cannot be passed on now */
	/* the answer */
	struct cmc_told *states;
	size_t n_states;
	STACK_OF(X509) * certs;
	STACK_OF(X509_CRL) * crls;
	STACK_OF(X509) * confirm;
	struct burin_cmc_bytes *challenges; /* OPENSSL_free each */
	size_t n_challenges;
	struct burin_cmc_bytes *inside;		  /* OPENSSL_free each */
	uint32_t inside_ids[BURIN_CMC_MAX_PARTS]; /* what each answers */
	size_t n_inside;
	int only_certs;		      /* a Simple response says it all */
	enum burin_cmc_status status; /* the worst */
	enum burin_cmc_fail fail;
	char trouble[2 * BURIN_ERROR_TEXT]; /* of our own: for the log */
};

/* --- cmc.c ---------------------------------------------------------------- */

/* Does what the message in w->t asks for; what is to be said is in w. */
int cmc_work_do(struct cmc_work *w, struct burin_error *e);
/* The same, and makes the answer, for whom w->around speaks. */
int cmc_work_run(
    struct cmc_work *w, struct cmc_reply *out, struct burin_error *e);
void cmc_work_clear(struct cmc_work *w);

/* --- cmc_state.c ------------------------------------------------------------
 */

/* About n parts of the message, 0: about the whole. */
int cmc_tell_of(struct cmc_work *w, enum burin_cmc_status status,
    enum burin_cmc_fail fail, const uint32_t *parts, size_t n,
    struct burin_error *e, const char *fmt, ...) BURIN_PRINTF(7, 8);
/*
 * Makes of a refusal (BURIN_EAUTHORITY) a status and a line in the audit log,
 * and clears e; any other error becomes internalCAError, for nobody is told
 * what happens in here. parts NULL: as w->why says.
 */
int cmc_deny(struct cmc_work *w, const uint32_t *parts, size_t n,
    const unsigned char *request, struct burin_error *e);
/* regInfo (section 6.12) of who is known: a line in the audit log. */
int cmc_note_info(const struct cmc_work *w, struct burin_error *e);
/* What the codes of policy and proofs are in CMC. */
enum burin_cmc_fail cmc_fail_of(const char *code);

/* --- cmc_who.c ----------------------------------------------------------- */

/* Finds out who speaks, and holds signature, MAC and proofs against it. */
int cmc_who(struct cmc_work *w, struct burin_error *e);
/* A senderNonce of ours, and whether a recipientNonce is one. */
#define CMC_NONCE 32 /* bytes */
int cmc_nonce_make(const struct cmc_work *w, unsigned char out[CMC_NONCE],
    struct burin_error *e);
int cmc_nonce_check(struct cmc_work *w, struct burin_error *e);
/* Of this message, what an RA around it has dealt with: ids of controls. */
size_t cmc_processed(
    const struct cmc_work *w, uint32_t ids[BURIN_CMC_MAX_PARTS]);
int cmc_sha256(const void *data, size_t len, unsigned char out[CA_SHA256],
    struct burin_error *e);
/* The first 16 octets, in hex. */
void cmc_hash_text(
    const unsigned char sha256[CA_SHA256], char out[CMC_HASH_TEXT]);
/* 1 when it is about the request with this id. */
int cmc_names_request(const struct burin_cmc_statement *s, uint32_t request);
/* 1 when an RA states it of this request (0: of the message). */
int cmc_states(const struct cmc_work *w, enum burin_cmc_statement_kind kind,
    uint32_t request);
/*
 * How many ids are left of path, of the layer from, when it has led to the
 * message of w; -1: it leads elsewhere.
 */
int cmc_leads_here(const struct burin_cmc_path *path,
    const struct cmc_around *from, const struct cmc_work *w);
/* Refuses what an RA says and the speaker is none. */
int cmc_may_state(struct cmc_work *w, struct burin_error *e);
/* Of the speaker, by message or transport; NULL: not by such. */
const struct invite *cmc_invite(const struct cmc_work *w);
const struct issued *cmc_cert(const struct cmc_work *w);

/* --- cmc_mail.c ------------------------------------------------------------
 */

/* Holds the requests to whom the mail is from, as the settings say. */
int cmc_mail_check(struct cmc_work *w, struct burin_error *e);

/* --- cmc_requests.c, cmc_controls.c, cmc_inside.c ------------------------ */

int cmc_requests(struct cmc_work *w, struct burin_error *e);
int cmc_poll(struct cmc_work *w, struct burin_error *e);
int cmc_controls(struct cmc_work *w, struct burin_error *e);
int cmc_insides(struct cmc_work *w, struct burin_error *e);

/* --- cmc_pass.c ---------------------------------------------------------- */

/* What an RA does instead: passes it on. */
int cmc_pass_on(struct cmc_work *w, struct burin_error *e);

#endif
