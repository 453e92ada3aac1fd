/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions of one token: an anchor that holds the login, a work session that
 * is closed when a call on it failed (PKCS#11 2.40 section 5.6; an operation
 * that failed cannot be cancelled in any other way that all modules honour).
 */

#include "quirk.h"

static CK_RV
open_session(struct burin_token *t, CK_SESSION_HANDLE *s)
{
	CK_RV rv = CKR_TOKEN_WRITE_PROTECTED;

	if ((t->flags & CKF_WRITE_PROTECTED) == 0)
		rv = p11_OpenSession(
		    t->m, t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, s);
	if (rv == CKR_TOKEN_WRITE_PROTECTED)
		rv = p11_OpenSession(t->m, t->slot, CKF_SERIAL_SESSION, s);
	return rv;
}

/* How many sessions there may be; 0: nobody says. */
static CK_ULONG
session_limit(struct burin_token *t)
{
	CK_ULONG cap = p11_quirk(t)->max_sessions;

	return cap != 0 && (t->max_sessions == 0 || cap < t->max_sessions)
	    ? cap
	    : t->max_sessions;
}

/* Opens *s, or lends it the other session when the token has only one. */
static int
open_or_share(struct burin_token *t, CK_SESSION_HANDLE *s,
    CK_SESSION_HANDLE there, struct burin_error *e)
{
	CK_RV rv;

	if (*s != P11_NO_SESSION)
		return 0;
	if (there != P11_NO_SESSION && session_limit(t) == 1) {
		*s = there;
		return 0;
	}
	rv = open_session(t, s);
	if (rv == CKR_OK)
		return 0;
	*s = P11_NO_SESSION;
	if (rv == CKR_SESSION_COUNT && there != P11_NO_SESSION) {
		*s = there;
		return 0;
	}
	p11_note_rv(t, rv);
	return p11_fail(e, t, "C_OpenSession", rv);
}

int
p11_anchor_session(struct burin_token *t, struct burin_error *e)
{
	return open_or_share(t, &t->anchor, t->work, e);
}

int
p11_work_session(
    struct burin_token *t, CK_SESSION_HANDLE *s, struct burin_error *e)
{
	/* What the security officer is in for ends first. */
	if (t->relogin && !t->so && burin_token_login(t, e) == -1)
		return -1;
	if (open_or_share(t, &t->work, t->anchor, e) == -1)
		return -1;
	*s = t->work;
	return 0;
}

/* The login ends, and with it the handles of private objects. */
static void
login_lost(struct burin_token *t)
{
	t->logged_in = t->login_ours = t->so = 0;
	t->generation++;
}

/* --- writing ----------------------------------------------------------- */

int
burin_token_check_write(struct burin_token *t, struct burin_error *e)
{
	const struct quirk *q;

	p11_lock(t->m);
	q = p11_quirk(t);
	p11_unlock(t->m);
	if (q->writer != WRITER_NOBODY)
		return 0;
	burin_fail(e, BURIN_EREFUSED, "module-cannot-write",
	    "the module %s only reads this kind of token (%s): it makes no "
	    "keys and writes no certificates",
	    t->m->name, q->family);
	burin_error_token(e, "%s", t->name);
	burin_error_advice(e, "%s", q->way_out);
	return burin_error_step(e, "write");
}

/* The user goes, and comes back with the next work session. */
static int
officer_in(struct burin_token *t, const struct quirk *q, struct burin_error *e)
{
	int relogin = t->logged_in || t->relogin;
	CK_RV rv;

	t->relogin = 0;
	if (p11_anchor_session(t, e) == -1)
		return -1;
	if (t->logged_in) {
		rv = p11_Logout(t->m, t->anchor);
		if (rv != CKR_OK) {
			p11_note_rv(t, rv);
			return p11_fail(e, t, "C_Logout", rv);
		}
		t->logged_in = t->login_ours = 0;
		if (!q->handles_stay)
			t->generation++;
	}
	t->relogin = relogin;
	if (p11_login(t, t->anchor, BURIN_LOGIN_SO, e) == -1)
		return -1;
	t->so = 1;
	return 0;
}

