/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The mock module itself: what it promises to the tests that use it.
 */

#include <sys/wait.h>

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "wrap.h"

static char dir[64], conf_path[128];
static CK_FUNCTION_LIST *f;

static unsigned char pin[] = "123456", bad[] = "000000";
static unsigned char so_pin[] = "12345678";

#define OK(call) assert_int_equal(call, CKR_OK)

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/burin-mock-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(conf_path, sizeof(conf_path), "%s/conf", dir);
	assert_int_equal(setenv("BURIN_MOCK", conf_path, 1), 0);
	OK(C_GetFunctionList(&f));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Starts the module with these lines; its tokens stay as they are. */
static void
with(const char *lines)
{
	FILE *file = fopen(conf_path, "w");

	assert_non_null(file);
	assert_true(fputs(lines, file) >= 0);
	assert_int_equal(fclose(file), 0);
	OK(f->C_Initialize(NULL));
}

/* As with, on new tokens. */
static void
fresh(const char *lines)
{
	char state[160];

	(void)snprintf(state, sizeof(state), "%s.state", conf_path);
	(void)nftw(state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	with(lines);
}

static void
done(void)
{
	OK(f->C_Finalize(NULL));
}

static CK_SESSION_HANDLE
session(void)
{
	CK_SESSION_HANDLE s;

	OK(f->C_OpenSession(
	    0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	return s;
}

static CK_SESSION_HANDLE
login(void)
{
	CK_SESSION_HANDLE s = session();

	OK(f->C_Login(s, CKU_USER, pin, 6));
	return s;
}

static CK_FLAGS
flags(void)
{
	CK_TOKEN_INFO info;

	OK(f->C_GetTokenInfo(0, &info));
	return info.flags;
}

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG bits = 2048;
static unsigned char p256[] = { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };
static unsigned char id[] = { 1, 2, 3 };

static CK_RV
keygen(CK_SESSION_HANDLE s, CK_MECHANISM_TYPE type, CK_BBOOL *always,
    CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
{
	CK_MECHANISM mech = { type, NULL, 0 };
	CK_ATTRIBUTE a[] = {
		{ CKA_TOKEN, &yes, 1 },
		{ CKA_ID, id, sizeof(id) },
		{ CKA_MODULUS_BITS, &bits, sizeof(bits) },
	};
	CK_ATTRIBUTE b[] = {
		{ CKA_TOKEN, &yes, 1 },
		{ CKA_ID, id, sizeof(id) },
		{ CKA_SENSITIVE, &yes, 1 },
		{ CKA_EXTRACTABLE, &no, 1 },
		{ CKA_SIGN, &yes, 1 },
		{ CKA_DECRYPT, &yes, 1 },
		{ CKA_DERIVE, &yes, 1 },
		{ CKA_ALWAYS_AUTHENTICATE, always, 1 },
	};

	if (type == CKM_EC_KEY_PAIR_GEN) {
		a[2].type = CKA_EC_PARAMS;
		a[2].pValue = p256;
		a[2].ulValueLen = sizeof(p256);
	}
	return f->C_GenerateKeyPair(s, &mech, a, 3, b, 8, pub, priv);
}

static CK_ULONG
count(CK_SESSION_HANDLE s)
{
	CK_OBJECT_HANDLE list[100];
	CK_ULONG n;

	OK(f->C_FindObjectsInit(s, NULL, 0));
	OK(f->C_FindObjects(s, list, 100, &n));
	OK(f->C_FindObjectsFinal(s));
	return n;
}

static void
pins(void **state)
{
	CK_SESSION_HANDLE s;
	unsigned char *none = NULL;
	int i;

	(void)state;
	fresh("tries=3\n");
	s = session();
	assert_int_equal(
	    flags() & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED), 0);
	assert_int_equal(f->C_Login(s, CKU_USER, bad, 6), CKR_PIN_INCORRECT);
	assert_true(flags() & CKF_USER_PIN_COUNT_LOW);
	done();

	/* The counter outlives the process; the right PIN resets it. */
	with("tries=3\n");
	s = session();
	assert_int_equal(f->C_Login(s, CKU_USER, bad, 6), CKR_PIN_INCORRECT);
	assert_true(flags() & CKF_USER_PIN_FINAL_TRY);
	OK(f->C_Login(s, CKU_USER, pin, 6));
	assert_int_equal(
	    f->C_Login(s, CKU_USER, pin, 6), CKR_USER_ALREADY_LOGGED_IN);
	assert_false(flags() & CKF_USER_PIN_COUNT_LOW);
	OK(f->C_Logout(s));
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    f->C_Login(s, CKU_USER, bad, 6), CKR_PIN_INCORRECT);
	assert_int_equal(f->C_Login(s, CKU_USER, pin, 6), CKR_PIN_LOCKED);
	assert_true(flags() & CKF_USER_PIN_LOCKED);
	done();
	with("flags=silent\n");
	assert_false(flags() & CKF_USER_PIN_LOCKED);
	/* The SO unblocks. */
	s = session();
	OK(f->C_Login(s, CKU_SO, so_pin, 8));
	OK(f->C_InitPIN(s, pin, 6));
	OK(f->C_Logout(s));
	OK(f->C_Login(s, CKU_USER, pin, 6));
	done();

	fresh("pad=1\n");
	s = session();
	assert_true(flags() & CKF_PROTECTED_AUTHENTICATION_PATH);
	assert_int_equal(f->C_Login(s, CKU_USER, pin, 6), CKR_ARGUMENTS_BAD);
	OK(f->C_Login(s, CKU_USER, none, 0));
	done();
	with("pad_pin=wrong\n");
	s = session();
	assert_int_equal(f->C_Login(s, CKU_USER, none, 0), CKR_PIN_INCORRECT);
	done();
	with("pad_pin=cancel\n");
	s = session();
	assert_int_equal(
	    f->C_Login(s, CKU_USER, none, 0), CKR_FUNCTION_CANCELED);
	done();
}

static void
initialization(void **state)
{
	unsigned char label[33] = "fresh                           ";
	CK_SESSION_HANDLE s;
	CK_TOKEN_INFO info;
	CK_ULONG n;

	(void)state;
	fresh("token=one:11\ntoken=two:22\nslots=3\n");
	OK(f->C_GetSlotList(1, NULL, &n));
	assert_int_equal(n, 3);
	OK(f->C_GetTokenInfo(1, &info));
	assert_memory_equal(info.label, "two  ", 5);
	assert_memory_equal(info.serialNumber, "22  ", 4);
	OK(f->C_GetTokenInfo(2, &info));
	assert_false(info.flags & CKF_TOKEN_INITIALIZED);
	assert_int_equal(
	    f->C_OpenSession(2, CKF_SERIAL_SESSION, NULL, NULL, &s),
	    CKR_TOKEN_NOT_RECOGNIZED);
	OK(f->C_InitToken(2, so_pin, 8, label));
	OK(f->C_OpenSession(
	    2, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	assert_int_equal(
	    f->C_Login(s, CKU_USER, pin, 6), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(
	    f->C_InitToken(2, so_pin, 8, label), CKR_SESSION_EXISTS);
	OK(f->C_Login(s, CKU_SO, so_pin, 8));
	OK(f->C_InitPIN(s, pin, 6));
	OK(f->C_SetPIN(s, so_pin, 8, bad, 6));
	OK(f->C_CloseSession(s));
	assert_int_equal(
	    f->C_InitToken(2, so_pin, 8, label), CKR_PIN_INCORRECT);
	OK(f->C_InitToken(2, bad, 6, label));
	done();
}

/* The public key as others read it. */
static EVP_PKEY *
ec_key(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE pub)
{
	unsigned char point[100];
	CK_ATTRIBUTE a = { CKA_EC_POINT, point, sizeof(point) };
	EVP_PKEY *key = EVP_PKEY_new();
	EVP_PKEY *params = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	OK(f->C_GetAttributeValue(s, pub, &a, 1));
	assert_int_equal(a.ulValueLen, 67);
	assert_int_equal(point[0], 4);
	assert_int_equal(EVP_PKEY_copy_parameters(key, params), 1);
	assert_int_equal(
	    EVP_PKEY_set1_encoded_public_key(key, point + 2, 65), 1);
	EVP_PKEY_free(params);
	return key;
}

static void
ec(void **state)
{
	CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 };
	CK_OBJECT_HANDLE pub, priv;
	CK_SESSION_HANDLE s;
	unsigned char digest[32] = { 1 }, rs[64], *der = NULL;
	CK_ULONG n = 0;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_PKEY *key;
	EVP_PKEY_CTX *p;
	int len;

	(void)state;
	fresh("");
	s = login();
	OK(keygen(s, CKM_EC_KEY_PAIR_GEN, &no, &pub, &priv));
	done();
	/* Another process finds them; the private one after the login. */
	with("");
	s = session();
	assert_int_equal(count(s), 1);
	assert_int_equal(
	    f->C_SignInit(s, &ecdsa, priv), CKR_USER_NOT_LOGGED_IN);
	OK(f->C_Login(s, CKU_USER, pin, 6));
	assert_int_equal(count(s), 2);
	OK(f->C_SignInit(s, &ecdsa, priv));
	OK(f->C_Sign(s, digest, 32, NULL, &n));
	assert_int_equal(n, 64);
	n = 10;
	assert_int_equal(
	    f->C_Sign(s, digest, 32, rs, &n), CKR_BUFFER_TOO_SMALL);
	n = sizeof(rs);
	OK(f->C_Sign(s, digest, 32, rs, &n));
	assert_int_equal(
	    f->C_Sign(s, digest, 32, rs, &n), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(rs, 32, NULL),
			     BN_bin2bn(rs + 32, 32, NULL)),
	    1);
	len = i2d_ECDSA_SIG(sig, &der);
	key = ec_key(s, pub);
	p = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	assert_int_equal(EVP_PKEY_verify_init(p), 1);
	assert_int_equal(EVP_PKEY_verify(p, der, (size_t)len, digest, 32), 1);
	EVP_PKEY_CTX_free(p);
	EVP_PKEY_free(key);
	ECDSA_SIG_free(sig);
	OPENSSL_free(der);
	OK(f->C_DestroyObject(s, priv));
	assert_int_equal(count(s), 1);
	done();
}

/* The token's side of ECDH against OpenSSL's. */
static void
derive(void **state)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE kt = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE a[] = { { CKA_CLASS, &cls, sizeof(cls) },
		{ CKA_KEY_TYPE, &kt, sizeof(kt) }, { CKA_TOKEN, &no, 1 },
		{ CKA_SENSITIVE, &no, 1 }, { CKA_EXTRACTABLE, &yes, 1 } };
	CK_ECDH1_DERIVE_PARAMS params = { CKD_NULL, 0, NULL, 0, NULL };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &params, sizeof(params) };
	EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), *key;
	CK_OBJECT_HANDLE pub, priv, secret;
	CK_SESSION_HANDLE s;
	unsigned char ours[32], theirs[32], *point = NULL;
	CK_ATTRIBUTE value = { CKA_VALUE, theirs, sizeof(theirs) };
	size_t n = sizeof(ours);
	EVP_PKEY_CTX *p;

	(void)state;
	fresh("");
	s = login();
	OK(keygen(s, CKM_EC_KEY_PAIR_GEN, &no, &pub, &priv));
	params.ulPublicDataLen = EVP_PKEY_get1_encoded_public_key(peer, &point);
	params.pPublicData = point;
	OK(f->C_DeriveKey(s, &mech, priv, a, 5, &secret));
	OK(f->C_GetAttributeValue(s, secret, &value, 1));
	OK(f->C_DestroyObject(s, secret));
	key = ec_key(s, pub);
	p = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
	assert_int_equal(EVP_PKEY_derive_init(p), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(p, key), 1);
	assert_int_equal(EVP_PKEY_derive(p, ours, &n), 1);
	assert_int_equal(value.ulValueLen, n);
	assert_memory_equal(ours, theirs, n);
	EVP_PKEY_CTX_free(p);
	EVP_PKEY_free(key);
	EVP_PKEY_free(peer);
	OPENSSL_free(point);
	done();
}

