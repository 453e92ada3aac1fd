/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of an authority, by who gives them and how they are made: the
 * honest ones, and one lie for every rule. What they say: test_cmc_said.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "cmc_reading.h"
#include "mutate.h"

#define EXTS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define SIGNED_OID "1.2.840.113549.1.7.2"
#define ENVELOPED_OID "1.2.840.113549.1.7.3"

/* --- who answers ---------------------------------------------------------- */

static void
test_success(void **state)
{
	struct said s;

	(void)state;
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	(void)said_octets(&s, CMC_RESPONSE_INFO, "17", 2);
	by_ca(&s);
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.signer, "CN=Test CA");
	assert_int_equal(sk_X509_num(reply.certs), 2);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
	assert_int_equal(reply.server_nonce.len, 13);
	assert_memory_equal(reply.server_nonce.data, "of the server", 13);
	assert_memory_equal(reply.data_return.data, "token-7", 7);
	assert_memory_equal(reply.response_info.data, "17", 2);
	burin_cmc_reply_clear(&reply);

	/* No status is success; the signer may be known as an anchor only. */
	{
		unsigned char id[20];
		struct seal how = { .by = BURIN_CMS_BY_KEY, .key_id = id };

		key_id_of(ca_key, id);
		begin(&s);
		seal(&s, &how);
		taken(BURIN_CMC_DONE);
		assert_int_equal(sk_X509_num(reply.certs), 1);
	}
}

static void
success_by(EVP_PKEY *key, X509 *cert)
{
	struct seal how = { .key = key, .cert = cert };
	struct said s;

	begin(&s);
	(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	seal(&s, &how);
	X509_free(cert);
}

static void
test_signers(void **state)
{
	static const char *const no_use[] = { KEY_IDS,
		"keyUsage=keyEncipherment",
		"extendedKeyUsage=1.3.6.1.5.5.7.3.27", NULL };
	static const char *const critical[] = { KEY_IDS,
		"keyUsage=digitalSignature",
		"extendedKeyUsage=1.3.6.1.5.5.7.3.27",
		"1.2.3.4=critical,DER:0500", NULL };
	struct pki_spec old = { 0 };

	(void)state;
	success_by(ra_key, issue("Test CA", ra_key, ca_eku));
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	/* The purpose without the name, the name without the purpose. */
	success_by(ra_key, issue("Somebody", ra_key, ca_eku));
	refused(BURIN_ECHECK, "cmc-signer");
	success_by(ra_key, issue("Test CA", ra_key, EXTS(KEY_IDS)));
	refused(BURIN_ECHECK, "cmc-signer");
	success_by(ra_key, issue("Test CA", ra_key, no_use));
	refused(BURIN_ECHECK, "cmc-signer");
	success_by(ra_key, issue("Test CA", ra_key, critical));
	refused(BURIN_ECHECK, "cmc-signer");
	/* An RA by itself; the certificate holder himself; a stranger. */
	success_by(ra_key, issue("RA", ra_key, ra_eku));
	refused(BURIN_ECHECK, "cmc-signer");
	success_by(ee_key, issue("Alice", ee_key, NULL));
	refused(BURIN_ECHECK, "cmc-signer");
	assert_int_equal(X509_up_ref(stranger), 1);
	success_by(other_key, stranger);
	refused(BURIN_ECHECK, "cmc-signer");
	/* Expired. */
	old.cn = "Test CA";
	old.key = ra_key;
	old.exts = ca_eku;
	old.issuer = ca;
	old.issuer_key = ca_key;
	old.from = PKI_NOW - 2 * PKI_DAY;
	old.until = PKI_NOW - PKI_DAY;
	success_by(ra_key, pki_cert(&old));
	refused(BURIN_ECHECK, "cmc-signer");
	x.anchors = NULL;
	assert_int_equal(X509_up_ref(ca), 1);
	success_by(ca_key, ca);
	refused(BURIN_ECHECK, "cmc-signer");
}

/* A CA below an anchor is an authority; who it names must be found. */
static void
test_sub_ca(void **state)
{
	static const char *const ca_exts[] = {
		"basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign",
		"subjectKeyIdentifier=hash", NULL
	};
	unsigned char id[20];
	struct seal how = { .key = ra_key, .by = BURIN_CMS_BY_KEY };
	struct said s;

	(void)state;
	success_by(ra_key, issue("Sub CA", ra_key, ca_exts));
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	key_id_of(ra_key, id);
	how.key_id = id;
	begin(&s);
	seal(&s, &how);
	refused(BURIN_ECHECK, "cmc-signer");
}

static void
test_signature(void **state)
{
	unsigned char id[20];
	struct seal how = { .by = BURIN_CMS_UNSIGNED, .key_id = id };
	struct said s;

	(void)state;
	begin(&s);
	by_ca(&s);
	answer[answer_len - 1] ^= 1;
	refused(BURIN_ECHECK, "signature-wrong");
	/* id-alg-noSignature in the name of the CA. */
	key_id_of(ca_key, id);
	begin(&s);
	seal(&s, &how);
	refused(BURIN_ECHECK, "not-signed");
}

static void
test_unsigned(void **state)
{
	struct said_status w = {
		.status = BURIN_CMC_FAILED, .fail = 11, .text = "no HSM"
	};
	struct said s;

	(void)state;
	begin(&s);
	by_nobody(&s);
	refused(BURIN_ECHECK, "unsigned-success");
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	by_nobody(&s);
	refused(BURIN_ECHECK, "unsigned-success");
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	by_nobody(&s);
	refused(BURIN_ECHECK, "unsigned-success");
	/* Anybody may say that it failed: it brings back nothing. */
	said_begin(&s);
	(void)said_status(&s, &w);
	by_nobody(&s);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "not authenticated"));
	assert_non_null(strstr(last.reason, "no HSM"));
}

