/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * YubiKeys, where PKCS#11 has no word for it: PUK, management key, tries
 * left, what is still as it left the factory, policies of a slot. Through
 * Yubico's libykpiv, on the card whose serial number the token says, shared,
 * never reset (ykpiv_connect would, when it ends).
 */

#include <stdlib.h>
#include <string.h>

#include "quirk.h"

#ifdef BURIN_HAVE_YKPIV
#include <winscard.h>
#include <ykpiv/ykpiv.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#endif

int
burin_piv_is(struct burin_token *t)
{
	int is;

	p11_lock(t->m);
	is = p11_quirk(t)->is_yubikey;
	p11_unlock(t->m);
	return is;
}

static int
fail_not_yubikey(const struct burin_token *t, struct burin_error *e)
{
	burin_fail(e, BURIN_EREFUSED, "not-a-yubikey",
	    "this is for YubiKeys, and the token does not say that it is one");
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "of a YubiKey, name the token of Yubico's own module (ykcs11): "
	    "its serial number is the device's");
}

#ifdef BURIN_HAVE_YKPIV

#define READERS_SIZE 4096
#define MAX_KEY 32   /* bytes of a management key */
#define MAX_BLOCK 16 /* bytes of a cipher block */
#define MAX_META 1024
#define KEY_PIN 0x80 /* P2 of GET METADATA */
#define KEY_PUK 0x81

/* Algorithms of the management key (NIST SP 800-78-4 table 6-2). */
static const struct piv_cipher {
	unsigned char id;
	const char *name, *openssl;
	size_t key_len, block;
} ciphers[] = {
	{ 0x03, "3des", "DES-EDE3-ECB", 24, 8 },
	{ 0x08, "aes128", "AES-128-ECB", 16, 16 },
	{ 0x0a, "aes192", "AES-192-ECB", 24, 16 },
	{ 0x0c, "aes256", "AES-256-ECB", 32, 16 },
};

struct piv {
	SCARDCONTEXT ctx;
	SCARDHANDLE card;
	ykpiv_state *state;
	int has_ctx, has_card;
};

struct meta {
	unsigned char buf[MAX_META];
	size_t len;
};

static int
fail_piv(const struct burin_token *t, const char *doing, ykpiv_rc rc,
    struct burin_error *e)
{
	burin_fail(e,
	    rc == YKPIV_PCSC_ERROR ? BURIN_EINTERRUPTED : BURIN_EREFUSED,
	    "yubikey", "%s failed (%s)", doing, ykpiv_strerror_name(rc));
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "pull the YubiKey, put it back and try again; if it comes back, "
	    "Yubico's own tools may say more");
}

/* --- the device ---------------------------------------------------------- */

static void
leave_card(struct piv *p)
{
	if (p->state != NULL)
		(void)ykpiv_done_with_external_card(p->state);
	p->state = NULL;
	if (p->has_card)
		(void)SCardDisconnect(p->card, SCARD_LEAVE_CARD);
	p->has_card = 0;
}

static void
piv_close(struct piv *p)
{
	if (p->has_card)
		(void)SCardEndTransaction(p->card, SCARD_LEAVE_CARD);
	leave_card(p);
	if (p->has_ctx)
		(void)SCardReleaseContext(p->ctx);
	p->has_ctx = 0;
}

/* 1: the card in reader has this serial number, and is ours for now. */
static int
try_reader(struct piv *p, const char *reader, uint32_t serial)
{
	DWORD protocol;
	uint32_t got = 0;

	if (SCardConnect(p->ctx, reader, SCARD_SHARE_SHARED,
		SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &p->card,
		&protocol) != SCARD_S_SUCCESS)
		return 0;
	p->has_card = 1;
	if (SCardBeginTransaction(p->card) == SCARD_S_SUCCESS) {
		if (ykpiv_init(&p->state, 0) == YKPIV_OK &&
		    ykpiv_connect_with_external_card(p->state,
			(uintptr_t)p->ctx, (uintptr_t)p->card) == YKPIV_OK &&
		    ykpiv_get_serial(p->state, &got) == YKPIV_OK &&
		    got == serial)
			return 1;
		(void)SCardEndTransaction(p->card, SCARD_LEAVE_CARD);
	}
	leave_card(p);
	return 0;
}

