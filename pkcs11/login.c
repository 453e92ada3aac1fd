/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The only login: one try for a PIN, none when it could be the last, never
 * one that was wrong before (PKCS#11 2.40 section 5.6, C_Login).
 */

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "quirk.h"

static const struct login {
	CK_USER_TYPE user;
	const char *pin; /* what the PIN is called in messages */
	CK_FLAGS count_low, final_try, locked;
} logins[] = {
	[BURIN_LOGIN_USER] = { CKU_USER, "PIN", CKF_USER_PIN_COUNT_LOW,
	    CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED },
	[BURIN_LOGIN_SO] = { CKU_SO, "SO PIN", CKF_SO_PIN_COUNT_LOW,
	    CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED },
	[BURIN_LOGIN_CONTEXT] = { CKU_CONTEXT_SPECIFIC, "PIN",
	    CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY,
	    CKF_USER_PIN_LOCKED },
	/* These are set, not checked: no counter is touched. */
	[BURIN_LOGIN_NEW_USER] = { CKU_USER, "new PIN", 0, 0, 0 },
	[BURIN_LOGIN_NEW_SO] = { CKU_SO, "new SO PIN", 0, 0, 0 },
	/* No user of PKCS#11: ykpiv.c sends it and knows its counter. */
	[BURIN_LOGIN_PUK] = { CKU_USER, "PUK", 0, 0, 0 },
	[BURIN_LOGIN_NEW_PUK] = { CKU_USER, "new PUK", 0, 0, 0 },
};

static int
is_new(enum burin_login who)
{
	return who == BURIN_LOGIN_NEW_USER || who == BURIN_LOGIN_NEW_SO ||
	    who == BURIN_LOGIN_NEW_PUK;
}

/* What it is called on this kind of token. */
static const char *
pin_name(struct burin_token *t, const struct login *l)
{
	if (l == &logins[BURIN_LOGIN_SO] && p11_quirk(t)->so_name != NULL)
		return p11_quirk(t)->so_name;
	return l->pin;
}

static int
fail_locked(struct burin_token *t, const struct login *l, struct burin_error *e)
{
	burin_fail(
	    e, BURIN_EPIN, "pin-locked", "the %s is locked", pin_name(t, l));
	burin_error_token(e, "%s", t->name);
	if (l->user == CKU_USER && p11_quirk(t)->unblock != NULL)
		return burin_error_advice(e, "%s", p11_quirk(t)->unblock);
	return burin_error_advice(e,
	    l->user == CKU_SO
		? "a locked SO PIN cannot be unlocked: reset the token with "
		  "the tool of its vendor, which destroys what is on it"
		: "unblock it with the SO PIN or the PUK: burin pin unblock, "
		  "or "
		  "the tool of the token's vendor");
}

static int
check_flags(struct burin_token *t, const struct login *l, struct burin_error *e)
{
	if (t->flags & l->locked)
		return fail_locked(t, l, e);
	if ((t->flags & l->final_try) == 0 || t->m->owner->policy.last_try)
		return 0;
	burin_fail(e, BURIN_EPIN, "pin-final-try",
	    "one try of the %s is left: it is not used without leave",
	    pin_name(t, l));
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "make sure of the PIN, then allow it with --last-try; a wrong one "
	    "locks the token");
}

/* What the token would refuse anyway must not cost a try. */
static int
check_length(struct burin_token *t, const struct login *l, size_t len,
    struct burin_error *e)
{
	unsigned long min = t->info.pin_min, max = t->info.pin_max;
	const char *name = pin_name(t, l);

	/* Modules that do not know say 0 or the largest number. */
	if (max == 0 || max < min)
		max = CK_UNAVAILABLE_INFORMATION;
	if (min == CK_UNAVAILABLE_INFORMATION)
		min = 0;
	if (len >= min && len <= max)
		return 0;
	if (len < min)
		burin_fail(e, BURIN_EPIN, "pin-length",
		    "the %s is too short: the token takes at least %lu bytes; "
		    "it was not sent",
		    name, min);
	else
		burin_fail(e, BURIN_EPIN, "pin-length",
		    "the %s is too long: the token takes at most %lu bytes; "
		    "it was not sent",
		    name, max);
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "no try was used; check where the PIN comes from (a file may have "
	    "a blank or a second line)");
}

/* A key that is written in hex: what is no key at all costs no try. */
static int
check_hex(struct burin_token *t, const struct login *l,
    const struct burin_secret *pin, struct burin_error *e)
{
	const unsigned char *p = burin_secret_bytes(pin);
	size_t i, len = burin_secret_len(pin);

	if (l != &logins[BURIN_LOGIN_SO] || !p11_quirk(t)->so_is_hex)
		return 0;
	for (i = 0; i < len && isxdigit(p[i]); i++)
		continue;
	/* 3DES and AES-192: 24 bytes; AES-128: 16; AES-256: 32. */
	if (i == len && (len == 32 || len == 48 || len == 64))
		return 0;
	burin_fail(e, BURIN_EPIN, "pin-length",
	    "the %s is no key of 32, 48 or 64 hex digits; it was not sent",
	    pin_name(t, l));
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "no try was used; give the management key, not a PIN, with "
	    "--so-pin-source");
}