static void
simple(X509 *cert)
{
	struct burin_cms_signer signer = { 0 };
	unsigned char *der = NULL;
	size_t len;

	signer.by = BURIN_CMS_BY_NOBODY;
	signer.certs = sk_X509_new_null();
	if (cert != NULL)
		assert_true(sk_X509_push(signer.certs, cert) > 0);
	must(burin_cms_sign(
	    &signer, "1.2.840.113549.1.7.1", NULL, 0, &der, &len, &e));
	sk_X509_free(signer.certs);
	set_answer(der, len);
}

static void
test_simple(void **state)
{
	(void)state;
	simple(ee);
	refused(BURIN_ECHECK, "unsigned-success");
	x.simple = 1;
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.signer, "");
	assert_int_equal(sk_X509_num(reply.certs), 1);
	burin_cmc_reply_clear(&reply);
	simple(NULL);
	refused(BURIN_EAUTHORITY, "cmc-empty");
}

/* Who asks a person: how often, and what is said. */
struct asking {
	int times;
	const struct burin_cmc_identity *answer;
};

static int
ask_person(
    void *arg, const struct burin_cmc_identity **out, struct burin_error *err)
{
	struct asking *a = arg;

	a->times++;
	*out = a->answer;
	if (a->answer != NULL)
		return 0;
	(void)burin_fail(err, BURIN_EUSAGE, "nobody-there", "no answer");
	return burin_error_rule(err, "RFC 10002 section 4");
}

/* The secret is asked for when an answer needs it, and no sooner. */
static void
test_find_secret(void **state)
{
	struct asking a = { 0, &identity };
	struct said s;

	(void)state;
	x.find_identity = ask_person;
	x.arg = &a;
	begin(&s);
	by_ca(&s);
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	assert_int_equal(a.times, 0);
	begin(&s);
	by_secret(&s, secret);
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.signer, "shared secret");
	burin_cmc_reply_clear(&reply);
	assert_int_equal(a.times, 1);
	a.answer = NULL;
	refused(BURIN_EUSAGE, "nobody-there");
	assert_int_equal(a.times, 2);
}

static void
test_secret(void **state)
{
	struct said s;

	(void)state;
	begin(&s);
	by_secret(&s, secret);
	refused(BURIN_ECHECK, "cmc-signer");
	x.identity = &identity;
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.signer, "shared secret");
	burin_cmc_reply_clear(&reply);
	begin(&s);
	by_secret(&s, wrong);
	refused(BURIN_ECHECK, "mac-wrong");
}

