/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between crl.c and store_crl.c.
 */

#ifndef BURIN_AUTHORITY_CRL_H
#define BURIN_AUTHORITY_CRL_H

#include "ca.h"

/* The one before; zeroes when there is none. */
struct crl_last {
	long long number;
	time_t this_update;
};
int store_crl_last(
    struct store *st, struct crl_last *out, struct burin_error *e);
int store_crl_put(struct store *st, long long number, time_t from, time_t until,
    X509_CRL *crl, struct burin_error *e);

struct crl_entry {
	const char *serial; /* hex */
	time_t when, invalidity;
	int reason;
};
/* What is held or revoked and did not end before since. */
int store_crl_entries(struct store *st, time_t since,
    int (*each)(void *arg, const struct crl_entry *c, struct burin_error *e),
    void *arg, struct burin_error *e);

#endif
