/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Proofs with a shared secret, against values that Python's hashlib and hmac
 * computed of the same input; algorithms by all their names; what a peer may
 * not ask for.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "csr/cmc/proofs.h"

#define SECRET "a shared secret!"
#define NAME "zo\xc3\xab"
#define SHA256 "2.16.840.1.101.3.4.2.1"
#define HMAC_SHA256 "1.2.840.113549.2.9"

static struct burin_error e;
static struct burin_secret *secret;
static const unsigned char reqs[] = { 0x30, 0x03, 0xa0, 0x01, 0x02 };
static unsigned char link_random[64];

static int
setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(link_random); i++)
		link_random[i] = (unsigned char)i;
	return burin_secret_new(&secret, SECRET, strlen(SECRET), &e);
}

static int
teardown(void **state)
{
	(void)state;
	burin_secret_free(&secret);
	return 0;
}

static struct burin_cmc_identity
identity(const char *name, int legacy)
{
	struct burin_cmc_identity id = { name, secret, legacy, 0 };

	burin_error_clear(&e);
	return id;
}

static void
is_hex(const unsigned char *data, size_t len, const char *hex)
{
	long n = 0;
	unsigned char *want = OPENSSL_hexstr2buf(hex, &n);

	assert_non_null(want);
	assert_int_equal(len, n);
	assert_memory_equal(data, want, len);
	OPENSSL_free(want);
}

static ASN1_OCTET_STRING *
octets(const char *hex)
{
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	long n = 0;
	unsigned char *bytes;

	assert_non_null(s);
	if (hex[0] == '\0')
		return s;
	assert_non_null(bytes = OPENSSL_hexstr2buf(hex, &n));
	ASN1_STRING_set0(s, bytes, (int)n);
	return s;
}

/* parameters: V_ASN1_UNDEF, V_ASN1_NULL */
static X509_ALGOR *
algor(const char *oid, int parameters)
{
	X509_ALGOR *alg = X509_ALGOR_new();

	assert_non_null(alg);
	assert_int_equal(
	    X509_ALGOR_set0(alg, OBJ_txt2obj(oid, 1), parameters, NULL), 1);
	return alg;
}

/* Takes all three over. */
static ASN1_TYPE *
witness(X509_ALGOR *hash, X509_ALGOR *mac, ASN1_OCTET_STRING *value)
{
	CMC_WITNESS *w = CMC_WITNESS_new();
	ASN1_TYPE *any;

	assert_non_null(w);
	X509_ALGOR_free(w->hash);
	X509_ALGOR_free(w->mac);
	ASN1_OCTET_STRING_free(w->witness);
	w->hash = hash;
	w->mac = mac;
	w->witness = value;
	any = ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(CMC_WITNESS), w, NULL);
	assert_non_null(any);
	CMC_WITNESS_free(w);
	return any;
}

static ASN1_TYPE *
plain(const char *hash, const char *mac, const char *value)
{
	return witness(
	    algor(hash, V_ASN1_UNDEF), algor(mac, V_ASN1_UNDEF), octets(value));
}

/* What is made: SHA-256 without, HMAC with parameters NULL. */
static void
is_witness(const ASN1_TYPE *value, const char *hex)
{
	static const unsigned char algorithms[] = { 0x30, 0x0b, 0x06, 0x09,
		0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x30,
		0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02,
		0x09, 0x05, 0x00, 0x04, 0x20 };
	const ASN1_STRING *s;

	assert_int_equal(value->type, V_ASN1_SEQUENCE);
	s = value->value.sequence;
	assert_int_equal(s->length, 2 + sizeof(algorithms) + 32);
	assert_memory_equal(s->data + 2, algorithms, sizeof(algorithms));
	is_hex(s->data + 2 + sizeof(algorithms), 32, hex);
}

/* --- identity ------------------------------------------------------------- */

static int
id_ok(const char *name, int v2, ASN1_TYPE *value, int legacy)
{
	struct burin_cmc_identity id = identity(name, 0);

	return cmc_identity_verify(
	    &id, v2, value, reqs, sizeof(reqs), legacy, BURIN_EAUTHORITY, &e);
}

#define ID_V2 "51c82d3d663b3a490afcac2e57ce0cedefd78dbb92d0ba6840775d74da770a3a"
#define ID_NAMELESS \
	"94108e4872385608f0126848c49aee01acf82d905eca182f4c22469d83150e1a"
#define ID_V1 "017904d5073a33f33ea93e81f0053dce3a05082a"

