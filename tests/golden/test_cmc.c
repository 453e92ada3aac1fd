/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Golden Full PKI Requests: the same wishes, keys and transaction give the
 * same bytes (of what is encrypted or MACed under a random key, the same
 * PKIData inside). With BURIN_GOLDEN_WRITE set to a folder the files are
 * written there instead: tests/golden/regenerate does that. cmc.sh beside
 * has pyasn1 read them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/cmc.h>

#include "pki.h"

#define DATA TEST_DIR "/golden/data"
#define MAX_FILE 65536
#define NAME "r7"
#define SECRET "correct horse battery staple"

static struct burin_error e;
static EVP_PKEY *sign_key, *rsa_key; /* Ed25519 and RSA sign alike each time */
static unsigned char sign_id[20], rsa_id[20];
static X509 *cert; /* of sign_key, by itself */
static struct burin_subject *subject;
static struct burin_secret *secret;
static struct burin_cmc_identity identity, old_identity;
static struct burin_cmc_thread first, later;
static struct burin_cms_signer by_key, by_cert, unsigned_rsa;
static struct burin_cms_recipient recipient;
static struct burin_cmc_pop pop;
static struct burin_cmc_revocation revocation, revocation_secret;

static void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

/* --- what goes in --------------------------------------------------------- */

static EVP_PKEY *
load_key(const char *name)
{
	char path[512];
	EVP_PKEY *key;
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "/pkcs10/%s.pem", name);
	assert_non_null(f = fopen(path, "r"));
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	(void)fclose(f);
	assert_non_null(key);
	return key;
}

static void
key_id(EVP_PKEY *key, unsigned char id[20])
{
	struct pki_spec spec = { .cn = "a", .key = key, .serial = 1 };
	X509 *holder = pki_cert(&spec);
	unsigned int len = 20;

	assert_int_equal(X509_pubkey_digest(holder, EVP_sha1(), id, &len), 1);
	X509_free(holder);
}

static void
fill(struct burin_cmc_octets *o, unsigned char from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		o->data[i] = (unsigned char)(from + i);
	o->len = len;
}

static struct burin_subject *
new_subject(const char *dn, const char *san)
{
	struct burin_subject *s;

	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, dn, &e));
	must(burin_subject_add_san(s, san, &e));
	return s;
}

static void
set_people(void)
{
	static const char *const exts[] = { "subjectKeyIdentifier=hash", NULL };
	struct pki_spec spec = { .cn = "r7",
		.org = "Example",
		.exts = exts,
		.key = sign_key,
		.serial = 7 };

	cert = pki_cert(&spec);
	by_key = (struct burin_cms_signer) { .by = BURIN_CMS_BY_KEY,
		.key = sign_key,
		.pub = sign_key,
		.key_id = sign_id,
		.key_id_len = sizeof(sign_id),
		.signing_time = PKI_NOW };
	by_cert = (struct burin_cms_signer) { .by = BURIN_CMS_BY_CERT,
		.key = sign_key,
		.pub = sign_key,
		.cert = cert,
		.signing_time = PKI_NOW };
	unsigned_rsa = (struct burin_cms_signer) { .by = BURIN_CMS_UNSIGNED,
		.pub = rsa_key,
		.key_id = rsa_id,
		.key_id_len = sizeof(rsa_id) };
	recipient = (struct burin_cms_recipient) {
		.pub = rsa_key, .key_id = rsa_id, .key_id_len = sizeof(rsa_id)
	};
}

static int
setup(void **state)
{
	(void)state;
	sign_key = load_key("ed25519");
	rsa_key = load_key("rsa");
	key_id(sign_key, sign_id);
	key_id(rsa_key, rsa_id);
	set_people();
	subject = new_subject("CN=r7,O=Example", "dns:r7.example");
	must(burin_secret_new(&secret, SECRET, strlen(SECRET), &e));
	identity = (struct burin_cmc_identity) { NAME, secret, 0, 0 };
	old_identity = (struct burin_cmc_identity) { NAME, secret, 1, 0 };
	fill(&first.transaction, 0x41, BURIN_CMC_TRANSACTION);
	fill(&first.sent, 0x10, BURIN_CMC_NONCE);
	fill(&first.pop_random, 0x80, BURIN_CMC_RANDOM);
	later = first;
	fill(&later.sent, 0x30, BURIN_CMC_NONCE);
	fill(&later.received, 0xc0, 16);
	pop = (struct burin_cmc_pop) {
		.id = 2, .algorithm = "1.2.840.113549.2.9", .value_len = 32
	};
	revocation =
	    (struct burin_cmc_revocation) { .issuer =
						X509_get_issuer_name(cert),
		    .serial = X509_get0_serialNumber(cert),
		    .reason = CRL_REASON_KEY_COMPROMISE,
		    .invalid = PKI_NOW,
		    .comment = "the token was lost" };
	revocation_secret = revocation;
	revocation_secret.invalid = 0;
	revocation_secret.comment = NULL;
	revocation_secret.secret = secret;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	burin_subject_free(&subject);
	burin_secret_free(&secret);
	X509_free(cert);
	EVP_PKEY_free(sign_key);
	EVP_PKEY_free(rsa_key);
	return 0;
}

