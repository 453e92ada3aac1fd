/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions, PINs and initialization of the mock (PKCS#11 2.40 sections 5.5
 * and 5.6). PIN counters are in the token's file: every process sees them.
 */

#include <stdlib.h>
#include <string.h>

#include "mock.h"

#define MIN_PIN 4

static struct session sessions[MAX_SESSIONS + 1]; /* handle = index, not 0 */
static enum user users[MAX_TOKENS];

struct session *
session_of(CK_SESSION_HANDLE h)
{
	return h > 0 && h <= MAX_SESSIONS && sessions[h].used ? &sessions[h]
							      : NULL;
}

enum user
session_user(CK_SLOT_ID slot)
{
	return users[slot];
}

size_t
session_count(CK_SLOT_ID slot, int rw_only)
{
	size_t i, n = 0;

	for (i = 1; i <= MAX_SESSIONS; i++)
		if (sessions[i].used && sessions[i].slot == slot &&
		    (!rw_only || sessions[i].rw))
			n++;
	return n;
}

void
session_end_operation(struct session *s)
{
	s->op = IDLE;
	s->always = s->confirmed = 0;
}

static void
close_one(struct session *s)
{
	CK_SLOT_ID slot = s->slot;

	free(s->found);
	memset(s, 0, sizeof(*s));
	if (session_count(slot, 0) == 0)
		users[slot] = NOBODY;
}

void
session_close_all(void)
{
	size_t i;

	for (i = 1; i <= MAX_SESSIONS; i++)
		if (sessions[i].used)
			close_one(&sessions[i]);
}

CK_RV
mock_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify,
    CK_SESSION_HANDLE *out)
{
	struct token t;
	size_t i;

	(void)arg;
	(void)notify;
	if (slot >= mock_conf->slots)
		return CKR_SLOT_ID_INVALID;
	if ((flags & CKF_SERIAL_SESSION) == 0)
		return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	if (!store_token(slot, &t) || !t.initialized)
		return CKR_TOKEN_NOT_RECOGNIZED;
	if (users[slot] == OFFICER && (flags & CKF_RW_SESSION) == 0)
		return CKR_SESSION_READ_WRITE_SO_EXISTS;
	if (mock_conf->max_sessions != 0 &&
	    session_count(slot, 0) >= mock_conf->max_sessions)
		return CKR_SESSION_COUNT;
	for (i = 1; i <= MAX_SESSIONS && sessions[i].used; i++)
		continue;
	if (i > MAX_SESSIONS)
		return CKR_SESSION_COUNT;
	if (!attest_show(slot))
		return CKR_DEVICE_ERROR;
	sessions[i].used = 1;
	sessions[i].slot = slot;
	sessions[i].rw = (flags & CKF_RW_SESSION) != 0;
	*out = i;
	return CKR_OK;
}

CK_RV
mock_CloseSession(CK_SESSION_HANDLE h)
{
	struct session *s = session_of(h);

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	close_one(s);
	return CKR_OK;
}

CK_RV
mock_CloseAllSessions(CK_SLOT_ID slot)
{
	size_t i;

	if (slot >= mock_conf->slots)
		return CKR_SLOT_ID_INVALID;
	for (i = 1; i <= MAX_SESSIONS; i++)
		if (sessions[i].used && sessions[i].slot == slot)
			close_one(&sessions[i]);
	return CKR_OK;
}

CK_RV
mock_GetSessionInfo(CK_SESSION_HANDLE h, CK_SESSION_INFO *info)
{
	struct session *s = session_of(h);

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	memset(info, 0, sizeof(*info));
	info->slotID = s->slot;
	info->flags = CKF_SERIAL_SESSION | (s->rw ? CKF_RW_SESSION : 0);
	switch (users[s->slot]) {
	case OFFICER:
		info->state = CKS_RW_SO_FUNCTIONS;
		break;
	case USER:
		info->state =
		    s->rw ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
		break;
	case NOBODY:
		info->state =
		    s->rw ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
		break;
	}
	return CKR_OK;
}

/* Compares, counts and locks. */
static CK_RV
check_pin(CK_SLOT_ID slot, int so, const unsigned char *pin, CK_ULONG len)
{
	unsigned long *wrong, limit = mock_conf->tries;
	const char *right;
	struct token t;
	CK_RV rv = CKR_OK;

	if (pin == NULL)
		return CKR_ARGUMENTS_BAD;
	if (!store_token(slot, &t))
		return CKR_DEVICE_ERROR;
	wrong = so ? &t.so_wrong : &t.wrong;
	right = so ? t.so_pin : t.pin;
	if (limit != 0 && *wrong >= limit)
		return CKR_PIN_LOCKED;
	if (strlen(right) == len && memcmp(right, pin, len) == 0) {
		*wrong = 0;
	} else {
		++*wrong;
		rv = CKR_PIN_INCORRECT;
	}
	return store_token_save(slot, &t) ? rv : CKR_DEVICE_ERROR;
}