static void
rsa(void **state)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = { CKM_SHA256, CKG_MGF1_SHA256,
		CKZ_DATA_SPECIFIED, NULL, 0 };
	CK_MECHANISM mech = { CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep) };
	CK_MECHANISM raw = { CKM_RSA_X_509, NULL, 0 };
	CK_OBJECT_HANDLE pub, priv;
	CK_SESSION_HANDLE s;
	unsigned char n_value[256], in[256] = { 0, 1, 2 }, out[256];
	CK_ATTRIBUTE a[] = { { CKA_MODULUS, n_value, sizeof(n_value) },
		{ CKA_PRIVATE_EXPONENT, n_value, sizeof(n_value) },
		{ CKA_VENDOR_DEFINED | 0x42UL, n_value, sizeof(n_value) } };
	CK_ULONG n = sizeof(out);

	(void)state;
	fresh("");
	s = login();
	OK(keygen(s, CKM_RSA_PKCS_KEY_PAIR_GEN, &yes, &pub, &priv));
	OK(f->C_GetAttributeValue(s, priv, a, 1));
	assert_int_equal(a[0].ulValueLen, 256);
	assert_int_equal(
	    f->C_GetAttributeValue(s, priv, a + 1, 1), CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(f->C_GetAttributeValue(s, priv, a + 2, 1),
	    CKR_ATTRIBUTE_TYPE_INVALID);
	/* It wants its PIN each time. */
	assert_int_equal(f->C_Login(s, CKU_CONTEXT_SPECIFIC, pin, 6),
	    CKR_OPERATION_NOT_INITIALIZED);
	OK(f->C_SignInit(s, &raw, priv));
	assert_int_equal(
	    f->C_Sign(s, in, 256, out, &n), CKR_USER_NOT_LOGGED_IN);
	OK(f->C_SignInit(s, &raw, priv));
	assert_int_equal(
	    f->C_Login(s, CKU_CONTEXT_SPECIFIC, bad, 6), CKR_PIN_INCORRECT);
	OK(f->C_Login(s, CKU_CONTEXT_SPECIFIC, pin, 6));
	n = sizeof(out);
	OK(f->C_Sign(s, in, 256, out, &n));
	assert_int_equal(n, 256);
	OK(f->C_DecryptInit(s, &mech, priv));
	OK(f->C_Login(s, CKU_CONTEXT_SPECIFIC, pin, 6));
	assert_int_equal(
	    f->C_Decrypt(s, out, 256, in, &n), CKR_ENCRYPTED_DATA_INVALID);
	done();
}

