/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the token layer: modules, calls, sessions. Nothing outside pkcs11/
 * includes this file, and no other file touches a CK_FUNCTION_LIST.
 */

#ifndef BURIN_P11_H
#define BURIN_P11_H

#include <stddef.h>

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdatomic.h>

#include <openssl/evp.h>

#include <burin/token.h>

struct quirk;

/* Absent from p11-kit 0.24's pkcs11.h (PKCS#11 3.0 section 6.3). */
#ifndef CKM_EC_EDWARDS_KEY_PAIR_GEN
#define CKM_EC_EDWARDS_KEY_PAIR_GEN 0x1055UL
#endif
#ifndef CKM_EC_MONTGOMERY_KEY_PAIR_GEN
#define CKM_EC_MONTGOMERY_KEY_PAIR_GEN 0x1056UL
#endif
#ifndef CKM_EDDSA
#define CKM_EDDSA 0x1057UL
#endif
#ifndef CKK_EC_EDWARDS
#define CKK_EC_EDWARDS 0x40UL
#endif
#ifndef CKK_EC_MONTGOMERY
#define CKK_EC_MONTGOMERY 0x41UL
#endif

#define P11_N_CALLS 40 /* functions that call.c wraps, at most */

struct p11_module {
	struct burin_p11 *owner;
	CK_FUNCTION_LIST *f; /* call.c only */
	char *name;	     /* path, or registry name */
	char *init;	     /* what it was started with, or NULL */
	int initialized_by_us;
	int managed;		     /* from the registry: p11-kit finalizes */
	pthread_mutex_t lock;	     /* recursive; held for every operation */
	struct burin_token **tokens; /* NULL until asked */
	size_t n_tokens;
	int listed;
	unsigned n_mute; /* slots that did not say what they hold */
	CK_RV mute_rv;	 /* the answer of the last of them */
	/* wait.c */
	CK_RV silent_rv;  /* its slots cannot be listed now, CKR_OK: they can */
	long empty_since; /* no token for so long, milliseconds; 0: not so */
	int restarted;
	long slots_asked; /* p11_empty_slots: when */
	unsigned empty_slots;
	char rivals[160];
	int asked_library;
	char library[33]; /* CK_INFO.manufacturerID: quirk.c */
};

struct burin_p11 {
	struct p11_module **modules;
	size_t n_modules;
	CK_FUNCTION_LIST **registry; /* p11-kit's list, NULL if none */
	struct burin_login_policy policy;
	burin_log_fn log;
	void *log_arg;
	burin_watch_fn watch;
	void *watch_arg;
	struct burin_token **all; /* borrowed, for burin_tokens */
	size_t n_all;
	atomic_ulong calls[P11_N_CALLS]; /* names: call.c */
	atomic_ulong total, failed;
	struct p11_provider *_Atomic provider; /* provider.c, on demand */
};

#define P11_NO_SESSION CK_INVALID_HANDLE

#define P11_N_KEYGEN 4 /* mechanisms that make key pairs */

struct burin_token {
	struct p11_module *m;
	CK_SLOT_ID slot;
	CK_FLAGS flags;		      /* of CK_TOKEN_INFO */
	CK_ULONG max_sessions;	      /* 0: no limit known */
	struct burin_token_info info; /* points into the arrays below */
	char label[33], serial[17], model[17], manufacturer[33];
	char name[192];
	/*
	 * The anchor session holds the login and nothing else; operations
	 * run on the work session. A session on which a call failed is
	 * closed, never used again; the anchor keeps the login meanwhile.
	 */
	CK_SESSION_HANDLE anchor, work;
	CK_SESSION_HANDLE spent;   /* a work session before, still open */
	int logged_in;		   /* as the user */
	int login_ours;		   /* logged_in by our own C_Login */
	int relogin;		   /* the user is to be logged in again */
	int so;			   /* as the security officer, for a write */
	unsigned generation;	   /* grows when handles become invalid */
	const struct quirk *quirk; /* quirk.c; NULL until asked */
	/* What C_GetMechanismInfo said: keygen.c. */
	struct {
		int asked;
		CK_RV rv;
		CK_MECHANISM_INFO info;
	} keygen[P11_N_KEYGEN];
};

struct burin_key {
	atomic_int refs;
	struct burin_token *t;
	CK_OBJECT_HANDLE priv, pub; /* pub may be 0 */
	unsigned generation;	    /* t->generation of the handles */
	int alone;		    /* nothing else has id: p11_id_alone */
	enum burin_key_type type;
	unsigned usage;
	int always_auth;
	unsigned char id[BURIN_MAX_ID];
	size_t id_len;
	char label[BURIN_MAX_LABEL + 1];
	EVP_PKEY *public_key;
	EVP_PKEY *evp;		     /* provider key, made on demand */
	struct burin_error last;     /* of the last failed operation */
	struct p11_distant *distant; /* distant.c: then t is NULL */
};

