/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What verbs share that ask an authority for something and make no job:
 * revoke, fetch, publish, unpublish.
 */

#ifndef BURIN_SERVICE_H
#define BURIN_SERVICE_H

#include "../transport/transport.h"
#include "cli.h"

/* Who is asked, and as whom; everything zero to begin with. */
struct service {
	struct transport_config config;
	const char *secret; /* its source */
	struct burin_key *key;
	STACK_OF(X509) * certs;
	X509 *cert; /* of key, in certs */
};

/*
 * From options: how, whom and as whom. protocol is what it is without
 * --protocol. Refuses what does not fit, and a protocol without the service.
 */
int service_options(struct cli *c, struct service *s, const char *protocol,
    enum transport_service what, struct burin_error *e);
/* 1 when an option names a key. */
int service_has_key(struct cli *c);
/* --key and its certificate, found on the token; told. */
int service_key(struct cli *c, struct service *s, struct burin_error *e);
/* Before the authority is asked: the key speaks, unless a secret does. */
int service_speak(struct service *s, struct burin_error *e);
/* For people: "signed by the key". */
const char *service_voice(const struct service *s);
/* The key's last words, after what failed. -1. */
int service_failed(struct service *s, const char *step, struct burin_error *e);
/* rc as it is; names the token in e. */
int service_close(struct service *s, int rc, struct burin_error *e);

#endif
