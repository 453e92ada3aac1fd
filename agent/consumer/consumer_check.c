/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin-consumer-check: is an identity usable by somebody else? Loads the
 * token with libp11 as users of OpenSSL do, finds key and certificate by
 * the URI (RFC 7512), uses the key, and holds the result against the
 * certificate's public key.
 *
 * Exit status 0: usable; 10: not; 77: libp11 cannot look. One JSON line on
 * standard output says it in words.
 */

#include <stddef.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <openssl/types.h>

/* libp11.h names types that OpenSSL hides from those who shun them. */
typedef struct rsa_meth_st RSA_METHOD;
typedef struct ec_key_method_st EC_KEY_METHOD;

#include <jansson.h>
#include <libp11.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#define USABLE 0
#define PROBLEM 10
#define CANNOT 77
#define MAX_PIN 4096 /* bytes, with the NUL */

struct check {
	const char *module, *init, *uri_text, *use;
	int pin_fd;
	P11KitUri *uri;
	PKCS11_CTX *ctx;
	int loaded; /* unloading what is not loaded crashes libp11 */
	PKCS11_SLOT *slots;
	unsigned int n_slots;
	PKCS11_SLOT *slot;
	PKCS11_KEY *key;   /* owned by the token */
	PKCS11_CERT *cert; /* owned by the token */
	UI_METHOD *ui;
	char pin[MAX_PIN];
};

/* Prints the answer with OpenSSL's reason, if there is one. */
static int
say(int status, const char *text)
{
	char line[512];
	unsigned long code = ERR_peek_last_error();
	const char *why = code != 0 ? ERR_reason_error_string(code) : NULL;
	json_t *o;

	(void)snprintf(line, sizeof(line), "%s%s%s%s", text,
	    why != NULL && status != USABLE ? " (" : "",
	    why != NULL && status != USABLE ? why : "",
	    why != NULL && status != USABLE ? ")" : "");
	o = json_pack("{s:b, s:s}", "usable", status == USABLE, "text", line);
	if (o != NULL) {
		(void)json_dumpf(o, stdout, JSON_COMPACT);
		(void)putchar('\n');
		json_decref(o);
	}
	(void)fflush(stdout);
	return status;
}