static int
ask_pin(struct burin_token *t, enum burin_login who, struct burin_secret **pin,
    struct burin_error *e)
{
	const struct burin_login_policy *p = &t->m->owner->policy;

	if (p->pin == NULL) {
		burin_fail(e, BURIN_EPIN, "pin-missing",
		    "the token wants the %s and nobody gives it",
		    pin_name(t, &logins[who]));
		burin_error_token(e, "%s", t->name);
		return burin_error_advice(e, "say where it is: --pin-source");
	}
	if (p->pin(p->arg, t, who, pin, e) == -1) {
		burin_fail(e, BURIN_EPIN, "pin-missing",
		    "the %s could not be had", pin_name(t, &logins[who]));
		return burin_error_token(e, "%s", t->name);
	}
	return 0;
}

int
p11_login_pin(struct burin_token *t, enum burin_login who,
    struct burin_secret **pin, struct burin_error *e)
{
	const struct burin_login_policy *p = &t->m->owner->policy;
	const struct login *l = &logins[who];
	int rc = -1;

	*pin = NULL;
	/* What is asked for has the name it has on this kind of token. */
	if (l->user == CKU_SO)
		(void)p11_quirk(t);
	if (check_flags(t, l, e) == -1)
		goto out;
	if ((t->flags & CKF_PROTECTED_AUTHENTICATION_PATH) &&
	    who != BURIN_LOGIN_PUK && who != BURIN_LOGIN_NEW_PUK) {
		rc = 0;
		goto out;
	}
	if (ask_pin(t, who, pin, e) == -1 || check_hex(t, l, *pin, e) == -1 ||
	    check_length(t, l, burin_secret_len(*pin), e) == -1)
		goto out;
	if (!is_new(who) && p->before != NULL &&
	    p->before(p->arg, t, who, *pin, e) == -1) {
		burin_error_token(e, "%s", t->name);
		goto out;
	}
	rc = 0;
out:
	if (rc == -1)
		burin_secret_free(pin);
	return rc == 0 ? 0 : burin_error_step(e, "login");
}

int
p11_login_told(struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, int right, struct burin_error *e)
{
	const struct burin_login_policy *p = &t->m->owner->policy;
	const struct login *l = &logins[who];

	if (right == 1) {
		/* The token's counter starts anew (PKCS#11 section 3.2). */
		t->flags &= ~(l->count_low | l->final_try | l->locked);
		if (l->user == CKU_SO)
			t->info.so_pin_count_low = t->info.so_pin_final_try =
			    t->info.so_pin_locked = 0;
		else
			t->info.pin_count_low = t->info.pin_final_try =
			    t->info.pin_locked = 0;
	}
	/* What is typed on a pad is not ours to remember. */
	if (pin == NULL || p->after == NULL)
		return 0;
	return p->after(p->arg, t, who, pin, right, e);
}

int
p11_login_wrong(struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, const char *function, CK_RV rv,
    struct burin_error *e)
{
	struct burin_error told = BURIN_ERROR_INIT;
	const struct login *l = &logins[who];
	const char *tries = "the token does not say how many tries are left";

	(void)p11_login_told(t, who, pin, 0, &told);
	/* Live flags: some cards answer PIN_INCORRECT when locked as well. */
	(void)p11_token_reload(t, NULL);
	if (t->flags & l->locked) {
		fail_locked(t, l, e);
		burin_error_cause(e, "the last try was wrong");
	} else {
		if (t->flags & l->final_try)
			tries = "the token says that one try is left";
		else if (t->flags & l->count_low)
			tries = "the token counts wrong tries, and does not "
				"say how many are left";
		burin_fail(e, BURIN_EPIN, "pin-incorrect",
		    "the %s is wrong; %s (%s: %s)", pin_name(t, l), tries,
		    function, p11_ckr_name(rv));
		burin_error_token(e, "%s", t->name);
		burin_error_advice(e,
		    "check the PIN before the next try; burin sends a PIN that "
		    "was wrong never again");
	}
	if (e != NULL)
		e->ckr = rv;
	if (told.status != BURIN_OK)
		burin_error_cause(e, "not remembered: %s", told.reason);
	return -1;
}

void
p11_say_pad(struct burin_token *t, enum burin_login who)
{
	const struct burin_login_policy *p = &t->m->owner->policy;

	if (p->use_pad != NULL)
		p->use_pad(p->arg, t, who);
}