static void
test_identity_made(void **state)
{
	struct burin_cmc_identity id = identity(NAME, 0);
	ASN1_TYPE *value;

	(void)state;
	assert_int_equal(
	    cmc_identity_prove(&id, reqs, sizeof(reqs), &value, &e), 0);
	is_witness(value, ID_V2);
	assert_int_equal(id_ok(NAME, 1, value, 0), 0);
	assert_int_equal(id_ok(NULL, 1, value, 0), -1);
	assert_string_equal(e.code, "identity-proof");
	assert_string_equal(e.rule, "RFC 10002 section 6.2.1");
	assert_int_equal(e.status, BURIN_EAUTHORITY);
	assert_null(strstr(e.reason, "shared"));
	ASN1_TYPE_free(value);

	id = identity(NULL, 0);
	assert_int_equal(
	    cmc_identity_prove(&id, reqs, sizeof(reqs), &value, &e), 0);
	is_witness(value, ID_NAMELESS);
	ASN1_TYPE_free(value);
}

static void
test_identity_legacy(void **state)
{
	struct burin_cmc_identity id = identity(NAME, 1);
	ASN1_TYPE *value;

	(void)state;
	assert_int_equal(
	    cmc_identity_prove(&id, reqs, sizeof(reqs), &value, &e), 0);
	assert_int_equal(value->type, V_ASN1_OCTET_STRING);
	is_hex(value->value.octet_string->data,
	    (size_t)value->value.octet_string->length, ID_V1);
	assert_int_equal(id_ok(NAME, 0, value, 1), 0);
	assert_int_equal(id_ok(NAME, 0, value, 0), -1);
	assert_string_equal(e.rule, "RFC 10002 section 6.2.2");
	/* of the one control in the other */
	assert_int_equal(id_ok(NAME, 1, value, 1), -1);
	ASN1_TYPE_free(value);
	value = plain(SHA256, HMAC_SHA256, ID_V2);
	assert_int_equal(id_ok(NAME, 0, value, 1), -1);
	ASN1_TYPE_free(value);
}

static void
id_case(const char *hash, const char *mac, const char *hex, int legacy, int rc)
{
	ASN1_TYPE *value = plain(hash, mac, hex);

	assert_int_equal(id_ok(NAME, 1, value, legacy), rc);
	ASN1_TYPE_free(value);
}

static void
test_identity_algorithms(void **state)
{
	X509_ALGOR *alg;
	ASN1_TYPE *value;

	(void)state;
	id_case(SHA256, HMAC_SHA256, ID_V2, 0, 0);
	id_case("2.16.840.1.101.3.4.2.2", "1.2.840.113549.2.11",
	    "33df2968646c092ded8ec2e67768643aae646876edb7aac10f52e002664a1ad2"
	    "2fbcd9c317fcb52e9571d79ea25e6f2ee1499d1408a9def7de350b45ec988e7f",
	    0, 0);
	/* SHA-1 in the second version, under both names of its HMAC */
	id_case("1.3.14.3.2.26", "1.3.6.1.5.5.8.1.2", ID_V1, 1, 0);
	id_case("1.3.14.3.2.26", "1.2.840.113549.2.7", ID_V1, 1, 0);
	id_case("1.3.14.3.2.26", "1.2.840.113549.2.7", ID_V1, 0, -1);
	id_case(SHA256, "1.3.6.1.5.5.8.1.2", ID_V1, 0, -1);
	/* MD5; an HMAC where the hash belongs */
	id_case("1.2.840.113549.2.5", HMAC_SHA256, ID_V2, 1, -1);
	id_case(HMAC_SHA256, HMAC_SHA256, ID_V2, 1, -1);
	/* PBKDF2 is for the link */
	id_case("1.2.840.113549.1.5.12", HMAC_SHA256, ID_V2, 0, -1);
	/* cut short, empty */
	id_case(SHA256, HMAC_SHA256, "51c82d3d663b3a49", 0, -1);
	id_case(SHA256, HMAC_SHA256, "", 0, -1);

	value = witness(algor(SHA256, V_ASN1_NULL),
	    algor(HMAC_SHA256, V_ASN1_NULL), octets(ID_V2));
	assert_int_equal(id_ok(NAME, 1, value, 0), 0);
	ASN1_TYPE_free(value);
	/* parameters that are something */
	alg = algor(SHA256, V_ASN1_UNDEF);
	assert_int_equal(X509_ALGOR_set0(alg, OBJ_txt2obj(SHA256, 1),
			     V_ASN1_OCTET_STRING, octets("00")),
	    1);
	value = witness(alg, algor(HMAC_SHA256, V_ASN1_NULL), octets(ID_V2));
	assert_int_equal(id_ok(NAME, 1, value, 0), -1);
	ASN1_TYPE_free(value);
}

