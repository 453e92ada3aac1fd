/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The keeper's side of the door: what it looks at before the CA's key signs,
 * and the orders it carries out.
 */

#ifndef BURIN_AUTHORITY_KEEPER_H
#define BURIN_AUTHORITY_KEEPER_H

#include "ca.h"
#include "door.h"

/* --- keeper_check.c ------------------------------------------------------ */

/*
 * 0 when the CA may sign it, whoever asks; BURIN_EINTERNAL "order-refused"
 * says why not.
 */
int keeper_check_cert(
    const struct authority *a, X509 *cert, struct burin_error *e);
int keeper_check_crl(const struct authority *a, X509_CRL *crl, time_t now,
    struct burin_error *e);

/* --- keeper_order.c ------------------------------------------------------ */

struct keeper {
	struct authority *a; /* its store is closed */
	struct burin_p11 *p11;
	struct door_line line;
	int lost;	   /* the token was, when it was used last */
	int64_t looked_at; /* for it, in ms of CLOCK_MONOTONIC */
	struct burin_error why;
	int ready, ended;	 /* what the front said */
	struct burin_error last; /* word of the front */
	/* authority_keep */
	int signals;
	pid_t front;
	int asked; /* the front was told to stop */
	int64_t kill_at;
};

/* The certificates, for the front. */
int keeper_hello(struct keeper *k, struct burin_error *e);
/*
 * Carries out what h and body ask for and answers; what the authority or the
 * token refuses is an answer. -1: the front does not keep to the orders.
 */
int keeper_order(struct keeper *k, const struct door_head *h,
    const unsigned char *body, struct burin_error *e);

#endif
