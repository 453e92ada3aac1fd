/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PINs that burin makes: random, and written down before they are set.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "secrets.h"
#include "work.h"

const struct opt opts_secrets[] = {
	{ "generate", 0, OPT_FLAG, NULL, "make new random ones" },
	{ "secrets-out", 0, OPT_VALUE, "FILE",
	    "where they are written before they are set; -: printed once" },
	{ "seal-to", 0, OPT_VALUE, "FILE",
	    "encrypted for the holder of this certificate (CMS)" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

/* --- made ----------------------------------------------------------------- */

int
generate_digits(
    size_t n, int hex, struct burin_secret **out, struct burin_error *e)
{
	static const char digits[] = "0123456789abcdef";
	/* Bytes from here on would favour the low digits (256 % 10). */
	unsigned base = hex ? 16 : 10, limit = 256 - 256 % base;
	unsigned char byte = 0;
	size_t i;

	if (burin_secret_new(out, NULL, n, e) != 0)
		return -1;
	for (i = 0; i < n;) {
		if (RAND_priv_bytes(&byte, 1) != 1) {
			burin_secret_free(out);
			return burin_fail_openssl(e, BURIN_EINTERNAL, "random",
			    "no random numbers to be had");
		}
		if (byte < limit)
			burin_secret_data(*out)[i++] =
			    (unsigned char)digits[byte % base];
	}
	OPENSSL_cleanse(&byte, sizeof(byte));
	return 0;
}

size_t
generate_length(const struct burin_token *t, size_t want)
{
	const struct burin_token_info *info = burin_token_info(t);
	unsigned long min = info->pin_min, max = info->pin_max;

	/* Modules that do not know say 0 or the largest number. */
	if (max == 0 || max < min || max > BURIN_SECRET_MAX)
		return min > want && min < BURIN_SECRET_MAX ? min : want;
	return want < min ? min : want > max ? max : want;
}

/* Hexadecimal, of the length of the key's type. */
static size_t
key_digits(struct burin_token *t)
{
	struct burin_error ignored = BURIN_ERROR_INIT;
	struct burin_piv_info info;

	if (burin_piv_info(t, &info, &ignored) == 0 && info.key_type != NULL) {
		if (strcmp(info.key_type, "aes128") == 0)
			return 32;
		if (strcmp(info.key_type, "aes256") == 0)
			return 64;
	}
	return 48; /* TDES, AES-192 */
}

int
secrets_make(struct cli *c, struct burin_token *t, enum burin_login who,
    struct burin_error *e)
{
	int piv = burin_piv_is(t);

	switch (who) {
	case BURIN_LOGIN_NEW_SO:
		return generate_digits(
		    piv ? key_digits(t) : generate_length(t, GENERATED_SO_PIN),
		    piv, &c->new_so_pin, e);
	case BURIN_LOGIN_NEW_PUK:
		return generate_digits(GENERATED_PIN, 0, &c->new_puk, e);
	default:
		return generate_digits(
		    generate_length(t, GENERATED_PIN), 0, &c->new_pin, e);
	}
}

/* --- written down --------------------------------------------------------- */

struct text {
	struct burin_secret *s;
	size_t n;
	int full;
};

static void
put(struct text *t, const void *data, size_t len)
{
	if (t->full || len > burin_secret_len(t->s) - t->n) {
		t->full = 1;
		return;
	}
	memcpy(burin_secret_data(t->s) + t->n, data, len);
	t->n += len;
}

static void
put_member(struct text *t, const char *name, const void *value, size_t len)
{
	put(t, t->n == 0 ? "{\n  " : ",\n  ", 4);
	put(t, "\"", 1);
	put(t, name, strlen(name));
	put(t, "\": ", 3);
	put(t, value, len);
}

/* What is no secret may go through jansson, which does not zero. */
static void
put_string(struct text *t, const char *name, const char *value)
{
	json_t *j = json_text(value);
	char *quoted = j != NULL ? json_dumps(j, JSON_ENCODE_ANY) : NULL;

	if (quoted != NULL)
		put_member(t, name, quoted, strlen(quoted));
	else
		t->full = 1;
	free(quoted);
	json_decref(j);
}

/* Digits only: nothing in it needs to be escaped. */
static void
put_secret(struct text *t, const char *name, const struct burin_secret *s)
{
	if (s == NULL)
		return;
	put_member(t, name, "\"", 1);
	put(t, burin_secret_bytes(s), burin_secret_len(s));
	put(t, "\"", 1);
}

int
secrets_text(struct cli *c, const struct burin_token_info *info, int is_yubikey,
    const char *label, struct burin_secret **out, struct burin_error *e)
{
	struct text t = { NULL, 0, 0 };
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	*out = NULL;
	if (burin_secret_new(&t.s, NULL, BURIN_SECRET_MAX, e) != 0)
		return -1;
	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_string(&t, "serial", info->serial);
	put_string(&t, "label", label != NULL ? label : info->label);
	put_secret(&t, "pin", c->new_pin);
	put_secret(&t, is_yubikey ? "management_key" : "so_pin", c->new_so_pin);
	put_secret(&t, "puk", c->new_puk);
	put_string(&t, "time", when);
	put(&t, "\n}\n", 3);
	if (t.full) {
		burin_secret_free(&t.s);
		return burin_fail(e, BURIN_EINTERNAL, "secrets-too-long",
		    "the PINs do not fit into %d bytes", BURIN_SECRET_MAX);
	}
	burin_secret_truncate(t.s, t.n);
	*out = t.s;
	return 0;
}

/* Better than the defaults of old (PKCS#1 v1.5, SHA-1). */
static int
recipient(CMS_ContentInfo *cms, X509 *cert)
{
	CMS_RecipientInfo *ri =
	    CMS_add1_recipient_cert(cms, cert, CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx =
	    ri != NULL ? CMS_RecipientInfo_get0_pkey_ctx(ri) : NULL;
	EVP_PKEY *pkey = X509_get0_pubkey(cert);

	if (ctx == NULL || pkey == NULL)
		return 0;
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return EVP_PKEY_CTX_set_rsa_padding(
			   ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
		    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0;
	if (EVP_PKEY_is_a(pkey, "EC"))
		return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0;
	return 1;
}

int
secrets_seal(const struct burin_secret *text, X509 *cert, unsigned char **der,
    size_t *len, struct burin_error *e)
{
	CMS_ContentInfo *cms = NULL;
	unsigned char *bytes = NULL;
	BIO *in;
	int n = -1, rc = -1;

	*der = NULL;
	in = BIO_new_mem_buf(
	    burin_secret_bytes(text), (int)burin_secret_len(text));
	if (in != NULL)
		cms = CMS_encrypt(
		    NULL, NULL, EVP_aes_256_gcm(), CMS_PARTIAL | CMS_BINARY);
	if (cms != NULL && recipient(cms, cert) &&
	    CMS_final(cms, in, NULL, CMS_BINARY) == 1)
		n = i2d_CMS_ContentInfo(cms, &bytes);
	if (n <= 0) {
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "seal-failed",
		    "the PINs cannot be encrypted for this certificate");
		(void)burin_error_rule(e, "RFC 5083");
		(void)burin_error_advice(e,
		    "--seal-to wants the certificate of an RSA or EC key that "
		    "may encrypt");
		goto out;
	}
	if ((*der = malloc((size_t)n)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	memcpy(*der, bytes, (size_t)n);
	*len = (size_t)n;
	rc = 0;
out:
	OPENSSL_free(bytes);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return rc;
}

/* --- where to --------------------------------------------------------------
 */

static int
load_cert(const char *path, X509 **cert, struct burin_error *e)
{
	STACK_OF(X509) *certs = NULL;
	int rc = -1;

	if (work_certs(path, &certs, e) != 0)
		return -1;
	if (sk_X509_num(certs) != 1) {
		(void)burin_fail(e, BURIN_EUSAGE, "seal-certificate",
		    "%s holds %d certificates: --seal-to wants one", path,
		    sk_X509_num(certs));
	} else {
		*cert = sk_X509_shift(certs);
		rc = 0;
	}
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

/* A dry run of the sealing: a certificate of no use is known beforehand. */
static int
try_cert(X509 *cert, struct burin_error *e)
{
	struct burin_secret *nothing = NULL;
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	if (burin_secret_new(&nothing, "{}", 2, e) == 0)
		rc = secrets_seal(nothing, cert, &der, &len, e);
	free(der);
	burin_secret_free(&nothing);
	return rc;
}

static int
check_together(struct cli *c, int generate, const char *path, const char *seal,
    struct burin_error *e)
{
	struct stat st;

	if (!generate && (path != NULL || seal != NULL))
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--secrets-out and --seal-to are for PINs that burin "
		    "makes: --generate");
	if (!generate)
		return 0;
	if (path == NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "--generate makes PINs that nobody knows: --secrets-out "
		    "is needed");
		return burin_error_advice(e,
		    "a FILE, with --seal-to CERT encrypted for its holder, or "
		    "- to have them printed once");
	}
	if (arg_value(c->args, "new-pin-source") != NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--new-pin-source gives the new one and --generate makes "
		    "one");
	if (strcmp(path, "-") == 0) {
		if (seal != NULL && c->want_json)
			return burin_fail(e, BURIN_EUSAGE, "option-conflict",
			    "--json and a sealed --secrets-out - both want "
			    "standard output");
		return 0;
	}
	if (lstat(path, &st) == 0 || errno != ENOENT) {
		(void)burin_fail(e, BURIN_EUSAGE, "secrets-exist",
		    "%s is there already: PINs in it would be lost", path);
		return burin_error_advice(e, "name a new file");
	}
	return 0;
}

int
secrets_out_open(struct cli *c, struct secrets_out *out, struct burin_error *e)
{
	const char *path = arg_value(c->args, "secrets-out");
	const char *seal = arg_value(c->args, "seal-to");
	int generate = arg_flag(c->args, "generate") > 0;

	memset(out, 0, sizeof(*out));
	if (check_together(c, generate, path, seal, e) != 0)
		return burin_error_step(e, "secrets-out");
	if (seal != NULL &&
	    (load_cert(seal, &out->cert, e) != 0 ||
		try_cert(out->cert, e) != 0)) {
		secrets_out_clear(out);
		return burin_error_step(e, "seal-to");
	}
	out->path = generate ? path : NULL;
	return 0;
}

void
secrets_out_clear(struct secrets_out *out)
{
	X509_free(out->cert);
	memset(out, 0, sizeof(*out));
}

/* With --json the object is standard output: the secrets go into it. */
static void
tell_json(struct cli *c, const struct burin_secret *text)
{
	json_t *j;

	j = json_loadb((const char *)burin_secret_bytes(text),
	    burin_secret_len(text), 0, NULL);
	out_json(c, "secrets", j);
}

int
secrets_out_write(struct cli *c, struct secrets_out *out, struct burin_token *t,
    const char *label, struct burin_error *e)
{
	struct burin_secret *text = NULL;
	unsigned char *der = NULL;
	const void *data;
	size_t len;
	int rc = -1;

	if (out->path == NULL)
		return 0;
	/* What was printed is printed: it is not said twice. */
	if (out->written && strcmp(out->path, "-") == 0)
		return 0;
	if (secrets_text(
		c, burin_token_info(t), burin_piv_is(t), label, &text, e) != 0)
		goto out;
	if (c->json != NULL && strcmp(out->path, "-") == 0) {
		tell_json(c, text);
		rc = 0;
		goto out;
	}
	data = burin_secret_bytes(text);
	len = burin_secret_len(text);
	if (out->cert != NULL) {
		if (secrets_seal(text, out->cert, &der, &len, e) != 0)
			goto out;
		data = der;
	}
	rc = file_write(out->path, data, len, 0600, e);
out:
	free(der);
	burin_secret_free(&text);
	if (rc != 0)
		return burin_error_step(e, "secrets-out");
	out->written = 1;
	return 0;
}

void
secrets_out_failed(struct cli *c, struct secrets_out *out, int some_set,
    const struct burin_error *e)
{
	int none = !some_set &&
	    (e->status == BURIN_EPIN || e->status == BURIN_EUSAGE ||
		e->status == BURIN_ETOKEN);

	if (!out->written)
		return;
	if (strcmp(out->path, "-") == 0) {
		out_note(c, "%s",
		    none ? "what was printed was not set"
			 : "it is not sure what of that was set: keep it");
		return;
	}
	if (none)
		(void)unlink(out->path);
	else
		out_note(c,
		    "%s holds what was to be set; it is not sure what of that "
		    "the token took: keep it",
		    out->path);
	out->written = !none;
}