/* Pages of a proxy, our own request, nothing. */
static void
test_no_answer(void **state)
{
	static const char page[] = "<html>try later</html>";
	unsigned char *der = NULL;
	size_t len;
	struct seal how = { 0 };

	(void)state;
	set_answer(OPENSSL_memdup(page, sizeof(page)), sizeof(page));
	refused(BURIN_EAUTHORITY, "response-malformed");
	set_answer(NULL, 0);
	refused(BURIN_EAUTHORITY, "response-malformed");
	set_answer(OPENSSL_memdup(request, request_len), request_len);
	refused(BURIN_ECHECK, "cmc-malformed");
	der = sign(&how, "1.2.840.113549.1.7.1", (const unsigned char *)"text",
	    4, &len);
	set_answer(der, len);
	refused(BURIN_ECHECK, "cmc-malformed");
}

/* What was sent must be there to compare with, as it was before encryption. */
static void
test_our_request(void **state)
{
	struct burin_cms_recipient to = { 0 };
	unsigned char *der = NULL;
	struct said s;
	size_t len;

	(void)state;
	begin(&s);
	by_ca(&s);
	x.request_len = 0;
	assert_int_equal(
	    burin_cmc_read(answer, answer_len, &x, &reply, &e), -1);
	assert_string_equal(e.code, "cmc-request");
	burin_error_clear(&e);
	to.pub = rsa_key;
	to.serial = 1;
	must(burin_cms_encrypt(&to, 1, BURIN_CMS_AES256_CBC, SIGNED_OID,
	    request, request_len, &der, &len, &e));
	x.request = der;
	x.request_len = len;
	assert_int_equal(
	    burin_cmc_read(answer, answer_len, &x, &reply, &e), -1);
	assert_int_equal(e.status, BURIN_EUSAGE);
	assert_string_equal(e.code, "cmc-request");
	OPENSSL_free(der);
}

/* --- is it an answer to this? --------------------------------------------- */

enum back {
	BACK_TRANSACTION = 1,
	BACK_NONCE = 2,
	BACK_DATA = 4
};

