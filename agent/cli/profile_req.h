/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a profile would ask for an identity that exists already.
 */

#ifndef BURIN_PROFILE_REQ_H
#define BURIN_PROFILE_REQ_H

#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/profile.h>
#include <burin/response.h>
#include <burin/token.h>

/* The profile called name; NULL when name is NULL. burin_profile_free. */
int profile_read(
    const char *name, struct burin_profile **out, struct burin_error *e);
/*
 * What is asked for with the names of cert and the usages of the profile, to
 * hold the certificate against; adds the check of the key type.
 * burin_asked_clear.
 */
int profile_req(const struct burin_profile *p, enum burin_key_type type,
    X509 *cert, struct burin_asked *out, struct burin_checks *checks,
    struct burin_error *e);

#endif