static int
read_pin(struct check *k)
{
	size_t n = 0;
	ssize_t got;

	if (k->pin_fd < 0)
		return 0;
	while (n + 1 < sizeof(k->pin)) {
		got = read(k->pin_fd, k->pin + n, sizeof(k->pin) - 1 - n);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	(void)close(k->pin_fd);
	k->pin[n] = '\0';
	return 0;
}

/* libp11 asks through a UI when a key wants the PIN for each use. */
static int
give_pin(UI *ui, UI_STRING *uis)
{
	const char *pin = UI_get0_user_data(ui);

	if (UI_get_string_type(uis) == UIT_PROMPT && pin != NULL &&
	    UI_set_result(ui, uis, pin) != 0)
		return 0;
	return 1;
}

/* A field of CK_TOKEN_INFO, blank-padded, against libp11's trimmed text. */
static int
field_is(const unsigned char *field, size_t size, const char *text)
{
	size_t n = size;

	if (field[0] == '\0')
		return 1; /* not in the URI */
	while (n > 0 && field[n - 1] == ' ')
		n--;
	return text != NULL && strlen(text) == n && memcmp(field, text, n) == 0;
}

static int
token_matches(const struct check *k, const PKCS11_TOKEN *t)
{
	const CK_TOKEN_INFO *want = p11_kit_uri_get_token_info(k->uri);

	return field_is(want->label, sizeof(want->label), t->label) &&
	    field_is(
		want->serialNumber, sizeof(want->serialNumber), t->serialnr) &&
	    field_is(want->model, sizeof(want->model), t->model) &&
	    field_is(want->manufacturerID, sizeof(want->manufacturerID),
		t->manufacturer);
}

static int
id_matches(const struct check *k, const unsigned char *id, size_t len)
{
	const CK_ATTRIBUTE *want = p11_kit_uri_get_attribute(k->uri, CKA_ID);

	return want == NULL ||
	    (want->ulValueLen == len && memcmp(want->pValue, id, len) == 0);
}

static int
label_matches(const struct check *k, const char *label)
{
	const CK_ATTRIBUTE *want = p11_kit_uri_get_attribute(k->uri, CKA_LABEL);

	return want == NULL ||
	    (label != NULL && want->ulValueLen == strlen(label) &&
		memcmp(want->pValue, label, want->ulValueLen) == 0);
}

static int
find_token(struct check *k)
{
	unsigned int i;

	k->ctx = PKCS11_CTX_new();
	if (k->ctx == NULL)
		return say(CANNOT, "libp11 gives no context");
	if (k->init != NULL)
		PKCS11_CTX_init_args(k->ctx, k->init);
	if (PKCS11_CTX_load(k->ctx, k->module) != 0)
		return say(CANNOT, "libp11 cannot load the module");
	k->loaded = 1;
	k->ui = UI_create_method("burin-consumer-check");
	if (k->ui == NULL || UI_method_set_reader(k->ui, give_pin) != 0 ||
	    PKCS11_set_ui_method(k->ctx, k->ui, k->pin) != 0)
		return say(CANNOT, "libp11 takes no PIN callback");
	if (PKCS11_enumerate_slots(k->ctx, &k->slots, &k->n_slots) != 0)
		return say(CANNOT, "libp11 cannot list the slots");
	for (i = 0; i < k->n_slots; i++)
		if (k->slots[i].token != NULL &&
		    token_matches(k, k->slots[i].token)) {
			k->slot = &k->slots[i];
			return USABLE;
		}
	return say(PROBLEM, "libp11 does not find the token");
}

static int
find_pair(struct check *k)
{
	PKCS11_KEY *keys;
	PKCS11_CERT *certs;
	unsigned int n, i;

	if (k->slot->token->loginRequired &&
	    PKCS11_login(k->slot, 0, k->pin[0] != '\0' ? k->pin : NULL) != 0)
		return say(PROBLEM, "libp11 cannot log in");
	if (PKCS11_enumerate_keys(k->slot->token, &keys, &n) != 0)
		return say(CANNOT,
		    "libp11 cannot list the keys of this token; version "
		    "0.4.12 is blind to a token that holds an EdDSA key");
	for (i = 0; i < n; i++)
		if (id_matches(k, keys[i].id, keys[i].id_len) &&
		    label_matches(k, keys[i].label))
			k->key = &keys[i];
	if (k->key == NULL)
		return say(PROBLEM, "libp11 does not find the key by its URI");
	if (PKCS11_enumerate_certs(k->slot->token, &certs, &n) != 0)
		return say(PROBLEM, "libp11 cannot list the certificates");
	for (i = 0; i < n; i++)
		if (certs[i].id_len == k->key->id_len &&
		    memcmp(certs[i].id, k->key->id, certs[i].id_len) == 0)
			k->cert = &certs[i];
	if (k->cert == NULL || k->cert->x509 == NULL)
		return say(PROBLEM,
		    "libp11 finds no certificate under the key's CKA_ID");
	return USABLE;
}

static int
sign_and_verify(EVP_PKEY *priv, EVP_PKEY *pub)
{
	static const unsigned char data[] = "burin-consumer-check";
	unsigned char sig[2048];
	size_t len = sizeof(sig);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int status;

	if (md == NULL ||
	    EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, priv) <= 0 ||
	    EVP_DigestSign(md, sig, &len, data, sizeof(data)) <= 0)
		status = say(PROBLEM, "libp11 cannot sign with the key");
	else if (!EVP_MD_CTX_reset(md) ||
	    EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, pub) <= 0 ||
	    EVP_DigestVerify(md, sig, len, data, sizeof(data)) != 1)
		status = say(PROBLEM,
		    "the certificate does not verify what the key signed");
	else
		status = say(USABLE,
		    "libp11 finds key and certificate; what the key signs, "
		    "the certificate verifies");
	EVP_MD_CTX_free(md);
	return status;
}

static int
encrypt_and_decrypt(EVP_PKEY *priv, EVP_PKEY *pub)
{
	static const unsigned char data[] = "burin-consumer-check";
	unsigned char box[2048], clear[2048];
	size_t box_len = sizeof(box), len = sizeof(clear);
	EVP_PKEY_CTX *to = EVP_PKEY_CTX_new(pub, NULL);
	EVP_PKEY_CTX *from = EVP_PKEY_CTX_new(priv, NULL);
	int status;

	if (to == NULL || EVP_PKEY_encrypt_init(to) <= 0 ||
	    EVP_PKEY_encrypt(to, box, &box_len, data, sizeof(data)) <= 0)
		status =
		    say(PROBLEM, "nothing can be encrypted to the certificate");
	else if (from == NULL || EVP_PKEY_decrypt_init(from) <= 0 ||
	    EVP_PKEY_decrypt(from, clear, &len, box, box_len) <= 0 ||
	    len != sizeof(data) || memcmp(clear, data, len) != 0)
		status = say(PROBLEM,
		    "libp11 cannot decrypt what was encrypted to the "
		    "certificate");
	else
		status = say(USABLE,
		    "libp11 finds key and certificate, and decrypts what is "
		    "encrypted to it");
	EVP_PKEY_CTX_free(to);
	EVP_PKEY_CTX_free(from);
	return status;
}