/* Leaves out some of what must come back, and changes some. */
static void
answer_with(unsigned left_out, unsigned changed)
{
	unsigned char one[BURIN_CMC_NONCE], two[BURIN_CMC_TRANSACTION];
	struct said s;

	memcpy(one, thread.sent.data, sizeof(one));
	memcpy(two, thread.transaction.data, sizeof(two));
	one[31] ^= (changed & BACK_NONCE) != 0;
	two[15] ^= (changed & BACK_TRANSACTION) != 0;
	said_begin(&s);
	if ((left_out & BACK_TRANSACTION) == 0)
		(void)said_integer(
		    &s, CMC_TRANSACTION_ID, two, thread.transaction.len);
	if ((left_out & BACK_NONCE) == 0)
		(void)said_octets(&s, CMC_RECIPIENT_NONCE, one, sizeof(one));
	if ((left_out & BACK_DATA) == 0)
		(void)said_octets(&s, CMC_DATA_RETURN,
		    (changed & BACK_DATA) != 0 ? "token-8" : "token-7", 7);
	(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	by_ca(&s);
}

static void
test_thread(void **state)
{
	struct said s;

	(void)state;
	answer_with(0, 0);
	taken(BURIN_CMC_DONE);
	assert_int_equal(reply.server_nonce.len, 0);
	burin_cmc_reply_clear(&reply);
	answer_with(BACK_TRANSACTION, 0);
	refused(BURIN_ECHECK, "transaction-mismatch");
	answer_with(0, BACK_TRANSACTION);
	refused(BURIN_ECHECK, "transaction-mismatch");
	answer_with(BACK_NONCE, 0);
	refused(BURIN_ECHECK, "nonce-mismatch");
	answer_with(0, BACK_NONCE);
	refused(BURIN_ECHECK, "nonce-mismatch");
	answer_with(BACK_DATA, 0);
	refused(BURIN_ECHECK, "data-return-mismatch");
	answer_with(0, BACK_DATA);
	refused(BURIN_ECHECK, "data-return-mismatch");
	/* A refusal that brings nothing back is not believed, but told. */
	said_begin(&s);
	(void)said_plain(&s, BURIN_CMC_FAILED, 2);
	by_ca(&s);
	refused(BURIN_ECHECK, "transaction-mismatch");
	assert_non_null(strstr(last.cause, "badRequest"));
	/* The answer to one transaction is none to the next. */
	begin(&s);
	by_ca(&s);
	send_for(ee_key, 0, 0, NULL);
	refused(BURIN_ECHECK, "transaction-mismatch");
	/* Nothing was sent, nothing is asked back. */
	x.thread = NULL;
	taken(BURIN_CMC_DONE);
}

/* --- answers in answers --------------------------------------------------- */

/* The answer so far becomes a part of one by the RA. */
static void
wrap(struct said *s, int point_at_it)
{
	uint32_t id = said_message(s, answer, answer_len);
	struct seal how = { .key = ra_key, .cert = ra };

	if (point_at_it)
		(void)said_ids(s, CMC_RESPONSE_BODY, &id, 1);
	seal(s, &how);
}

static void
test_response_body(void **state)
{
	struct said s;
	int i;

	(void)state;
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	by_ca(&s);
	said_begin(&s);
	wrap(&s, 1);
	taken(BURIN_CMC_CONFIRM);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
	burin_cmc_reply_clear(&reply);
	/* Nothing but the RA's word. */
	begin(&s);
	wrap(&s, 0);
	refused(BURIN_ECHECK, "cmc-signer");
	/* What the RA says counts against it. */
	begin(&s);
	by_ca(&s);
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_FAILED, 2);
	wrap(&s, 1);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	/* Inside is an answer to somebody else; nobody's; a stranger's. */
	said_begin(&s);
	(void)said_octets(&s, CMC_RECIPIENT_NONCE, "another", 7);
	by_ca(&s);
	begin(&s);
	wrap(&s, 1);
	refused(BURIN_ECHECK, "nonce-mismatch");
	begin(&s);
	by_nobody(&s);
	begin(&s);
	wrap(&s, 1);
	refused(BURIN_ECHECK, "unsigned-success");
	assert_int_equal(X509_up_ref(stranger), 1);
	success_by(other_key, stranger);
	begin(&s);
	wrap(&s, 1);
	refused(BURIN_ECHECK, "cmc-signer");
	/* A path to nothing; too deep. */
	begin(&s);
	(void)said_ids(&s, CMC_RESPONSE_BODY, (const uint32_t[]) { 9 }, 1);
	by_ca(&s);
	refused(BURIN_ECHECK, "cmc-malformed");
	begin(&s);
	by_ca(&s);
	for (i = 0; i < BURIN_CMC_MAX_DEPTH; i++) {
		said_begin(&s);
		wrap(&s, 1);
	}
	refused(BURIN_ECHECK, "cmc-too-deep");
}

/* --- encryption ----------------------------------------------------------- */

static void
encrypt(const char *type, enum burin_cms_cipher cipher)
{
	struct burin_cms_recipient to = { 0 };
	unsigned char *der = NULL;
	size_t len;

	to.pub = rsa_key;
	to.serial = 1;
	must(burin_cms_encrypt(
	    &to, 1, cipher, type, answer, answer_len, &der, &len, &e));
	set_answer(der, len);
}

static void
test_encrypted(void **state)
{
	struct burin_cms_recipient us = { 0 };
	struct seal how = { 0 };
	unsigned char *der;
	struct said s;
	size_t len;

	(void)state;
	us.serial = 1;
	begin(&s);
	by_ca(&s);
	encrypt(SIGNED_OID, BURIN_CMS_AES256_GCM);
	refused(BURIN_ECHECK, "cmc-encrypted");
	x.key = x.pub = rsa_key;
	x.us = &us;
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	/* Section 5, second option. */
	der = sign(&how, ENVELOPED_OID, answer, answer_len, &len);
	set_answer(der, len);
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	answer[answer_len - 1] ^= 1;
	refused(BURIN_ECHECK, "signature-wrong");
	/* Encryption proves nothing by itself. */
	begin(&s);
	by_nobody(&s);
	encrypt(SIGNED_OID, BURIN_CMS_AES256_CBC);
	refused(BURIN_ECHECK, "unsigned-success");
	begin(&s);
	by_ca(&s);
	encrypt(SIGNED_OID, BURIN_CMS_AES256_CBC);
	x.key = x.pub = other_key;
	refused(BURIN_ECHECK, "recipient-missing");
}