/* --- requests ------------------------------------------------------------- */

enum requests {
	NONE,
	PKCS10,	     /* signed by sign_key */
	CRMF,	     /* the same as CRMF */
	PAIR,	     /* and a CRMF of rsa_key, which is to be challenged */
	TO_DECRYPT,  /* the latter alone */
	NO_SIGNATURE /* as PKCS#10 */
};

static struct burin_cmc_request
request(enum burin_cmc_form form, EVP_PKEY *key, enum burin_pop how)
{
	struct burin_cmc_request r = { form, subject, key,
		{ .pop = how, .agree = -1 } };

	if (how == BURIN_POP_SIGNATURE)
		r.how.key = key;
	return r;
}

static void
make_requests(enum requests which, const struct burin_cmc_identity *id,
    unsigned char **der, size_t *len)
{
	struct burin_cmc_request list[2];
	size_t n = 1;

	*der = NULL;
	*len = 0;
	switch (which) {
	case NONE:
		return;
	case PKCS10:
		list[0] =
		    request(BURIN_CMC_PKCS10, sign_key, BURIN_POP_SIGNATURE);
		break;
	case CRMF:
		list[0] =
		    request(BURIN_CMC_CRMF, sign_key, BURIN_POP_SIGNATURE);
		break;
	case PAIR:
		list[0] =
		    request(BURIN_CMC_PKCS10, sign_key, BURIN_POP_SIGNATURE);
		list[1] = request(BURIN_CMC_CRMF, rsa_key, BURIN_POP_CHALLENGE);
		n = 2;
		break;
	case TO_DECRYPT:
		list[0] = request(BURIN_CMC_CRMF, rsa_key, BURIN_POP_CHALLENGE);
		break;
	case NO_SIGNATURE:
		list[0] =
		    request(BURIN_CMC_PKCS10, rsa_key, BURIN_POP_CHALLENGE);
		break;
	}
	must(burin_cmc_requests_make(list, n, &first, id, der, len, &e));
}

/* --- messages ------------------------------------------------------------- */

struct golden {
	const char *name;
	enum requests requests;
	const struct burin_cmc_identity *link; /* witnesses in requests */
	struct burin_cmc_ask ask;	       /* but for requests */
	int octets; /* dataReturn, regInfo, pendToken: bits 1, 2, 4 */
};

static struct golden
golden(const char *name, enum requests requests,
    const struct burin_cmc_thread *thread,
    const struct burin_cms_signer *signer, const struct burin_cmc_identity *who)
{
	struct golden g = { .name = name, .requests = requests, .link = who };

	g.ask.thread = thread;
	g.ask.signer = signer;
	g.ask.identity = who;
	g.ask.link = who != NULL && requests != NONE;
	return g;
}

static void
make(struct golden *g, unsigned char **der, size_t *len)
{
	unsigned char *requests;

	burin_error_clear(&e);
	make_requests(g->requests, g->link, &requests, &g->ask.requests_len);
	g->ask.requests = requests;
	if (g->octets & 1)
		fill(&g->ask.data_return, 1, 20);
	if (g->octets & 2)
		fill(&g->ask.reg_info, 2, 5);
	if (g->octets & 4)
		fill(&g->ask.pend_token, 3, 8);
	if (burin_cmc_make(&g->ask, der, len, &e) == -1)
		fail_msg("%s: %s (%s)", g->name, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
	OPENSSL_free(requests);
}

static void
write_file(const char *name, const void *data, size_t len)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/cmc-%s",
	    getenv("BURIN_GOLDEN_WRITE"), name);
	assert_non_null(f = fopen(path, "wb"));
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static size_t
read_file(const char *name, unsigned char *data)
{
	char path[512];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "/cmc-%s", name);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	len = fread(data, 1, MAX_FILE, f);
	(void)fclose(f);
	return len;
}

static struct burin_cms *
parse(const unsigned char *der, size_t len)
{
	struct burin_cms *cms;

	must(burin_cms_parse(der, len, BURIN_ECHECK, &cms, &e));
	return cms;
}

/* The octets inside: decrypted, or under a good MAC. */
static struct burin_secret *
inside(const unsigned char *der, size_t len)
{
	struct burin_cms *cms = parse(der, len);
	struct burin_secret *out;
	const unsigned char *p;

	if (burin_cms_get_type(cms) == BURIN_CMS_AUTHENTICATED) {
		must(burin_cms_verify_mac(cms, NAME, secret, 0, &e));
		p = burin_cms_content(cms, &len);
		must(burin_secret_new(&out, p, len, &e));
	} else {
		assert_int_equal(burin_cms_get_type(cms), BURIN_CMS_ENVELOPED);
		must(burin_cms_decrypt(
		    cms, &recipient, rsa_key, rsa_key, &out, &e));
		assert_string_equal(
		    burin_cms_content_type(cms), "1.2.840.113549.1.7.2");
	}
	burin_cms_free(&cms);
	return out;
}