static void
test_identity_no_secret(void **state)
{
	struct burin_cmc_identity id = identity(NAME, 0);
	struct burin_secret *empty;
	ASN1_TYPE *value;

	(void)state;
	id.secret = NULL;
	assert_int_equal(
	    cmc_identity_prove(&id, reqs, sizeof(reqs), &value, &e), -1);
	assert_null(value);
	assert_string_equal(e.code, "secret-empty");
	burin_error_clear(&e);
	assert_int_equal(burin_secret_new(&empty, "", 0, &e), 0);
	id.secret = empty;
	value = plain(SHA256, HMAC_SHA256, ID_V2);
	assert_int_equal(cmc_identity_verify(&id, 1, value, reqs, sizeof(reqs),
			     0, BURIN_ECHECK, &e),
	    -1);
	assert_string_equal(e.code, "secret-empty");
	ASN1_TYPE_free(value);
	burin_secret_free(&empty);
}

/* --- link ----------------------------------------------------------------- */

#define LINK "8be2e308daaba14c8e221b16981851b3da0061936ac03fe37ede88d0ba1e2abd"
#define LINK_NAME \
	"7ee8065fd8df1cfdb942384cbc5ab1854e2e3e04da1c0183d7f59989d70f2674"
#define LINK_V1 "bc765d21366dbead32e60c31585bec4b5a715179"

static int
link_ok(const char *name, int v2, ASN1_TYPE *value, int legacy)
{
	struct burin_cmc_identity id = identity(name, 0);

	return cmc_link_verify(&id, v2, value, link_random, sizeof(link_random),
	    legacy, BURIN_EAUTHORITY, &e);
}

static ASN1_TYPE *
link_made(int legacy, int with_name)
{
	struct burin_cmc_identity id = identity(NAME, legacy);
	ASN1_TYPE *value;

	id.link_with_name = with_name;
	assert_int_equal(
	    cmc_link_prove(&id, link_random, sizeof(link_random), &value, &e),
	    0);
	return value;
}

static void
test_link(void **state)
{
	ASN1_TYPE *value = link_made(0, 0);

	(void)state;
	is_witness(value, LINK);
	assert_int_equal(link_ok(NAME, 1, value, 0), 0);
	link_random[63]++;
	assert_int_equal(link_ok(NAME, 1, value, 0), -1);
	link_random[63]--;
	assert_string_equal(e.code, "pop-link");
	assert_string_equal(e.rule, "RFC 10002 section 6.3.1.1");
	ASN1_TYPE_free(value);

	value = link_made(0, 1);
	is_witness(value, LINK_NAME);
	assert_int_equal(link_ok(NAME, 1, value, 0), 0);
	assert_int_equal(link_ok("zoe", 1, value, 0), -1);
	ASN1_TYPE_free(value);

	value = link_made(1, 0);
	is_hex(value->value.octet_string->data,
	    (size_t)value->value.octet_string->length, LINK_V1);
	assert_int_equal(link_ok(NAME, 0, value, 1), 0);
	assert_int_equal(link_ok(NAME, 0, value, 0), -1);
	ASN1_TYPE_free(value);
}

/* salt, rounds, length and PRF as given; 0 and NULL leave a field out. */
static X509_ALGOR *
pbkdf2(const char *salt, long rounds, long len, const char *prf)
{
	PBKDF2PARAM *k = PBKDF2PARAM_new();
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_STRING *seq;

	assert_true(k != NULL && s != NULL && alg != NULL);
	assert_int_equal(ASN1_OCTET_STRING_set(
			     s, (const unsigned char *)salt, (int)strlen(salt)),
	    1);
	ASN1_TYPE_set(k->salt, V_ASN1_OCTET_STRING, s);
	assert_int_equal(ASN1_INTEGER_set(k->iter, rounds), 1);
	if (len != 0) {
		assert_non_null(k->keylength = ASN1_INTEGER_new());
		assert_int_equal(ASN1_INTEGER_set(k->keylength, len), 1);
	}
	if (prf != NULL)
		k->prf = algor(prf, V_ASN1_NULL);
	seq = ASN1_item_pack(k, ASN1_ITEM_rptr(PBKDF2PARAM), NULL);
	assert_non_null(seq);
	assert_int_equal(X509_ALGOR_set0(alg, OBJ_nid2obj(NID_id_pbkdf2),
			     V_ASN1_SEQUENCE, seq),
	    1);
	PBKDF2PARAM_free(k);
	return alg;
}

static void
link_case(X509_ALGOR *keygen, const char *mac, const char *hex, int rc)
{
	ASN1_TYPE *value =
	    witness(keygen, algor(mac, V_ASN1_UNDEF), octets(hex));

	assert_int_equal(link_ok(NAME, 1, value, 0), rc);
	ASN1_TYPE_free(value);
}

