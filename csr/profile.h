/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside a profile. Strings that are not freed are the configuration's.
 */

#ifndef CSR_PROFILE_H
#define CSR_PROFILE_H

#include <openssl/conf.h>

#include <burin/profile.h>

#define PROFILE_SECTION "profile"
#define REQUEST_SECTION "request"
#define CERTIFICATE_SECTION "certificate"

struct burin_profile {
	CONF *conf;
	const char *name;
	const char *description;
	const char *usage;
	char **key_types; /* lists: NULL-terminated, owned */
	char **names;	  /* templates of alternative names */
	char **schemes;
	char **copy;
	int has_certificate;
	int identity_cn;
	int prefix;
	unsigned days;
};

/* The lines of a section in their order; NULL when it is not there. */
STACK_OF(CONF_VALUE) *
    csr_profile_lines(const struct burin_profile *p, const char *section);
/* "profile NAME ..." as BURIN_EUSAGE "profile-malformed". */
int csr_profile_refuse(const struct burin_profile *p, struct burin_error *e,
    const char *fmt, ...) BURIN_PRINTF(3, 4);
/* Templates hold known words only; said of p when not. */
int csr_profile_check_names(
    const struct burin_profile *p, struct burin_error *e);
/* [certificate] as far as it can be judged without a request. */
int csr_profile_check_issue(
    const struct burin_profile *p, struct burin_error *e);

#endif
