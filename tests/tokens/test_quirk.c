/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of module families: which row a token gets and by how many
 * questions, the places of keys, certificates that a token writes itself,
 * and who is logged in while something is written.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "pkcs11/object.h"
#include "pkcs11/quirk.h"
#include "tokens/mock.h"

/* --- rows -------------------------------------------------------------- */

#define SAYS(manufacturer, model, library) \
	"manufacturer=" manufacturer "\nmodel=" model "\nlibrary=" library "\n"

static const struct {
	const char *says, *family, *so_name;
	unsigned asked; /* C_GetInfo */
	enum writer writer;
	int restart, mute;
} families[] = {
	{ SAYS("SoftHSM project", "SoftHSM v2", "SoftHSM"), "SoftHSM", "SO PIN",
	    0, WRITER_USER, 0, 0 },
	/* The token's own word counts, whatever stands in between. */
	{ SAYS("SoftHSM project", "SoftHSM v2", "PKCS#11 Kit"), "SoftHSM",
	    "SO PIN", 0, WRITER_USER, 0, 0 },
	{ SAYS("Mozilla Foundation", "NSS 3", "Mozilla Foundation"),
	    "NSS softokn", "SO PIN", 0, WRITER_USER, 0, 0 },
	{ SAYS("Yubico (www.yubico.com)", "YubiKey YK5", "Yubico"),
	    "YubiKey PIV (ykcs11)", "management key", 0, WRITER_SO, 0, 0 },
	{ SAYS("piv_II", "PKCS#15 emulated", "OpenSC Project"),
	    "PIV card (OpenSC)", "SO PIN", 0, WRITER_NOBODY, 1, 0 },
	{ SAYS("Aventra Ltd.", "PKCS#15", "OpenSC Project"),
	    "PKCS#15 card (OpenSC)", "SO PIN", 0, WRITER_USER, 1, 1 },
	{ SAYS("IBM", "SW   TPM", "tpm2-software.github.io"),
	    "TPM 2.0 (tpm2-pkcs11)", "SO PIN", 1, WRITER_USER, 0, 0 },
	{ SAYS("IBM", "Soft", "IBM"), "openCryptoki", "SO PIN", 1, WRITER_USER,
	    0, 0 },
	{ SAYS("Somebody", "Something", "p11-kit"), "behind p11-kit", "SO PIN",
	    1, WRITER_USER, 0, 0 },
	{ SAYS("Somebody", "Something", "PKCS#11 Kit"), "behind p11-kit",
	    "SO PIN", 1, WRITER_USER, 0, 0 },
	{ SAYS("Somebody", "Something", "OpenSC Project"),
	    "other card (OpenSC)", "SO PIN", 1, WRITER_USER, 1, 1 },
	{ SAYS("Somebody", "Something", "Somebody"), "unknown", "SO PIN", 1,
	    WRITER_USER, 0, 0 },
	/* Half of what a row wants is not enough. */
	{ SAYS("Yubico (www.yubico.com)", "HSM", "Yubico"), "unknown", "SO PIN",
	    1, WRITER_USER, 0, 0 },
};

#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

static void
check_remarks(struct mock *m)
{
	const char *const *says = burin_token_remarks(m->t);
	size_t n;

	for (n = 0; says[n] != NULL; n++) {
		assert_true(n < 16);
		assert_string_not_equal(says[n], "");
	}
	assert_true(n > 0);
}

static void
test_rows(void **state)
{
	const struct quirk *q;
	unsigned long asked;
	struct mock m;
	size_t i;

	(void)state;
	mock_start(&m);
	for (i = 0; i < N_FAMILIES; i++) {
		mock_be(&m, families[i].says);
		asked = burin_p11_calls_of(m.p11, "C_GetInfo");
		assert_string_equal(
		    burin_token_family(m.t), families[i].family);
		(void)burin_token_family(m.t);
		check_remarks(&m);
		assert_int_equal(burin_p11_calls_of(m.p11, "C_GetInfo") - asked,
		    families[i].asked);
		assert_string_equal(
		    burin_token_so_name(m.t), families[i].so_name);
		q = m.t->quirk;
		assert_int_equal(q->writer, families[i].writer);
		assert_int_equal(q->protection_mute, families[i].mute);
		assert_int_equal(q->restart, families[i].restart);
		assert_int_equal(
		    q->places != NULL, families[i].writer == WRITER_SO);
	}
	mock_stop(&m);
}

