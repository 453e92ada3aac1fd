/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A PKIData or PKIResponse, read and held against the rules that hold for
 * every reader: end entity, authority, and who only shows it (RFC 10002
 * sections 3.2.1 and 4.2).
 */

#ifndef CSR_CMC_PARSE_H
#define CSR_CMC_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <burin/cmc.h>

#include "controls.h"

enum cmc_kind {
	CMC_DATA,     /* PKIData: a request */
	CMC_RESPONSE, /* PKIResponse */
	CMC_AUTH      /* PKIData that authData points to: either's controls */
};

/* One control. */
struct cmc_control_part {
	uint32_t id;
	const ASN1_OBJECT *oid;
	const struct cmc_control_row *row; /* NULL: not known, or not here */
	void *value;			   /* of the row's type; NULL: no row */
};

/* One TaggedRequest. */
struct cmc_request_part {
	uint32_t id;
	const CMC_REQ *req;
	const unsigned char *der; /* as it came, with its tag [0], [1], [2] */
	size_t len;
};

/* One TaggedContentInfo. */
struct cmc_message_part {
	uint32_t id;
	const unsigned char *der; /* the ContentInfo as it came */
	size_t len;
};

struct cmc_other_part {
	uint32_t id;
	const CMC_OTHER *other;
};

struct cmc_body {
	enum cmc_kind kind;
	size_t n_controls, n_requests, n_messages, n_others;
	struct cmc_control_part *controls;
	struct cmc_request_part *requests;
	struct cmc_message_part *messages;
	struct cmc_other_part *others;
	/* reqSequence as it came: what identity proofs are over */
	const unsigned char *reqs;
	size_t reqs_len;
	/*
	 * A control had the number of its twin (33 and 34 are exchanged in
	 * the module of RFC 6402): it was read by its place
	 */
	int swapped;
	/* own everything above */
	CMC_PKI_DATA *data;
	CMC_PKI_RESPONSE *response;
	CMC_REQS *typed;
	ASN1_SEQUENCE_ANY *raw;
};

/*
 * data is the content of the envelope, read to its end. Refused with status,
 * "cmc-malformed": trailing bytes, more than BURIN_CMC_MAX_PARTS parts, ids
 * out of 1..2^32-1 or there twice, a control in a place where it may not be,
 * there twice, without exactly one value or with one of another type, a
 * reference to a part that is not there. cmc_body_free.
 */
int cmc_body_parse(enum cmc_kind kind, const void *data, size_t len,
    enum burin_status status, struct cmc_body **out, struct burin_error *e);
void cmc_body_free(struct cmc_body **body);

/* The parts that are wrong. */
struct cmc_blame {
	size_t n; /* 0: the whole */
	uint32_t ids[2];
};
/*
 * As above, for who has to say what is wrong. A body that is refused is in
 * *out all the same, NULL when nothing of it could be decoded: only
 * cmc_body_early is for it.
 */
int cmc_body_judge(enum cmc_kind kind, const void *data, size_t len,
    enum burin_status status, struct cmc_body **out, struct cmc_blame *blame,
    struct burin_error *e);
/*
 * The string that is the value of the only control of this kind in a body
 * that was read, or refused: NULL when there is none, several, one of another
 * type (V_ASN1_*) or a longer one than BURIN_CMC_MAX_OCTETS.
 */
const ASN1_STRING *cmc_body_early(
    const struct cmc_body *b, enum cmc_control number, int type);

/*
 * The rules between the parts: NULL, or what is wrong, with the control that
 * it is about, *part, or, NULL, with the bodyPartID that is there twice, *id,
 * or 0, the whole.
 */
const char *cmc_rules_flaw(const struct cmc_body *b,
    const struct cmc_control_part **part, uint32_t *id);

/*
 * The row that holds for a control with this OID at this place (CMC_IN_*);
 * NULL: none. *swapped 1: 33 and 34 were exchanged.
 */
