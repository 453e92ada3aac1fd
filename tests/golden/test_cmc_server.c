/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Golden answers and layers of ours as a server: the same to be said, the same
 * keys give the same bytes. Challenges and authData have random keys: of
 * these, what they hide is the same. With BURIN_GOLDEN_WRITE set to a folder
 * the files are written there instead: tests/golden/regenerate does that.
 * cmc.sh beside has pyasn1 read them.
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
#include <openssl/x509v3.h>

#include <burin/cmc_server.h>

#include "csr/cmc/parse.h"
#include "csr/cmc/unsigned.h"
#include "csr/cms/unsigned.h"
#include "pki.h"

#define DATA TEST_DIR "/golden/data"
#define MAX_FILE 65536
#define SECRET "correct horse battery staple"

static struct burin_error e;
static EVP_PKEY *sign_key, *rsa_key; /* Ed25519 and RSA sign alike each time */
static X509 *ca;		     /* of sign_key */
static X509 *leaf;		     /* of rsa_key, by the CA */
static STACK_OF(X509) * anchors, *issued;
static struct burin_secret *secret;
static struct burin_cmc_identity identity = { .identification = "r7" };
static unsigned char file[MAX_FILE], pair_file[MAX_FILE];
static size_t pair_len;
static struct cmc_opened pair;
static struct burin_cmc_heard heard;
static struct burin_cms_signer signer;
static struct burin_cmc_answer say;
static struct burin_cmc_thread thread;
static struct burin_cmc_layer layer;

static void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static size_t
read_file(const char *name, unsigned char *data)
{
	char path[512];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "/%s", name);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("cannot open %s", path);
	len = fread(data, 1, MAX_FILE, f);
	(void)fclose(f);
	return len;
}

