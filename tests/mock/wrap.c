/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every call of the module passes here: counted, written down, killed, hung,
 * crashed, failed, its token removed, its PIN typed on a pad, as BURIN_MOCK
 * says.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wrap.h"

#define N_FUNCTIONS (sizeof(CK_FUNCTION_LIST) / sizeof(void *))
#define INDEX(f) (offsetof(CK_FUNCTION_LIST, f) / sizeof(void *))
#define MAX_SLOTS 256
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* PKCS#11 gives a module no context of its own. */
static struct conf conf;
static CK_FUNCTION_LIST *real;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long total, of[N_FUNCTIONS];
static int calls_fd = -1, started;

struct call {
	const char *name;
	unsigned long n; /* the number of the call, of all functions */
};

static int
is_one_of(const char *name, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return 0;
}

static int
removed(unsigned long n)
{
	if (conf.present_file[0] == '\0')
		return conf.remove_at != 0 && n >= conf.remove_at;
	if (conf.remove_at == n)
		(void)unlink(conf.present_file);
	return access(conf.present_file, F_OK) != 0;
}

/* A token that comes back knows of no session. */
static void
end_sessions(void)
{
	CK_SLOT_ID slots[MAX_SLOTS];
	CK_ULONG i, n = MAX_SLOTS;

	if (real->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
		return;
	for (i = 0; i < n; i++)
		(void)real->C_CloseAllSessions(slots[i]);
}

static CK_RV without_token(const char *name);

static CK_RV
as_present(const struct call *c)
{
	static int gone;

	if (!removed(c->n)) {
		gone = 0;
		return CKR_OK;
	}
	if (!gone && conf.present_file[0] != '\0')
		end_sessions();
	gone = 1;
	return without_token(c->name);
}

/* What a module answers when the token is no longer there. */
static CK_RV
without_token(const char *name)
{
	static const char *const fine[] = { "C_Initialize", "C_Finalize",
		"C_GetInfo", "C_GetSlotList", "C_GetSlotInfo" };
	static const char *const absent[] = { "C_GetTokenInfo",
		"C_GetMechanismList", "C_GetMechanismInfo", "C_InitToken",
		"C_OpenSession" };

	if (is_one_of(name, fine, COUNT(fine)))
		return CKR_OK;
	if (is_one_of(name, absent, COUNT(absent)))
		return CKR_TOKEN_NOT_PRESENT;
	return conf.removed;
}

static const struct fault *
match(const struct fault *list, size_t n, const char *name, unsigned long nth)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i].function, name) == 0 &&
		    (list[i].nth == 0 || list[i].nth == nth))
			return &list[i];
	return NULL;
}

