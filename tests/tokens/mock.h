/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One token of the mock module (tests/mock) in a folder of its own, as a
 * member of some family; included once by each test that needs it.
 */

#ifndef TESTS_MOCK_H
#define TESTS_MOCK_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include <burin/token.h>

#define MOCK BUILD_DIR "/mock/burin-mock.so"
#define MOCK_MGM "010203040506070801020304050607080102030405060708"

/* What makes the mock a YubiKey with ykcs11 in front. */
#define LIKE_YKCS11                                                 \
	"manufacturer=Yubico (www.yubico.com)\nmodel=YubiKey YK5\n" \
	"library=Yubico "                                           \
	"(www.yubico.com)\nwriter=so\nplaces=1\nso_pin=" MOCK_MGM   \
	"\nrefuse_template=0x162,0x170,0x202\n"

struct mock {
	char dir[64], conf[96];
	struct burin_p11 *p11;
	struct burin_token *t;
	struct burin_error e;
	const char *so_pin;
	/*
	 * What happened, a letter each: u and o, the PIN of user or officer
	 * is asked for; L, O: logged in, out; G, C, D, S: a key pair or
	 * certificate made, an object destroyed, a signature. Only CKR_OK.
	 */
	char trace[256];
};

/* Fails the test with the reason in e. */
static inline void
must(int rc, const struct burin_error *e)
{
	if (rc == 0)
		return;
	print_error("%s: %s (%s)\n", e->code, e->reason, e->cause);
	fail();
}

static inline void
mock_trace(struct mock *m, char c)
{
	size_t n = strlen(m->trace);

	assert_true(n + 1 < sizeof(m->trace));
	m->trace[n] = c;
	m->trace[n + 1] = '\0';
}

static inline int
mock_pin(void *arg, const struct burin_token *t, enum burin_login who,
    struct burin_secret **out, struct burin_error *e)
{
	struct mock *m = arg;
	const char *pin = who == BURIN_LOGIN_SO ? m->so_pin : "123456";

	(void)t;
	mock_trace(m, who == BURIN_LOGIN_SO ? 'o' : 'u');
	return burin_secret_new(out, pin, strlen(pin), e);
}

static inline void
mock_log(void *arg, const char *line)
{
	static const struct {
		const char *begins;
		char c;
	} letters[] = { { "C_Login", 'L' }, { "C_Logout", 'O' },
		{ "C_GenerateKeyPair", 'G' }, { "C_CreateObject", 'C' },
		{ "C_DestroyObject", 'D' }, { "C_Sign ", 'S' } };
	size_t i;

	if (strstr(line, "CKR_OK") == NULL)
		return;
	for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (strncmp(line, letters[i].begins,
			strlen(letters[i].begins)) == 0)
			mock_trace(arg, letters[i].c);
}

/* The module anew, as family says; what is on the token stays. */
static inline void
mock_be(struct mock *m, const char *family)
{
	struct burin_module_spec module = { MOCK, NULL };
	struct burin_p11_config config = { .modules = &module,
		.n_modules = 1,
		.log = mock_log,
		.log_arg = m };
	struct burin_login_policy policy = { mock_pin, NULL, NULL, NULL, m, 0 };
	FILE *f;

	burin_p11_free(&m->p11);
	f = fopen(m->conf, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "label=mock\n%s", family) > 0);
	assert_int_equal(fclose(f), 0);
	must(burin_p11_new(&m->p11, &config, &m->e), &m->e);
	burin_p11_set_policy(m->p11, &policy);
	must(burin_token_find(m->p11, "mock", 0, &m->t, &m->e), &m->e);
	m->trace[0] = '\0';
}

static inline void
mock_start(struct mock *m)
{
	memset(m, 0, sizeof(*m));
	m->so_pin = MOCK_MGM;
	(void)snprintf(m->dir, sizeof(m->dir), "/tmp/burin-test-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	(void)snprintf(m->conf, sizeof(m->conf), "%s/mock.conf", m->dir);
	assert_int_equal(setenv("BURIN_MOCK", m->conf, 1), 0);
}

static inline int
mock_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
mock_stop(struct mock *m)
{
	burin_p11_free(&m->p11);
	assert_int_equal(
	    nftw(m->dir, mock_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* A key in a place of the token; replaces what is there. */
static inline struct burin_key *
mock_key_in(struct mock *m, unsigned char id)
{
	struct burin_key_spec spec;
	struct burin_key *k;

	memset(&spec, 0, sizeof(spec));
	spec.type = BURIN_EC_P256;
	spec.id = &id;
	spec.id_len = 1;
	spec.overwrite = 1;
	must(burin_keygen(m->t, &spec, &k, &m->e), &m->e);
	return k;
}

/* A certificate for pub; signed by key, and the issuer is cn's or another. */
static inline X509 *
mock_cert(EVP_PKEY *pub, EVP_PKEY *key, const char *cn, const char *issuer,
    long serial, long seconds)
{
	X509 *x = X509_new();

	assert_non_null(x);
	assert_true(X509_set_version(x, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), serial));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), seconds));
	assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
	    MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
	assert_true(X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "CN",
	    MBSTRING_UTF8, (const unsigned char *)issuer, -1, -1, 0));
	assert_true(X509_set_pubkey(x, pub));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

#endif