static void
test_link_pbkdf2(void **state)
{
#define SHORT                                                              \
	"5c453c73ae259d6df0f32c06d932078b20dfa9b7ba5dd4c1867f8f7fa36033b9" \
	"a0dc2decd3afbe838990e4273aa9a216"
#define LONG "2498712d75e1d916e520221a810acb0dd909c46ff75b34f83732f7db3e3a6d8f"
	(void)state;
	link_case(pbkdf2("saltsalt", 1000, 0, NULL), HMAC_SHA256, LONG, 0);
	link_case(pbkdf2("saltsalt", 1000, 20, HMAC_SHA256),
	    "1.2.840.113549.2.10", SHORT, 0);
	link_case(pbkdf2("saltsals", 1000, 0, NULL), HMAC_SHA256, LONG, -1);
	/* denial of service, nonsense */
	link_case(pbkdf2("saltsalt", BURIN_MAX_PBKDF2_ROUNDS + 1, 0, NULL),
	    HMAC_SHA256, LONG, -1);
	assert_non_null(strstr(e.reason, "PBKDF2"));
	link_case(pbkdf2("saltsalt", 0, 0, NULL), HMAC_SHA256, LONG, -1);
	link_case(pbkdf2("saltsalt", -1, 0, NULL), HMAC_SHA256, LONG, -1);
	link_case(pbkdf2("saltsalt", 1000, 129, NULL), HMAC_SHA256, LONG, -1);
	link_case(pbkdf2("saltsalt", 1000, -32, NULL), HMAC_SHA256, LONG, -1);
	link_case(pbkdf2("saltsalt", 1000, 32, SHA256), HMAC_SHA256, LONG, -1);
	link_case(
	    algor("1.2.840.113549.1.5.12", V_ASN1_NULL), HMAC_SHA256, LONG, -1);
	assert_int_equal(ERR_peek_error(), 0);
}

/* --- decryptedPOP --------------------------------------------------------- */

static void
pop_case(const char *hash, size_t y_len, const unsigned char request[5],
    int untagged, const char *hex)
{
	unsigned char y[100], out[CMC_MAX_DIGEST];
	struct burin_secret *s;
	size_t i, len;

	for (i = 0; i < sizeof(y); i++)
		y[i] = (unsigned char)i;
	burin_error_clear(&e);
	assert_int_equal(burin_secret_new(&s, y, y_len, &e), 0);
	if (hex != NULL) {
		assert_int_equal(
		    cmc_pop_make(hash, s, request, 5, untagged, out, &len, &e),
		    0);
		is_hex(out, len, hex);
	} else {
		assert_int_equal(
		    cmc_pop_make(hash, s, request, 5, untagged, out, &len, &e),
		    -1);
		assert_string_equal(e.code, "pop-challenge");
	}
	burin_secret_free(&s);
}

static void
test_pop(void **state)
{
	static const unsigned char p10[] = { 0xa0, 3, 2, 1, 1 },
				   crm[] = { 0xa1, 3, 2, 1, 1 },
				   other[] = { 0x30, 3, 2, 1, 1 };

	(void)state;
	/* of 100 octets, the first 64 are the key */
	pop_case("SHA256", 100, p10, 0,
	    "d48ec2ac90e03814622b98b6cae99152942cb90b64485f5e807f414fbfa6ac15");
	pop_case("SHA256", 64, p10, 0,
	    "d48ec2ac90e03814622b98b6cae99152942cb90b64485f5e807f414fbfa6ac15");
	pop_case("SHA256", 100, p10, 1,
	    "3704c0ed145294173f261b16fa5460b42754c46e4323a6f8767772454fa8d263");
	pop_case("SHA512", 32, crm, 0,
	    "cf5d7aa39c1044800caf29cd2477f93cd60241afb11cd254085553b67074fb7e"
	    "7753033bb9f521b9056bb9e9367aea14eafefa9c237a67bf51aa9096684996be");
	pop_case("SHA256", 0, p10, 0, NULL);
	pop_case("SHA256", 32, other, 0, NULL);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(cmc_hash_by_oid(SHA256, 0), "SHA256");
	assert_string_equal(cmc_hmac_by_oid(HMAC_SHA256, 0), "SHA256");
	assert_string_equal(
	    cmc_hmac_by_oid("1.2.840.113549.2.13", 0), "SHA512-256");
	assert_null(cmc_hash_by_oid("1.3.14.3.2.26", 0));
	assert_string_equal(cmc_hash_by_oid("1.3.14.3.2.26", 1), "SHA1");
	assert_null(cmc_hmac_by_oid("1.3.6.1.5.5.8.1.2", 0));
	assert_null(cmc_hmac_by_oid("1.3.6.1.5.5.8.1.1", 1)); /* HMAC-MD5 */
	assert_null(cmc_hash_by_oid(HMAC_SHA256, 1));
	assert_null(cmc_hash_by_oid("", 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity_made),
		cmocka_unit_test(test_identity_legacy),
		cmocka_unit_test(test_identity_algorithms),
		cmocka_unit_test(test_identity_no_secret),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_link_pbkdf2),
		cmocka_unit_test(test_pop),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