/* --- trust anchors -------------------------------------------------------- */

static void
publish(long number, const EVP_MD *md, const struct seal *how)
{
	X509 *both[2] = { stranger, ca };
	struct said s;

	begin(&s);
	(void)said_anchors(&s, number, md, both, 2);
	seal(&s, how);
}

static void
test_anchors(void **state)
{
	struct seal how = { .extra = stranger };
	struct said s;

	(void)state;
	x.anchors_seen = 4;
	publish(5, EVP_sha256(), &how);
	taken(BURIN_CMC_DONE);
	assert_int_equal(reply.anchors_number, 5);
	assert_int_equal(sk_X509_num(reply.anchors), 2);
	assert_int_equal(
	    X509_cmp(sk_X509_value(reply.anchors, 0), stranger), 0);
	burin_cmc_reply_clear(&reply);
	/* The same number says nothing new, an older one is a replay. */
	publish(4, EVP_sha256(), &how);
	taken(BURIN_CMC_DONE);
	assert_null(reply.anchors);
	burin_cmc_reply_clear(&reply);
	publish(3, EVP_sha256(), &how);
	refused(BURIN_ECHECK, "anchors-replayed");
	publish(-5, EVP_sha256(), &how);
	refused(BURIN_ECHECK, "anchors-replayed");
	publish(5, EVP_sha1(), &how);
	refused(BURIN_ECHECK, "anchors-hash");
	x.legacy = 1;
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	how.time = PKI_NOW - 301;
	publish(5, EVP_sha384(), &how);
	refused(BURIN_ECHECK, "anchors-time");
	how.time = PKI_NOW + 301;
	publish(5, EVP_sha384(), &how);
	refused(BURIN_ECHECK, "anchors-time");
	how.no_time = 1;
	publish(5, EVP_sha384(), &how);
	refused(BURIN_ECHECK, "anchors-time");
	how.no_time = 0;
	how.time = PKI_NOW;
	how.extra = NULL;
	publish(5, EVP_sha384(), &how);
	refused(BURIN_ECHECK, "anchors-missing");
	begin(&s);
	(void)said_anchors(&s, 5, EVP_sha256(), NULL, 0);
	by_ca(&s);
	refused(BURIN_ECHECK, "anchors-missing");
	/* Those that an RA publishes around an answer do not count. */
	begin(&s);
	by_ca(&s);
	begin(&s);
	(void)said_anchors(&s, 5, EVP_sha256(), &ca, 1);
	wrap(&s, 1);
	taken(BURIN_CMC_DONE);
	assert_null(reply.anchors);
}

/* By a file or by mail: read long after it was signed. */
static void
test_anchors_late(void **state)
{
	struct seal how = { .extra = stranger, .time = PKI_NOW };

	(void)state;
	x.anchors_seen = 4;
	x.since = PKI_NOW - 60;
	x.now = PKI_NOW + 3600;
	publish(5, EVP_sha256(), &how);
	taken(BURIN_CMC_DONE);
	assert_int_equal(sk_X509_num(reply.anchors), 2);
	burin_cmc_reply_clear(&reply);
	/* Clocks that differ, and one that was set back meanwhile. */
	x.since = PKI_NOW + 300;
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	x.since = PKI_NOW + 7200;
	x.now = PKI_NOW + 60;
	taken(BURIN_CMC_DONE);
	burin_cmc_reply_clear(&reply);
	x.since = PKI_NOW + 301;
	x.now = PKI_NOW + 3600;
	refused(BURIN_ECHECK, "anchors-time");
	x.since = PKI_NOW + 30 * 24 * 3600L;
	x.now = x.since;
	refused(BURIN_ECHECK, "anchors-time");
	/* What is known says nothing new, and refuses nothing. */
	x.anchors_seen = 5;
	taken(BURIN_CMC_DONE);
	assert_null(reply.anchors);
	burin_cmc_reply_clear(&reply);
	x.anchors_seen = 6;
	refused(BURIN_ECHECK, "anchors-replayed");
	/* Nor does what answers we know not what bring any. */
	x.anchors_seen = -1;
	x.thread = NULL;
	x.request = NULL;
	x.request_len = 0;
	taken(BURIN_CMC_DONE);
	assert_null(reply.anchors);
}