/* A link to a token is slow: as much for every call. */
static void
delay(void)
{
	struct timespec t = { .tv_sec = (time_t)(conf.delay / 1000),
		.tv_nsec = (long)(conf.delay % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static void
hang(void)
{
	for (;;)
		(void)pause();
}

/* CKR_OK: go on, and call leave when done. */
static CK_RV
enter(struct call *c, size_t index, const char *name)
{
	const struct fault *f;
	unsigned long nth;

	(void)pthread_mutex_lock(&lock);
	c->name = name;
	c->n = ++total;
	nth = ++of[index];
	(void)pthread_mutex_unlock(&lock);
	if (!started)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (conf.kill == c->n)
		(void)raise(SIGKILL);
	if (conf.delay != 0)
		delay();
	if (conf.kill_parent == c->n) {
		(void)kill(getppid(), SIGKILL);
		hang();
	}
	if (match(conf.hang, conf.n_hang, name, nth) != NULL)
		hang();
	if (match(conf.crash, conf.n_crash, name, nth) != NULL)
		(void)raise(SIGSEGV);
	if ((f = match(conf.fail, conf.n_fail, name, nth)) != NULL)
		return f->rv;
	return as_present(c);
}

static CK_RV
leave(const struct call *c, CK_RV rv)
{
	char line[160], buf[MAX_WORD];
	int n;

	if (calls_fd != -1) {
		n = snprintf(
		    line, sizeof(line), "%s %s\n", c->name, ckr_name(rv, buf));
		if (n > 0 && write(calls_fd, line, (size_t)n) != n)
			perror("calls_file");
	}
	if (conf.kill_after == c->n)
		(void)raise(SIGKILL);
	return rv;
}

static void
stop(void)
{
	if (calls_fd != -1)
		(void)close(calls_fd);
	calls_fd = -1;
	started = 0;
}

static CK_RV
start(void)
{
	if (!conf_read(&conf))
		return CKR_GENERAL_ERROR;
	total = 0;
	memset(of, 0, sizeof(of));
	if (conf.calls_file[0] != '\0') {
		calls_fd = open(conf.calls_file,
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (calls_fd == -1) {
			perror(conf.calls_file);
			return CKR_GENERAL_ERROR;
		}
	}
	target_configure(&conf);
	started = 1;
	return CKR_OK;
}

/* The call, when neither a fault nor before (a CK_RV) forbids it. */
#define DO(f, before, args)                      \
	do {                                     \
		rv = enter(&call, INDEX(f), #f); \
		if (rv == CKR_OK)                \
			rv = (before);           \
		if (rv == CKR_OK) {              \
			target_enter();          \
			rv = real->f args;       \
			target_leave();          \
		}                                \
	} while (0)

static CK_RV
wrap_Initialize(void *args)
{
	struct call call;
	int first = !started;
	CK_RV rv;

	if (first && (rv = start()) != CKR_OK)
		return rv;
	DO(C_Initialize, CKR_OK, (args));
	rv = leave(&call, rv);
	if (first && rv != CKR_OK)
		stop();
	return rv;
}

static CK_RV
wrap_Finalize(void *reserved)
{
	struct call call;
	CK_RV rv;

	DO(C_Finalize, CKR_OK, (reserved));
	rv = leave(&call, rv);
	if (rv == CKR_OK)
		stop();
	return rv;
}

static CK_RV
wrap_GetSlotList(unsigned char present, CK_SLOT_ID *list, CK_ULONG *n)
{
	struct call call;
	CK_RV rv;

	DO(C_GetSlotList, CKR_OK, (present, list, n));
	if (rv == CKR_OK && present && removed(call.n))
		*n = 0;
	return leave(&call, rv);
}

static CK_RV
wrap_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	struct call call;
	CK_RV rv;

	DO(C_GetSlotInfo, CKR_OK, (slot, info));
	if (rv == CKR_OK && removed(call.n))
		info->flags &= ~CKF_TOKEN_PRESENT;
	return leave(&call, rv);
}

static CK_RV
wrap_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct call call;
	CK_RV rv;

	DO(C_GetTokenInfo, CKR_OK, (slot, info));
	if (rv == CKR_OK && conf.pad != PAD_NONE)
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	return leave(&call, rv);
}

/* What is typed on the pad instead of *pin, which must be NULL then. */
static CK_RV
type_pin(unsigned char **pin, CK_ULONG *len, int so)
{
	static char user[MAX_WORD], officer[MAX_WORD], wrong[] = "wrong-pin";
	char *typed = so ? officer : user;

	if (conf.pad == PAD_NONE)
		return CKR_OK;
	if (*pin != NULL)
		return CKR_ARGUMENTS_BAD;
	if (conf.pad == PAD_CANCEL)
		return CKR_FUNCTION_CANCELED;
	memcpy(user, conf.pin, sizeof(user));
	memcpy(officer, conf.so_pin, sizeof(officer));
	if (conf.pad == PAD_WRONG)
		typed = wrong;
	*pin = (unsigned char *)typed;
	*len = strlen(typed);
	return CKR_OK;
}

static CK_RV
wrap_Login(
    CK_SESSION_HANDLE s, CK_USER_TYPE who, unsigned char *pin, CK_ULONG len)
{
	struct call call;
	CK_RV rv;

	DO(C_Login, type_pin(&pin, &len, who == CKU_SO), (s, who, pin, len));
	return leave(&call, rv);
}

static CK_RV
wrap_InitToken(
    CK_SLOT_ID slot, unsigned char *pin, CK_ULONG len, unsigned char *label)
{
	struct call call;
	CK_RV rv;

	DO(C_InitToken, type_pin(&pin, &len, 1), (slot, pin, len, label));
	return leave(&call, rv);
}

/* As the SO the present one is the SO PIN; the new one is new_pin=. */
static CK_RV
type_both(CK_SESSION_HANDLE s, unsigned char **pin, CK_ULONG *len,
    unsigned char **new_pin, CK_ULONG *new_len)
{
	static char typed[MAX_WORD];
	CK_SESSION_INFO info;
	CK_RV rv;

	memset(&info, 0, sizeof(info));
	if (conf.pad != PAD_NONE && *new_pin != NULL)
		return CKR_ARGUMENTS_BAD;
	(void)real->C_GetSessionInfo(s, &info);
	rv = type_pin(pin, len, info.state == CKS_RW_SO_FUNCTIONS);
	if (rv != CKR_OK || conf.pad == PAD_NONE)
		return rv;
	memcpy(typed, conf.new_pin, sizeof(typed));
	*new_pin = (unsigned char *)typed;
	*new_len = strlen(typed);
	return CKR_OK;
}

static CK_RV
wrap_SetPIN(CK_SESSION_HANDLE s, unsigned char *pin, CK_ULONG len,
    unsigned char *new_pin, CK_ULONG new_len)
{
	struct call call;
	CK_RV rv;

	DO(C_SetPIN, type_both(s, &pin, &len, &new_pin, &new_len),
	    (s, pin, len, new_pin, new_len));
	return leave(&call, rv);
}

static CK_RV
wrap_InitPIN(CK_SESSION_HANDLE s, unsigned char *pin, CK_ULONG len)
{
	struct call call;
	CK_RV rv;

	DO(C_InitPIN, type_pin(&pin, &len, 0), (s, pin, len));
	return leave(&call, rv);
}

/* CKR_OK unless one of the attributes is to be refused. */
static CK_RV
check_template(const CK_ATTRIBUTE *a, CK_ULONG n)
{
	CK_ULONG i;
	size_t j;

	for (i = 0; i < n; i++)
		for (j = 0; j < conf.n_refused; j++)
			if (a[i].type == conf.refused[j])
				return CKR_ATTRIBUTE_TYPE_INVALID;
	return CKR_OK;
}

static CK_RV
wrap_CreateObject(
    CK_SESSION_HANDLE s, CK_ATTRIBUTE *a, CK_ULONG n, CK_OBJECT_HANDLE *out)
{
	struct call call;
	CK_RV rv;

	DO(C_CreateObject, check_template(a, n), (s, a, n, out));
	return leave(&call, rv);
}

static CK_RV
wrap_GenerateKeyPair(CK_SESSION_HANDLE s, CK_MECHANISM *mech, CK_ATTRIBUTE *pub,
    CK_ULONG n_pub, CK_ATTRIBUTE *priv, CK_ULONG n_priv,
    CK_OBJECT_HANDLE *pub_out, CK_OBJECT_HANDLE *priv_out)
{
	struct call call;
	CK_RV rv;

	DO(C_GenerateKeyPair,
	    check_template(pub, n_pub) | check_template(priv, n_priv)
		? CKR_ATTRIBUTE_TYPE_INVALID
		: CKR_OK,
	    (s, mech, pub, n_pub, priv, n_priv, pub_out, priv_out));
	return leave(&call, rv);
}

/* The rest: nothing but the count and the faults. */
#define PLAIN(f, params, args)           \
	static CK_RV wrap_##f params     \
	{                                \
		struct call call;        \
		CK_RV rv;                \
                                         \
		DO(C_##f, CKR_OK, args); \
		return leave(&call, rv); \
	}

PLAIN(GetInfo, (CK_INFO * a), (a))
PLAIN(GetMechanismList, (CK_SLOT_ID a, CK_MECHANISM_TYPE *b, CK_ULONG *c),
    (a, b, c))
PLAIN(GetMechanismInfo,
    (CK_SLOT_ID a, CK_MECHANISM_TYPE b, CK_MECHANISM_INFO *c), (a, b, c))
PLAIN(OpenSession,
    (CK_SLOT_ID a, CK_FLAGS b, void *c, CK_NOTIFY d, CK_SESSION_HANDLE *e),
    (a, b, c, d, e))
PLAIN(CloseSession, (CK_SESSION_HANDLE a), (a))
PLAIN(CloseAllSessions, (CK_SLOT_ID a), (a))
PLAIN(GetSessionInfo, (CK_SESSION_HANDLE a, CK_SESSION_INFO *b), (a, b))
PLAIN(Logout, (CK_SESSION_HANDLE a), (a))
PLAIN(DestroyObject, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b), (a, b))
PLAIN(GetAttributeValue,
    (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE *c, CK_ULONG d),
    (a, b, c, d))
PLAIN(SetAttributeValue,
    (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE *c, CK_ULONG d),
    (a, b, c, d))
PLAIN(FindObjectsInit, (CK_SESSION_HANDLE a, CK_ATTRIBUTE *b, CK_ULONG c),
    (a, b, c))
PLAIN(FindObjects,
    (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE *b, CK_ULONG c, CK_ULONG *d),
    (a, b, c, d))
PLAIN(FindObjectsFinal, (CK_SESSION_HANDLE a), (a))
PLAIN(SignInit, (CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_OBJECT_HANDLE c),
    (a, b, c))
PLAIN(Sign,
    (CK_SESSION_HANDLE a, unsigned char *b, CK_ULONG c, unsigned char *d,
	CK_ULONG *e),
    (a, b, c, d, e))
PLAIN(DecryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_OBJECT_HANDLE c),
    (a, b, c))
PLAIN(Decrypt,
    (CK_SESSION_HANDLE a, unsigned char *b, CK_ULONG c, unsigned char *d,
	CK_ULONG *e),
    (a, b, c, d, e))
PLAIN(DeriveKey,
    (CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_OBJECT_HANDLE c, CK_ATTRIBUTE *d,
	CK_ULONG e, CK_OBJECT_HANDLE *f),
    (a, b, c, d, e, f))

/* What a library does when it is closed, or the process ends. */
__attribute__((destructor)) static void
unload(void)
{
	if (conf.unload == UNLOAD_HANG)
		hang();
	if (conf.unload == UNLOAD_CRASH)
		(void)raise(SIGSEGV);
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	static CK_FUNCTION_LIST wrapped;

	if (list == NULL)
		return CKR_ARGUMENTS_BAD;
	(void)pthread_mutex_lock(&lock);
	if (real == NULL && (real = target_functions()) != NULL) {
		wrapped = *real;
		wrapped.C_GetFunctionList = C_GetFunctionList;
#define SET(f) wrapped.C_##f = wrap_##f
		SET(Initialize);
		SET(Finalize);
		SET(GetInfo);
		SET(GetSlotList);
		SET(GetSlotInfo);
		SET(GetTokenInfo);
		SET(GetMechanismList);
		SET(GetMechanismInfo);
		SET(InitToken);
		SET(InitPIN);
		SET(SetPIN);
		SET(OpenSession);
		SET(CloseSession);
		SET(CloseAllSessions);
		SET(GetSessionInfo);
		SET(Login);
		SET(Logout);
		SET(CreateObject);
		SET(DestroyObject);
		SET(GetAttributeValue);
		SET(SetAttributeValue);
		SET(FindObjectsInit);
		SET(FindObjects);
		SET(FindObjectsFinal);
		SET(SignInit);
		SET(Sign);
		SET(DecryptInit);
		SET(Decrypt);
		SET(DeriveKey);
		SET(GenerateKeyPair);
#undef SET
	}
	(void)pthread_mutex_unlock(&lock);
	*list = real != NULL ? &wrapped : NULL;
	return real != NULL ? CKR_OK : CKR_GENERAL_ERROR;
}
