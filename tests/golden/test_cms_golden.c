/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Golden messages: ours, and those that cms_make.py makes as Bouncy Castle
 * does; and what we make now before an independent reader, cms_check.py.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/cms.h>

#include "pki.h"
#include "unit/scratch.h"

#define DATA TEST_DIR "/golden/data/cms/"
#define PKI_DATA "1.3.6.1.5.5.7.12.2"
#define ID_DATA "1.2.840.113549.1.7.1"
#define ID_SIGNED "1.2.840.113549.1.7.2"
#define MAX_FILE 65536

/* An empty PKIData. */
static const unsigned char pki_data[] = { 0x30, 8, 0x30, 0, 0x30, 0, 0x30, 0,
	0x30, 0 };
static const unsigned char ski[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

enum what {
	SIGNED_CERT,
	SIGNED_KEY,
	UNSIGNED,
	MAC,
	MAC_LEGACY,
	ENVELOPED,
	ENVELOPED_OAEP,
	AUTH_ENVELOPED,
	AUTH_ENVELOPED_SIGNED
};

static const struct file {
	const char *name;
	const char *key; /* NULL: none */
	enum what what;
	int theirs; /* of cms_make.py */
} files[] = {
	{ "signed-rsa.der", "rsa", SIGNED_CERT, 0 },
	{ "signed-ec.der", "ec", SIGNED_KEY, 0 },
	{ "signed-ed25519.der", "ed25519", SIGNED_KEY, 0 },
	{ "signed-ed448.der", "ed448", SIGNED_CERT, 0 },
	{ "unsigned.der", NULL, UNSIGNED, 0 },
	{ "mac.der", NULL, MAC, 0 },
	{ "mac-legacy.der", NULL, MAC_LEGACY, 0 },
	{ "enveloped-rsa.der", "rsa", ENVELOPED, 0 },
	{ "enveloped-rsa-oaep.der", "rsa", ENVELOPED_OAEP, 0 },
	{ "enveloped-ec.der", "ec", ENVELOPED, 0 },
	{ "enveloped-x25519.der", "x25519", ENVELOPED, 0 },
	{ "authenveloped-rsa.der", "rsa", AUTH_ENVELOPED, 0 },
	{ "authenveloped-ec-signed.der", "ec", AUTH_ENVELOPED_SIGNED, 0 },
	{ "castle-mac-sha256.der", NULL, MAC, 1 },
	{ "castle-mac-sha512.der", NULL, MAC, 1 },
	{ "castle-mac-sha1.der", NULL, MAC_LEGACY, 1 },
};
#define N_FILES (sizeof(files) / sizeof(files[0]))

static void
must(int rc, const char *name, const struct burin_error *e)
{
	if (rc != 0)
		fail_msg("%s: %s: %s (%s)", name, e->code, e->reason, e->cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static EVP_PKEY *
load(const char *name)
{
	EVP_PKEY *key;
	char path[512];
	FILE *f;

	if (name == NULL)
		return NULL;
	(void)snprintf(path, sizeof(path), DATA "%s.pem", name);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("cannot open %s", path);
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	(void)fclose(f);
	assert_non_null(key);
	return key;
}

static struct burin_secret *
secret(void)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *s;

	must(burin_secret_new(&s, "golden secret", 13, &e), "secret", &e);
	return s;
}

static void
make(const struct file *f, unsigned char **der, size_t *len)
{
	EVP_PKEY *key = load(f->key);
	X509 *cert = f->what == SIGNED_CERT ? pki_ca("golden", key) : NULL;
	struct burin_cms_signer s = { .by = BURIN_CMS_BY_KEY,
		.key = key,
		.pub = key,
		.cert = cert,
		.key_id = ski,
		.key_id_len = sizeof(ski),
		.signing_time = PKI_NOW };
	struct burin_cms_recipient to = { .pub = key,
		.key_id = ski,
		.key_id_len = f->what == AUTH_ENVELOPED ? sizeof(ski) : 0,
		.serial = 7,
		.oaep = f->what == ENVELOPED_OAEP };
	struct burin_secret *shared = secret();
	struct burin_error e = BURIN_ERROR_INIT;
	int rc;

	if (f->what == SIGNED_CERT)
		s.by = BURIN_CMS_BY_CERT;
	if (f->what == UNSIGNED)
		s.by = BURIN_CMS_UNSIGNED;
	if (f->what <= UNSIGNED)
		rc = burin_cms_sign(
		    &s, PKI_DATA, pki_data, sizeof(pki_data), der, len, &e);
	else if (f->what <= MAC_LEGACY)
		rc = burin_cms_authenticate("alice", shared,
		    f->what == MAC_LEGACY, 1000, PKI_DATA, pki_data,
		    sizeof(pki_data), der, len, &e);
	else
		rc = burin_cms_encrypt(&to, 1,
		    f->what >= AUTH_ENVELOPED ? BURIN_CMS_AES256_GCM
					      : BURIN_CMS_AES256_CBC,
		    f->what == AUTH_ENVELOPED_SIGNED ? ID_SIGNED : ID_DATA,
		    pki_data, sizeof(pki_data), der, len, &e);
	must(rc, f->name, &e);
	burin_secret_free(&shared);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
write_file(const char *dir, const struct file *f)
{
	unsigned char *der;
	char path[512];
	size_t len;
	FILE *out;

	make(f, &der, &len);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, f->name);
	assert_non_null(out = fopen(path, "wb"));
	assert_int_equal(fwrite(der, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
	OPENSSL_free(der);
}

static void
assert_inside(const unsigned char *p, size_t len)
{
	assert_int_equal(len, sizeof(pki_data));
	assert_memory_equal(p, pki_data, len);
}

static void
check(const struct file *f, struct burin_cms *cms)
{
	EVP_PKEY *key = load(f->key);
	struct burin_cms_recipient to = {
		.key_id = ski, .key_id_len = sizeof(ski), .serial = 7
	};
	struct burin_secret *shared = secret(), *out = NULL;
	struct burin_error e = BURIN_ERROR_INIT;
	const unsigned char *p;
	size_t len;
	int rc;

	if (f->what == UNSIGNED) {
		rc = burin_cms_verify(cms, 0, key, 1, &e);
		assert_int_equal(rc, -1);
		assert_string_equal(e.code, "not-signed");
		rc = 0;
	} else if (f->what <= SIGNED_KEY) {
		rc = burin_cms_verify(cms, 0, key, 0, &e);
	} else if (f->what <= MAC_LEGACY) {
		rc = burin_cms_verify_mac(
		    cms, "alice", shared, f->what == MAC_LEGACY, &e);
	} else {
		rc = burin_cms_decrypt(cms, &to, key, key, &out, &e);
	}
	must(rc, f->name, &e);
	p = out != NULL ? burin_secret_bytes(out)
			: burin_cms_content(cms, &len);
	assert_inside(p, out != NULL ? burin_secret_len(out) : len);
	burin_secret_free(&out);
	burin_secret_free(&shared);
	EVP_PKEY_free(key);
}

static void
test_files(void **state)
{
	static unsigned char data[MAX_FILE];
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	char path[512];
	size_t i, len;
	FILE *in;

	(void)state;
	for (i = 0; i < N_FILES; i++) {
		(void)snprintf(path, sizeof(path), DATA "%s", files[i].name);
		if ((in = fopen(path, "rb")) == NULL)
			fail_msg("cannot open %s", path);
		len = fread(data, 1, sizeof(data), in);
		(void)fclose(in);
		must(burin_cms_parse(data, len, BURIN_ECHECK, &cms, &e),
		    files[i].name, &e);
		check(&files[i], cms);
		burin_cms_free(&cms);
	}
}

/*
 * The golden ones and fresh ones, before pyasn1 and python3-cryptography. Not
 * those of cms_make.py: pyasn1 0.4.8 loses its way in nested indefinite
 * lengths.
 */
static void
test_independent(void **state)
{
	char dir[32], line[1024];
	size_t i;
	int rc;

	(void)state;
	scratch_make(dir);
	for (i = 0; i < N_FILES; i++) {
		if (!files[i].theirs)
			write_file(dir, &files[i]);
	}
	(void)snprintf(line, sizeof(line),
	    "/usr/bin/python3 " TEST_DIR "/golden/cms_check.py " DATA
	    " %s/*.der " DATA "[!c]*.der >/dev/null",
	    dir);
	rc = system(line);
	scratch_remove(dir);
	if (WIFEXITED(rc) && WEXITSTATUS(rc) == 77) {
		print_message("skipped: no python3-pyasn1-modules or "
			      "python3-cryptography\n");
		skip();
	}
	assert_int_equal(rc, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_independent),
	};
	const char *dir = getenv("BURIN_GOLDEN_WRITE");
	size_t i;

	/* regenerate asks for the files anew. */
	if (dir != NULL) {
		for (i = 0; i < N_FILES; i++) {
			if (!files[i].theirs)
				write_file(dir, &files[i]);
		}
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