/* authData around the anchors, MACed with this. */
static void
publish_auth_by(
    const struct burin_secret *with, const char *type, const struct seal *how)
{
	struct said s, inner;
	unsigned char *data, *der = NULL;
	size_t data_len, len;
	unsigned char id[4];
	uint32_t part;
	int i;

	said_begin(&inner);
	(void)said_anchors(&inner, 5, EVP_sha256(), &ca, 1);
	data = said_data(&inner, &data_len);
	must(burin_cms_authenticate(
	    "alice", with, 0, 1000, type, data, data_len, &der, &len, &e));
	begin(&s);
	part = said_message(&s, der, len);
	for (i = 0; i < 4; i++)
		id[i] = (unsigned char)(part >> (24 - 8 * i));
	(void)said_integer(&s, CMC_AUTH_DATA, id, 4);
	seal(&s, how);
	said_free(&inner);
	OPENSSL_free(data);
	OPENSSL_free(der);
}

static void
publish_auth(const struct burin_secret *with, const char *type)
{
	struct seal how = { 0 };

	publish_auth_by(with, type, &how);
}

static void
test_auth_data(void **state)
{
	struct said s;

	(void)state;
	/* Signed by the authority it is believed, whoever knows the secret. */
	publish_auth(secret, CMC_OID_PKI_DATA);
	taken(BURIN_CMC_DONE);
	assert_null(reply.anchors);
	burin_cmc_reply_clear(&reply);
	x.identity = &identity;
	taken(BURIN_CMC_DONE);
	assert_int_equal(sk_X509_num(reply.anchors), 1);
	assert_int_equal(reply.anchors_number, 5);
	burin_cmc_reply_clear(&reply);
	publish_auth(wrong, CMC_OID_PKI_DATA);
	refused(BURIN_ECHECK, "mac-wrong");
	publish_auth(secret, CMC_OID_PKI_RESPONSE);
	refused(BURIN_ECHECK, "auth-data");
	begin(&s);
	(void)said_integer(&s, CMC_AUTH_DATA, "\x11", 1);
	by_ca(&s);
	refused(BURIN_ECHECK, "cmc-malformed");
}

/* Who has a secret and no anchor: the secret brings them. */
static void
test_bootstrap(void **state)
{
	struct seal how = { .key = other_key, .cert = stranger, .extra = ca };
	struct said s;

	(void)state;
	x.anchors = NULL;
	x.bootstrap = 1;
	x.anchors_seen = 5;
	publish_auth(secret, CMC_OID_PKI_DATA);
	refused(BURIN_ECHECK, "auth-data");
	x.identity = &identity;
	taken(BURIN_CMC_DONE);
	assert_int_equal(sk_X509_num(reply.anchors), 1);
	assert_int_equal(X509_cmp(sk_X509_value(reply.anchors, 0), ca), 0);
	burin_cmc_reply_clear(&reply);
	x.anchors_seen = 6;
	refused(BURIN_ECHECK, "anchors-replayed");
	x.anchors_seen = -1;
	publish_auth(wrong, CMC_OID_PKI_DATA);
	refused(BURIN_ECHECK, "mac-wrong");
	publish_auth(secret, CMC_OID_PKI_RESPONSE);
	refused(BURIN_ECHECK, "auth-data");
	/* Others than those that the secret names sign nothing. */
	publish_auth_by(secret, CMC_OID_PKI_DATA, &how);
	refused(BURIN_ECHECK, "cmc-signer");
	/* Anchors beside the secret, or none: nobody is believed. */
	begin(&s);
	(void)said_anchors(&s, 5, EVP_sha256(), &ca, 1);
	by_ca(&s);
	refused(BURIN_ECHECK, "unsigned-success");
	begin(&s);
	by_ca(&s);
	refused(BURIN_ECHECK, "unsigned-success");
	/* What it refuses is told all the same. */
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_FAILED, 7);
	by_ca(&s);
	refused(BURIN_EAUTHORITY, "cmc-badIdentity");
}