int
p11_write_session(
    struct burin_token *t, CK_SESSION_HANDLE *s, struct burin_error *e)
{
	const struct quirk *q = p11_quirk(t);

	if (burin_token_check_write(t, e) == -1)
		return -1;
	if (q->writer == WRITER_USER)
		return p11_work_session(t, s, e);
	if (!t->so && officer_in(t, q, e) == -1)
		return -1;
	if (open_or_share(t, &t->work, t->anchor, e) == -1)
		return -1;
	*s = t->work;
	return 0;
}

void
p11_write_done(struct burin_token *t)
{
	if (!t->so)
		return;
	t->so = 0;
	if (t->anchor != P11_NO_SESSION)
		(void)p11_Logout(t->m, t->anchor);
}

/* --- ending ------------------------------------------------------------ */

void
p11_drop_work(struct burin_token *t)
{
	if (t->work == P11_NO_SESSION)
		return;
	(void)p11_CloseSession(t->m, t->work);
	if (t->work == t->anchor) {
		t->anchor = P11_NO_SESSION;
		t->relogin = t->relogin || t->logged_in;
		login_lost(t);
	}
	t->work = P11_NO_SESSION;
}

static void
close_spent(struct burin_token *t)
{
	if (t->spent != P11_NO_SESSION)
		(void)p11_CloseSession(t->m, t->spent);
	t->spent = P11_NO_SESSION;
}

int
p11_fresh_session(
    struct burin_token *t, CK_SESSION_HANDLE *s, struct burin_error *e)
{
	CK_SESSION_HANDLE old = t->work;

	close_spent(t);
	/* The anchor is no spent session; some tokens have just two. */
	if (old == P11_NO_SESSION || old == t->anchor ||
	    (session_limit(t) != 0 && session_limit(t) < 3) ||
	    open_session(t, &t->work) != CKR_OK) {
		t->work = old;
		p11_drop_work(t);
		return p11_work_session(t, s, e);
	}
	t->spent = old;
	*s = t->work;
	return 0;
}

void
p11_close_token(struct burin_token *t)
{
	struct p11_module *m = t->m;
	CK_SESSION_HANDLE anchor = t->anchor, work = t->work, spent = t->spent;

	t->anchor = t->work = t->spent = P11_NO_SESSION;
	t->relogin = 0;
	login_lost(t);
	if (anchor == P11_NO_SESSION && work == P11_NO_SESSION &&
	    spent == P11_NO_SESSION)
		return;
	if (m->initialized_by_us && !m->managed) {
		(void)p11_CloseAllSessions(m, t->slot);
		return;
	}
	/* Others may have sessions with this token in this process. */
	if (spent != P11_NO_SESSION)
		(void)p11_CloseSession(m, spent);
	if (work != P11_NO_SESSION)
		(void)p11_CloseSession(m, work);
	if (anchor != P11_NO_SESSION && anchor != work)
		(void)p11_CloseSession(m, anchor);
}

void
p11_note_rv(struct burin_token *t, CK_RV rv)
{
	switch (rv) {
	case CKR_DEVICE_REMOVED:
	case CKR_DEVICE_ERROR:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_TOKEN_NOT_RECOGNIZED:
	case CKR_SLOT_ID_INVALID:
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_SESSION_CLOSED:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
		p11_close_token(t);
		break;
	case CKR_USER_NOT_LOGGED_IN:
		/* OpenSC: one failed operation can end the login. */
		login_lost(t);
		break;
	case CKR_OBJECT_HANDLE_INVALID:
	case CKR_KEY_HANDLE_INVALID:
		t->generation++;
		break;
	default:
		break;
	}
}