static int
find_device(struct piv *p, const struct burin_token *t, struct burin_error *e)
{
	char *readers, *r, *end;
	unsigned long serial = strtoul(t->serial, &end, 10);
	DWORD len = READERS_SIZE;
	int found = 0;

	if (t->serial[0] == '\0' || *end != '\0' || serial > UINT32_MAX)
		return fail_not_yubikey(t, e);
	if ((readers = calloc(1, READERS_SIZE + 2)) == NULL)
		return burin_fail_memory(e);
	if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &p->ctx) ==
	    SCARD_S_SUCCESS) {
		p->has_ctx = 1;
		if (SCardListReaders(p->ctx, NULL, readers, &len) !=
		    SCARD_S_SUCCESS)
			readers[0] = '\0';
	}
	/* Cards of other kinds are not touched: SELECT would disturb them. */
	for (r = readers; *r != '\0' && !found; r += strlen(r) + 1)
		if (strcasestr(r, "yubi") != NULL)
			found = try_reader(p, r, (uint32_t)serial);
	free(readers);
	if (found)
		return 0;
	burin_fail(e, BURIN_ETOKEN, "yubikey-missing",
	    "no reader holds a YubiKey with the serial number %s", t->serial);
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(
	    e, "check that it is plugged in and that pcscd runs");
}

static int
piv_open(struct piv *p, struct burin_token *t, struct burin_error *e)
{
	memset(p, 0, sizeof(*p));
	if (!burin_piv_is(t) || t->info.pin_pad)
		return fail_not_yubikey(t, e);
	p11_close_token(t);
	if (find_device(p, t, e) == 0)
		return 0;
	piv_close(p);
	return -1;
}

/* --- GET METADATA (firmware 5.3 and later) ------------------------------- */

static ykpiv_rc
read_meta(struct piv *p, unsigned char key, struct meta *m)
{
	ykpiv_rc rc;

	m->len = sizeof(m->buf);
	rc = ykpiv_get_metadata(p->state, key, m->buf, &m->len);
	if (rc != YKPIV_OK || m->len > sizeof(m->buf))
		m->len = 0;
	return rc;
}

/* The value of a tag: a flat list of tag, length, value. */
static const unsigned char *
meta_get(const struct meta *m, unsigned char tag, size_t *len)
{
	size_t i = 0, n, long_form;

	while (i + 2 <= m->len) {
		unsigned char this_tag = m->buf[i];

		n = m->buf[i + 1];
		i += 2;
		if (n == 0x81 || n == 0x82) {
			long_form = n - 0x80;
			if (long_form > m->len - i)
				return NULL;
			for (n = 0; long_form > 0; long_form--)
				n = n << 8 | m->buf[i++];
		}
		if (n > m->len - i)
			return NULL;
		if (this_tag == tag) {
			*len = n;
			return m->buf + i;
		}
		i += n;
	}
	return NULL;
}

static void
secret_of(const struct meta *m, struct burin_piv_secret *s)
{
	const unsigned char *v;
	size_t len;

	s->tries = s->tries_left = s->factory = BURIN_PIV_UNKNOWN;
	if ((v = meta_get(m, 0x05, &len)) != NULL && len == 1)
		s->factory = v[0] != 0;
	if ((v = meta_get(m, 0x06, &len)) != NULL && len == 2) {
		s->tries = v[0];
		s->tries_left = v[1];
	}
}

static const struct piv_cipher *
cipher_of(const struct meta *m)
{
	const unsigned char *v;
	size_t i, len;

	/* Before there was metadata there was only this one. */
	if (m->len == 0)
		return &ciphers[0];
	if ((v = meta_get(m, 0x01, &len)) == NULL || len != 1)
		return NULL;
	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (ciphers[i].id == v[0])
			return &ciphers[i];
	return NULL;
}

int
burin_piv_info(
    struct burin_token *t, struct burin_piv_info *out, struct burin_error *e)
{
	const struct piv_cipher *cipher;
	struct piv p;
	struct meta m;
	ykpiv_rc rc;
	int tries;