/* --- encodings ------------------------------------------------------------ */

static void
test_ber(void **state)
{
	struct seal how = { 0 };
	unsigned char *body, *ber, *der;
	size_t body_len, ber_len, len;
	struct said s;

	(void)state;
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	body = said_response(&s, &body_len);
	ber = said_ber(body, body_len, 64, &ber_len);
	der = sign(&how, CMC_OID_PKI_RESPONSE, ber, ber_len, &len);
	set_answer(der, len);
	taken(BURIN_CMC_CONFIRM);
	burin_cmc_reply_clear(&reply);
	/* And the envelope around it, down to the certificates. */
	der = said_ber(answer, answer_len, 4, &len);
	set_answer(der, len);
	taken(BURIN_CMC_CONFIRM);
	OPENSSL_free(body);
	OPENSSL_free(ber);
	said_free(&s);
}

/* A byte behind the PKIResponse, signed as it is. */
static void
test_trailing(void **state)
{
	struct seal how = { 0 };
	unsigned char *body, *longer, *der;
	size_t body_len, len;
	struct said s;

	(void)state;
	begin(&s);
	body = said_response(&s, &body_len);
	longer = OPENSSL_malloc(body_len + 1);
	memcpy(longer, body, body_len);
	longer[body_len] = 0;
	der = sign(&how, CMC_OID_PKI_RESPONSE, longer, body_len + 1, &len);
	set_answer(der, len);
	refused(BURIN_ECHECK, "cmc-malformed");
	OPENSSL_free(body);
	OPENSSL_free(longer);
	said_free(&s);
}

/*
 * Damage is never a success that says something else: what is accepted was
 * changed where no signature is.
 */
static void
test_damaged(void **state)
{
	static unsigned char out[65536 + MUTATE_ROOM];
	struct mutator m = { UINT64_C(0x636d63), 0 };
	unsigned i, taken_too = 0;
	unsigned char *exact;
	struct said s;
	size_t len;

	(void)state;
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	(void)said_octets(&s, CMC_RESPONSE_INFO, "17", 2);
	by_ca(&s);
	assert_true(answer_len < 65536);
	for (i = 0; i < 1500; i++) {
		len = mutate(
		    &m, i, answer, answer_len, request, request_len, out);
		exact = malloc(len > 0 ? len : 1);
		assert_non_null(exact);
		memcpy(exact, out, len);
		burin_error_clear(&e);
		if (burin_cmc_read(exact, len, &x, &reply, &e) == 0) {
			taken_too++;
			assert_int_equal(reply.outcome, BURIN_CMC_CONFIRM);
			assert_memory_equal(
			    reply.server_nonce.data, "of the server", 13);
			assert_memory_equal(reply.response_info.data, "17", 2);
			burin_cmc_reply_clear(&reply);
		} else {
			assert_string_not_equal(e.code, "");
			assert_string_not_equal(e.reason, "");
			assert_true(e.status == BURIN_ECHECK ||
			    e.status == BURIN_EAUTHORITY);
		}
		assert_int_equal(ERR_peek_error(), 0);
		free(exact);
	}
	print_message(
	    "  1500 damaged, %u of them not where it counts\n", taken_too);
	assert_true(taken_too < 750);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(test_success),
		ONE(test_signers),
		ONE(test_sub_ca),
		ONE(test_signature),
		ONE(test_unsigned),
		ONE(test_simple),
		ONE(test_find_secret),
		ONE(test_secret),
		ONE(test_no_answer),
		ONE(test_our_request),
		ONE(test_thread),
		ONE(test_response_body),
		ONE(test_encrypted),
		ONE(test_anchors),
		ONE(test_anchors_late),
		ONE(test_bootstrap),
		ONE(test_auth_data),
		ONE(test_ber),
		ONE(test_trailing),
		ONE(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