static void
compare(const struct golden *g, const char *file, const unsigned char *der,
    size_t len)
{
	static unsigned char want[MAX_FILE];
	struct burin_secret *a, *b;
	size_t n = read_file(file, want);

	if (g->ask.encrypt == NULL && g->ask.protect == BURIN_CMC_SIGNED) {
		assert_int_equal(len, n);
		assert_memory_equal(der, want, n);
		return;
	}
	a = inside(der, len);
	b = inside(want, n);
	assert_true(burin_secret_eq(a, b));
	burin_secret_free(&a);
	burin_secret_free(&b);
}

static void
check(struct golden g)
{
	unsigned char *der;
	char file[64];
	size_t len;

	make(&g, &der, &len);
	(void)snprintf(file, sizeof(file), "%s.der", g.name);
	if (getenv("BURIN_GOLDEN_WRITE") != NULL) {
		write_file(file, der, len);
	} else {
		compare(&g, file, der, len);
	}
	OPENSSL_free(der);
}

static void
test_enrol(void **state)
{
	struct golden g;

	(void)state;
	g = golden("pkcs10", PKCS10, &first, &by_key, &identity);
	g.octets = 1 | 2;
	check(g);
	check(golden("crmf", CRMF, &first, &by_key, &identity));
	check(golden("pair", PAIR, &first, &by_key, &identity));
	check(golden("legacy", PKCS10, &first, &by_key, &old_identity));
	check(golden("renew", PKCS10, &first, &by_cert, NULL));
	check(golden("nosignature", NO_SIGNATURE, &first, &unsigned_rsa, NULL));
	g = golden("auth", TO_DECRYPT, &first, NULL, &identity);
	g.ask.protect = BURIN_CMC_AUTHENTICATED;
	check(g);
	g = golden("encrypted", PKCS10, &first, &by_key, &identity);
	g.ask.encrypt = &recipient;
	check(g);
}

static void
test_go_on(void **state)
{
	struct golden g;

	(void)state;
	g = golden("poll", NONE, &later, &by_key, NULL);
	g.octets = 4;
	check(g);
	memset(pop.value, 0x5a, pop.value_len);
	g = golden("decryptedpop", PAIR, &later, &by_key, &identity);
	g.ask.pops = &pop;
	g.ask.n_pops = 1;
	check(g);
	g = golden("abort", NONE, &later, &by_key, &identity);
	g.ask.abort_pop = 2;
	check(g);
	g = golden("confirm", NONE, &later, &by_key, NULL);
	g.ask.confirm = cert;
	check(g);
	g.name = "reject";
	g.ask.reject = 1;
	check(g);
}

static void
test_services(void **state)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct golden g;

	(void)state;
	g = golden("revoke", NONE, &first, &by_cert, NULL);
	g.ask.revoke = &revocation;
	check(g);
	g = golden("revoke-secret", NONE, &first, NULL, NULL);
	g.ask.revoke = &revocation_secret;
	check(g);
	g = golden("getcert", NONE, &first, &by_cert, NULL);
	g.ask.get_issuer = X509_get_issuer_name(cert);
	g.ask.get_serial = X509_get0_serialNumber(cert);
	check(g);
	g = golden("getcrl", NONE, &first, &by_cert, NULL);
	g.ask.get_issuer = X509_get_issuer_name(cert);
	g.ask.get_crl = 1;
	check(g);
	g = golden("publish", NONE, &first, &by_cert, NULL);
	assert_non_null(certs);
	assert_true(sk_X509_push(certs, cert) > 0);
	g.ask.publish = certs;
	check(g);
	g.name = "unpublish";
	g.ask.unpublish = 1;
	check(g);
	sk_X509_free(certs);
}

static void
change_name(const char *name, enum requests form, int old)
{
	struct burin_subject *before = subject, *to;

	to = new_subject("CN=r8,O=Example", "dns:r8.example");
	subject = new_subject("CN=r7,O=Example", "dns:r7.example");
	must(burin_cmc_change_name(subject, to, old, &e));
	check(golden(name, form, &first, &by_cert, NULL));
	burin_subject_free(&subject);
	burin_subject_free(&to);
	subject = before;
}

static void
test_change_name(void **state)
{
	(void)state;
	change_name("rename", PKCS10, 0);
	change_name("rename-crmf", CRMF, 0);
	change_name("rename-6402", PKCS10, 1);
}

/* Who signed what holds neither certificate nor request. */
static void
test_signer(void **state)
{
	static unsigned char want[MAX_FILE];
	BIO *out = BIO_new(BIO_s_mem());
	char *pem;
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_X509(out, cert), 1);
	len = BIO_get_mem_data(out, &pem);
	if (getenv("BURIN_GOLDEN_WRITE") != NULL) {
		write_file("signer.pem", pem, (size_t)len);
	} else {
		assert_int_equal(read_file("signer.pem", want), len);
		assert_memory_equal(pem, want, (size_t)len);
	}
	BIO_free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signer),
		cmocka_unit_test(test_enrol),
		cmocka_unit_test(test_go_on),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_change_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