const struct cmc_control_row *cmc_control_in(
    const ASN1_OBJECT *oid, unsigned place, int *swapped);

/* The next control of this kind behind *at (start with 0); NULL: no more. */
const struct cmc_control_part *cmc_body_next(
    const struct cmc_body *b, enum cmc_control number, size_t *at);
/* The value of the only control of this kind, NULL when there is none. */
const void *cmc_body_value(const struct cmc_body *b, enum cmc_control number);
/* Parts by their id; NULL: none. */
const struct cmc_request_part *cmc_body_request(
    const struct cmc_body *b, uint32_t id);
const struct cmc_message_part *cmc_body_message(
    const struct cmc_body *b, uint32_t id);
/* 1 when a part of any kind has this id. */
int cmc_body_has(const struct cmc_body *b, uint32_t id);

/* A body part id: 1..2^32-1, or 0 where it may stand for the whole. */
int cmc_id_read(const ASN1_INTEGER *number, int zero, uint32_t *id);

/* Where a part is: outermost message first (BodyPartPath). */
struct cmc_path {
	uint32_t ids[BURIN_CMC_MAX_DEPTH + 1];
	size_t n;
};
int cmc_path_read(const STACK_OF(ASN1_INTEGER) * ids, struct cmc_path *path);
/* An id or a path; {0} is the whole message. */
int cmc_ref_read(const CMC_REF *ref, struct cmc_path *path);

/* --- statuses ------------------------------------------------------------ */

/* One statusInfo or statusInfoV2. */
struct cmc_state {
	long status;		     /* CMCStatus */
	int has_fail;		     /* failInfo is there, ... */
	long fail;		     /* ... -1: none that is known */
	char ext[64];		     /* OID of extendedFailInfo, "" none */
	const ASN1_UTF8STRING *text; /* statusString, borrowed, or NULL */
	int has_pend;		     /* pendInfo is there */
	struct burin_cmc_octets token;
	time_t time;
	size_t n_parts; /* in bodyList: at least one */
	/* what bodyList was read from; one of them */
	const STACK_OF(ASN1_INTEGER) * ids;
	const STACK_OF(CMC_REF) * refs;
};
/* 1 when a control is one of either kind. */
int cmc_is_state(const struct cmc_control_part *part);
/*
 * part is a control of either kind. NULL, or what is wrong with it: goes
 * behind "the control NAME".
 */
const char *cmc_state_read(
    const struct cmc_control_part *part, struct cmc_state *out);
/* A GeneralizedTime, or -1. */
int cmc_time_read(const ASN1_GENERALIZEDTIME *t, time_t *out);
/* Its statusString without what controls a terminal; NULL: no memory. free. */
char *cmc_state_text(const struct cmc_state *s);
/* s as far as it fits, cut between two characters. */
void cmc_text_cut(char *out, size_t size, const char *s);
/* The i-th part that a status is about; {0} is the whole message. */
void cmc_state_part(const struct cmc_state *s, size_t i, struct cmc_path *path);

/* --- messages in messages ------------------------------------------------- */

/* A message, down to its body. Owns both. */
struct cmc_opened {
	struct burin_cms *cms;
	struct cmc_body *body; /* NULL: another content, or none */
};
/*
 * Reads the ContentInfo of a part, and its PKIData or PKIResponse. depth is
 * how many messages lie around it; over BURIN_CMC_MAX_DEPTH is refused. No
 * signature is looked at. cmc_opened_clear.
 */
int cmc_message_open(const unsigned char *der, size_t len, unsigned depth,
    enum burin_status status, struct cmc_opened *out, struct burin_error *e);
void cmc_opened_clear(struct cmc_opened *o);
/*
 * Opens what lies at path in b, message by message; the last stays in *out.
 * All of path are messages.
 */
int cmc_path_open(const struct cmc_body *b, const struct cmc_path *path,
    unsigned depth, enum burin_status status, struct cmc_opened *out,
    struct burin_error *e);

#endif
