/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the mock module: tokens and objects in files, sessions in memory.
 * Every function runs between target_enter and target_leave: one thread of
 * one process at a time.
 */

#ifndef MOCK_MOCK_H
#define MOCK_MOCK_H

#include <openssl/evp.h>

#include "wrap.h"

#define MAX_SESSIONS 1024
#define MAX_OBJECTS 8192
#define MAX_ATTRIBUTES 48
#define MAX_VALUE 65536 /* bytes of one attribute */

/* The private key itself (PKCS#8): never given to anybody. */
#define CKA_MOCK_PKCS8 (CKA_VENDOR_DEFINED | 0x42UL)
/* Handles of session objects have this bit. */
#define IN_MEMORY 0x40000000UL

struct token {
	int initialized, user_pin_set;
	char label[33], serial[17];
	char pin[MAX_WORD], so_pin[MAX_WORD];
	unsigned long wrong, so_wrong; /* since the last right one */
	unsigned long next;	       /* handle of the next object */
};

struct object {
	CK_OBJECT_HANDLE handle;
	CK_ULONG n;
	CK_ATTRIBUTE a[MAX_ATTRIBUTES]; /* values from malloc */
};

enum user {
	NOBODY,
	USER,
	OFFICER
};

struct session {
	int used;
	CK_SLOT_ID slot;
	int rw;
	/* C_FindObjects */
	int finding;
	CK_OBJECT_HANDLE *found;
	size_t n_found, next;
	/* C_Sign, C_Decrypt: 0 or the function under way */
	enum {
		IDLE,
		SIGNING,
		DECRYPTING
	} op;
	CK_OBJECT_HANDLE key;
	CK_MECHANISM mech;
	union {
		CK_RSA_PKCS_PSS_PARAMS pss;
		CK_RSA_PKCS_OAEP_PARAMS oaep;
	} params;
	int always, confirmed; /* ALWAYS_AUTHENTICATE, and its login */
};

/* --- mock.c ------------------------------------------------------------ */

extern const struct conf *mock_conf;
extern OSSL_LIB_CTX *mock_libctx;

/* --- store.c: files in conf.dir ---------------------------------------- */

int store_open(void);	/* makes what is not there; 1 or 0 */
void store_close(void); /* forgets the session objects */
int store_lock(int on);
int store_token(CK_SLOT_ID slot, struct token *t);
int store_token_save(CK_SLOT_ID slot, const struct token *t);

/* Free with object_free. 1, or 0: there is none. */
int store_load(CK_SLOT_ID slot, CK_OBJECT_HANDLE h, struct object *o);
/* A new object gets its handle here; session objects stay in memory. */
int store_save(CK_SLOT_ID slot, struct object *o);
/* The same into a file, whatever its CKA_TOKEN says. */
int store_save_file(CK_SLOT_ID slot, struct object *o);
void store_remove(CK_SLOT_ID slot, CK_OBJECT_HANDLE h);
/* All handles of the slot, sorted, as many as there is room for. */
size_t store_list(CK_SLOT_ID slot, CK_OBJECT_HANDLE *list, size_t max);

/* --- object.c ---------------------------------------------------------- */

void object_free(struct object *o);
const CK_ATTRIBUTE *object_get(const struct object *o, CK_ATTRIBUTE_TYPE type);
CK_ULONG object_ulong(
    const struct object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);
int object_bool(const struct object *o, CK_ATTRIBUTE_TYPE type, int otherwise);
/* Sets or replaces; 1 or 0. */
int object_set(
    struct object *o, CK_ATTRIBUTE_TYPE type, const void *value, size_t len);
int object_set_bool(struct object *o, CK_ATTRIBUTE_TYPE type, int value);
int object_set_ulong(struct object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG value);
int object_fill(struct object *o, const CK_ATTRIBUTE *a, CK_ULONG n);

