/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The only file that calls a module: counts, logs and times each PKCS#11
 * function and keeps what modules leave in OpenSSL's error queue out of ours.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>

#include "quirk.h"

enum call {
	CALL_Initialize,
	CALL_Finalize,
	CALL_GetInfo,
	CALL_GetSlotList,
	CALL_GetSlotInfo,
	CALL_GetTokenInfo,
	CALL_GetMechanismList,
	CALL_GetMechanismInfo,
	CALL_InitToken,
	CALL_InitPIN,
	CALL_SetPIN,
	CALL_OpenSession,
	CALL_CloseSession,
	CALL_CloseAllSessions,
	CALL_GetSessionInfo,
	CALL_Login,
	CALL_Logout,
	CALL_FindObjectsInit,
	CALL_FindObjects,
	CALL_FindObjectsFinal,
	CALL_GetAttributeValue,
	CALL_SetAttributeValue,
	CALL_CreateObject,
	CALL_DestroyObject,
	CALL_GenerateKeyPair,
	CALL_SignInit,
	CALL_Sign,
	CALL_DecryptInit,
	CALL_Decrypt,
	CALL_DeriveKey,
	N_CALLS
};

_Static_assert(N_CALLS <= P11_N_CALLS, "P11_N_CALLS is too small");

#define NAME(f) [CALL_##f] = "C_" #f

static const char *const names[N_CALLS] = {
	NAME(Initialize),
	NAME(Finalize),
	NAME(GetInfo),
	NAME(GetSlotList),
	NAME(GetSlotInfo),
	NAME(GetTokenInfo),
	NAME(GetMechanismList),
	NAME(GetMechanismInfo),
	NAME(InitToken),
	NAME(InitPIN),
	NAME(SetPIN),
	NAME(OpenSession),
	NAME(CloseSession),
	NAME(CloseAllSessions),
	NAME(GetSessionInfo),
	NAME(Login),
	NAME(Logout),
	NAME(FindObjectsInit),
	NAME(FindObjects),
	NAME(FindObjectsFinal),
	NAME(GetAttributeValue),
	NAME(SetAttributeValue),
	NAME(CreateObject),
	NAME(DestroyObject),
	NAME(GenerateKeyPair),
	NAME(SignInit),
	NAME(Sign),
	NAME(DecryptInit),
	NAME(Decrypt),
	NAME(DeriveKey),
};

/* One call under way. */
struct run {
	struct p11_module *m;
	enum call call;
	int pad;
	struct timespec start;
};

/*
 * Whether a slow call may be one that waits for a finger: the operations
 * with a private key. No attribute of PKCS#11 tells which keys want it.
 */
static int
may_want_touch(const struct p11_module *m, enum call call)
{
	size_t i;

	if (call != CALL_Sign && call != CALL_Decrypt && call != CALL_DeriveKey)
		return 0;
	for (i = 0; i < m->n_tokens; i++)
		if (m->tokens[i]->quirk != NULL &&
		    m->tokens[i]->quirk->may_want_touch)
			return 1;
	return 0;
}

static void
watch(const struct run *r, int begins)
{
	struct burin_p11 *p11 = r->m->owner;
	struct burin_p11_event ev;

	if (p11->watch == NULL)
		return;
	ev.function = names[r->call];
	ev.module = r->m->name;
	ev.begins = begins;
	ev.pad = r->pad;
	ev.touch = may_want_touch(r->m, r->call);
	p11->watch(p11->watch_arg, &ev);
}

static struct run
begin_with(struct p11_module *m, enum call call, int pad)
{
	struct run r = { m, call, pad, { 0, 0 } };

	if (m->owner->log != NULL)
		(void)clock_gettime(CLOCK_MONOTONIC, &r.start);
	/* SoftHSM fills this thread's queue when it loads an engine. */
	ERR_set_mark();
	watch(&r, 1);
	return r;
}

static struct run
begin(struct p11_module *m, enum call call)
{
	return begin_with(m, call, 0);
}

/* A call that takes a PIN: none is given when it is typed on the reader. */
static struct run
begin_pin(struct p11_module *m, enum call call, const unsigned char *pin)
{
	return begin_with(m, call, pin == NULL);
}

static CK_RV
end(const struct run *r, CK_RV rv)
{
	struct burin_p11 *p11 = r->m->owner;
	struct timespec now;
	char line[160];
	double ms;

	watch(r, 0);
	ERR_pop_to_mark();
	atomic_fetch_add(&p11->calls[r->call], 1);
	atomic_fetch_add(&p11->total, 1);
	if (rv != CKR_OK)
		atomic_fetch_add(&p11->failed, 1);
	if (p11->log == NULL)
		return rv;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (double)(now.tv_sec - r->start.tv_sec) * 1e3 +
	    (double)(now.tv_nsec - r->start.tv_nsec) / 1e6;
	(void)snprintf(line, sizeof(line), "%s %s (0x%lx) %.3f ms",
	    names[r->call], p11_ckr_name(rv), rv, ms);
	p11->log(p11->log_arg, line);
	return rv;
}

