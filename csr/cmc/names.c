/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The words for statuses and failures: RFC 10002 sections 6.1.3 and 6.1.4.
 */

#include <burin/cmc.h>

static const char *const statuses[] = {
	[BURIN_CMC_SUCCESS] = "success",
	[BURIN_CMC_FAILED] = "failed",
	[BURIN_CMC_PENDING] = "pending",
	[BURIN_CMC_NO_SUPPORT] = "noSupport",
	[BURIN_CMC_CONFIRM_REQUIRED] = "confirmRequired",
	[BURIN_CMC_POP_REQUIRED] = "popRequired",
	[BURIN_CMC_PARTIAL] = "partial",
};

static const char *const fails[] = { "badAlg", "badMessageCheck", "badRequest",
	"badTime", "badCertId", "unsupportedExt", "mustArchiveKeys",
	"badIdentity", "popRequired", "popFailed", "noKeyReuse",
	"internalCAError", "tryLater", "authDataFail" };

const char *
burin_cmc_status_name(long status)
{
	if (status < 0 ||
	    (size_t)status >= sizeof(statuses) / sizeof(statuses[0]))
		return NULL;
	return statuses[status];
}

const char *
burin_cmc_fail_name(long fail)
{
	if (fail < 0 || (size_t)fail >= sizeof(fails) / sizeof(fails[0]))
		return NULL;
	return fails[fail];
}
