/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the making of an authority: what init.c and init_ra.c share.
 */

#ifndef BURIN_AUTHORITY_INIT_H
#define BURIN_AUTHORITY_INIT_H

#include "ca.h"

/* An authority in the making. */
struct build {
	const struct authority_init *in;
	const char *const *hosts; /* NULL of an RA: those of its certificate */
	char *found[CA_MAX_HOSTS + 1]; /* which are kept here */
	struct burin_key *ca_key, *cmc_key, *tls_key, *pop_key;
	struct issuer ca;
	X509 *cmc_cert, *tls_cert, *pop_cert;
	struct store *store;
	int dir_ours;	 /* files of this directory are ours to remove */
	int has_default; /* the profiles hold DEFAULT_PROFILE */
};

/* --- init_ra.c ----------------------------------------------------------- */

/* What can be said before there is anything. */
int init_ra_check(const struct authority_init *in, struct burin_error *e);
/*
 * The keys on the token, and the certificates of theirs that the CA issued;
 * makes nothing there.
 */
int init_ra_find(struct build *b, struct burin_error *e);

#endif
