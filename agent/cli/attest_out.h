/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An attestation before people and programs: attest and show say the same.
 */

#ifndef BURIN_ATTEST_OUT_H
#define BURIN_ATTEST_OUT_H

#include <burin/attest.h>

#include "cli.h"

/* slot, firmware, serial, pin_policy, touch_policy, form_factor, fips, cspn;
 * null for what is not said. */
json_t *json_attest(const struct burin_attest *a);
/* "slot 9a, firmware 5.4.3, serial 12345678, PIN once, ..." of that. */
void attest_line(const json_t *o, char *buf, size_t size);

#endif