	memset(out, 0, sizeof(*out));
	p11_lock(t->m);
	if (piv_open(&p, t, e) == -1) {
		p11_unlock(t->m);
		return burin_error_step(e, "yubikey");
	}
	rc = ykpiv_get_version(p.state, out->version, sizeof(out->version) - 1);
	(void)read_meta(&p, KEY_PIN, &m);
	secret_of(&m, &out->pin);
	/* An empty VERIFY asks without trying (SP 800-73-4 section 3.2.1). */
	if (out->pin.tries_left == BURIN_PIV_UNKNOWN &&
	    ykpiv_get_pin_retries(p.state, &tries) == YKPIV_OK)
		out->pin.tries_left = tries;
	(void)read_meta(&p, KEY_PUK, &m);
	secret_of(&m, &out->puk);
	(void)read_meta(&p, YKPIV_KEY_CARDMGM, &m);
	secret_of(&m, &out->key);
	if (m.len > 0 && (cipher = cipher_of(&m)) != NULL)
		out->key_type = cipher->name;
	piv_close(&p);
	p11_unlock(t->m);
	if (rc == YKPIV_OK)
		return 0;
	fail_piv(t, "asking for the firmware's version", rc, e);
	return burin_error_step(e, "yubikey");
}

int
burin_piv_slot(struct burin_token *t, unsigned slot, struct burin_piv_slot *out,
    struct burin_error *e)
{
	const unsigned char *policy, *origin;
	size_t policy_len, origin_len;
	struct piv p;
	struct meta m;
	ykpiv_rc rc;

	memset(out, 0, sizeof(*out));
	p11_lock(t->m);
	if (piv_open(&p, t, e) == -1) {
		p11_unlock(t->m);
		return burin_error_step(e, "yubikey");
	}
	rc = read_meta(&p, (unsigned char)slot, &m);
	piv_close(&p);
	p11_unlock(t->m);
	if (rc == YKPIV_KEY_ERROR || rc == YKPIV_INVALID_OBJECT)
		return 0; /* reference not found: no key */
	policy = meta_get(&m, YKPIV_METADATA_POLICY_TAG, &policy_len);
	origin = meta_get(&m, YKPIV_METADATA_ORIGIN_TAG, &origin_len);
	if (rc == YKPIV_OK && policy != NULL && policy_len == 2 &&
	    origin != NULL && origin_len == 1) {
		out->pin_policy = policy[0];
		out->touch_policy = policy[1];
		out->generated = origin[0] == YKPIV_METADATA_ORIGIN_GENERATED;
		return 1;
	}
	fail_piv(t, "asking for the policies of a slot", rc, e);
	return burin_error_step(e, "yubikey");
}

/* --- PUK ------------------------------------------------------------------ */

/* Remembered as every wrong PIN is; in words of our own, since more is known.
 */
static int
fail_wrong(struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, const char *reason, const char *advice,
    struct burin_error *e)
{
	struct burin_error told = BURIN_ERROR_INIT;

	(void)p11_login_told(t, who, pin, 0, &told);
	burin_fail(e, BURIN_EPIN, "pin-incorrect", "%s", reason);
	burin_error_token(e, "%s", t->name);
	burin_error_advice(e, "%s", advice);
	if (told.status != BURIN_OK)
		burin_error_cause(e, "not remembered: %s", told.reason);
	return -1;
}

static int
fail_puk_locked(const struct burin_token *t, struct burin_error *e)
{
	burin_fail(e, BURIN_EPIN, "pin-locked", "the PUK is locked");
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "only a reset of its PIV part helps, which destroys every key in "
	    "it: ykman piv reset");
}

static int
fail_puk(struct burin_token *t, const struct burin_secret *puk,
    const char *function, ykpiv_rc rc, int tries, struct burin_error *e)
{
	char reason[80];

	if (rc == YKPIV_WRONG_PIN && tries > 0) {
		(void)snprintf(reason, sizeof(reason),
		    "the PUK is wrong; %d %s left", tries,
		    tries == 1 ? "try is" : "tries are");
		return fail_wrong(t, BURIN_LOGIN_PUK, puk, reason,
		    "check the PUK before the next try; burin sends one that "
		    "was wrong never again",
		    e);
	}
	if (rc == YKPIV_WRONG_PIN || rc == YKPIV_PIN_LOCKED) {
		(void)p11_login_told(t, BURIN_LOGIN_PUK, puk, 0, NULL);
		return fail_puk_locked(t, e);
	}
	(void)p11_login_told(t, BURIN_LOGIN_PUK, puk, -1, NULL);
	return fail_piv(t, function, rc, e);
}