/*
 * PKCS#11 prototypes know no const: none of the functions that get these
 * pointers writes through them (PKCS#11 2.40 sections 5.5 to 5.14).
 */
static CK_ATTRIBUTE *
attributes(const CK_ATTRIBUTE *a)
{
	union {
		const CK_ATTRIBUTE *in;
		CK_ATTRIBUTE *out;
	} u = { a };

	return u.out;
}

static unsigned char *
bytes(const unsigned char *p)
{
	union {
		const unsigned char *in;
		unsigned char *out;
	} u = { p };

	return u.out;
}

void
p11_lock(struct p11_module *m)
{
	(void)pthread_mutex_lock(&m->lock);
}

void
p11_unlock(struct p11_module *m)
{
	(void)pthread_mutex_unlock(&m->lock);
}

void
p11_watch_load(struct burin_p11 *p11, const char *module, int begins)
{
	struct burin_p11_event ev = { "C_GetFunctionList", module, begins, 0,
		0 };

	if (p11->watch != NULL)
		p11->watch(p11->watch_arg, &ev);
}

void
burin_p11_calls(const struct burin_p11 *p11, struct burin_p11_calls *out)
{
	out->total = atomic_load(&p11->total);
	out->failed = atomic_load(&p11->failed);
}

unsigned long
burin_p11_calls_of(const struct burin_p11 *p11, const char *function)
{
	size_t i;

	for (i = 0; i < N_CALLS; i++)
		if (strcmp(names[i], function) == 0)
			return atomic_load(&p11->calls[i]);
	return 0;
}

CK_RV
p11_Initialize(struct p11_module *m, void *args)
{
	struct run r = begin(m, CALL_Initialize);

	return end(&r, m->f->C_Initialize(args));
}

CK_RV
p11_Finalize(struct p11_module *m)
{
	struct run r = begin(m, CALL_Finalize);

	return end(&r, m->f->C_Finalize(NULL));
}

CK_RV
p11_GetInfo(struct p11_module *m, CK_INFO *info)
{
	struct run r = begin(m, CALL_GetInfo);

	return end(&r, m->f->C_GetInfo(info));
}

CK_RV
p11_GetSlotList(
    struct p11_module *m, CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *n)
{
	struct run r = begin(m, CALL_GetSlotList);

	return end(&r, m->f->C_GetSlotList(present, list, n));
}

CK_RV
p11_GetSlotInfo(struct p11_module *m, CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	struct run r = begin(m, CALL_GetSlotInfo);

	return end(&r, m->f->C_GetSlotInfo(slot, info));
}

CK_RV
p11_GetTokenInfo(struct p11_module *m, CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct run r = begin(m, CALL_GetTokenInfo);

	return end(&r, m->f->C_GetTokenInfo(slot, info));
}

CK_RV
p11_GetMechanismInfo(struct p11_module *m, CK_SLOT_ID slot,
    CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	struct run r = begin(m, CALL_GetMechanismInfo);

	return end(&r, m->f->C_GetMechanismInfo(slot, type, info));
}

CK_RV
p11_GetMechanismList(
    struct p11_module *m, CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *n)
{
	struct run r = begin(m, CALL_GetMechanismList);

	return end(&r, m->f->C_GetMechanismList(slot, list, n));
}

CK_RV
p11_InitToken(struct p11_module *m, CK_SLOT_ID slot, const unsigned char *pin,
    size_t pin_len, const char *label)
{
	struct run r = begin_pin(m, CALL_InitToken, pin);
	unsigned char padded[32]; /* CK_TOKEN_INFO.label */
	size_t n = strlen(label);

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, n < sizeof(padded) ? n : sizeof(padded));
	return end(&r, m->f->C_InitToken(slot, bytes(pin), pin_len, padded));
}

CK_RV
p11_InitPIN(struct p11_module *m, CK_SESSION_HANDLE s, const unsigned char *pin,
    size_t pin_len)
{
	struct run r = begin_pin(m, CALL_InitPIN, pin);

	return end(&r, m->f->C_InitPIN(s, bytes(pin), pin_len));
}

CK_RV
p11_SetPIN(struct p11_module *m, CK_SESSION_HANDLE s,
    const unsigned char *old_pin, size_t old_len, const unsigned char *new_pin,
    size_t new_len)
{
	struct run r = begin_pin(m, CALL_SetPIN, new_pin);

	return end(&r,
	    m->f->C_SetPIN(
		s, bytes(old_pin), old_len, bytes(new_pin), new_len));
}

CK_RV
p11_OpenSession(
    struct p11_module *m, CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE *s)
{
	struct run r = begin(m, CALL_OpenSession);

	return end(&r, m->f->C_OpenSession(slot, flags, NULL, NULL, s));
}

CK_RV
p11_CloseSession(struct p11_module *m, CK_SESSION_HANDLE s)
{
	struct run r = begin(m, CALL_CloseSession);

	return end(&r, m->f->C_CloseSession(s));
}

CK_RV
p11_CloseAllSessions(struct p11_module *m, CK_SLOT_ID slot)
{
	struct run r = begin(m, CALL_CloseAllSessions);

	return end(&r, m->f->C_CloseAllSessions(slot));
}

