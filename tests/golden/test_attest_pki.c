/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The attestation that the golden requests carry: a root, the certificate of
 * an attestation key and an attestation of data/pkcs10/ed25519.pem, as a
 * device with firmware 5.7 would make it. With BURIN_GOLDEN_WRITE set to
 * data/pkcs10 they are made anew in data/attest; without, they are read and
 * checked.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <burin/attest.h>

#include "pki.h"

#define DATA TEST_DIR "/golden/data/"
#define EXTS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define Y "1.3.6.1.4.1.41482.3."

static EVP_PKEY *
load_key(void)
{
	EVP_PKEY *key;
	FILE *f;

	assert_non_null(f = fopen(DATA "pkcs10/ed25519.pem", "r"));
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	(void)fclose(f);
	assert_non_null(key);
	return key;
}

static void
write_cert(const char *name, X509 *cert)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/../attest/%s.der",
	    getenv("BURIN_GOLDEN_WRITE"), name);
	assert_non_null(f = fopen(path, "wb"));
	assert_int_equal(i2d_X509_fp(f, cert), 1);
	assert_int_equal(fclose(f), 0);
	X509_free(cert);
}

static X509 *
read_cert(const char *name)
{
	char path[512];
	X509 *cert;
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "attest/%s.der", name);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	cert = d2i_X509_fp(f, NULL);
	(void)fclose(f);
	assert_non_null(cert);
	return cert;
}

static void
make_all(EVP_PKEY *key)
{
	EVP_PKEY *root_key = pki_key("P-256"), *f9_key = pki_key("P-256");
	struct pki_spec spec = { 0 };
	X509 *root, *f9;

	spec.from = (time_t)1457913600;
	spec.until = (time_t)2597529600;
	spec.cn = "Test PIV Root CA";
	spec.key = root_key;
	spec.exts = EXTS("basicConstraints=critical,CA:TRUE,pathlen:1");
	root = pki_cert(&spec);
	spec.cn = "Yubico PIV Attestation";
	spec.key = f9_key;
	spec.issuer = root;
	spec.issuer_key = root_key;
	spec.exts = EXTS("basicConstraints=critical,CA:TRUE,pathlen:0",
	    Y "3=DER:0403050700");
	f9 = pki_cert(&spec);
	spec.cn = "YubiKey PIV Attestation 9a";
	spec.key = key;
	spec.issuer = f9;
	spec.issuer_key = f9_key;
	spec.exts = EXTS(Y "3=DER:050700", Y "7=DER:020400bc614e",
	    Y "8=DER:0301", Y "9=DER:03");
	write_cert("leaf", pki_cert(&spec));
	write_cert("f9", f9);
	write_cert("root", root);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(f9_key);
}

static void
test_attestation(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_attest_input in = { 0 };
	struct burin_checks checks;
	struct burin_attest said;
	EVP_PKEY *key = load_key();
	size_t i;

	(void)state;
	if (getenv("BURIN_GOLDEN_WRITE") != NULL)
		make_all(key);
	in.cert = read_cert("leaf");
	in.above = sk_X509_new_null();
	in.anchors = sk_X509_new_null();
	assert_true(sk_X509_push(in.above, read_cert("f9")) > 0);
	assert_true(sk_X509_push(in.anchors, read_cert("root")) > 0);
	in.pub = key;
	in.now = PKI_NOW;
	assert_int_equal(burin_attest_check(&in, &checks, &said, &e), 0);
	for (i = 0; i < checks.n; i++)
		assert_int_equal(checks.list[i].level, BURIN_PASS);
	assert_int_equal(said.serial, 12345678);
	X509_free(in.cert);
	sk_X509_pop_free(in.above, X509_free);
	sk_X509_pop_free(in.anchors, X509_free);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
	    test_attestation) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