/* The PUK has flags nowhere in PKCS#11: its own counter decides. */
static int
check_puk(struct piv *p, const struct burin_token *t, struct burin_error *e)
{
	struct burin_piv_secret s;
	struct meta m;

	(void)read_meta(p, KEY_PUK, &m);
	secret_of(&m, &s);
	if (s.tries_left == 0)
		return fail_puk_locked(t, e);
	if (s.tries_left != 1 || t->m->owner->policy.last_try)
		return 0;
	burin_fail(e, BURIN_EPIN, "pin-final-try",
	    "one try of the PUK is left: it is not used without leave");
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(
	    e, "make sure of the PUK, then allow it with --last-try");
}

/* PINs and PUKs of PIV (SP 800-73-4 section 2.4.3). */
static int
check_piv_length(const struct burin_token *t, const char *name,
    const struct burin_secret *s, struct burin_error *e)
{
	size_t n = burin_secret_len(s);

	if (n >= YKPIV_MIN_PIN_LEN && n <= YKPIV_MAX_PIN_LEN)
		return 0;
	burin_fail(e, BURIN_EPIN, "pin-length",
	    "the %s of a YubiKey has %d to %d characters; nothing was sent",
	    name, YKPIV_MIN_PIN_LEN, YKPIV_MAX_PIN_LEN);
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "no try was used; check where it comes from (a file may have a "
	    "blank or a second line)");
}

static int
use_puk(struct piv *p, struct burin_token *t, enum burin_login new_who,
    struct burin_error *e)
{
	int is_pin = new_who == BURIN_LOGIN_NEW_USER;
	struct burin_secret *puk = NULL, *new = NULL;
	const char *a, *b;
	int rc = -1, tries = 0;
	ykpiv_rc rv;

	if (check_puk(p, t, e) == -1 ||
	    p11_pin_pair(t, BURIN_LOGIN_PUK, new_who, &puk, &new, e) == -1)
		return -1;
	if (check_piv_length(t, "PUK", puk, e) == -1 ||
	    check_piv_length(t, is_pin ? "PIN" : "PUK", new, e) == -1) {
		(void)p11_login_told(t, BURIN_LOGIN_PUK, puk, -1, NULL);
		goto out;
	}
	a = (const char *)burin_secret_bytes(puk);
	b = (const char *)burin_secret_bytes(new);
	rv = (is_pin ? ykpiv_unblock_pin : ykpiv_change_puk)(p->state, a,
	    burin_secret_len(puk), b, burin_secret_len(new), &tries);
	if (rv != YKPIV_OK) {
		fail_puk(t, puk,
		    is_pin ? "RESET RETRY COUNTER" : "CHANGE REFERENCE DATA",
		    rv, tries, e);
		goto out;
	}
	rc = p11_login_told(t, BURIN_LOGIN_PUK, puk, 1, e);
	if (p11_pin_renewed(
		t, is_pin ? BURIN_LOGIN_USER : BURIN_LOGIN_PUK, new, e) == -1)
		rc = -1;
out:
	burin_secret_free(&puk);
	burin_secret_free(&new);
	return rc;
}

static int
with_puk(struct burin_token *t, enum burin_login new_who, const char *step,
    struct burin_error *e)
{
	struct piv p;
	int rc = -1;

	p11_lock(t->m);
	if (piv_open(&p, t, e) == 0) {
		rc = use_puk(&p, t, new_who, e);
		piv_close(&p);
	}
	p11_unlock(t->m);
	return rc == 0 ? 0 : burin_error_step(e, step);
}

int
burin_piv_unblock(struct burin_token *t, struct burin_error *e)
{
	return with_puk(t, BURIN_LOGIN_NEW_USER, "pin-unblock", e);
}

int
burin_piv_change_puk(struct burin_token *t, struct burin_error *e)
{
	return with_puk(t, BURIN_LOGIN_NEW_PUK, "puk-change", e);
}

/* --- management key --------------------------------------------------------
 */

static int
key_bytes(const struct burin_token *t, const struct piv_cipher *c,
    const struct burin_secret *hex, unsigned char key[MAX_KEY],
    struct burin_error *e)
{
	size_t len = MAX_KEY;

