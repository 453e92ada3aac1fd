/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking again for tokens that come and go. C_GetSlotList is asked for the
 * whole list each time: C_WaitForSlotEvent (PKCS#11 2.40 section 5.5) is not
 * there in ykcs11 and softokn, and OpenSC's reports slots that nothing
 * happened to.
 */

#include <stdlib.h>
#include <time.h>

#include "p11.h"
#include "quirk.h"

#define EMPTY_MS 5000 /* without a token, until a module is started again */

static long
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
p11_look_closer(struct p11_module *m)
{
	CK_SLOT_ID *slots;
	CK_ULONG n = BURIN_MAX_SLOTS;
	long now = now_ms();

	if (m->slots_asked != 0 && now - m->slots_asked < EMPTY_MS)
		return;
	m->slots_asked = now;
	m->empty_slots = 0;
	m->rivals[0] = '\0';
	if ((slots = malloc(BURIN_MAX_SLOTS * sizeof(*slots))) == NULL)
		return;
	if (p11_GetSlotList(m, CK_FALSE, slots, &n) == CKR_OK &&
	    n <= BURIN_MAX_SLOTS && n > m->n_tokens)
		m->empty_slots = (unsigned)(n - m->n_tokens);
	free(slots);
	if (m->empty_slots > 0)
		p11_rivals(m->rivals, sizeof(m->rivals));
}

/* What it has now. A module that fails to say has nothing. Lock held. */
static void
list(struct p11_module *m)
{
	struct burin_error why = BURIN_ERROR_INIT;

	if (p11_list_tokens(m, NULL, &why) == 0)
		return;
	p11_note(m->owner, "module %s: %s", m->name, why.reason);
	m->silent_rv = why.ckr != CKR_OK ? why.ckr : CKR_GENERAL_ERROR;
	m->listed = 1;
}

/*
 * OpenSC goes on with the pcscd that it was started with: when that ended,
 * only C_Finalize and C_Initialize bring the readers back. Lock held.
 */
static void
start_again(struct p11_module *m)
{
	long now = now_ms();

	if (m->n_tokens > 0) {
		m->empty_since = 0;
		return;
	}
	if (m->empty_since == 0)
		m->empty_since = now;
	if (now - m->empty_since < EMPTY_MS ||
	    (!m->initialized_by_us && !m->restarted) ||
	    !p11_module_quirk(m)->restart)
		return;
	m->empty_since = now;
	p11_forget_tokens(m);
	p11_module_restart(m);
	list(m);
}

void
burin_p11_look_again(struct burin_p11 *p11)
{
	size_t i;

	/* Sessions first: one that heals by itself hides the slot (ykcs11). */
	burin_p11_refresh(p11);
	for (i = 0; i < p11->n_modules; i++) {
		struct p11_module *m = p11->modules[i];

		p11_lock(m);
		list(m);
		start_again(m);
		p11_unlock(m);
	}
}
