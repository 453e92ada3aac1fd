/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PINs changed and unblocked (PKCS#11 2.40 section 5.5, C_SetPIN and
 * C_InitPIN). What is sent, how often and what is remembered of it is the
 * matter of login.c.
 */

#include <string.h>

#include "quirk.h"

static enum burin_login
new_of(enum burin_login who)
{
	return who == BURIN_LOGIN_SO ? BURIN_LOGIN_NEW_SO
				     : BURIN_LOGIN_NEW_USER;
}

/* The present PIN will not be sent after all: its login is over. */
static void
not_sent(
    struct burin_token *t, enum burin_login who, const struct burin_secret *pin)
{
	(void)p11_login_told(t, who, pin, -1, NULL);
}

int
p11_pin_pair(struct burin_token *t, enum burin_login who,
    enum burin_login new_who, struct burin_secret **old,
    struct burin_secret **new, struct burin_error *e)
{
	*new = NULL;
	if (p11_login_pin(t, who, old, e) == -1)
		return -1;
	if (p11_login_pin(t, new_who, new, e) == -1)
		goto fail;
	/* A SO PIN or PUK that becomes the PIN as well is not the same PIN. */
	if ((who != BURIN_LOGIN_USER && new_who == BURIN_LOGIN_NEW_USER) ||
	    !burin_secret_eq(*old, *new))
		return 0;
	burin_fail(e, BURIN_EPIN, "pin-same",
	    "the new one is the present one; nothing was sent");
	burin_error_token(e, "%s", t->name);
	burin_error_advice(e, "choose another one");
fail:
	not_sent(t, who, *old);
	burin_secret_free(old);
	burin_secret_free(new);
	return -1;
}

int
p11_pin_renewed(struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, struct burin_error *e)
{
	const struct burin_login_policy *p = &t->m->owner->policy;
	int rc = 0;

	/* The flags; the rest is not only for what was typed here. */
	(void)p11_login_told(t, who, NULL, 1, NULL);
	if (p->after != NULL && p->after(p->arg, t, who, pin, 1, e) == -1)
		rc = -1;
	/* A login for one use has the same PIN, and its own memory. */
	if (who == BURIN_LOGIN_USER && p->after != NULL &&
	    p->after(p->arg, t, BURIN_LOGIN_CONTEXT, pin, 1, e) == -1)
		rc = -1;
	if (rc == -1)
		burin_error_cause(e, "the new one is set");
	return rc;
}

/* Of C_SetPIN and C_InitPIN, when it is the new PIN that is not liked. */
static int
fail_new(struct burin_token *t, enum burin_login who, const char *function,
    CK_RV rv, struct burin_error *e)
{
	const char *pin = who == BURIN_LOGIN_SO ? "SO PIN" : "PIN";

	switch (rv) {
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_INVALID:
	case CKR_ARGUMENTS_BAD: /* ykcs11 */
		burin_fail(e, BURIN_EPIN, "pin-length",
		    "the token does not take this new %s: its length or its "
		    "characters (%s: %s)",
		    pin, function, p11_ckr_name(rv));
		if (e != NULL)
			e->ckr = rv;
		burin_error_token(e, "%s", t->name);
		return burin_error_advice(e,
		    "the present one still counts; PINs of 6 to 8 digits are "
		    "taken by nearly every token");
	default:
		return p11_fail(e, t, function, rv);
	}
}

/* --- change ------------------------------------------------------------- */

static int
send_set_pin(struct burin_token *t, enum burin_login who,
    const struct burin_secret *old, const struct burin_secret *new,
    struct burin_error *e)
{
	CK_RV rv;

	if (old == NULL)
		p11_say_pad(t, new_of(who));
	rv = p11_SetPIN(t->m, t->anchor,
	    old != NULL ? burin_secret_bytes(old) : NULL,
	    old != NULL ? burin_secret_len(old) : 0,
	    new != NULL ? burin_secret_bytes(new) : NULL,
	    new != NULL ? burin_secret_len(new) : 0);
	if (rv == CKR_OK)
		return p11_pin_renewed(t, who, new, e);
	if (rv == CKR_PIN_INCORRECT)
		return p11_login_wrong(t, who, old, "C_SetPIN", rv, e);
	p11_note_rv(t, rv);
	return fail_new(t, who, "C_SetPIN", rv, e);
}

/*
 * Logged in first: C_SetPIN changes the PIN of whoever is, and only the SO
 * needs to be by the book; NSS wants the user to be as well. On a pad the
 * user would type the present PIN twice: there C_SetPIN asks for both.
 */
static int
change_locked(
    struct burin_token *t, enum burin_login who, struct burin_error *e)
{
	struct burin_secret *old = NULL, *new = NULL;
	unsigned long pin_max = t->info.pin_max;
	int rc = -1;

