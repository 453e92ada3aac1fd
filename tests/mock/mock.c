/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A PKCS#11 module for tests, with keys in software: general functions,
 * slots and the list of functions. What goes wrong is wrap.c's business.
 */

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "mock.h"

const struct conf *mock_conf;
OSSL_LIB_CTX *mock_libctx; /* our own: the host's stays as it is */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int initialized;

void
target_configure(const struct conf *c)
{
	mock_conf = c;
}

void
target_enter(void)
{
	(void)pthread_mutex_lock(&lock);
	ERR_set_mark();
	if (initialized && !store_lock(1))
		perror("lock");
}

void
target_leave(void)
{
	if (initialized && !store_lock(0))
		perror("unlock");
	ERR_pop_to_mark();
	(void)pthread_mutex_unlock(&lock);
}

/* Fixed width, filled up with blanks, no NUL. */
static void
pad(unsigned char *dst, size_t size, const char *text)
{
	size_t n = strlen(text);

	memset(dst, ' ', size);
	memcpy(dst, text, n < size ? n : size);
}

static CK_RV
mock_Initialize(void *args)
{
	(void)args;
	if (initialized)
		return CKR_CRYPTOKI_ALREADY_INITIALIZED;
	if ((mock_libctx = OSSL_LIB_CTX_new()) == NULL)
		return CKR_HOST_MEMORY;
	if (!store_open()) {
		store_close();
		OSSL_LIB_CTX_free(mock_libctx);
		mock_libctx = NULL;
		return CKR_DEVICE_ERROR;
	}
	initialized = 1;
	return CKR_OK;
}

static CK_RV
mock_Finalize(void *reserved)
{
	if (reserved != NULL)
		return CKR_ARGUMENTS_BAD;
	if (!initialized)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	session_close_all();
	store_close();
	OSSL_LIB_CTX_free(mock_libctx);
	mock_libctx = NULL;
	initialized = 0;
	return CKR_OK;
}

static CK_RV
mock_GetInfo(CK_INFO *info)
{
	memset(info, 0, sizeof(*info));
	info->cryptokiVersion.major = 2;
	info->cryptokiVersion.minor = 40;
	pad(info->manufacturerID, 32, mock_conf->library);
	pad(info->libraryDescription, 32, "burin mock module");
	return CKR_OK;
}

/* Every slot holds a token. */
static CK_RV
mock_GetSlotList(unsigned char present, CK_SLOT_ID *list, CK_ULONG *n)
{
	CK_SLOT_ID i;

	(void)present;
	if (!initialized)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (list != NULL) {
		if (*n < mock_conf->slots) {
			*n = mock_conf->slots;
			return CKR_BUFFER_TOO_SMALL;
		}
		for (i = 0; i < mock_conf->slots; i++)
			list[i] = i;
	}
	*n = mock_conf->slots;
	return CKR_OK;
}

static CK_RV
mock_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	char name[32];

	if (slot >= mock_conf->slots)
		return CKR_SLOT_ID_INVALID;
	memset(info, 0, sizeof(*info));
	(void)snprintf(name, sizeof(name), "mock slot %lu", slot);
	pad(info->slotDescription, 64, name);
	pad(info->manufacturerID, 32, "burin tests");
	info->flags = CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE;
	return CKR_OK;
}

/* The three flags of one PIN, unless this token keeps silent. */
static CK_FLAGS
pin_flags(unsigned long wrong, CK_FLAGS low, CK_FLAGS last, CK_FLAGS locked)
{
	unsigned long limit = mock_conf->tries;
	CK_FLAGS flags = 0;

	if (mock_conf->silent || wrong == 0)
		return 0;
	flags |= low;
	if (limit != 0 && wrong + 1 == limit)
		flags |= last;
	if (limit != 0 && wrong >= limit)
		flags |= locked;
	return flags;
}

