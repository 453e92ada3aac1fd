/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of verbs, in the order in which people meet them.
 */

#include "verbs.h"

const struct verb *const cli_verbs[] = {
	&verb_tokens,
	&verb_init,
	&verb_pin_status,
	&verb_pin_change,
	&verb_pin_unblock,
	&verb_keygen,
	&verb_request,
	&verb_install,
	&verb_enroll,
	&verb_renew,
	&verb_status,
	&verb_resume,
	&verb_abandon,
	&verb_verify,
	&verb_attest,
	&verb_revoke,
	&verb_fetch,
	&verb_publish,
	&verb_unpublish,
	&verb_show,
	&verb_export,
	&verb_profile_list,
	&verb_profile_show,
	&verb_profile_check,
	&verb_authority_init,
	&verb_authority_serve,
	&verb_authority_intake,
	&verb_authority_invite,
	&verb_authority_pending,
	&verb_authority_approve,
	&verb_authority_deny,
	&verb_authority_revoke,
	&verb_authority_crl,
	&verb_authority_list,
	&verb_authority_log,
	&verb_completion,
	NULL,
};