static void
write_file(const char *name, const void *data, size_t len)
{
	char path[512];
	FILE *f;

	(void)snprintf(
	    path, sizeof(path), "%s/%s", getenv("BURIN_GOLDEN_WRITE"), name);
	assert_non_null(f = fopen(path, "wb"));
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void
fill(struct burin_cmc_octets *o, unsigned char from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		o->data[i] = (unsigned char)(from + i);
	o->len = len;
}

/* Takes der over. */
static void
is_golden(const char *name, unsigned char *der, size_t len)
{
	if (getenv("BURIN_GOLDEN_WRITE") != NULL) {
		write_file(name, der, len);
	} else {
		print_message("%s\n", name);
		assert_int_equal(read_file(name, file), len);
		assert_memory_equal(file, der, len);
	}
	OPENSSL_free(der);
}

/* --- answers -------------------------------------------------------------- */

static void
answer(const char *name)
{
	unsigned char *der;
	size_t len;

	must(burin_cmc_answer_make(&say, &der, &len, &e));
	is_golden(name, der, len);
}

static const struct burin_cmc_path one = { { 1 }, 1 }, two = { { 2 }, 1 };

static void
test_answers(void **state)
{
	struct burin_cmc_octets token;
	struct burin_cmc_state_of s[] = { { .status = BURIN_CMC_SUCCESS,
					      .parts = &one,
					      .n = 1,
					      .text = "gr\xc3\xbc\xc3\x9f"
						      "e" },
		{ .status = BURIN_CMC_FAILED,
		    .fail = BURIN_CMC_UNSUPPORTED_EXT,
		    .parts = &two,
		    .n = 1 } };

	(void)state;
	fill(&token, 3, 8);
	say.states = s;
	say.n_states = 1;
	signer.certs = issued;
	say.response_info = token;
	answer("cmc-answer-success.der");
	say.response_info.len = 0;
	say.n_states = 2;
	say.old_states = 1;
	answer("cmc-answer-failed.der");
	say.n_states = 1;
	signer.certs = NULL;
	s[0] = (struct burin_cmc_state_of) { .status = BURIN_CMC_PENDING,
		.pend_token = &token,
		.pend_time = PKI_NOW + 3600 };
	answer("cmc-answer-pending.der");
	s[0] = (struct burin_cmc_state_of) {
		.status = BURIN_CMC_CONFIRM_REQUIRED, .parts = &one, .n = 1
	};
	say.old_states = 0;
	say.confirm = &leaf;
	say.n_confirm = 1;
	signer.certs = issued;
	answer("cmc-answer-confirm.der");
}

static void
test_publication(void **state)
{
	struct burin_cmc_publication pub = { .number = 7, .anchors = anchors };
	struct burin_cmc_state_of s = { .status = BURIN_CMC_SUCCESS };

	(void)state;
	say.states = &s;
	say.n_states = 1;
	say.publication = &pub;
	answer("cmc-answer-anchors.der");
}

/* What lies under the MAC of authData, whose key is random. */
static struct burin_secret *
authenticated(const unsigned char *der, size_t len)
{
	struct cmc_opened o;
	struct burin_cms *auth;
	struct burin_secret *out;
	const unsigned char *p;

	must(cmc_message_open(der, len, 0, BURIN_ECHECK, &o, &e));
	assert_int_equal(o.body->n_messages, 1);
	must(burin_cms_parse(o.body->messages[0].der, o.body->messages[0].len,
	    BURIN_ECHECK, &auth, &e));
	must(burin_cms_verify_mac(auth, "r7", secret, 0, &e));
	p = burin_cms_content(auth, &len);
	must(burin_secret_new(&out, p, len, &e));
	burin_cms_free(&auth);
	cmc_opened_clear(&o);
	return out;
}

static void
test_auth_data(void **state)
{
	struct burin_cmc_publication pub = {
		.number = 7, .anchors = anchors, .identity = &identity
	};
	struct burin_cmc_state_of s = { .status = BURIN_CMC_SUCCESS };
	struct burin_secret *have, *want;
	unsigned char *der;
	size_t len;

	(void)state;
	say.states = &s;
	say.n_states = 1;
	say.publication = &pub;
	must(burin_cmc_answer_make(&say, &der, &len, &e));
	if (getenv("BURIN_GOLDEN_WRITE") != NULL) {
		write_file("cmc-answer-auth-anchors.der", der, len);
	} else {
		have = authenticated(der, len);
		len = read_file("cmc-answer-auth-anchors.der", file);
		want = authenticated(file, len);
		assert_true(burin_secret_eq(have, want));
		burin_secret_free(&have);
		burin_secret_free(&want);
	}
	OPENSSL_free(der);
}

static void
test_inside(void **state)
{
	struct burin_cmc_octets token;
	struct burin_cmc_state_of ok = { .status = BURIN_CMC_SUCCESS },
				  partial = { .status = BURIN_CMC_PARTIAL,
					  .pend_token = &token,
					  .pend_time = PKI_NOW + 60 };
	struct burin_cmc_bytes inside;
	unsigned char *der;

	(void)state;
	fill(&token, 3, 8);
	say.states = &ok;
	say.n_states = 1;
	signer.certs = issued;
	must(burin_cmc_answer_make(&say, &der, &inside.len, &e));
	inside.der = der;
	signer.certs = NULL;
	say.inside = &inside;
	say.n_inside = 1;
	say.states = &partial;
	say.batch = 1;
	answer("cmc-answer-batch.der");
	say.states = &ok;
	say.batch = 0;
	say.body = 1;
	answer("cmc-answer-body.der");
	OPENSSL_free(der);
}

/* The proof that an answer asks for. */
static void
solve(const unsigned char *der, size_t len, struct burin_cmc_pop *pop)
{
	struct burin_cmc_expect x = { .status = BURIN_ECHECK,
		.request = pair_file,
		.request_len = pair_len,
		.anchors = anchors,
		.now = PKI_NOW };
	struct burin_cmc_reply reply;

	must(burin_cmc_read(der, len, &x, &reply, &e));
	assert_int_equal(reply.outcome, BURIN_CMC_CHALLENGE);
	must(burin_cmc_solve(
	    &reply.challenges[0], rsa_key, rsa_key, NULL, 0, 0, 0, pop, &e));
	burin_cmc_reply_clear(&reply);
}

static void
test_challenge(void **state)
{
	struct burin_cmc_state_of s = { .status = BURIN_CMC_FAILED,
		.fail = BURIN_CMC_FAIL_POP_REQUIRED,
		.parts = &two,
		.n = 1 };
	struct burin_cmc_item item = { .id = 2 };
	struct burin_cmc_pop pop, want;
	struct burin_cmc_bytes challenge;
	struct burin_cmc_octets y;
	struct burin_secret *hidden;
	unsigned char *der, *made;
	size_t len;

	(void)state;
	item.tagged = pair.body->requests[1].der;
	item.tagged_len = pair.body->requests[1].len;
	item.asked.pub = rsa_key;
	fill(&y, 0x60, 32);
	must(burin_secret_new(&hidden, y.data, y.len, &e));
	must(burin_cmc_challenge_make(
	    &item, hidden, 0, &made, &challenge.len, &e));
	challenge.der = made;
	say.states = &s;
	say.n_states = 1;
	say.challenges = &challenge;
	say.n_challenges = 1;
	must(burin_cmc_answer_make(&say, &der, &len, &e));
	if (getenv("BURIN_GOLDEN_WRITE") != NULL) {
		write_file("cmc-answer-challenge.der", der, len);
	} else {
		solve(der, len, &pop);
		len = read_file("cmc-answer-challenge.der", file);
		solve(file, len, &want);
		assert_int_equal(pop.id, 2);
		assert_int_equal(pop.value_len, 32);
		assert_memory_equal(&pop, &want, sizeof(pop));
	}
	OPENSSL_free(der);
	OPENSSL_free(made);
	burin_secret_free(&hidden);
}

/* --- layers --------------------------------------------------------------- */

static void
send_on(const char *name)
{
	unsigned char *der;
	size_t len;

	must(burin_cmc_layer_make(&layer, &der, &len, &e));
	is_golden(name, der, len);
}

static void
test_layer(void **state)
{
	static const uint32_t request[] = { 1 }, simple_id[] = { 2 };
	static unsigned char pkcs10[MAX_FILE];
	STACK_OF(X509_EXTENSION) *exts = NULL;
	X509_EXTENSION *ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "clientAuth");
	struct burin_cmc_bytes message = { pair_file, pair_len };
	struct burin_cmc_bytes simple = { pkcs10, 0 };
	struct burin_cmc_vouch v[] = {
		{ .kind = BURIN_CMC_STATES_POP,
		    .path = { { 1 }, 1 },
		    .ids = (const uint32_t[]) { 1, 2 },
		    .n_ids = 2 },
		{ .kind = BURIN_CMC_STATES_IDENTITY, .path = { { 1, 7 }, 2 } },
		{ .kind = BURIN_CMC_STATES_PROCESSED, .path = { { 1, 7 }, 2 } },
		{ .kind = BURIN_CMC_STATES_TEMPLATE,
		    .path = { { 1 }, 1 },
		    .ids = request,
		    .n_ids = 1,
		    .subject = X509_get_subject_name(leaf) },
		{ .kind = BURIN_CMC_STATES_TEMPLATE,
		    .ids = simple_id,
		    .n_ids = 1,
		    .remove = 1 },
	};

	(void)state;
	assert_non_null(X509v3_add_ext(&exts, ext, -1));
	v[4].extensions = exts;
	simple.len = read_file("pkcs10/names.der", pkcs10);
	layer.messages = &message;
	layer.n_messages = 1;
	layer.batch = 1;
	send_on("cmc-layer-batch.der");
	layer.simple = &simple;
	layer.n_simple = 1;
	layer.vouches = v;
	layer.n_vouches = sizeof(v) / sizeof(v[0]);
	send_on("cmc-layer-vouches.der");
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_EXTENSION_free(ext);
}

