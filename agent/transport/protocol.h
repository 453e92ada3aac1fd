/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A protocol as transport.c sees it: one row of its table.
 */

#ifndef BURIN_PROTOCOL_H
#define BURIN_PROTOCOL_H

#include "transport.h"

/* The functions have the contracts of transport_check, _submit, and so on. */
struct transport_protocol {
	const char *name;
	enum transport_kind carries;
	int (*check)(const struct transport_config *c, struct burin_error *e);
	int (*submit)(const struct transport_config *c,
	    const unsigned char *request, size_t len, int reenroll,
	    struct transport_reply *reply, struct burin_error *e);
	/* NULL: the protocol has no such operation. */
	int (*cacerts)(const struct transport_config *c,
	    struct transport_reply *reply, struct burin_error *e);
	/* NULL: the protocol cannot revoke. Contract of transport_revoke. */
	int (*revoke)(const struct transport_config *c, X509 *cert, int reason,
	    struct burin_error *e);
	/* NULL: nothing can be looked up. Contract of transport_fetch. */
	int (*fetch)(const struct transport_config *c,
	    const struct transport_wanted *wanted,
	    struct transport_found *found, struct burin_error *e);
	/* NULL: nobody is told. Contract of transport_publish. */
	int (*publish)(const struct transport_config *c,
	    const struct transport_publication *what, struct burin_error *e);
	/* As transport_needs_key; NULL: the signed request is enough. */
	int (*needs_key)(const struct transport_config *c, int reenroll);
	int takes_command; /* 1: config.command is for it */
	int keeps_names;   /* as transport_keeps_names */
};

extern const struct transport_protocol transport_est;
extern const struct transport_protocol transport_file;
extern const struct transport_protocol transport_cmc;
extern const struct transport_protocol transport_est_cmc;
extern const struct transport_protocol transport_cmp;

#endif