/* --- ckr.c: return values in words ------------------------------------- */

const char *p11_ckr_name(CK_RV rv); /* "CKR_PIN_INCORRECT" */
/*
 * Fills e from a failed call: status, code, sentence and advice for a
 * helpdesk from one table, CKR name and function in the sentence. -1.
 */
int p11_fail(struct burin_error *e, const struct burin_token *t,
    const char *function, CK_RV rv);

/* --- call.c: one wrapper per C_ function ------------------------------- */
/*
 * Each counts, logs name, answer and time when asked to, keeps OpenSSL's
 * error queue clean (modules leave things there), and returns the module's
 * CK_RV unchanged; the caller decides what a CKR means. The module's lock
 * must be held (p11_lock).
 */
void p11_lock(struct p11_module *m);
void p11_unlock(struct p11_module *m);
/*
 * Tells who watches that modules are about to be loaded, or are: p11-kit
 * calls C_GetFunctionList, and whatever a library does when it is opened.
 */
void p11_watch_load(struct burin_p11 *p11, const char *module, int begins);

CK_RV p11_Initialize(struct p11_module *m, void *args);
CK_RV p11_Finalize(struct p11_module *m);
CK_RV p11_GetInfo(struct p11_module *m, CK_INFO *info);
CK_RV
p11_GetSlotInfo(struct p11_module *m, CK_SLOT_ID slot, CK_SLOT_INFO *info);
CK_RV p11_GetSlotList(
    struct p11_module *m, CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *n);
CK_RV
p11_GetTokenInfo(struct p11_module *m, CK_SLOT_ID slot, CK_TOKEN_INFO *info);
CK_RV p11_GetMechanismInfo(struct p11_module *m, CK_SLOT_ID slot,
    CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info);
CK_RV p11_GetMechanismList(struct p11_module *m, CK_SLOT_ID slot,
    CK_MECHANISM_TYPE *list, CK_ULONG *n);
CK_RV p11_InitToken(struct p11_module *m, CK_SLOT_ID slot,
    const unsigned char *pin, size_t pin_len, const char *label);
CK_RV p11_InitPIN(struct p11_module *m, CK_SESSION_HANDLE s,
    const unsigned char *pin, size_t pin_len);
CK_RV p11_SetPIN(struct p11_module *m, CK_SESSION_HANDLE s,
    const unsigned char *old_pin, size_t old_len, const unsigned char *new_pin,
    size_t new_len);
CK_RV p11_OpenSession(struct p11_module *m, CK_SLOT_ID slot, CK_FLAGS flags,
    CK_SESSION_HANDLE *s);
CK_RV p11_CloseSession(struct p11_module *m, CK_SESSION_HANDLE s);
CK_RV p11_CloseAllSessions(struct p11_module *m, CK_SLOT_ID slot);
CK_RV p11_GetSessionInfo(
    struct p11_module *m, CK_SESSION_HANDLE s, CK_SESSION_INFO *info);
CK_RV p11_Login(struct p11_module *m, CK_SESSION_HANDLE s, CK_USER_TYPE user,
    const unsigned char *pin, size_t pin_len); /* pin NULL: pad */
CK_RV p11_Logout(struct p11_module *m, CK_SESSION_HANDLE s);
CK_RV p11_FindObjectsInit(struct p11_module *m, CK_SESSION_HANDLE s,
    const CK_ATTRIBUTE *match, CK_ULONG n);
CK_RV p11_FindObjects(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *n);
CK_RV p11_FindObjectsFinal(struct p11_module *m, CK_SESSION_HANDLE s);
CK_RV p11_GetAttributeValue(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a, CK_ULONG n);
CK_RV p11_SetAttributeValue(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_OBJECT_HANDLE o, const CK_ATTRIBUTE *a, CK_ULONG n);
CK_RV p11_CreateObject(struct p11_module *m, CK_SESSION_HANDLE s,
    const CK_ATTRIBUTE *a, CK_ULONG n, CK_OBJECT_HANDLE *o);
CK_RV p11_DestroyObject(
    struct p11_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o);
CK_RV p11_GenerateKeyPair(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_MECHANISM *mech, const CK_ATTRIBUTE *pub, CK_ULONG n_pub,
    const CK_ATTRIBUTE *priv, CK_ULONG n_priv, CK_OBJECT_HANDLE *pub_out,
    CK_OBJECT_HANDLE *priv_out);