static void
test_poll(void **state)
{
	(void)state;
	fill(&layer.pend_token, 3, 8);
	fill(&thread.received, 0xc0, 16);
	send_on("cmc-layer-poll.der");
}

/* Lifted out of the message of a client. */
static void
test_unsigned(void **state)
{
	CMC_UNSIGNED_DATA *u = CMC_UNSIGNED_DATA_new();
	STACK_OF(ASN1_TYPE) *values = sk_ASN1_TYPE_new_null();
	ASN1_INTEGER *id = ASN1_INTEGER_new();
	ASN1_TYPE *any;
	struct burin_cmc_bytes message;
	unsigned char *der;

	(void)state;
	assert_int_equal(ASN1_INTEGER_set(id, 5), 1);
	assert_true(sk_ASN1_INTEGER_push(u->path, id) > 0);
	ASN1_OBJECT_free(u->identifier);
	u->identifier = OBJ_txt2obj("1.2.3.4", 1);
	ASN1_TYPE_set(u->content, V_ASN1_NULL, NULL);
	any =
	    ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(CMC_UNSIGNED_DATA), u, NULL);
	assert_true(sk_ASN1_TYPE_push(values, any) > 0);
	must(csr_unsigned_put(pair_file, pair_len, CMC_OID_UNSIGNED_DATA,
	    values, &der, &message.len, &e));
	message.der = der;
	layer.messages = &message;
	layer.n_messages = 1;
	layer.batch = 1;
	send_on("cmc-layer-unsigned.der");
	OPENSSL_free(der);
	sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free);
	CMC_UNSIGNED_DATA_free(u);
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
make_people(void)
{
	static const char *const ca_exts[] = {
		"basicConstraints=critical,CA:TRUE",
		"keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
		"subjectKeyIdentifier=hash", NULL
	};
	struct pki_spec spec = { .cn = "Example CA",
		.exts = ca_exts,
		.key = sign_key,
		.serial = 1 };

	ca = pki_cert(&spec);
	spec = (struct pki_spec) { .cn = "r8",
		.key = rsa_key,
		.serial = 8,
		.issuer = ca,
		.issuer_key = sign_key };
	leaf = pki_cert(&spec);
	anchors = sk_X509_new_null();
	issued = sk_X509_new_null();
	assert_true(sk_X509_push(anchors, ca) > 0);
	assert_true(sk_X509_push(issued, leaf) > 0);
}