	if (burin_secret_len(hex) == c->key_len * 2 &&
	    ykpiv_hex_decode((const char *)burin_secret_bytes(hex),
		c->key_len * 2, key, &len) == YKPIV_OK &&
	    len == c->key_len)
		return 0;
	burin_fail(e, BURIN_EPIN, "pin-length",
	    "the SO PIN of this YubiKey is its management key (%s): %zu "
	    "hexadecimal digits; nothing was sent",
	    c->name, c->key_len * 2);
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e, "check where it comes from");
}

/* One block, in place of the card or of us. */
static int
crypt_block(const struct piv_cipher *c, const unsigned char *key, int encrypt,
    const unsigned char *in, unsigned char *out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, c->openssl, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rc;

	rc = cipher != NULL && ctx != NULL &&
	    EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_CipherUpdate(ctx, out, &n, in, (int)c->block) == 1 &&
	    n == (int)c->block;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return rc;
}

/*
 * Mutual authentication (SP 800-73-4 part 2, section 3.2.4): 1 done, 0 the
 * key is wrong, -1 neither.
 */
static int
authenticate(
    struct piv *p, const struct piv_cipher *c, const unsigned char *key)
{
	const unsigned char templ[4] = { 0, YKPIV_INS_AUTHENTICATE, c->id,
		YKPIV_KEY_CARDMGM };
	static const unsigned char ask[] = { 0x7c, 0x02, 0x80, 0x00 };
	unsigned char in[6 + 2 * MAX_BLOCK], out[256], want[MAX_BLOCK];
	unsigned char b = (unsigned char)c->block;
	unsigned long len = sizeof(out);
	int sw = 0;

	if (ykpiv_transfer_data(p->state, templ, ask, sizeof(ask), out, &len,
		&sw) != YKPIV_OK ||
	    sw != SW_SUCCESS || len != 4 + c->block || out[0] != 0x7c ||
	    out[1] != b + 2 || out[2] != 0x80 || out[3] != b)
		return -1;
	in[0] = 0x7c;
	in[1] = (unsigned char)(2 * b + 4);
	in[2] = 0x80;
	in[3] = b;
	in[4 + b] = 0x81;
	in[5 + b] = b;
	if (!crypt_block(c, key, 0, out + 4, in + 4) ||
	    RAND_bytes(in + 6 + b, b) != 1 ||
	    !crypt_block(c, key, 1, in + 6 + b, want))
		return -1;
	len = sizeof(out);
	if (ykpiv_transfer_data(
		p->state, templ, in, 6 + 2 * b, out, &len, &sw) != YKPIV_OK)
		return -1;
	if (sw == SW_ERR_SECURITY_STATUS || sw == SW_ERR_INCORRECT_PARAM)
		return 0;
	return sw == SW_SUCCESS && len == 4 + c->block && out[2] == 0x82 &&
		CRYPTO_memcmp(out + 4, want, c->block) == 0
	    ? 1
	    : -1;
}

/* SET MANAGEMENT KEY: P2 says whether a touch is wanted; that stays. */
static int
set_key(struct piv *p, const struct piv_cipher *c, int touch,
    const unsigned char *key)
{
	const unsigned char templ[4] = { 0, YKPIV_INS_SET_MGMKEY, 0xff,
		touch ? 0xfe : 0xff };
	unsigned char in[3 + MAX_KEY], out[16];
	unsigned long len = sizeof(out);
	int sw = 0;
	ykpiv_rc rc;

	in[0] = c->id;
	in[1] = YKPIV_KEY_CARDMGM;
	in[2] = (unsigned char)c->key_len;
	memcpy(in + 3, key, c->key_len);
	rc = ykpiv_transfer_data(
	    p->state, templ, in, (long)(3 + c->key_len), out, &len, &sw);
	OPENSSL_cleanse(in, sizeof(in));
	return rc == YKPIV_OK && sw == SW_SUCCESS;
}