/* Loads h when the session may see it. */
CK_RV
object_find(const struct session *s, CK_OBJECT_HANDLE h, struct object *o);
/* Whether the session may make o: read-write, logged in. */
CK_RV object_may_write(const struct session *s, const struct object *o);

CK_RV mock_CreateObject(
    CK_SESSION_HANDLE, CK_ATTRIBUTE *, CK_ULONG, CK_OBJECT_HANDLE *);
CK_RV mock_DestroyObject(CK_SESSION_HANDLE, CK_OBJECT_HANDLE);
CK_RV mock_GetAttributeValue(
    CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE *, CK_ULONG);
CK_RV mock_SetAttributeValue(
    CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE *, CK_ULONG);
CK_RV mock_FindObjectsInit(CK_SESSION_HANDLE, CK_ATTRIBUTE *, CK_ULONG);
CK_RV
mock_FindObjects(CK_SESSION_HANDLE, CK_OBJECT_HANDLE *, CK_ULONG, CK_ULONG *);
CK_RV mock_FindObjectsFinal(CK_SESSION_HANDLE);

/* --- family.c ---------------------------------------------------------- */

int family_officer_writes(void);
/* Before a write: who is logged in, and what a card refuses besides. */
CK_RV family_may_write(const struct session *s);
CK_RV family_may_generate(const struct session *s, const struct object *pub);
CK_RV family_may_create(const struct session *s, const struct object *o);
/* Gives o, new, the handle of what it replaces. */
void family_take_place(CK_SLOT_ID slot, struct object *o);
/* After it: 1 or 0. */
int family_created(CK_SLOT_ID slot, const struct object *cert);
int family_generated(CK_SLOT_ID slot, const struct object *pub, EVP_PKEY *key);
int family_keeps(const struct object *o);
int family_mute(const struct object *o, CK_ATTRIBUTE_TYPE type);

/* --- attest.c ---------------------------------------------------------- */

/* Attestations as they are for a session that is opened now; 1 or 0. */
int attest_show(CK_SLOT_ID slot);

/* --- session.c --------------------------------------------------------- */

struct session *session_of(CK_SESSION_HANDLE h); /* NULL: invalid */
enum user session_user(CK_SLOT_ID slot);
size_t session_count(CK_SLOT_ID slot, int rw_only);
void session_end_operation(struct session *s);
void session_close_all(void);

CK_RV
mock_OpenSession(CK_SLOT_ID, CK_FLAGS, void *, CK_NOTIFY, CK_SESSION_HANDLE *);
CK_RV mock_CloseSession(CK_SESSION_HANDLE);
CK_RV mock_CloseAllSessions(CK_SLOT_ID);
CK_RV mock_GetSessionInfo(CK_SESSION_HANDLE, CK_SESSION_INFO *);
CK_RV mock_Login(CK_SESSION_HANDLE, CK_USER_TYPE, unsigned char *, CK_ULONG);
CK_RV mock_Logout(CK_SESSION_HANDLE);
CK_RV mock_InitToken(CK_SLOT_ID, unsigned char *, CK_ULONG, unsigned char *);
CK_RV mock_InitPIN(CK_SESSION_HANDLE, unsigned char *, CK_ULONG);
CK_RV mock_SetPIN(
    CK_SESSION_HANDLE, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG);

/* --- keygen.c, crypto.c ------------------------------------------------ */

CK_RV mock_GenerateKeyPair(CK_SESSION_HANDLE, CK_MECHANISM *, CK_ATTRIBUTE *,
    CK_ULONG, CK_ATTRIBUTE *, CK_ULONG, CK_OBJECT_HANDLE *, CK_OBJECT_HANDLE *);
CK_RV mock_SignInit(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
CK_RV mock_Sign(
    CK_SESSION_HANDLE, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG *);
CK_RV mock_DecryptInit(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
CK_RV mock_Decrypt(
    CK_SESSION_HANDLE, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG *);
CK_RV mock_DeriveKey(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE,
    CK_ATTRIBUTE *, CK_ULONG, CK_OBJECT_HANDLE *);

#endif