/* A module that holds no token now has a row of its own. */
static void
test_modules(void **state)
{
	struct mock m;

	(void)state;
	mock_start(&m);
	mock_be(&m, SAYS("piv_II", "PKCS#15 emulated", "OpenSC Project"));
	assert_string_equal(
	    p11_module_quirk(m.t->m)->family, "other card (OpenSC)");
	assert_int_equal(p11_module_quirk(m.t->m)->restart, 1);
	mock_be(&m, SAYS("IBM", "Soft", "IBM"));
	assert_string_equal(p11_module_quirk(m.t->m)->family, "openCryptoki");
	mock_be(&m, LIKE_YKCS11);
	assert_string_equal(p11_module_quirk(m.t->m)->family, "unknown");
	assert_int_equal(p11_module_quirk(m.t->m)->restart, 0);
	mock_stop(&m);
}

/* Nobody types a PIN for a module that cannot write. */
static void
test_nobody_writes(void **state)
{
	struct burin_key_spec spec = { .type = BURIN_EC_P256 };
	struct burin_key *k;
	struct mock m;

	(void)state;
	mock_start(&m);
	mock_be(&m,
	    SAYS("piv_II", "PKCS#15 emulated",
		"OpenSC Project") "writer=nobody\n");
	assert_int_equal(burin_keygen(m.t, &spec, &k, &m.e), -1);
	assert_int_equal(m.e.status, BURIN_EREFUSED);
	assert_string_equal(m.e.code, "module-cannot-write");
	assert_non_null(strstr(m.e.advice, "libykcs11.so"));
	assert_string_equal(m.trace, "");
	mock_stop(&m);
}

/* --- places ------------------------------------------------------------ */

static void
no_place(struct mock *m, const char *name, unsigned usage)
{
	const struct burin_place *p;

	assert_int_equal(burin_token_place(m->t, name, usage, &p, &m->e), -1);
	assert_null(p);
	assert_int_equal(m->e.status, BURIN_EUSAGE);
	assert_string_equal(m->e.code, "slot-unknown");
	assert_string_not_equal(m->e.advice, "");
	burin_error_clear(&m->e);
}

static void
is_place(struct mock *m, const char *name, unsigned usage, const char *want)
{
	const struct burin_place *p;

	must(burin_token_place(m->t, name, usage, &p, &m->e), &m->e);
	assert_non_null(p);
	assert_string_equal(p->name, want);
}

static void
test_places(void **state)
{
	static const char *const first[] = { "9a", "9c", "9d", "9e" };
	const struct burin_place *p;
	unsigned char id;
	char name[8];
	struct mock m;

	(void)state;
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	for (id = 1; id <= 24; id++) {
		(void)snprintf(name, sizeof(name), "%02x", 0x82 + id - 5);
		if (id <= 4)
			(void)snprintf(name, sizeof(name), "%s", first[id - 1]);
		must(burin_token_place(m.t, name, 0, &p, &m.e), &m.e);
		assert_int_equal(p->id, id);
		assert_ptr_equal(burin_token_place_of(m.t, &id, 1), p);
	}
	is_place(&m, "9A", 0, "9a");
	is_place(&m, "8F", 0, "8f");
	is_place(&m, NULL, BURIN_USE_SIGN, "9a");
	is_place(&m, NULL, BURIN_USE_DECRYPT, "9d");
	is_place(&m, NULL, BURIN_USE_DERIVE, "9d");
	no_place(&m, "f9", 0);
	no_place(&m, "F9", 0);
	no_place(&m, "9b", 0);
	no_place(&m, "96", 0);
	no_place(&m, "", 0);
	no_place(&m, NULL, 0);
	assert_null(burin_token_place_of(m.t, (const unsigned char *)"\0", 1));
	assert_null(
	    burin_token_place_of(m.t, (const unsigned char *)"\x19", 1));
	assert_null(
	    burin_token_place_of(m.t, (const unsigned char *)"\1\1", 2));
	/* Without places, none is asked for and none is taken. */
	mock_be(&m, SAYS("Somebody", "Something", "Somebody"));
	must(burin_token_place(m.t, NULL, BURIN_USE_SIGN, &p, &m.e), &m.e);
	assert_null(p);
	no_place(&m, "9a", 0);
	id = 1;
	assert_null(burin_token_place_of(m.t, &id, 1));
	mock_stop(&m);
}

static int
check_place(struct mock *m, const char *id, size_t len)
{
	int rc;

	burin_error_clear(&m->e);
	p11_lock(m->t->m);
	rc = p11_check_place(m->t, (const unsigned char *)id, len, &m->e);
	p11_unlock(m->t->m);
	return rc;
}