static void
objects(void **state)
{
	CK_OBJECT_CLASS cls = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	unsigned char value[] = "value", label[] = "label";
	CK_ATTRIBUTE a[] = { { CKA_CLASS, &cls, sizeof(cls) },
		{ CKA_CERTIFICATE_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, 1 }, { CKA_VALUE, value, 5 },
		{ CKA_SUBJECT, value, 5 } };
	CK_ATTRIBUTE set = { CKA_LABEL, label, 5 },
		     get = { CKA_LABEL, NULL, 0 };
	CK_OBJECT_HANDLE o, pub, priv;
	CK_SESSION_HANDLE s, more;

	(void)state;
	fresh("max_sessions=2\nrefuse_template=0x86,0x170\n");
	s = login();
	assert_int_equal(
	    f->C_CreateObject(s, a, 4, &o), CKR_TEMPLATE_INCOMPLETE);
	OK(f->C_CreateObject(s, a, 5, &o));
	OK(f->C_SetAttributeValue(s, o, &set, 1));
	assert_int_equal(
	    f->C_SetAttributeValue(s, o, a + 3, 1), CKR_ATTRIBUTE_READ_ONLY);
	OK(f->C_GetAttributeValue(s, o, &get, 1));
	assert_int_equal(get.ulValueLen, 5);
	a[0].type = 0x170;
	assert_int_equal(
	    f->C_CreateObject(s, a, 5, &o), CKR_ATTRIBUTE_TYPE_INVALID);
	(void)session();
	assert_int_equal(
	    f->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &more),
	    CKR_SESSION_COUNT);
	done();

	with("extractable=1\n");
	s = login();
	OK(keygen(s, CKM_EC_KEY_PAIR_GEN, &no, &pub, &priv));
	get.type = CKA_EXTRACTABLE;
	get.pValue = value;
	get.ulValueLen = 1;
	OK(f->C_GetAttributeValue(s, priv, &get, 1));
	assert_int_equal(value[0], CK_TRUE);
	done();
}