static int
set_pin(char dst[MAX_WORD], const unsigned char *pin, CK_ULONG len)
{
	if (pin == NULL || len < MIN_PIN || len >= MAX_WORD)
		return 0;
	memset(dst, 0, MAX_WORD);
	memcpy(dst, pin, len);
	return 1;
}

static CK_RV
login_context(struct session *s, const unsigned char *pin, CK_ULONG len)
{
	CK_RV rv;

	if (s->op == IDLE || !s->always)
		return CKR_OPERATION_NOT_INITIALIZED;
	if ((rv = check_pin(s->slot, 0, pin, len)) == CKR_OK)
		s->confirmed = 1;
	return rv;
}

CK_RV
mock_Login(
    CK_SESSION_HANDLE h, CK_USER_TYPE who, unsigned char *pin, CK_ULONG len)
{
	struct session *s = session_of(h);
	struct token t;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (who == CKU_CONTEXT_SPECIFIC)
		return login_context(s, pin, len);
	if (who != CKU_USER && who != CKU_SO)
		return CKR_USER_TYPE_INVALID;
	if (users[s->slot] != NOBODY)
		return (users[s->slot] == USER) == (who == CKU_USER)
		    ? CKR_USER_ALREADY_LOGGED_IN
		    : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	if (who == CKU_SO &&
	    session_count(s->slot, 0) != session_count(s->slot, 1))
		return CKR_SESSION_READ_ONLY_EXISTS;
	if (!store_token(s->slot, &t))
		return CKR_DEVICE_ERROR;
	if (who == CKU_USER && !t.user_pin_set)
		return CKR_USER_PIN_NOT_INITIALIZED;
	rv = check_pin(s->slot, who == CKU_SO, pin, len);
	if (rv == CKR_OK)
		users[s->slot] = who == CKU_SO ? OFFICER : USER;
	return rv;
}

CK_RV
mock_Logout(CK_SESSION_HANDLE h)
{
	struct session *s = session_of(h);

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (users[s->slot] == NOBODY)
		return CKR_USER_NOT_LOGGED_IN;
	users[s->slot] = NOBODY;
	return CKR_OK;
}

CK_RV
mock_InitToken(
    CK_SLOT_ID slot, unsigned char *pin, CK_ULONG len, unsigned char *label)
{
	CK_OBJECT_HANDLE *list;
	struct token t;
	size_t i, n;
	CK_RV rv;

	if (slot >= mock_conf->slots || !store_token(slot, &t))
		return CKR_SLOT_ID_INVALID;
	if (session_count(slot, 0) != 0)
		return CKR_SESSION_EXISTS;
	if (t.initialized && (rv = check_pin(slot, 1, pin, len)) != CKR_OK)
		return rv;
	if (!t.initialized && !set_pin(t.so_pin, pin, len))
		return CKR_PIN_LEN_RANGE;
	t.initialized = 1;
	t.user_pin_set = 0;
	t.wrong = t.so_wrong = 0;
	memcpy(t.label, label, 32);
	for (i = 32; i > 0 && t.label[i - 1] == ' '; i--)
		continue;
	t.label[i] = '\0';
	if ((list = calloc(MAX_OBJECTS, sizeof(*list))) == NULL)
		return CKR_HOST_MEMORY;
	n = store_list(slot, list, MAX_OBJECTS);
	for (i = 0; i < n; i++)
		store_remove(slot, list[i]);
	free(list);
	return store_token_save(slot, &t) ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV
mock_InitPIN(CK_SESSION_HANDLE h, unsigned char *pin, CK_ULONG len)
{
	struct session *s = session_of(h);
	struct token t;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (users[s->slot] != OFFICER)
		return CKR_USER_NOT_LOGGED_IN;
	if (!store_token(s->slot, &t))
		return CKR_DEVICE_ERROR;
	if (!set_pin(t.pin, pin, len))
		return CKR_PIN_LEN_RANGE;
	t.user_pin_set = 1;
	t.wrong = 0;
	return store_token_save(s->slot, &t) ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV
mock_SetPIN(CK_SESSION_HANDLE h, unsigned char *old_pin, CK_ULONG old_len,
    unsigned char *new_pin, CK_ULONG new_len)
{
	struct session *s = session_of(h);
	struct token t;
	int so;
	CK_RV rv;

	if (s == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	if (!s->rw)
		return CKR_SESSION_READ_ONLY;
	so = users[s->slot] == OFFICER;
	if ((rv = check_pin(s->slot, so, old_pin, old_len)) != CKR_OK)
		return rv;
	if (!store_token(s->slot, &t))
		return CKR_DEVICE_ERROR;
	if (!set_pin(so ? t.so_pin : t.pin, new_pin, new_len))
		return CKR_PIN_LEN_RANGE;
	return store_token_save(s->slot, &t) ? CKR_OK : CKR_DEVICE_ERROR;
}
