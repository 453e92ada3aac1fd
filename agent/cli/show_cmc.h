/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of "burin show" share about CMC and CRMF. Every maker
 * returns a new reference, NULL when memory ran out. What is shown is read
 * through the templates, so that a message which the rules refuse can still
 * be looked at; what the rules say of it goes into "checked".
 */

#ifndef BURIN_SHOW_CMC_H
#define BURIN_SHOW_CMC_H

#include "../../csr/cmc/parse.h"
#include "show_parts.h"

#define SHOW_MAX_PARTS BURIN_CMC_MAX_PARTS /* shown of one list */

/* --- values (show_value.c) ----------------------------------------------- */

/* Hexadecimal; what is long is cut, and its length said. */
json_t *show_hex(const unsigned char *bytes, size_t len);
json_t *show_octets(const ASN1_STRING *s);
/* A value that is not decoded: its DER. */
json_t *show_any(const ASN1_TYPE *any);
json_t *show_utf8(const ASN1_STRING *s);
json_t *show_dn(const X509_NAME *name);
json_t *show_serial(const ASN1_INTEGER *serial);
json_t *show_time(const ASN1_TIME *t);
json_t *show_name(const GENERAL_NAME *name);
json_t *show_names(const GENERAL_NAMES *names);
/* With the parameters that matter: "PBKDF2, 10000 rounds, hmacWithSHA256". */
json_t *show_algorithm(const X509_ALGOR *alg);
/* A body part id; what is none of 0..2^32-1 as a string. */
json_t *show_id(const ASN1_INTEGER *id);
json_t *show_ids(const STACK_OF(ASN1_INTEGER) * ids);
/* "5/1", the outermost message first. */
json_t *show_path(const STACK_OF(ASN1_INTEGER) * ids);
json_t *show_refs(const STACK_OF(CMC_REF) * refs);
/* null for what is not there */
#define SHOW_OPT(x, shown) ((x) != NULL ? (shown) : json_null())

/* o, or NULL and o freed when rc is not 0. */
json_t *show_done(json_t *o, int rc);
/* reason and rule of a refusal, into o. */
int show_put_error(json_t *o, const struct burin_error *e);

/* Decodes all of der as one value of this type; NULL: it is none. */
void *show_decode(const ASN1_ITEM *it, const unsigned char *der, size_t len);
void *show_decode_any(const ASN1_ITEM *it, const ASN1_TYPE *any);
/* Of the DER that an ASN1_SEQUENCE keeps. */
void *show_decode_sequence(const ASN1_ITEM *it, const ASN1_STRING *der);

/* --- parts --------------------------------------------------------------- */

/* Value of the control of this row; depth: messages around (show_control.c) */
json_t *show_control_value(
    const struct cmc_control_row *row, const void *value, unsigned depth);
/*
 * name, oid and value of a control with one value, or values of what cannot
 * be decoded. place: CMC_IN_*.
 */
json_t *show_control(const ASN1_OBJECT *oid, const STACK_OF(ASN1_TYPE) * values,
    unsigned place, unsigned depth);
/* The same with a value that is known already. */
json_t *show_control_as(const ASN1_OBJECT *oid, json_t *value);
json_t *show_status(const CMC_STATUS *s);
json_t *show_status_v2(const CMC_STATUS_V2 *s);

/* One TaggedRequest (show_request.c). */
json_t *show_request(const CMC_REQ *req);
json_t *show_crmf_request(const CRMF_MSG *msg);
/* The fields of a CertTemplate, into o. */
int show_put_template(json_t *o, const CRMF_TEMPLATE *t);
json_t *show_publication(const CMC_PUB_INFO *info);

/* --- a message -------------------------------------------------------------
 */

/* One while it is shown. */
struct shown {
	struct burin_cms *cms;
	enum cmc_kind kind;
	CMC_PKI_DATA *data; /* one of these two, or neither */
	CMC_PKI_RESPONSE *response;
	CMC_REQS *reqs;		/* of data; NULL: cannot be decoded */
	const json_t *requests; /* as they are shown */
};

/* How it is protected (show_protect.c). */
int show_put_signers(json_t *o, const struct burin_cms *cms);
int show_put_protection(json_t *o, const struct burin_cms *cms);
int show_put_unsigned(json_t *o, const struct burin_cms *cms);
int show_put_held(json_t *o, const struct burin_cms *cms);

/* What is in it (show_body.c); nothing when it cannot be decoded. */
void show_decode_body(struct shown *m);
int show_put_body(json_t *o, struct shown *m, unsigned depth);
void show_clear_body(struct shown *m);

/* What was checked (show_checked.c). */
json_t *show_checked(const struct shown *m);
/* One entry: result is "pass", "fail" or "unchecked"; e gives the rule. */
int show_add_check(json_t *list, const char *what, const char *result,
    const struct burin_error *e, const char *fmt, ...) BURIN_PRINTF(5, 6);
/* The proof in a request that show_request made. */
int show_add_pop(json_t *list, const json_t *request);

#endif
