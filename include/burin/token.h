/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens through PKCS#11 2.40: modules, tokens by RFC 7512 URI, one login
 * function with the retry policy, keys and certificates.
 *
 * One struct burin_p11 owns every module of the process. It makes its
 * children (tokens, keys) and must outlive them. A module is used by one
 * thread at a time: every call takes the module's own lock, so keys of one
 * burin_p11 may be used from several threads.
 *
 * Every function returns 0, or -1 with the error struct filled.
 */

#ifndef BURIN_TOKEN_H
#define BURIN_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <burin/error.h>
#include <burin/secret.h>
#include <burin/usage.h>

#ifdef __cplusplus
extern "C" {
#endif

struct burin_p11;
struct burin_token;
struct burin_key;

/* Limits on what a module may tell us; more is an error naming the limit. */
#define BURIN_MAX_SLOTS 4096	/* slots of one module */
#define BURIN_MAX_OBJECTS 65536 /* objects of one token */
#define BURIN_MAX_ID 255	/* bytes of CKA_ID */
#define BURIN_MAX_LABEL 255	/* bytes of CKA_LABEL */
#define BURIN_MAX_CERT 65536	/* bytes of one DER certificate */

/* --- modules ---------------------------------------------------------- */

/* A module by path; init is C_Initialize's pReserved string (NSS), or NULL. */
struct burin_module_spec {
	const char *path;
	const char *init;
};

/* Receives one line per PKCS#11 call, without secrets; called under lock. */
typedef void (*burin_log_fn)(void *arg, const char *line);

/*
 * A call of a module, told just before it is made and when it is back, for
 * somebody who looks after modules that hang. Called under lock, so that the
 * two of one module come in turn.
 */
struct burin_p11_event {
	const char *function; /* "C_Sign"; C_GetFunctionList: it is loaded */
	const char *module;   /* path or registry name */
	int begins;	      /* 1: about to be made; 0: it is back */
	int pad;	      /* a PIN is typed on the reader meanwhile */
	int touch;	      /* the token may be waiting for a touch */
};
typedef void (*burin_watch_fn)(void *arg, const struct burin_p11_event *ev);

struct burin_p11_config {
	const struct burin_module_spec *modules;
	size_t n_modules; /* 0: p11-kit's registry, remote ones too */
	burin_log_fn log; /* NULL: silent */
	void *log_arg;
	burin_watch_fn watch; /* NULL: nobody looks */
	void *watch_arg;
};

/*
 * Loads and initializes the modules. A module that fails to start is an
 * error when it was named, and is skipped with a log line when it came from
 * the registry. Call after the last fork. Strings of config are copied.
 */
int burin_p11_new(struct burin_p11 **out, const struct burin_p11_config *config,
    struct burin_error *e);
/*
 * Logs out, closes and finalizes what this process initialized, before any
 * exit handler may run. Every key of it must be freed before; tokens are
 * freed with it.
 */
void burin_p11_free(struct burin_p11 **p11);

/* PKCS#11 calls made so far, and those of them that did not return CKR_OK. */
struct burin_p11_calls {
	unsigned long total;
	unsigned long failed;
};
void burin_p11_calls(const struct burin_p11 *p11, struct burin_p11_calls *out);
/* Calls of one function by name ("C_Login"); 0 for unknown names. */
unsigned long burin_p11_calls_of(
    const struct burin_p11 *p11, const char *function);

/* --- tokens ----------------------------------------------------------- */

/* What a token says of itself; strings without their blank padding. */
struct burin_token_info {
	const char *label; /* "" on a blank token */
	const char *serial;
	const char *model;
	const char *manufacturer;
	const char *module; /* path or registry name */
	unsigned long slot; /* slot id */
	int initialized;    /* 0: blank */
	int pin_set;	    /* user PIN initialized */
	int pin_pad;	    /* PIN is typed on the reader */
	int login_required;
	int write_protected;
	int pin_count_low; /* a wrong PIN was given since */
	int pin_final_try; /* one try left */
	int pin_locked;
	int so_pin_count_low, so_pin_final_try, so_pin_locked;
	unsigned long pin_min, pin_max; /* bytes */
};

/*
 * All tokens present, of all modules: one C_GetSlotList per module, one
 * C_GetTokenInfo per slot, asked once and kept. *tokens is an array of *n
 * borrowed pointers, owned by p11, valid until burin_p11_refresh or free.
 */
int burin_tokens(struct burin_p11 *p11, struct burin_token *const **tokens,
    size_t *n, struct burin_error *e);
/* Forgets the list; the next use asks the modules again. Closes sessions. */
void burin_p11_refresh(struct burin_p11 *p11);
/*
 * For who waits for a token: burin_p11_refresh, and asks the modules at once,
 * one C_GetSlotList each. One that cannot say what it has (its service is
 * down) counts as one without tokens; one of a kind that does not notice
 * readers coming back is started again when it has shown nothing for some
 * seconds. Every key must be freed before. Call it no more than twice a
 * second.
 */
void burin_p11_look_again(struct burin_p11 *p11);

/*
 * The one token that name means: an RFC 7512 URI, or a bare word that is a
 * whole label or a whole serial number. Blank tokens match only a URI that
 * says so (slot-id, or an empty token attribute) or NULL name when
 * want_blank. None: BURIN_ETOKEN "token-missing" with a list of what is
 * there. More than one: BURIN_ETOKEN "token-ambiguous" and all of them named.
 * With slot-id only that slot is asked, unless it does not do. *out is borrowed
 * from p11.
 */
int burin_token_find(struct burin_p11 *p11, const char *name, int want_blank,
    struct burin_token **out, struct burin_error *e);

/* Valid as long as the token. */
const struct burin_token_info *burin_token_info(const struct burin_token *t);
/* "label 'r7' serial 349fc192aa04739c (SoftHSM v2)": for messages. */
const char *burin_token_name(const struct burin_token *t);
/*
 * The RFC 7512 URI of the token (model, manufacturer, serial, token), to be
 * freed with free(); NULL when out of memory.
 */
char *burin_token_uri(const struct burin_token *t);
/*
 * 1 when uri names this token by its own path attributes (any key attribute
 * in it is left aside), 0 when not or malformed. For code that remembered one.
 */
int burin_token_matches(const struct burin_token *t, const char *uri);
/*
 * The pin-source of an RFC 7512 URI in *out, to be freed with free(); NULL
 * when it has none or name is NULL or a bare word. A command ("|...") or a
 * pin-value is BURIN_EUSAGE, as it is wherever a URI is taken.
 */
int burin_uri_pin_source(const char *uri, char **out, struct burin_error *e);

/* --- kinds of tokens --------------------------------------------------- */

/*
 * What is known of the family of modules that t belongs to, from a table of
 * measured facts (docs/tokens.md); strings are static. May cost one
 * C_GetInfo, once for each module.
 */
const char *burin_token_family(struct burin_token *t);
/* Sentences on what it can do and what not, ended by NULL. */
const char *const *burin_token_remarks(struct burin_token *t);
/*
 * What its SO PIN is called: "SO PIN", or "management key"; known once the
 * family is, and in the callbacks of struct burin_login_policy.
 */
const char *burin_token_so_name(const struct burin_token *t);
/*
 * 0 when keys can be made and certificates be written through its module;
 * BURIN_EREFUSED "module-cannot-write" with the way out when not.
 */
int burin_token_check_write(struct burin_token *t, struct burin_error *e);

/* 1 when keys cannot be deleted there, only replaced. */
int burin_token_keeps_keys(struct burin_token *t);

/*
 * On some tokens a key has one of a few fixed places, and CKA_ID is the
 * place (PIV slots: NIST SP 800-73-4 part 1, table 4b). A new key takes the
 * place of the one before it for good.
 */
struct burin_place {
	const char *name;    /* "9a" */
	unsigned char id;    /* CKA_ID, one byte */
	unsigned usage;	     /* BURIN_USE_* that it is taken for unasked */
	const char *purpose; /* "PIV authentication" */
};
/*
 * The place called name; name NULL: the usual one for usage (BURIN_USE_*).
 * *out is static, NULL when the token knows no places and name is NULL. A
 * name that it does not have is BURIN_EUSAGE "slot-unknown" with a list.
 */
int burin_token_place(struct burin_token *t, const char *name, unsigned usage,
    const struct burin_place **out, struct burin_error *e);
/* The place with this CKA_ID, NULL when it is none. */
const struct burin_place *burin_token_place_of(
    struct burin_token *t, const unsigned char *id, size_t id_len);

/* What a certificate on a token is, by its content. */
enum burin_cert_kind {
	BURIN_CERT_ORDINARY,
	BURIN_CERT_SELF_SIGNED, /* signed by its own key */
	/* Made by the token with the key, names nobody, signed by nobody. */
	BURIN_CERT_PLACEHOLDER,
	BURIN_CERT_ATTESTATION /* the token's word for where the key is from */
};
enum burin_cert_kind burin_cert_kind(X509 *cert);
/* 1 when the token wrote it itself: it stands for no enrolment. */
int burin_cert_is_by_token(enum burin_cert_kind kind);

/* --- login ------------------------------------------------------------ */

enum burin_login {
	BURIN_LOGIN_USER,
	BURIN_LOGIN_SO,
	BURIN_LOGIN_CONTEXT,  /* for one operation of one key */
	BURIN_LOGIN_NEW_USER, /* asked of pin(): the PIN to be set */
	BURIN_LOGIN_NEW_SO,
	BURIN_LOGIN_PUK, /* of a YubiKey, which PKCS#11 does not know */
	BURIN_LOGIN_NEW_PUK
};

/*
 * Where PINs come from and what is remembered of wrong ones. All callbacks
 * return 0, or -1 with e set. t is borrowed for the call.
 */
struct burin_login_policy {
	/*
	 * Gives the PIN in *out, owned by the caller (never NULL on success).
	 * Not called when the token has a PIN pad.
	 */
	int (*pin)(void *arg, const struct burin_token *t, enum burin_login who,
	    struct burin_secret **out, struct burin_error *e);
	/*
	 * Refuses (-1, BURIN_EPIN) a PIN that this token refused before, in
	 * any process, and any PIN when our own count of wrong tries since
	 * the last success says that the next may be the last. May be NULL.
	 */
	int (*before)(void *arg, const struct burin_token *t,
	    enum burin_login who, const struct burin_secret *pin,
	    struct burin_error *e);
	/*
	 * Told what the token answered: right 1, wrong 0; -1 when it said
	 * neither or was not asked after all. pin is NULL when a new one was
	 * set on a PIN pad (right 1). May be NULL.
	 */
	int (*after)(void *arg, const struct burin_token *t,
	    enum burin_login who, const struct burin_secret *pin, int right,
	    struct burin_error *e);
	/* Says that the PIN is to be typed on the reader. May be NULL. */
	void (*use_pad)(
	    void *arg, const struct burin_token *t, enum burin_login who);
	void *arg;
	int last_try; /* 1: the user accepts to use the final try */
};

/* The policy of every login of p11; copied; arg must outlive p11. */
void burin_p11_set_policy(
    struct burin_p11 *p11, const struct burin_login_policy *policy);

/*
 * Logs in as the user; nothing happens when that was done before or the
 * token needs none. Opens the session that holds the login. One try: a wrong
 * PIN is BURIN_EPIN "pin-incorrect" and says what the token tells of tries
 * left; locked "pin-locked"; the final try without leave "pin-final-try".
 */
int burin_token_login(struct burin_token *t, struct burin_error *e);
/* Logs out and closes the sessions of t; harmless when not logged in. */
void burin_token_logout(struct burin_token *t);

/*
 * Initializes a token: SO PIN, label, then the user PIN, from the policy
 * (BURIN_LOGIN_NEW_SO, BURIN_LOGIN_NEW_USER). A token that is initialized
 * already is refused ("token-not-blank") unless reinit is 1, which destroys
 * what is on it and asks for its present SO PIN (BURIN_LOGIN_SO). label: at
 * most 32 bytes of UTF-8. Afterwards *out is the token as it is found again;
 * earlier token pointers of p11 are invalid.
 */
int burin_token_init(struct burin_p11 *p11, struct burin_token *t,
    const char *label, int reinit, struct burin_token **out,
    struct burin_error *e);

/*
 * Changes the PIN of who, BURIN_LOGIN_USER or BURIN_LOGIN_SO. The policy is
 * asked for the present one first, then for the new one
 * (BURIN_LOGIN_NEW_USER or BURIN_LOGIN_NEW_SO), and everything that can be
 * known of both (length, equal, known to be wrong, last try) is known before
 * anything is sent. One try of the present one, as in burin_token_login.
 * Afterwards nobody is logged in, and what was remembered of wrong PINs is
 * forgotten: one of them may be the new one.
 */
int burin_pin_change(
    struct burin_token *t, enum burin_login who, struct burin_error *e);
/*
 * Sets the user PIN anew with the SO PIN (C_InitPIN), which also unblocks a
 * locked one. The policy is asked for BURIN_LOGIN_SO, then
 * BURIN_LOGIN_NEW_USER. What the module cannot do is BURIN_EREFUSED
 * "unblock-not-here". The rest as for burin_pin_change.
 */
int burin_pin_unblock(struct burin_token *t, struct burin_error *e);

/* --- YubiKeys, where PKCS#11 has no word for it ------------------------ */

/* 1 when the token is a YubiKey with the module of its maker. */
int burin_piv_is(struct burin_token *t);
/*
 * The rest needs Yubico's libykpiv at build time; without it each is
 * BURIN_EREFUSED "built-without-ykpiv". The device is the one with the
 * token's serial number, never the first one (BURIN_ETOKEN "yubikey-missing").
 * Sessions of t are closed before; no login is left behind.
 */

#define BURIN_PIV_UNKNOWN (-1)

/* A secret of the device; -1 where its firmware does not tell. */
struct burin_piv_secret {
	int tries_left, tries; /* of a management key: always -1 */
	int factory;	       /* 1: still the one it was made with */
};
struct burin_piv_info {
	char version[16]; /* firmware, "5.4.3" */
	struct burin_piv_secret pin, puk, key;
	const char *key_type; /* "3des", "aes128", ...; NULL: not told */
};
/* Reads only: no PIN is sent, no counter touched. */
int burin_piv_info(
    struct burin_token *t, struct burin_piv_info *out, struct burin_error *e);

struct burin_piv_slot {
	int pin_policy;	  /* 1 never, 2 once, 3 always */
	int touch_policy; /* 1 never, 2 always, 3 cached for 15 seconds */
	int generated;	  /* 1 on the device, 0 brought to it */
};
/* Slot 0x9a, 0x9c, ...: 1 and *out filled; 0 empty; -1 not told, with e. */
int burin_piv_slot(struct burin_token *t, unsigned slot,
    struct burin_piv_slot *out, struct burin_error *e);

/*
 * With the PUK (BURIN_LOGIN_PUK) a new PIN (BURIN_LOGIN_NEW_USER) or a new
 * PUK (BURIN_LOGIN_NEW_PUK). The rules of burin_pin_change hold.
 */
int burin_piv_unblock(struct burin_token *t, struct burin_error *e);
int burin_piv_change_puk(struct burin_token *t, struct burin_error *e);
/*
 * The management key, which is the SO PIN of a YubiKey, in hexadecimal:
 * BURIN_LOGIN_SO, BURIN_LOGIN_NEW_SO. The type stays: TDES, AES-128, -192 or
 * -256, whatever PKCS#11 makes of it.
 */
int burin_piv_change_key(struct burin_token *t, struct burin_error *e);

/* --- keys ------------------------------------------------------------- */

enum burin_key_type {
	BURIN_KEY_UNKNOWN,
	BURIN_RSA_2048,
	BURIN_RSA_3072,
	BURIN_RSA_4096,
	BURIN_EC_P256,
	BURIN_EC_P384,
	BURIN_EC_P521,
	BURIN_ED25519,
	BURIN_ED448,
	BURIN_X25519,
	BURIN_KEY_TYPES /* how many */
};

/* "rsa:2048", "ec:P-256", "ed25519"; "unknown" for what is none of them. */
const char *burin_key_type_name(enum burin_key_type type);
/* BURIN_KEY_UNKNOWN for an unknown name. Case matters only not at all. */
enum burin_key_type burin_key_type_parse(const char *name);
/* The type of any EVP_PKEY. */
enum burin_key_type burin_key_type_of(const EVP_PKEY *pkey);

/* What a private key may be used for: BURIN_USE_* of usage.h. */

struct burin_key_spec {
	enum burin_key_type type;
	unsigned usage;	   /* BURIN_USE_*, 0: by type */
	const char *label; /* CKA_LABEL, NULL: none */
	/*
	 * CKA_ID to make the key with, NULL: random. After a good generation
	 * it becomes the SHA-1 of the public key bits (RFC 5280 section
	 * 4.2.1.2 (1)) unless keep_id is 1. The caller records a random one
	 * beforehand, so that a crash in between leaves a key that can be
	 * found (burin_key_find_made).
	 */
	const unsigned char *id;
	size_t id_len;
	int keep_id;
	int always_authenticate; /* CKA_ALWAYS_AUTHENTICATE */
	/*
	 * On a token with places (struct burin_place) id is one of them and
	 * stays; no other CKA_ID is taken there. overwrite 1: a key that is
	 * there may go. before: its public half, NULL for none, so that
	 * burin_key_find_made does not take it for the new one.
	 */
	int overwrite;
	const EVP_PKEY *before;
	/*
	 * Called when the pair is there under its first CKA_ID, before it
	 * gets another (burin_keygen, and burin_key_find_made completing
	 * it): the caller records the public key and the final CKA_ID, so
	 * that the key can be found by either whenever the process dies. -1
	 * ends the generation and leaves the pair as it is. May be NULL.
	 */
	int (*made)(void *arg, EVP_PKEY *pub, const unsigned char *final_id,
	    size_t final_id_len, struct burin_error *e);
	void *made_arg;
};

/* 1 when the token's mechanisms include key generation of type. */
int burin_token_can_generate(struct burin_token *t, enum burin_key_type type);
/* The same, -1 with the reason in e: it cannot, or cannot be asked. */
int burin_token_check_generate(
    struct burin_token *t, enum burin_key_type type, struct burin_error *e);

/*
 * Makes a key pair on the token (logs in first), portable template first,
 * fewer attributes when the token refuses. Reads back: SENSITIVE must be
 * TRUE and EXTRACTABLE FALSE, or the pair is destroyed and the error
 * (BURIN_EREFUSED "key-not-protected") says so. Another key under the final
 * CKA_ID is BURIN_EREFUSED "id-taken". Free with burin_key_free.
 */
int burin_keygen(struct burin_token *t, const struct burin_key_spec *spec,
    struct burin_key **out, struct burin_error *e);

/*
 * The key that an interrupted burin_keygen with this CKA_ID has left on the
 * token, completed (its final CKA_ID set). *out is NULL, and 0 returned,
 * when there is none.
 */
int burin_key_find_made(struct burin_token *t,
    const struct burin_key_spec *spec, struct burin_key **out,
    struct burin_error *e);

/*
 * The one private key that uri means: its token, then id and object (label).
 * Logs in. Several: BURIN_ETOKEN "key-ambiguous" with a list; none:
 * "key-missing". name may also be a bare token name when that token holds
 * exactly one private key.
 */
int burin_key_find(struct burin_p11 *p11, const char *uri,
    struct burin_key **out, struct burin_error *e);
/* The same on a token that is known, by CKA_ID. */
int burin_key_find_id(struct burin_token *t, const unsigned char *id,
    size_t id_len, struct burin_key **out, struct burin_error *e);

/* Keys are reference counted. NULL is accepted. */
struct burin_key *burin_key_ref(struct burin_key *k);
void burin_key_free(struct burin_key **k);

enum burin_key_type burin_key_get_type(const struct burin_key *k);
struct burin_token *burin_key_token(const struct burin_key *k);
const unsigned char *burin_key_id(const struct burin_key *k, size_t *len);
const char *burin_key_label(const struct burin_key *k);
unsigned burin_key_usage(const struct burin_key *k); /* BURIN_USE_* */
int burin_key_always_authenticate(const struct burin_key *k);
/* Full URI of the private key, free() it; NULL when out of memory. */
char *burin_key_uri(const struct burin_key *k);

/* The public half in software (default library context); borrowed. */
EVP_PKEY *burin_key_public(const struct burin_key *k);
/*
 * The key as an EVP_PKEY whose private operations run on the token: signs,
 * decrypts and derives in X509_REQ, CMS, TLS. Borrowed; lives as long as k.
 * NULL with e set. Its operations put the token's answer into OpenSSL's
 * error queue; burin_key_last_error gives it in words.
 */
EVP_PKEY *burin_key_evp(struct burin_key *k, struct burin_error *e);
/*
 * Puts the error of the last failed operation of k's EVP_PKEY into e; what e
 * said before becomes its cause. Returns -1 when there was one, 0 when there
 * was none.
 */
int burin_key_last_error(struct burin_key *k, struct burin_error *e);

/*
 * One private operation as the provider asks a token for it: data are hashed
 * and padded before, but for what the mechanism itself does.
 */
enum burin_key_mech {
	BURIN_SIGN_ECDSA,     /* in: a digest; out: r and s side by side */
	BURIN_SIGN_EDDSA,     /* in: the message */
	BURIN_SIGN_RSA_PKCS1, /* in: a DigestInfo */
	BURIN_SIGN_RSA_PSS,   /* in: a digest; hash, mgf, salt */
	BURIN_SIGN_RSA_RAW,   /* in: a padded block */
	BURIN_DECRYPT_RSA_PKCS1,
	BURIN_DECRYPT_RSA_OAEP, /* hash, mgf; no label */
	BURIN_DECRYPT_RSA_RAW,
	BURIN_DERIVE_ECDH, /* in: the peer's point; out: the secret */
	BURIN_KEY_MECHS	   /* how many */
};
#define BURIN_MAX_OPERATION 65536 /* bytes that go in */

struct burin_key_operation {
	enum burin_key_mech mech;
	unsigned long hash, mgf; /* as PKCS#11 numbers them: CKM_*, CKG_* */
	unsigned long salt;	 /* bytes */
	const unsigned char *in;
	size_t in_len;
	unsigned char *out;
	size_t room, out_len; /* of out: given, and filled */
};
/* 0 with out_len filled, or -1; e->ckr tells what the token answered. */
typedef int (*burin_key_run_fn)(
    void *arg, struct burin_key_operation *o, struct burin_error *e);
/*
 * A key whose token is somewhere else: run does its private operations, one
 * at a time for each key, in whatever thread asks for one. It has no token
 * and no URI (NULL), and is for burin_key_evp, _public, _get_type, _usage,
 * _last_error, _ref and _free alone. Nobody may hold its EVP_PKEY after
 * burin_key_free. pub is referenced.
 */
int burin_key_distant_new(EVP_PKEY *pub, unsigned usage, burin_key_run_fn run,
    void *arg, struct burin_key **out, struct burin_error *e);
/* The other end: does o with a key on its token. */
int burin_key_run(
    struct burin_key *k, struct burin_key_operation *o, struct burin_error *e);

/*
 * Destroys both halves on the token. The certificate stays. A kind of token
 * that cannot delete keys is BURIN_EREFUSED "key-stays".
 */
int burin_key_destroy(struct burin_key *k, struct burin_error *e);
/*
 * Destroys the public half alone, where it is under this CKA_ID and equal to
 * pub: what a burin_key_destroy that died in between has left. Logs in. 0 if
 * there is none.
 */
int burin_public_destroy(struct burin_token *t, const unsigned char *id,
    size_t id_len, const EVP_PKEY *pub, struct burin_error *e);

/* --- certificates ----------------------------------------------------- */

/*
 * What lies under the key's CKA_ID: another key (id_taken 1), certificates
 * but for placeholders. One search. Certificates are owned by the caller
 * (sk_X509_pop_free).
 */
struct burin_id_use {
	int id_taken;		/* a key that is not k */
	STACK_OF(X509) * certs; /* never NULL on success */
};
int burin_key_id_use(
    struct burin_key *k, struct burin_id_use *use, struct burin_error *e);

/* What is to be done about other certificates of the same key. */
enum burin_others {
	BURIN_OTHERS_REFUSE,  /* fail: BURIN_EREFUSED "certificate-present" */
	BURIN_OTHERS_REPLACE, /* remove them once the new one was read back */
	BURIN_OTHERS_KEEP
};
/*
 * Writes cert under the key's CKA_ID and label, reads it back from a new
 * session and compares. The public keys must be equal, and nobody else's
 * object may have that CKA_ID; both are checked here again. Writing the same
 * certificate twice is no error and writes nothing. label NULL: the key's.
 */
int burin_cert_write(struct burin_key *k, X509 *cert, const char *label,
    enum burin_others others, struct burin_error *e);
/*
 * Reads every certificate under the key's CKA_ID from a new session, but for
 * placeholders (burin_cert_kind).
 */
int burin_cert_read(
    struct burin_key *k, STACK_OF(X509) * *out, struct burin_error *e);
/* Destroys exactly this certificate (same CKA_ID, same DER); 0 if absent. */
int burin_cert_destroy(struct burin_key *k, X509 *cert, struct burin_error *e);

/*
 * The attestation of the key that the module shows: a certificate of the same
 * public key that is no token object or has the extensions of one (attest.h
 * reads and checks it), and the certificates that may be above it, at most 8;
 * none is verified. None: BURIN_ETOKEN "attestation-missing". X509_free,
 * sk_X509_pop_free.
 */
int burin_attestation_read(struct burin_key *k, X509 **cert,
    STACK_OF(X509) * *intermediates, struct burin_error *e);

/* --- inventory -------------------------------------------------------- */

enum burin_object_class {
	BURIN_OBJECT_PRIVATE,
	BURIN_OBJECT_PUBLIC,
	BURIN_OBJECT_CERT,
	BURIN_OBJECT_OTHER
};

struct burin_object {
	enum burin_object_class cls;
	enum burin_key_type key_type; /* keys */
	unsigned usage;		      /* private keys: BURIN_USE_* */
	int always_authenticate;      /* private keys */
	int protected_key;	      /* SENSITIVE and not EXTRACTABLE */
	unsigned char id[BURIN_MAX_ID];
	size_t id_len;
	char label[BURIN_MAX_LABEL + 1];
	EVP_PKEY *public_key; /* keys when known, else NULL */
	X509 *cert;	      /* certificates that parse */
};

/*
 * Every object that can be seen (log in first to see private ones): one
 * search, one C_GetAttributeValue per object. Free with burin_objects_free.
 */
int burin_token_objects(struct burin_token *t, struct burin_object **out,
    size_t *n, struct burin_error *e);
/* The same, of those under one CKA_ID. */
int burin_token_objects_id(struct burin_token *t, const unsigned char *id,
    size_t id_len, struct burin_object **out, size_t *n, struct burin_error *e);
void burin_objects_free(struct burin_object **objects, size_t n);
/* URI of one object of the token; free() it. */
char *burin_object_uri(
    const struct burin_token *t, const struct burin_object *o);

#ifdef __cplusplus
}
#endif

#endif