	p11_close_token(t);
	/* Some tell the length of another secret (a management key). */
	if (who == BURIN_LOGIN_USER && p11_quirk(t)->user_pin_max != 0)
		t->info.pin_max = p11_quirk(t)->user_pin_max;
	rc = p11_pin_pair(t, who, new_of(who), &old, &new, e);
	t->info.pin_max = pin_max;
	if (rc == -1)
		return -1;
	rc = -1;
	if (p11_anchor_session(t, e) == -1) {
		not_sent(t, who, old);
		goto out;
	}
	if ((old != NULL || who == BURIN_LOGIN_SO) &&
	    p11_login_send(t, t->anchor, who, old, e) == -1)
		goto out;
	rc = send_set_pin(t, who, old, new, e);
	if (t->anchor != P11_NO_SESSION)
		(void)p11_Logout(t->m, t->anchor);
out:
	p11_close_token(t);
	burin_secret_free(&old);
	burin_secret_free(&new);
	return rc;
}

int
burin_pin_change(
    struct burin_token *t, enum burin_login who, struct burin_error *e)
{
	int rc;

	p11_lock(t->m);
	rc = change_locked(t, who, e);
	p11_unlock(t->m);
	return rc == 0 ? 0 : burin_error_step(e, "pin-change");
}

/* --- unblock ------------------------------------------------------------ */

/*
 * As seen: ykcs11 says FUNCTION_NOT_SUPPORTED, OpenSC PIN_LEN_RANGE for a PIN
 * whose length fits, and USER_NOT_LOGGED_IN where its SO login was none.
 */
static int
fail_init_pin(
    struct burin_token *t, CK_RV rv, int length_fits, struct burin_error *e)
{
	switch (rv) {
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_INVALID:
	case CKR_ARGUMENTS_BAD:
		if (!length_fits)
			return fail_new(
			    t, BURIN_LOGIN_USER, "C_InitPIN", rv, e);
		break;
	case CKR_FUNCTION_NOT_SUPPORTED:
	case CKR_USER_NOT_LOGGED_IN:
	case CKR_USER_TYPE_INVALID:
		break;
	default:
		return p11_fail(e, t, "C_InitPIN", rv);
	}
	burin_fail(e, BURIN_EREFUSED, "unblock-not-here",
	    "the module cannot set the user PIN of this token with its SO PIN "
	    "(C_InitPIN: %s)",
	    p11_ckr_name(rv));
	if (e != NULL)
		e->ckr = rv;
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    burin_piv_is(t)
		? "a YubiKey is unblocked by its PUK: --puk-source"
		: "unblocking is for the tool of the token's vendor");
}

static int
send_init_pin(struct burin_token *t, const struct burin_secret *new,
    struct burin_error *e)
{
	unsigned long min = t->info.pin_min, max = t->info.pin_max;
	int known = max != 0 && max >= min && max < 256;
	CK_RV rv;

	if (new == NULL)
		p11_say_pad(t, BURIN_LOGIN_NEW_USER);
	rv = p11_InitPIN(t->m, t->anchor,
	    new != NULL ? burin_secret_bytes(new) : NULL,
	    new != NULL ? burin_secret_len(new) : 0);
	if (rv == CKR_OK)
		return p11_pin_renewed(t, BURIN_LOGIN_USER, new, e);
	p11_note_rv(t, rv);
	return fail_init_pin(t, rv, known, e);
}

static int
unblock_locked(struct burin_token *t, struct burin_error *e)
{
	struct burin_secret *so = NULL, *new = NULL;
	int rc = -1;

	p11_close_token(t);
	if (p11_pin_pair(
		t, BURIN_LOGIN_SO, BURIN_LOGIN_NEW_USER, &so, &new, e) == -1)
		return -1;
	if (p11_anchor_session(t, e) == -1) {
		not_sent(t, BURIN_LOGIN_SO, so);
		goto out;
	}
	if (p11_login_send(t, t->anchor, BURIN_LOGIN_SO, so, e) == -1)
		goto out;
	rc = send_init_pin(t, new, e);
	if (t->anchor != P11_NO_SESSION)
		(void)p11_Logout(t->m, t->anchor);
out:
	p11_close_token(t);
	burin_secret_free(&so);
	burin_secret_free(&new);
	return rc;
}

int
burin_pin_unblock(struct burin_token *t, struct burin_error *e)
{
	int rc;

	p11_lock(t->m);
	rc = unblock_locked(t, e);
	p11_unlock(t->m);
	return rc == 0 ? 0 : burin_error_step(e, "pin-unblock");
}
