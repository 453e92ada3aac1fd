/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every verb, one file each.
 */

#ifndef BURIN_VERBS_H
#define BURIN_VERBS_H

#include "cli.h"

extern const struct verb verb_tokens;
extern const struct verb verb_init;
extern const struct verb verb_pin_status;
extern const struct verb verb_pin_change;
extern const struct verb verb_pin_unblock;
extern const struct verb verb_keygen;
extern const struct verb verb_request;
extern const struct verb verb_install;
extern const struct verb verb_enroll;
extern const struct verb verb_renew;
extern const struct verb verb_status;
extern const struct verb verb_resume;
extern const struct verb verb_abandon;
extern const struct verb verb_verify;
extern const struct verb verb_attest;
extern const struct verb verb_revoke;
extern const struct verb verb_fetch;
extern const struct verb verb_publish;
extern const struct verb verb_unpublish;
extern const struct verb verb_show;
extern const struct verb verb_export;
extern const struct verb verb_profile_list;
extern const struct verb verb_profile_show;
extern const struct verb verb_profile_check;
extern const struct verb verb_authority_init;
extern const struct verb verb_authority_serve;
extern const struct verb verb_authority_intake;
extern const struct verb verb_authority_invite;
extern const struct verb verb_authority_pending;
extern const struct verb verb_authority_approve;
extern const struct verb verb_authority_deny;
extern const struct verb verb_authority_revoke;
extern const struct verb verb_authority_crl;
extern const struct verb verb_authority_list;
extern const struct verb verb_authority_log;
extern const struct verb verb_completion;

#endif