/* One derivation: 0, or -1. */
static int
derive(EVP_PKEY *own, EVP_PKEY *peer, unsigned char *out, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	int ok = ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
	    EVP_PKEY_derive(ctx, out, len) > 0;

	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : -1;
}

static int
agree(EVP_PKEY *priv, EVP_PKEY *pub)
{
	unsigned char ours[512], theirs[512];
	size_t n = sizeof(ours), m = sizeof(theirs);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	EVP_PKEY *peer = NULL;
	int status;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_keygen(ctx, &peer) <= 0 ||
	    derive(peer, pub, theirs, &m) != 0)
		status = say(
		    PROBLEM, "no secret can be agreed with the certificate");
	else if (derive(priv, peer, ours, &n) != 0 || n != m ||
	    memcmp(ours, theirs, n) != 0)
		status = say(PROBLEM,
		    "libp11 cannot derive with the key what the certificate "
		    "promises");
	else
		status = say(USABLE,
		    "libp11 finds key and certificate, and derives the same "
		    "secret");
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(ctx);
	return status;
}

static int
use_pair(struct check *k)
{
	EVP_PKEY *priv = PKCS11_get_private_key(k->key);
	EVP_PKEY *pub = X509_get0_pubkey(k->cert->x509);
	int status;

	if (priv == NULL)
		status = say(PROBLEM, "libp11 cannot use the key");
	else if (pub == NULL)
		status = say(PROBLEM, "the certificate's key is not readable");
	else if (strcmp(k->use, "decrypt") == 0)
		status = encrypt_and_decrypt(priv, pub);
	else if (strcmp(k->use, "derive") == 0)
		status = agree(priv, pub);
	else
		status = sign_and_verify(priv, pub);
	EVP_PKEY_free(priv);
	return status;
}

static void
clear(struct check *k)
{
	OPENSSL_cleanse(k->pin, sizeof(k->pin));
	if (k->slots != NULL)
		PKCS11_release_all_slots(k->ctx, k->slots, k->n_slots);
	if (k->loaded)
		PKCS11_CTX_unload(k->ctx);
	if (k->ctx != NULL)
		PKCS11_CTX_free(k->ctx);
	UI_destroy_method(k->ui);
	p11_kit_uri_free(k->uri);
}

static int
options(struct check *k, int argc, char **argv)
{
	int i;

	k->pin_fd = -1;
	k->use = "sign";
	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--module") == 0)
			k->module = argv[i + 1];
		else if (strcmp(argv[i], "--module-init") == 0)
			k->init = argv[i + 1];
		else if (strcmp(argv[i], "--uri") == 0)
			k->uri_text = argv[i + 1];
		else if (strcmp(argv[i], "--use") == 0)
			k->use = argv[i + 1];
		else if (strcmp(argv[i], "--pin-fd") == 0)
			k->pin_fd = atoi(argv[i + 1]);
		else
			return -1;
	}
	return i == argc && k->module != NULL && k->uri_text != NULL ? 0 : -1;
}

int
main(int argc, char **argv)
{
	static struct check k;
	int status;

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Who asked is gone: nobody limits the time of this any more. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (options(&k, argc, argv) != 0) {
		(void)fputs("usage: burin-consumer-check --module PATH "
			    "[--module-init STRING] --uri URI "
			    "[--use sign|decrypt|derive] [--pin-fd N]\n",
		    stderr);
		return 2;
	}
	k.uri = p11_kit_uri_new();
	if (k.uri == NULL ||
	    p11_kit_uri_parse(k.uri_text, P11_KIT_URI_FOR_ANY, k.uri) !=
		P11_KIT_URI_OK)
		status = say(PROBLEM, "the URI of the key does not parse");
	else if (read_pin(&k) != 0)
		status = say(CANNOT, "the PIN cannot be read");
	else if ((status = find_token(&k)) == USABLE &&
	    (status = find_pair(&k)) == USABLE)
		status = use_pair(&k);
	clear(&k);
	/* Exit handlers of modules crash or leak after C_Finalize
	 * (softhsm/SoftHSMv2#780); the answer is out already. */
	_exit(status);
}