static int
setup(void **state)
{
	(void)state;
	sign_key = load_key("ed25519");
	rsa_key = load_key("rsa");
	make_people();
	must(burin_secret_new(&secret, SECRET, strlen(SECRET), &e));
	identity.secret = secret;
	pair_len = read_file("cmc-pair.der", pair_file);
	must(cmc_message_open(pair_file, pair_len, 0, BURIN_ECHECK, &pair, &e));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cmc_opened_clear(&pair);
	burin_secret_free(&secret);
	sk_X509_free(anchors);
	sk_X509_free(issued);
	X509_free(ca);
	X509_free(leaf);
	EVP_PKEY_free(sign_key);
	EVP_PKEY_free(rsa_key);
	return 0;
}

static int
begin(void **state)
{
	static const unsigned char nonce[] = "nonce of the server";

	(void)state;
	burin_error_clear(&e);
	memset(&heard, 0, sizeof(heard));
	fill(&heard.transaction, 0x41, BURIN_CMC_TRANSACTION);
	heard.has_transaction = 1;
	fill(&heard.sender_nonce, 0x10, BURIN_CMC_NONCE);
	fill(&heard.data_return, 1, 20);
	signer = (struct burin_cms_signer) { .by = BURIN_CMS_BY_CERT,
		.key = sign_key,
		.pub = sign_key,
		.cert = ca,
		.signing_time = PKI_NOW };
	say = (struct burin_cmc_answer) { .to = &heard,
		.nonce = nonce,
		.nonce_len = sizeof(nonce) - 1,
		.signer = &signer };
	memset(&thread, 0, sizeof(thread));
	fill(&thread.transaction, 0x71, BURIN_CMC_TRANSACTION);
	fill(&thread.sent, 0x20, BURIN_CMC_NONCE);
	memset(&layer, 0, sizeof(layer));
	layer.thread = &thread;
	layer.signer = &signer;
	return 0;
}

#define GOLDEN(test) cmocka_unit_test_setup(test, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(test_answers),
		GOLDEN(test_publication),
		GOLDEN(test_auth_data),
		GOLDEN(test_inside),
		GOLDEN(test_challenge),
		GOLDEN(test_layer),
		GOLDEN(test_poll),
		GOLDEN(test_unsigned),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