CK_RV p11_SignInit(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_MECHANISM *mech, CK_OBJECT_HANDLE key);
CK_RV p11_Sign(struct p11_module *m, CK_SESSION_HANDLE s,
    const unsigned char *data, size_t len, unsigned char *sig, size_t *sig_len);
CK_RV p11_DecryptInit(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_MECHANISM *mech, CK_OBJECT_HANDLE key);
CK_RV p11_Decrypt(struct p11_module *m, CK_SESSION_HANDLE s,
    const unsigned char *data, size_t len, unsigned char *out, size_t *out_len);
CK_RV p11_DeriveKey(struct p11_module *m, CK_SESSION_HANDLE s,
    CK_MECHANISM *mech, CK_OBJECT_HANDLE key, const CK_ATTRIBUTE *a, CK_ULONG n,
    CK_OBJECT_HANDLE *out);

/* --- module.c ---------------------------------------------------------- */

/* One line to the log of p11, when there is one. */
void p11_note(struct burin_p11 *p11, const char *fmt, ...) BURIN_PRINTF(2, 3);
/*
 * C_Finalize and C_Initialize. Its tokens must be forgotten before. Lock
 * held.
 */
void p11_module_restart(struct p11_module *m);

/* --- session.c --------------------------------------------------------- */

/* Opens the session that holds the login when there is none. Lock held. */
int p11_anchor_session(struct burin_token *t, struct burin_error *e);
/*
 * The work session (read-write), opened when there is none. Lock held. On a
 * token with one session only it is the anchor as well; dropping it then
 * ends the login, which comes back with the next work session.
 */
int p11_work_session(
    struct burin_token *t, CK_SESSION_HANDLE *s, struct burin_error *e);
/* After a failed call: closes the work session; a new one comes on demand. */
void p11_drop_work(struct burin_token *t);
/*
 * The work session, with the login that writing needs on this kind of token:
 * the user's, or the security officer's in its place. Ask before each write;
 * p11_write_done ends the latter at once, and the user is logged in again
 * when that is needed. A module that cannot write is refused. Lock held.
 */
int p11_write_session(
    struct burin_token *t, CK_SESSION_HANDLE *s, struct burin_error *e);
void p11_write_done(struct burin_token *t);
/*
 * A new work session: for reading back. The old one stays open, where the
 * token has room, until another is spent or all end: a call less.
 */
int p11_fresh_session(
    struct burin_token *t, CK_SESSION_HANDLE *s, struct burin_error *e);
/* Closes everything of t and counts a generation: handles are invalid. */
void p11_close_token(struct burin_token *t);
/*
 * To be told of every failed call on t (harmless for CKR_OK): when rv says
 * that sessions, object handles or the login are gone, forgets them and
 * counts a generation. Lock held.
 */
void p11_note_rv(struct burin_token *t, CK_RV rv);

/* --- login.c ----------------------------------------------------------- */

/*
 * The only function that calls C_Login, with the retry policy. who is USER,
 * SO or CONTEXT; s the session it is for. Lock held.
 */
int p11_login(struct burin_token *t, CK_SESSION_HANDLE s, enum burin_login who,
    struct burin_error *e);
/*
 * The two halves of p11_login, for a login that must come between two calls
 * of one operation: p11_login_pin before C_SignInit, so that no operation is
 * open while somebody types; p11_login_send after it. *pin is NULL for a
 * PIN pad; free with burin_secret_free.
 */
int p11_login_pin(struct burin_token *t, enum burin_login who,
    struct burin_secret **pin, struct burin_error *e);
int p11_login_send(struct burin_token *t, CK_SESSION_HANDLE s,
    enum burin_login who, const struct burin_secret *pin,
    struct burin_error *e);
/* Says that the PIN of who is to be typed on the reader. */
void p11_say_pad(struct burin_token *t, enum burin_login who);
/*
 * For other functions that have a PIN checked (C_InitToken): remembers that
 * it was right (1), or nothing (-1: neither right nor wrong); or that it was
 * wrong, with the tries left in e (-1). pin NULL: typed on a pad.
 */
int p11_login_told(struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, int right, struct burin_error *e);
int p11_login_wrong(struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, const char *function, CK_RV rv,
    struct burin_error *e);

/* --- pin.c ------------------------------------------------------------- */

/*
 * Before a change: the present PIN as p11_login_pin gives it and the new one,
 * which must differ. Both NULL on a pad. On failure nothing is left over.
 */
int p11_pin_pair(struct burin_token *t, enum burin_login who,
    enum burin_login new_who, struct burin_secret **old,
    struct burin_secret **new, struct burin_error *e);
/* A new PIN of who is set: flags and memory begin anew. pin NULL: a pad. */
int p11_pin_renewed(struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, struct burin_error *e);