static int
exchange_keys(struct piv *p, struct burin_token *t, const struct meta *m,
    const struct piv_cipher *c, const struct burin_secret *old,
    const struct burin_secret *new, struct burin_error *e)
{
	unsigned char a[MAX_KEY], b[MAX_KEY];
	const unsigned char *policy;
	size_t len;
	int rc = -1, told = 0;

	policy = meta_get(m, YKPIV_METADATA_POLICY_TAG, &len);
	if (key_bytes(t, c, old, a, e) == -1 ||
	    key_bytes(t, c, new, b, e) == -1)
		goto out;
	switch (authenticate(p, c, a)) {
	case 1:
		break;
	case 0:
		told = 1;
		fail_wrong(t, BURIN_LOGIN_SO, old,
		    "the management key, which is the SO PIN, is wrong; no "
		    "tries of it are counted",
		    "give the present management key of this YubiKey", e);
		goto out;
	default:
		fail_piv(t, "authenticating with the management key",
		    YKPIV_AUTHENTICATION_ERROR, e);
		goto out;
	}
	told = 1;
	(void)p11_login_told(t, BURIN_LOGIN_SO, old, 1, NULL);
	if (!set_key(p, c,
		policy != NULL && len == 2 &&
		    policy[1] == YKPIV_TOUCHPOLICY_ALWAYS,
		b)) {
		fail_piv(
		    t, "setting the management key", YKPIV_GENERIC_ERROR, e);
		goto out;
	}
	rc = p11_pin_renewed(t, BURIN_LOGIN_SO, new, e);
out:
	if (!told)
		(void)p11_login_told(t, BURIN_LOGIN_SO, old, -1, NULL);
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(b, sizeof(b));
	return rc;
}

static int
change_key(struct piv *p, struct burin_token *t, struct burin_error *e)
{
	struct burin_secret *old = NULL, *new = NULL;
	unsigned long pin_max = t->info.pin_max;
	const struct piv_cipher *c;
	struct meta m;
	int rc = -1;

	(void)read_meta(p, YKPIV_KEY_CARDMGM, &m);
	if ((c = cipher_of(&m)) == NULL)
		return fail_piv(t, "asking for the type of the management key",
		    YKPIV_ALGORITHM_ERROR, e);
	/* ykcs11 knows of 48 digits only; an AES-256 key has 64. */
	if (t->info.pin_max < c->key_len * 2)
		t->info.pin_max = c->key_len * 2;
	rc = p11_pin_pair(t, BURIN_LOGIN_SO, BURIN_LOGIN_NEW_SO, &old, &new, e);
	t->info.pin_max = pin_max;
	if (rc == 0)
		rc = exchange_keys(p, t, &m, c, old, new, e);
	burin_secret_free(&old);
	burin_secret_free(&new);
	return rc;
}

int
burin_piv_change_key(struct burin_token *t, struct burin_error *e)
{
	struct piv p;
	int rc = -1;

	p11_lock(t->m);
	if (piv_open(&p, t, e) == 0) {
		rc = change_key(&p, t, e);
		piv_close(&p);
	}
	p11_unlock(t->m);
	return rc == 0 ? 0 : burin_error_step(e, "pin-change");
}

#else /* BURIN_HAVE_YKPIV */

static int
fail_without(struct burin_token *t, struct burin_error *e)
{
	if (!burin_piv_is(t))
		return fail_not_yubikey(t, e);
	burin_fail(e, BURIN_EREFUSED, "built-without-ykpiv",
	    "this burin was built without libykpiv, which this needs");
	burin_error_token(e, "%s", t->name);
	burin_error_advice(e,
	    "build it where libykpiv-dev is installed, or use Yubico's own "
	    "tools");
	return burin_error_step(e, "yubikey");
}

int
burin_piv_info(
    struct burin_token *t, struct burin_piv_info *out, struct burin_error *e)
{
	memset(out, 0, sizeof(*out));
	return fail_without(t, e);
}

int
burin_piv_slot(struct burin_token *t, unsigned slot, struct burin_piv_slot *out,
    struct burin_error *e)
{
	(void)slot;
	memset(out, 0, sizeof(*out));
	return fail_without(t, e);
}

int
burin_piv_unblock(struct burin_token *t, struct burin_error *e)
{
	return fail_without(t, e);
}

int
burin_piv_change_puk(struct burin_token *t, struct burin_error *e)
{
	return fail_without(t, e);
}

int
burin_piv_change_key(struct burin_token *t, struct burin_error *e)
{
	return fail_without(t, e);
}

#endif