CK_RV
p11_GetSessionInfo(
    struct p11_module *m, CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	struct run r = begin(m, CALL_GetSessionInfo);

	return end(&r, m->f->C_GetSessionInfo(s, info));
}

CK_RV
p11_Login(struct p11_module *m, CK_SESSION_HANDLE s, CK_USER_TYPE user,
    const unsigned char *pin, size_t pin_len)
{
	struct run r = begin_pin(m, CALL_Login, pin);

	return end(&r, m->f->C_Login(s, user, bytes(pin), pin_len));
}

CK_RV
p11_Logout(struct p11_module *m, CK_SESSION_HANDLE s)
{
	struct run r = begin(m, CALL_Logout);

	return end(&r, m->f->C_Logout(s));
}

CK_RV
p11_FindObjectsInit(struct p11_module *m, CK_SESSION_HANDLE s,
    const CK_ATTRIBUTE *match, CK_ULONG n)
{
	struct run r = begin(m, CALL_FindObjectsInit);

	return end(&r, m->f->C_FindObjectsInit(s, attributes(match), n));
}

CK_RV
p11_FindObjects(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *n)
{
	struct run r = begin(m, CALL_FindObjects);

	return end(&r, m->f->C_FindObjects(s, out, max, n));
}

CK_RV
p11_FindObjectsFinal(struct p11_module *m, CK_SESSION_HANDLE s)
{
	struct run r = begin(m, CALL_FindObjectsFinal);

	return end(&r, m->f->C_FindObjectsFinal(s));
}

CK_RV
p11_GetAttributeValue(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a, CK_ULONG n)
{
	struct run r = begin(m, CALL_GetAttributeValue);

	return end(&r, m->f->C_GetAttributeValue(s, o, a, n));
}

CK_RV
p11_SetAttributeValue(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_OBJECT_HANDLE o, const CK_ATTRIBUTE *a, CK_ULONG n)
{
	struct run r = begin(m, CALL_SetAttributeValue);

	return end(&r, m->f->C_SetAttributeValue(s, o, attributes(a), n));
}

CK_RV
p11_CreateObject(struct p11_module *m, CK_SESSION_HANDLE s,
    const CK_ATTRIBUTE *a, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	struct run r = begin(m, CALL_CreateObject);

	return end(&r, m->f->C_CreateObject(s, attributes(a), n, o));
}

CK_RV
p11_DestroyObject(struct p11_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o)
{
	struct run r = begin(m, CALL_DestroyObject);

	return end(&r, m->f->C_DestroyObject(s, o));
}

CK_RV
p11_GenerateKeyPair(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_MECHANISM *mech, const CK_ATTRIBUTE *pub, CK_ULONG n_pub,
    const CK_ATTRIBUTE *priv, CK_ULONG n_priv, CK_OBJECT_HANDLE *pub_out,
    CK_OBJECT_HANDLE *priv_out)
{
	struct run r = begin(m, CALL_GenerateKeyPair);

	return end(&r,
	    m->f->C_GenerateKeyPair(s, mech, attributes(pub), n_pub,
		attributes(priv), n_priv, pub_out, priv_out));
}

CK_RV
p11_SignInit(struct p11_module *m, CK_SESSION_HANDLE s, CK_MECHANISM *mech,
    CK_OBJECT_HANDLE key)
{
	struct run r = begin(m, CALL_SignInit);

	return end(&r, m->f->C_SignInit(s, mech, key));
}

CK_RV
p11_Sign(struct p11_module *m, CK_SESSION_HANDLE s, const unsigned char *data,
    size_t len, unsigned char *sig, size_t *sig_len)
{
	struct run r = begin(m, CALL_Sign);
	CK_ULONG n = *sig_len;
	CK_RV rv;

	rv = end(&r, m->f->C_Sign(s, bytes(data), len, sig, &n));
	*sig_len = n;
	return rv;
}

CK_RV
p11_DecryptInit(struct p11_module *m, CK_SESSION_HANDLE s, CK_MECHANISM *mech,
    CK_OBJECT_HANDLE key)
{
	struct run r = begin(m, CALL_DecryptInit);

	return end(&r, m->f->C_DecryptInit(s, mech, key));
}

CK_RV
p11_Decrypt(struct p11_module *m, CK_SESSION_HANDLE s,
    const unsigned char *data, size_t len, unsigned char *out, size_t *out_len)
{
	struct run r = begin(m, CALL_Decrypt);
	CK_ULONG n = *out_len;
	CK_RV rv;

	rv = end(&r, m->f->C_Decrypt(s, bytes(data), len, out, &n));
	*out_len = n;
	return rv;
}

CK_RV
p11_DeriveKey(struct p11_module *m, CK_SESSION_HANDLE s, CK_MECHANISM *mech,
    CK_OBJECT_HANDLE key, const CK_ATTRIBUTE *a, CK_ULONG n,
    CK_OBJECT_HANDLE *out)
{
	struct run r = begin(m, CALL_DeriveKey);

	return end(&r, m->f->C_DeriveKey(s, mech, key, attributes(a), n, out));
}
