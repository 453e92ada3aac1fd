/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A profile file, what is wrong with it, and what it makes of an identity.
 */

#include <burin/profile.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_subject *s = NULL;
	struct burin_profile_flaws flaws;
	struct burin_profile *p;
	size_t refused;
	int rc;

	rc = burin_profile_judge((const char *)data, len, NULL, &flaws, &e);
	demand_clean(rc, &e);
	DEMAND(rc == 0);
	refused = flaws.n;
	burin_profile_flaws_clear(&flaws);

	rc = burin_profile_parse((const char *)data, len, &p, &e);
	demand_clean(rc, &e);
	/* What the reader refuses the judge has found as well. */
	DEMAND(rc == 0 || refused > 0);
	if (rc == -1)
		return 0;
	DEMAND(burin_profile_key_types(p) != NULL);
	DEMAND(burin_subject_new(&s, &e) == 0);
	rc = burin_profile_identity(p, s, "im:alice@example.com", &e);
	demand_clean(rc, &e);
	burin_error_clear(&e);
	rc = burin_profile_prefix(p, s, "2001:db8:7::/48", &e);
	demand_clean(rc, &e);
	burin_error_clear(&e);
	rc = burin_profile_apply(p, s, &e);
	demand_clean(rc, &e);
	burin_subject_free(&s);
	burin_profile_free(&p);
	return 0;
}