/* --- token.c ----------------------------------------------------------- */

/*
 * Text from a token (or of a URI that is to match it): up to the first NUL,
 * without trailing blanks, bytes that are no printable UTF-8 replaced by '?',
 * cut to size.
 */
void p11_text(char *dst, size_t size, const unsigned char *src, size_t len);
/*
 * Asks m for its slots and tokens, or for the token in one slot, unless that
 * was done. Tokens that are known stay where they are. Lock held.
 */
int p11_list_tokens(
    struct p11_module *m, const CK_SLOT_ID *only, struct burin_error *e);
/* Frees the tokens of m, whose sessions are closed or finalized. Lock held. */
void p11_forget_tokens(struct p11_module *m);
/* Asks C_GetTokenInfo again and renews the flags of t. Lock held. */
int p11_token_reload(struct burin_token *t, struct burin_error *e);
/*
 * 0 when t is gone from its slot, asked anew: modules go on answering for a
 * token that is gone until they are asked for their slots. Lock held.
 */
int p11_token_is_there(struct burin_token *t);

/* --- wait.c ------------------------------------------------------------ */

/*
 * Fills empty_slots, those of m without a token as far as it lists them, and
 * rivals; asked again after some seconds only. Lock held.
 */
void p11_look_closer(struct p11_module *m);

/* --- rivals.c ---------------------------------------------------------- */

/*
 * Other processes that talk to pcscd, "scdaemon (process 123)", as many as
 * there is room for; "" when none can be seen.
 */
void p11_rivals(char *buf, size_t size);

/* --- find.c ------------------------------------------------------------ */

/*
 * Handles of all objects that match; *out is malloc'd, free() it. At most
 * max objects, more is an error naming the limit. Lock held.
 */
int p11_find(struct burin_token *t, CK_SESSION_HANDLE s,
    const CK_ATTRIBUTE *match, CK_ULONG n_match, size_t max,
    CK_OBJECT_HANDLE **out, size_t *n, struct burin_error *e);

/* --- pubkey.c ---------------------------------------------------------- */

/* Public values as read from an object; len 0: the token did not give it. */
struct p11_pubkey {
	CK_KEY_TYPE kt;
	const unsigned char *modulus, *exponent, *params, *point, *spki;
	size_t modulus_len, exponent_len, params_len, point_len, spki_len;
};
/*
 * A software public key, checked: curve known, point on it, EC_POINT raw or
 * DER, RSA exponent and size sane. NULL when the values do not say enough
 * (e not set) or are wrong (e set).
 */
EVP_PKEY *p11_pubkey_make(const struct p11_pubkey *p, struct burin_error *e);
/* SHA-1 of the public key bits (RFC 5280 section 4.2.1.2, method 1). */
int p11_pubkey_ski(const EVP_PKEY *pkey, unsigned char ski[20]);

/* --- op.c: the one primitive ------------------------------------------- */

enum p11_op {
	P11_SIGN,
	P11_DECRYPT,
	P11_DERIVE
};
/*
 * One operation with the private key, on the work session, under the lock,
 * with the context login when the key asks for it; finished or its session
 * closed. in is empty for P11_DERIVE. *out_len: room in, length out. Returns
 * the CK_RV; the error in words is kept in k->last.
 */
CK_RV p11_do(struct burin_key *k, enum p11_op op, CK_MECHANISM *mech,
    const unsigned char *in, size_t in_len, unsigned char *out,
    size_t *out_len);

/* --- distant.c: keys whose token is somewhere else --------------------- */

/* The lock of k->last and k->evp: its module's, or its own. */
void p11_key_lock(struct burin_key *k);
void p11_key_unlock(struct burin_key *k);
/* p11_do on a distant key. Lock held. */
CK_RV p11_distant_do(struct burin_key *k, CK_MECHANISM *mech, enum p11_op op,
    const unsigned char *in, size_t in_len, unsigned char *out,
    size_t *out_len);
/* Where the provider of k's EVP_PKEY is. */
struct p11_provider *_Atomic *p11_key_provider(struct burin_key *k);
/* With the key; accepts NULL. */
void p11_distant_free(struct p11_distant *d);

/* --- provider/provider.c ----------------------------------------------- */

/*
 * The EVP_PKEY over k, in a private library context that is made on demand:
 * one for all keys of p11, one for each distant key.
 */
EVP_PKEY *p11_provider_key(struct burin_key *k, struct burin_error *e);
/*
 * Before k goes: frees k->evp. References to it that others still hold keep
 * the public half only.
 */
void p11_provider_forget(struct burin_key *k);
/* After all its keys. */
void p11_provider_free(struct p11_provider *_Atomic *provider);

#endif