static CK_RV
mock_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct token t;

	if (slot >= mock_conf->slots || !store_token(slot, &t))
		return CKR_SLOT_ID_INVALID;
	memset(info, 0, sizeof(*info));
	pad(info->label, 32, t.label);
	pad(info->serialNumber, 16, t.serial);
	pad(info->model, 16, mock_conf->model);
	pad(info->manufacturerID, 32, mock_conf->manufacturer);
	info->flags = CKF_RNG | CKF_LOGIN_REQUIRED;
	if (t.initialized)
		info->flags |= CKF_TOKEN_INITIALIZED;
	if (t.user_pin_set)
		info->flags |= CKF_USER_PIN_INITIALIZED;
	info->flags |= pin_flags(t.wrong, CKF_USER_PIN_COUNT_LOW,
	    CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED);
	info->flags |= pin_flags(t.so_wrong, CKF_SO_PIN_COUNT_LOW,
	    CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
	info->ulMaxSessionCount = info->ulMaxRwSessionCount =
	    mock_conf->max_sessions;
	info->ulSessionCount = session_count(slot, 0);
	info->ulRwSessionCount = session_count(slot, 1);
	info->ulMinPinLen = 4;
	info->ulMaxPinLen = MAX_WORD - 1;
	info->ulTotalPublicMemory = info->ulFreePublicMemory =
	    info->ulTotalPrivateMemory = info->ulFreePrivateMemory =
		CK_UNAVAILABLE_INFORMATION;
	return CKR_OK;
}

static const struct {
	CK_MECHANISM_TYPE type;
	CK_MECHANISM_INFO info;
} mechanisms[] = {
	{ CKM_RSA_PKCS_KEY_PAIR_GEN, { 2048, 4096, CKF_GENERATE_KEY_PAIR } },
	{ CKM_RSA_PKCS, { 2048, 4096, CKF_SIGN | CKF_DECRYPT } },
	{ CKM_RSA_X_509, { 2048, 4096, CKF_SIGN | CKF_DECRYPT } },
	{ CKM_RSA_PKCS_PSS, { 2048, 4096, CKF_SIGN } },
	{ CKM_RSA_PKCS_OAEP, { 2048, 4096, CKF_DECRYPT } },
	{ CKM_EC_KEY_PAIR_GEN,
	    { 256, 521,
		CKF_GENERATE_KEY_PAIR | CKF_EC_F_P | CKF_EC_NAMEDCURVE } },
	{ CKM_ECDSA, { 256, 521, CKF_SIGN } },
	{ CKM_ECDH1_DERIVE, { 256, 521, CKF_DERIVE } },
};

#define N_MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

static CK_RV
mock_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *n)
{
	CK_ULONG i, room = *n;

	if (slot >= mock_conf->slots)
		return CKR_SLOT_ID_INVALID;
	*n = N_MECHANISMS;
	if (list == NULL)
		return CKR_OK;
	if (room < N_MECHANISMS)
		return CKR_BUFFER_TOO_SMALL;
	for (i = 0; i < N_MECHANISMS; i++)
		list[i] = mechanisms[i].type;
	return CKR_OK;
}

static CK_RV
mock_GetMechanismInfo(
    CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	size_t i;

	if (slot >= mock_conf->slots)
		return CKR_SLOT_ID_INVALID;
	for (i = 0; i < N_MECHANISMS; i++)
		if (mechanisms[i].type == type) {
			*info = mechanisms[i].info;
			return CKR_OK;
		}
	return CKR_MECHANISM_INVALID;
}

static CK_RV
mock_GenerateRandom(CK_SESSION_HANDLE h, unsigned char *out, CK_ULONG n)
{
	if (session_of(h) == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	return RAND_bytes_ex(mock_libctx, out, n, 0) == 1 ? CKR_OK
							  : CKR_DEVICE_ERROR;
}

/*
 * In place of every function that is not here. Its arguments are ignored,
 * which the calling conventions of our systems allow.
 */
static CK_RV
absent(void)
{
	return CKR_FUNCTION_NOT_SUPPORTED;
}

CK_FUNCTION_LIST *
target_functions(void)
{
	static CK_FUNCTION_LIST list;
	CK_RV (*fill[sizeof(list) / sizeof(void *)])(void);
	size_t i;

	_Static_assert(
	    sizeof(fill) == sizeof(list), "it is pointers and a version");
	for (i = 0; i < sizeof(fill) / sizeof(fill[0]); i++)
		fill[i] = absent;
	memcpy(&list, fill, sizeof(list));
	list.version.major = 2;
	list.version.minor = 40;
#define SET(f) list.C_##f = mock_##f
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
	SET(GenerateRandom);
#undef SET
	return &list;
}