/* Answers that mean "no" for another reason than the PIN. */
static int
fail_other(struct burin_token *t, enum burin_login who, CK_RV rv,
    struct burin_error *e)
{
	p11_note_rv(t, rv);
	/* Not every module sets the flag as well (OpenSC 0.27, MyEID). */
	if (rv == CKR_PIN_LOCKED) {
		t->flags |= logins[who].locked;
		fail_locked(t, &logins[who], e);
		if (e != NULL)
			e->ckr = rv;
		return burin_error_cause(e, "C_Login: CKR_PIN_LOCKED");
	}
	if (who == BURIN_LOGIN_CONTEXT && rv == CKR_USER_TYPE_INVALID) {
		burin_fail(e, BURIN_EREFUSED, "login-context",
		    "the key wants a login for each use, which the module "
		    "cannot do (C_Login: CKR_USER_TYPE_INVALID)");
		if (e != NULL)
			e->ckr = rv;
		burin_error_token(e, "%s", t->name);
		burin_error_rule(
		    e, "PKCS#11 2.40 section 4.9, CKA_ALWAYS_AUTHENTICATE");
		return burin_error_advice(e,
		    "use a key without CKA_ALWAYS_AUTHENTICATE on this token");
	}
	return p11_fail(e, t, "C_Login", rv);
}

/*
 * ykcs11 answers PIN_INCORRECT whatever goes wrong with the management key,
 * also when the card is gone: a key that was not refused must not be
 * remembered as wrong. It looks for its card when it lists slots, and pcscd
 * sees within half a second that there is none.
 */
static int
is_gone(struct burin_token *t, enum burin_login who)
{
	static const struct timespec pause = { .tv_nsec = 100000000 };
	int i;

	if (who != BURIN_LOGIN_SO || !p11_quirk(t)->so_wrong_is_any)
		return 0;
	for (i = 0; p11_token_is_there(t); i++) {
		if (i == 10)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	p11_note(t->m->owner,
	    "C_Login: CKR_PIN_INCORRECT, because the token is gone");
	return 1;
}

int
p11_login_send(struct burin_token *t, CK_SESSION_HANDLE s, enum burin_login who,
    const struct burin_secret *pin, struct burin_error *e)
{
	CK_RV rv;
	int rc = -1;

	if (pin == NULL)
		p11_say_pad(t, who);
	rv = p11_Login(t->m, s, logins[who].user,
	    pin != NULL ? burin_secret_bytes(pin) : NULL,
	    pin != NULL ? burin_secret_len(pin) : 0);
	if (rv == CKR_PIN_INCORRECT && is_gone(t, who))
		rv = CKR_DEVICE_REMOVED;
	switch (rv) {
	case CKR_OK:
		if (who == BURIN_LOGIN_USER)
			t->logged_in = t->login_ours = 1;
		rc = p11_login_told(t, who, pin, 1, e);
		break;
	case CKR_USER_ALREADY_LOGGED_IN:
		/* By others in this process; NSS says so for a context. */
		if (who == BURIN_LOGIN_USER)
			t->logged_in = 1;
		rc = p11_login_told(t, who, pin, -1, e);
		break;
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
		rc = p11_login_wrong(t, who, pin, "C_Login", rv, e);
		break;
	default:
		rc = fail_other(t, who, rv, e);
		(void)p11_login_told(t, who, pin, -1, NULL);
		break;
	}
	return rc == 0 ? 0 : burin_error_step(e, "login");
}

int
p11_login(struct burin_token *t, CK_SESSION_HANDLE s, enum burin_login who,
    struct burin_error *e)
{
	struct burin_secret *pin = NULL;
	int rc;

	if (who == BURIN_LOGIN_USER && t->logged_in)
		return 0;
	rc = p11_login_pin(t, who, &pin, e);
	if (rc == 0)
		rc = p11_login_send(t, s, who, pin, e);
	burin_secret_free(&pin);
	return rc;
}

int
burin_token_login(struct burin_token *t, struct burin_error *e)
{
	struct burin_secret *pin = NULL;
	int rc = -1;

	p11_lock(t->m);
	p11_write_done(t);
	t->relogin = 0;
	if (t->logged_in || (t->flags & CKF_LOGIN_REQUIRED) == 0) {
		rc = 0;
		goto out;
	}
	/*
	 * The session first: it dies with the token, so that a PIN is not
	 * sent to another one that was put in while somebody typed.
	 */
	if (p11_anchor_session(t, e) == -1 ||
	    p11_login_pin(t, BURIN_LOGIN_USER, &pin, e) == -1 ||
	    p11_login_send(t, t->anchor, BURIN_LOGIN_USER, pin, e) == -1)
		goto out;
	rc = 0;
out:
	burin_secret_free(&pin);
	p11_unlock(t->m);
	return rc == 0 ? 0 : burin_error_step(e, "login");
}

void
burin_token_logout(struct burin_token *t)
{
	p11_lock(t->m);
	if (t->login_ours && t->anchor != P11_NO_SESSION)
		(void)p11_Logout(t->m, t->anchor);
	p11_close_token(t);
	p11_unlock(t->m);
}