/* ykcs11 looks at the first byte only: 25 would cost the attestation key. */
static void
test_check_place(void **state)
{
	static const char *const bad[] = { "\x19", "\x1a", "\1\1",
		"\x19 and nineteen more.." };
	struct burin_key_spec spec = { .type = BURIN_EC_P256 };
	struct burin_key *k;
	struct mock m;
	size_t i;

	(void)state;
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	assert_int_equal(check_place(&m, "\1", 1), 0);
	assert_int_equal(check_place(&m, "\x18", 1), 0);
	assert_int_equal(check_place(&m, "", 0), -1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(check_place(&m, bad[i], strlen(bad[i])), -1);
		assert_string_equal(m.e.code, "id-is-no-slot");
		burin_error_clear(&m.e);
		spec.id = (const unsigned char *)bad[i];
		spec.id_len = strlen(bad[i]);
		assert_int_equal(burin_keygen(m.t, &spec, &k, &m.e), -1);
		assert_string_equal(m.e.code, "id-is-no-slot");
	}
	assert_string_equal(m.trace, "");
	mock_be(&m, SAYS("Somebody", "Something", "Somebody"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check_place(&m, bad[i], strlen(bad[i])), 0);
	mock_stop(&m);
}

/* --- certificates ------------------------------------------------------ */

static void
is_kind(X509 *x, enum burin_cert_kind want)
{
	assert_int_equal(burin_cert_kind(x), want);
	X509_free(x);
}

static X509 *
with_ext(X509 *x, EVP_PKEY *key, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	assert_non_null(value);
	assert_true(ASN1_OCTET_STRING_set(
	    value, (const unsigned char *)"\x05\x04\x03", 3));
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(obj);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static void
test_kinds(void **state)
{
	EVP_PKEY *a = EVP_EC_gen("P-256"), *b = EVP_EC_gen("P-256");

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	is_kind(mock_cert(a, b, "r7", "CA", 5, 60), BURIN_CERT_ORDINARY);
	is_kind(mock_cert(a, b, "r7", "CA", 0, 0), BURIN_CERT_ORDINARY);
	is_kind(mock_cert(a, a, "r7", "r7", 5, 60), BURIN_CERT_SELF_SIGNED);
	/* Bad taste, but somebody's. */
	is_kind(mock_cert(a, a, "r7", "r7", 0, 60), BURIN_CERT_SELF_SIGNED);
	is_kind(mock_cert(a, a, "r7", "r7", 5, 0), BURIN_CERT_SELF_SIGNED);
	is_kind(mock_cert(a, b, "r7", "r7", 5, 60), BURIN_CERT_ORDINARY);
	is_kind(
	    mock_cert(a, a, "YubiKey PIV Slot 9a", "YubiKey PIV Slot 9a", 0, 0),
	    BURIN_CERT_PLACEHOLDER);
	is_kind(mock_cert(
		    a, b, "YubiKey PIV Slot 9a", "YubiKey PIV Slot 9a", 0, 60),
	    BURIN_CERT_PLACEHOLDER);
	is_kind(with_ext(mock_cert(a, b, "9a", "F9", 5, 60), b,
		    "1.3.6.1.4.1.41482.3.3"),
	    BURIN_CERT_ATTESTATION);
	is_kind(with_ext(mock_cert(a, a, "9a", "9a", 0, 0), a,
		    "1.3.6.1.4.1.41482.3.7"),
	    BURIN_CERT_ATTESTATION);
	is_kind(with_ext(mock_cert(a, b, "9a", "F9", 5, 60), b,
		    "1.3.6.1.4.1.41482.30.3"),
	    BURIN_CERT_ORDINARY);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
}

/* --- who is logged in -------------------------------------------------- */

/* As the mock would refuse it as well: out before another comes in. */
static void
never_two(const struct mock *m)
{
	const char *p;
	int in = 0;

	for (p = m->trace; *p != '\0'; p++) {
		if (*p == 'L')
			assert_int_equal(in++, 0);
		else if (*p == 'O')
			assert_int_equal(in--, 1);
		else if (strchr("GCD", *p) != NULL)
			assert_int_equal(in, 1);
	}
}

/* What happened since the last time. */
static void
happened(struct mock *m, const char *want)
{
	never_two(m);
	if (strcmp(m->trace, want) != 0)
		fail_msg("%s, not %s", m->trace, want);
}

static int
sign(struct burin_key *k, struct burin_error *e)
{
	EVP_PKEY *key = burin_key_evp(k, e);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[128];
	size_t len = sizeof(sig);
	int rc;

	assert_non_null(key);
	assert_non_null(ctx);
	rc = EVP_DigestSignInit_ex(
		 ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
	    EVP_DigestSign(ctx, sig, &len, (const unsigned char *)"x", 1) == 1;
	EVP_MD_CTX_free(ctx);
	return rc ? 0 : -1;
}

static void
test_officer(void **state)
{
	EVP_PKEY *ca = EVP_EC_gen("P-256");
	struct burin_key *k;
	struct mock m;
	X509 *cert;

	(void)state;
	assert_non_null(ca);
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	k = mock_key_in(&m, 1);
	/* The user for the look, the officer for the key, the user again. */
	happened(&m, "uLOoLGOuL");
	cert = mock_cert(burin_key_public(k), ca, "r7", "CA", 7, 60);
	must(burin_cert_write(k, cert, NULL, BURIN_OTHERS_REFUSE, &m.e), &m.e);
	/* Gone right after it, and not for reading back. */
	happened(&m, "uLOoLGOuLOoLCO");
	must(sign(k, &m.e), &m.e);
	happened(&m, "uLOoLGOuLOoLCOuLS");
	X509_free(cert);
	burin_key_free(&k);
	EVP_PKEY_free(ca);
	mock_stop(&m);
}

/* A wrong one is not tried twice, and does not cost the user's login. */
static void
test_officer_wrong(void **state)
{
	struct burin_key_spec spec = { .type = BURIN_EC_P256 };
	const unsigned char id = 1;
	struct burin_key *k, *key;
	struct mock m;

	(void)state;
	mock_start(&m);
	mock_be(&m, LIKE_YKCS11);
	k = mock_key_in(&m, 2);
	m.trace[0] = '\0';
	spec.id = &id;
	spec.id_len = 1;
	m.so_pin = "12345678";
	assert_int_equal(burin_keygen(m.t, &spec, &key, &m.e), -1);
	assert_string_equal(m.e.code, "pin-length");
	assert_non_null(strstr(m.e.reason, "management key"));
	burin_error_clear(&m.e);
	/* It was not sent: out goes the user, in comes nobody. */
	assert_string_equal(m.trace, "Oo");
	m.so_pin = "000000000000000000000000000000000000000000000000";
	m.trace[0] = '\0';
	assert_int_equal(burin_keygen(m.t, &spec, &key, &m.e), -1);
	assert_string_equal(m.e.code, "pin-incorrect");
	assert_non_null(strstr(m.e.reason, "management key"));
	burin_error_clear(&m.e);
	assert_null(strchr(m.trace, 'G'));
	m.trace[0] = '\0';
	must(sign(k, &m.e), &m.e);
	assert_string_equal(m.trace + strlen(m.trace) - 1, "S");
	m.so_pin = MOCK_MGM;
	must(burin_keygen(m.t, &spec, &key, &m.e), &m.e);
	burin_key_free(&key);
	burin_key_free(&k);
	mock_stop(&m);
}

/*
 * No family is like this: written by the officer, but with handles that end
 * with a login (PKCS#11 2.40 section 5.6, C_Logout).
 */
static void
test_handles_end(void **state)
{
	static const char *const says[] = { "made up", NULL };
	static const struct quirk row = {
		.family = "made up", .writer = WRITER_SO, .remarks = says
	};
	struct burin_key_spec spec = { .type = BURIN_EC_P256, .keep_id = 1 };
	EVP_PKEY *ca = EVP_EC_gen("P-256");
	struct burin_key *k;
	struct mock m;
	unsigned before;
	X509 *cert;

	(void)state;
	assert_non_null(ca);
	mock_start(&m);
	mock_be(&m, "writer=so\nso_pin=" MOCK_MGM "\n");
	m.t->quirk = &row;
	must(burin_keygen(m.t, &spec, &k, &m.e), &m.e);
	never_two(&m);
	assert_int_equal(k->generation, m.t->generation);
	before = m.t->generation;
	must(sign(k, &m.e), &m.e);
	cert = mock_cert(burin_key_public(k), ca, "r7", "CA", 7, 60);
	must(burin_cert_write(k, cert, NULL, BURIN_OTHERS_REFUSE, &m.e), &m.e);
	never_two(&m);
	assert_true(m.t->generation > before);
	/* The key is looked for again before it is used. */
	must(sign(k, &m.e), &m.e);
	assert_int_equal(k->generation, m.t->generation);
	never_two(&m);
	must(burin_cert_destroy(k, cert, &m.e), &m.e);
	never_two(&m);
	X509_free(cert);
	burin_key_free(&k);
	/* ykcs11's stay. */
	mock_be(&m, LIKE_YKCS11);
	before = m.t->generation;
	k = mock_key_in(&m, 1);
	assert_int_equal(m.t->generation, before);
	burin_key_free(&k);
	EVP_PKEY_free(ca);
	mock_stop(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_nobody_writes),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_check_place),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_officer),
		cmocka_unit_test(test_officer_wrong),
		cmocka_unit_test(test_handles_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
