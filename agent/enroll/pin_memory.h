/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the memory of wrong PINs: what the callbacks of journal.h do once
 * they know which token it is.
 */

#ifndef BURIN_PIN_MEMORY_H
#define BURIN_PIN_MEMORY_H

#include "journal.h"

#define PIN_PLACE 512 /* characters of module and slot */

/*
 * Whose PIN it is: a token as it names itself, and the kind of login. A
 * token without a serial number is the one in that slot of that module
 * (docs/decisions/0010).
 */
struct pin_owner {
	const char *serial;
	const char *label;
	enum burin_login who;
	char place[PIN_PLACE]; /* what serial points to then */
};

/*
 * No other process logs in to this token until *fd is closed. Waits; not for
 * ever: BURIN_EINTERRUPTED "login-busy".
 */
int login_lock(struct journal *j, const struct pin_owner *o, int *fd,
    struct burin_error *e);

/* -1, BURIN_EPIN, when this PIN must not be sent. */
int pin_memory_check(const struct pin_memory *m, const struct pin_owner *o,
    const struct burin_secret *pin, struct burin_error *e);
/*
 * A PIN is about to be sent: one try more until pin_memory_unsend, which
 * whoever dies in between does not call. Nothing of the PIN is written.
 */
int pin_memory_send(
    struct pin_memory *m, const struct pin_owner *o, struct burin_error *e);
int pin_memory_unsend(
    struct pin_memory *m, const struct pin_owner *o, struct burin_error *e);
int pin_memory_right(const struct pin_memory *m, const struct pin_owner *o,
    struct burin_error *e);
int pin_memory_wrong(const struct pin_memory *m, const struct pin_owner *o,
    const struct burin_secret *pin, struct burin_error *e);

#endif