/* Runs a login in a child; how the child ended. */
static int
child(const char *lines)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(2);
		with(lines);
		(void)login();
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
faults(void **state)
{
	char lines[256], text[200];
	CK_SLOT_INFO info;
	CK_TOKEN_INFO token;
	CK_SESSION_HANDLE s;
	CK_ULONG n = 0;
	FILE *file;

	(void)state;
	fresh("fail=C_OpenSession:2:CKR_DEVICE_ERROR\n"
	      "fail=C_Login:*:0x30\n");
	s = session();
	assert_int_equal(
	    f->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &s),
	    CKR_DEVICE_ERROR);
	assert_int_equal(f->C_Login(s, CKU_USER, pin, 6), 0x30);
	assert_int_equal(f->C_Login(s, CKU_USER, pin, 6), 0x30);
	done();

	with("remove_at=3\n");
	s = session();
	assert_int_equal(f->C_Login(s, CKU_USER, pin, 6), CKR_DEVICE_REMOVED);
	assert_int_equal(f->C_GetTokenInfo(0, &token), CKR_TOKEN_NOT_PRESENT);
	OK(f->C_GetSlotInfo(0, &info));
	assert_false(info.flags & CKF_TOKEN_PRESENT);
	OK(f->C_GetSlotList(1, NULL, &n));
	assert_int_equal(n, 0);
	done();

	assert_int_equal(child(""), 7);
	assert_int_equal(child("kill=3\n"), -SIGKILL);
	assert_int_equal(child("kill_after=3\n"), -SIGKILL);
	assert_int_equal(child("kill=4\n"), 7);
	assert_int_equal(child("hang=C_Login:1\n"), -SIGALRM);

	(void)snprintf(lines, sizeof(lines), "calls_file=%s/calls\n", dir);
	with(lines);
	assert_int_equal(
	    f->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	done();
	(void)snprintf(lines, sizeof(lines), "%s/calls", dir);
	assert_non_null(file = fopen(lines, "r"));
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
	assert_string_equal(text,
	    "C_Initialize CKR_OK\n"
	    "C_Initialize CKR_CRYPTOKI_ALREADY_INITIALIZED\n"
	    "C_Finalize CKR_OK\n");

	assert_int_equal(
	    f->C_GetSlotInfo(0, &info), CKR_CRYPTOKI_NOT_INITIALIZED);
	file = fopen(conf_path, "w");
	assert_non_null(file);
	assert_true(fputs("tires=3\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(f->C_Initialize(NULL), CKR_GENERAL_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins),
		cmocka_unit_test(initialization),
		cmocka_unit_test(ec),
		cmocka_unit_test(derive),
		cmocka_unit_test(rsa),
		cmocka_unit_test(objects),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests_name("mock", tests, setup, teardown);
}
