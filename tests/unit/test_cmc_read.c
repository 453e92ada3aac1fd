/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of an authority: the honest ones, and one lie for every rule.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/hmac.h>

#include <burin/cmc.h>
#include <burin/response.h>

#include "cmc_responder.h"
#include "mutate.h"
#include "pki.h"

#define EXTS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define SIGNED_OID "1.2.840.113549.1.7.2"
#define ENVELOPED_OID "1.2.840.113549.1.7.3"

static struct burin_error e;

/* --- the world ------------------------------------------------------------ */

static EVP_PKEY *ca_key, *ee_key, *rsa_key, *ra_key, *other_key;
static X509 *ca, *ee, *ra, *stranger;
static STACK_OF(X509) * anchors;
static struct burin_secret *secret, *wrong;
static struct burin_cmc_identity identity = { .identification = "alice" };

/* What was sent, and what it must come back with. */
static struct burin_cmc_thread thread;
static unsigned char *request, *reqs;
static size_t request_len, reqs_len;
static struct burin_cmc_expect x;

/* With its issuer's name and no key ids it would pass for self-signed. */
#define KEY_IDS "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"
static const char *const ca_eku[] = { KEY_IDS, "keyUsage=digitalSignature",
	"extendedKeyUsage=1.3.6.1.5.5.7.3.27", NULL };
static const char *const ra_eku[] = { "keyUsage=digitalSignature",
	"extendedKeyUsage=1.3.6.1.5.5.7.3.28", NULL };

static X509 *
issue(const char *cn, EVP_PKEY *key, const char *const *exts)
{
	struct pki_spec spec = { 0 };

	spec.cn = cn;
	spec.key = key;
	spec.exts = exts;
	spec.issuer = ca;
	spec.issuer_key = ca_key;
	return pki_cert(&spec);
}

static void
key_id_of(EVP_PKEY *key, unsigned char id[20])
{
	X509_PUBKEY *spki = NULL;
	const unsigned char *bits;
	int len;

	assert_int_equal(X509_PUBKEY_set(&spki, key), 1);
	assert_int_equal(
	    X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, spki), 1);
	assert_int_equal(
	    EVP_Digest(bits, (size_t)len, id, NULL, EVP_sha1(), NULL), 1);
	X509_PUBKEY_free(spki);
}

static void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
}

/* A message with one request for key, which cannot sign when challenge. */
static void
send_for(EVP_PKEY *key, int crmf, int challenge, const char *pend)
{
	struct burin_cmc_request one = { 0 };
	struct burin_cms_signer signer = { 0 };
	struct burin_cmc_ask ask = { 0 };
	struct burin_subject *s = NULL;
	unsigned char id[20];

	OPENSSL_free(request);
	OPENSSL_free(reqs);
	reqs = NULL;
	reqs_len = 0;
	must(burin_cmc_begin(&thread, &e));
	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, "CN=Alice", &e));
	one.form = crmf ? BURIN_CMC_CRMF : BURIN_CMC_PKCS10;
	one.subject = s;
	one.pub = key;
	one.how.pop = challenge ? BURIN_POP_CHALLENGE : BURIN_POP_SIGNATURE;
	one.how.key = challenge ? NULL : key;
	one.how.agree = -1;
	if (pend == NULL) {
		must(burin_cmc_requests_make(
		    &one, 1, &thread, NULL, &reqs, &reqs_len, &e));
		ask.requests = reqs;
		ask.requests_len = reqs_len;
	} else {
		ask.pend_token.len = strlen(pend);
		memcpy(ask.pend_token.data, pend, strlen(pend));
	}
	key_id_of(key, id);
	signer.by = challenge ? BURIN_CMS_BY_CERT : BURIN_CMS_BY_KEY;
	signer.key = signer.pub = challenge ? ee_key : key;
	signer.cert = challenge ? ee : NULL;
	signer.key_id = id;
	signer.key_id_len = challenge ? 0 : sizeof(id);
	if (pend != NULL) {
		signer.by = BURIN_CMS_BY_CERT;
		signer.key = signer.pub = ee_key;
		signer.cert = ee;
	}
	ask.thread = &thread;
	ask.data_return.len = 7;
	memcpy(ask.data_return.data, "token-7", 7);
	ask.protect = BURIN_CMC_SIGNED;
	ask.signer = &signer;
	must(burin_cmc_make(&ask, &request, &request_len, &e));
	burin_subject_free(&s);
	x.request = request;
	x.request_len = request_len;
	x.thread = &thread;
}

static int
fresh(void **state)
{
	(void)state;
	memset(&x, 0, sizeof(x));
	x.status = BURIN_EAUTHORITY;
	x.anchors = anchors;
	x.now = PKI_NOW;
	x.skew = 300;
	send_for(ee_key, 0, 0, NULL);
	return 0;
}

/* --- answers -------------------------------------------------------------- */

static unsigned char *answer;
static size_t answer_len;

static void
set_answer(unsigned char *der, size_t len)
{
	OPENSSL_free(answer);
	answer = der;
	answer_len = len;
}

/* What an answer brings back. */
static void
begin(struct said *s)
{
	said_begin(s);
	(void)said_integer(s, CMC_TRANSACTION_ID, thread.transaction.data,
	    thread.transaction.len);
	(void)said_octets(
	    s, CMC_RECIPIENT_NONCE, thread.sent.data, thread.sent.len);
	(void)said_octets(s, CMC_SENDER_NONCE, "of the server", 13);
	(void)said_octets(s, CMC_DATA_RETURN, "token-7", 7);
}

/* How it is sealed; zero: by the CA, now, with the certificate for ee. */
struct seal {
	EVP_PKEY *key;
	X509 *cert;
	enum burin_cms_by by;
	const unsigned char *key_id;
	int no_time;
	time_t time;
	X509 *extra;
};

static unsigned char *
sign(const struct seal *how, const char *type, const unsigned char *data,
    size_t data_len, size_t *len)
{
	struct burin_cms_signer signer = { 0 };
	unsigned char *der = NULL;

	signer.by =
	    how->by == BURIN_CMS_BY_NOBODY ? BURIN_CMS_BY_CERT : how->by;
	signer.key = signer.pub = how->key != NULL ? how->key : ca_key;
	signer.cert = how->cert != NULL ? how->cert : ca;
	if (how->key_id != NULL) {
		signer.cert = NULL;
		signer.key_id = how->key_id;
		signer.key_id_len = 20;
	}
	signer.signing_time = how->no_time ? 0
	    : how->time != 0		   ? how->time
					   : PKI_NOW;
	signer.certs = sk_X509_new_null();
	assert_true(sk_X509_push(signer.certs, ee) > 0);
	if (how->extra != NULL)
		assert_true(sk_X509_push(signer.certs, how->extra) > 0);
	must(burin_cms_sign(&signer, type, data, data_len, &der, len, &e));
	sk_X509_free(signer.certs);
	return der;
}

/* Ends s. */
static void
seal(struct said *s, const struct seal *how)
{
	size_t body_len, len;
	unsigned char *body = said_response(s, &body_len);
	unsigned char *der =
	    sign(how, CMC_OID_PKI_RESPONSE, body, body_len, &len);

	OPENSSL_free(body);
	said_free(s);
	set_answer(der, len);
}

static void
by_ca(struct said *s)
{
	static const struct seal plain = { 0 };

	seal(s, &plain);
}

static void
by_nobody(struct said *s)
{
	struct burin_cms_signer signer = { 0 };
	unsigned char *body, *der = NULL;
	size_t body_len, len;

	body = said_response(s, &body_len);
	signer.by = BURIN_CMS_BY_NOBODY;
	must(burin_cms_sign(
	    &signer, CMC_OID_PKI_RESPONSE, body, body_len, &der, &len, &e));
	OPENSSL_free(body);
	said_free(s);
	set_answer(der, len);
}

static void
by_secret(struct said *s, const struct burin_secret *with)
{
	unsigned char *body, *der = NULL;
	size_t body_len, len;

	body = said_response(s, &body_len);
	must(burin_cms_authenticate("alice", with, 0, 1000,
	    CMC_OID_PKI_RESPONSE, body, body_len, &der, &len, &e));
	OPENSSL_free(body);
	said_free(s);
	set_answer(der, len);
}

/* --- expectations --------------------------------------------------------- */

static struct burin_cmc_reply reply;

static void
taken(enum burin_cmc_outcome outcome)
{
	must(burin_cmc_read(answer, answer_len, &x, &reply, &e));
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(reply.outcome, outcome);
}

/* What was refused last. */
static struct burin_error last;

static void
refused(enum burin_status status, const char *code)
{
	int rc;

	burin_error_clear(&e);
	rc = burin_cmc_read(answer, answer_len, &x, &reply, &e);
	if (rc == 0)
		fail_msg("taken, not %s", code);
	print_message("  %s: %s [%s] %s\n", e.code, e.reason, e.rule, e.advice);
	if (e.status != status || strcmp(e.code, code) != 0)
		fail_msg("%s, not %s", e.code, code);
	assert_string_not_equal(e.reason, "");
	assert_string_not_equal(e.rule, "");
	assert_null(reply.kept);
	assert_null(reply.certs);
	assert_int_equal(ERR_peek_error(), 0);
	last = e;
	burin_error_clear(&e);
}

static int
done(void **state)
{
	(void)state;
	burin_cmc_reply_clear(&reply);
	burin_error_clear(&e);
	return 0;
}

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

/* --- what it says --------------------------------------------------------- */

static void
answer_status(const struct said_status *w)
{
	struct said s;

	begin(&s);
	(void)said_status(&s, w);
	by_ca(&s);
}

static void
test_fails(void **state)
{
	struct said_status w = { .status = BURIN_CMC_FAILED };
	char code[64];
	long i;

	(void)state;
	for (i = 0; burin_cmc_fail_name(i) != NULL; i++) {
		if (i == 8)
			continue;
		w.fail = i;
		w.v1 = (i & 1) != 0;
		answer_status(&w);
		(void)snprintf(
		    code, sizeof(code), "cmc-%s", burin_cmc_fail_name(i));
		refused(BURIN_EAUTHORITY, code);
		assert_string_not_equal(last.advice, "");
	}
	assert_int_equal(i, 14);
	/* What nobody knows: section 6.1.4. */
	w.fail = 1234;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "1234"));
	w.fail = -1;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	w.ext = "1.2.3.4.5";
	w.ext_untagged = 1;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "1.2.3.4.5"));
	w.v1 = 0;
	w.ext_untagged = 0;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-internalCAError");
	assert_non_null(strstr(last.reason, "1.2.3.4.5"));
	w.ext = NULL;
	w.status = BURIN_CMC_NO_SUPPORT;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-noSupport");
	w.status = BURIN_CMC_POP_REQUIRED;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-popRequired");
	assert_non_null(strstr(last.advice, "key agreement"));
	w.status = BURIN_CMC_FAILED;
	w.fail = 8;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-popRequired");
}

static void
test_texts(void **state)
{
	struct said_status w = { .status = BURIN_CMC_FAILED, .fail = 7 };
	struct said s;
	char much[1024];

	(void)state;
	w.text = "who\x1b[2J are \xe2\x80\xaeyou?";
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-badIdentity");
	assert_null(strchr(last.reason, '\x1b'));
	assert_null(strstr(last.reason, "\xe2\x80\xae"));
	assert_non_null(strstr(last.reason, "you?"));
	/* Said twice, it is kept once. */
	w.status = BURIN_CMC_SUCCESS;
	w.fail = -1;
	w.text = "welcome";
	begin(&s);
	(void)said_status(&s, &w);
	w.v1 = 1;
	(void)said_status(&s, &w);
	w.text = "Alice";
	(void)said_status(&s, &w);
	by_ca(&s);
	taken(BURIN_CMC_DONE);
	assert_string_equal(reply.text, "welcome; Alice");
	burin_cmc_reply_clear(&reply);
	/* Longer than is kept: cut between characters. */
	memset(much, 'x', sizeof(much));
	memcpy(much + 510, "\xc3\xbc", 2);
	much[1023] = '\0';
	w.text = much;
	answer_status(&w);
	taken(BURIN_CMC_DONE);
	assert_int_equal(strlen(reply.text), 510);
}

static void
test_status_parts(void **state)
{
	static const uint32_t none[] = { 77 }, whole[] = { 0 };
	static const uint32_t deep[] = { 1, 2 }, first[] = { 1 };
	struct said_status w = { .status = BURIN_CMC_FAILED, .fail = 2 };
	struct said s;
	int i;

	(void)state;
	w.ids = none;
	w.n_ids = 1;
	answer_status(&w);
	refused(BURIN_ECHECK, "status-unknown-part");
	w.v1 = 1;
	answer_status(&w);
	refused(BURIN_ECHECK, "status-unknown-part");
	w.v1 = 0;
	w.ids = whole;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	w.ids = first;
	w.path = 1;
	answer_status(&w);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	w.ids = deep;
	w.n_ids = 2;
	answer_status(&w);
	refused(BURIN_ECHECK, "status-unknown-part");
	/* An empty list, a status that is none, an otherInfo that is none. */
	w.path = 0;
	w.n_ids = 0;
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.ids = NULL;
	w.status = 1;
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.status = 8;
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.status = BURIN_CMC_PENDING;
	w.garbage = "only a token";
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	/* The worst of several counts, wherever it stands. */
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	(void)said_plain(&s, BURIN_CMC_FAILED, 4);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	by_ca(&s);
	refused(BURIN_EAUTHORITY, "cmc-badCertId");
	begin(&s);
	for (i = 0; i <= BURIN_CMC_MAX_STATUS; i++)
		(void)said_plain(&s, BURIN_CMC_SUCCESS, -1);
	by_ca(&s);
	refused(BURIN_ECHECK, "cmc-malformed");
}

/* A Simple request has one part, whose number is 1. */
static void
test_simple_request(void **state)
{
	static const uint32_t two[] = { 2 };
	X509_REQ *req = pki_req("Alice", ee_key, NULL);
	struct said_status w = { .status = BURIN_CMC_FAILED, .fail = 2 };
	unsigned char *der = NULL;
	struct said s;
	int len = i2d_X509_REQ(req, &der);

	(void)state;
	x.request = der;
	x.request_len = (size_t)len;
	x.thread = NULL;
	said_begin(&s);
	(void)said_status(&s, &w);
	by_ca(&s);
	refused(BURIN_EAUTHORITY, "cmc-badRequest");
	w.ids = two;
	w.n_ids = 1;
	said_begin(&s);
	(void)said_status(&s, &w);
	by_ca(&s);
	refused(BURIN_ECHECK, "status-unknown-part");
	OPENSSL_free(der);
	X509_REQ_free(req);
}

static void
test_pending(void **state)
{
	struct said_status w = { .status = BURIN_CMC_PENDING,
		.fail = -1,
		.token = "ticket 5",
		.time = "20300318120000Z" };

	(void)state;
	answer_status(&w);
	taken(BURIN_CMC_WAIT);
	assert_int_equal(reply.pend_token.len, 8);
	assert_memory_equal(reply.pend_token.data, "ticket 5", 8);
	assert_int_equal(reply.pend_time, 1900065600);
	burin_cmc_reply_clear(&reply);
	w.status = BURIN_CMC_PARTIAL;
	w.v1 = 1;
	answer_status(&w);
	taken(BURIN_CMC_WAIT);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
	burin_cmc_reply_clear(&reply);
	w.time = "tomorrow";
	answer_status(&w);
	refused(BURIN_ECHECK, "cmc-malformed");
	w.token = NULL;
	answer_status(&w);
	refused(BURIN_ECHECK, "pend-info-missing");
	/* Asked again, the old token holds: section 6.13. */
	send_for(ee_key, 0, 0, "ticket 5");
	w.status = BURIN_CMC_PENDING;
	w.ids = (const uint32_t[]) { 0 };
	w.n_ids = 1;
	answer_status(&w);
	taken(BURIN_CMC_WAIT);
	assert_memory_equal(reply.pend_token.data, "ticket 5", 8);
	assert_int_equal(reply.pend_time, 0);
}

static void
test_confirm(void **state)
{
	struct said s;

	(void)state;
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_CONFIRM_REQUIRED, -1);
	by_ca(&s);
	taken(BURIN_CMC_CONFIRM);
	assert_non_null(burin_certs_for_key(reply.certs, ee_key));
}

/* --- challenges ----------------------------------------------------------- */

static const unsigned char y[48] = "not a random number, but nobody knows it";

/* The TaggedRequest that was sent. */
static void
sent_request(const unsigned char **der, size_t *len)
{
	const unsigned char *p = reqs;
	long inner;
	int tag, class;

	(void)ASN1_get_object(&p, &inner, &tag, &class, (long)reqs_len);
	*der = p;
	*len = (size_t)inner;
}

static void
challenge(struct said_pop *pop, long status, long fail)
{
	struct said s;

	begin(&s);
	(void)said_plain(&s, status, fail);
	(void)said_pop(&s, pop);
	by_ca(&s);
}

static void
solved(EVP_PKEY *key, int tag)
{
	struct burin_cmc_pop out;
	unsigned char mac[EVP_MAX_MD_SIZE], id[20];
	unsigned char *copy;
	const unsigned char *der;
	unsigned n;
	size_t len;

	sent_request(&der, &len);
	taken(BURIN_CMC_CHALLENGE);
	assert_int_equal(reply.n_challenges, 1);
	assert_int_equal(reply.challenges[0].id, 1);
	assert_int_equal(reply.challenges[0].request_len, len);
	assert_memory_equal(reply.challenges[0].request, der, len);
	key_id_of(key, id);
	must(burin_cmc_solve(
	    &reply.challenges[0], key, key, id, 20, 0, 0, &out, &e));
	assert_int_equal(out.id, 1);
	assert_string_equal(out.algorithm, "1.2.840.113549.2.9");
	assert_non_null(HMAC(EVP_sha256(), y, sizeof(y), der, len, mac, &n));
	assert_int_equal(out.value_len, n);
	assert_memory_equal(out.value, mac, n);
	/* The other reading of "the request": without its tag. */
	assert_int_equal(der[0], tag);
	copy = OPENSSL_memdup(der, len);
	copy[0] = 0x30;
	must(burin_cmc_solve(
	    &reply.challenges[0], key, key, id, 20, 0, 1, &out, &e));
	assert_non_null(HMAC(EVP_sha256(), y, sizeof(y), copy, len, mac, &n));
	assert_memory_equal(out.value, mac, n);
	OPENSSL_free(copy);
	burin_cmc_reply_clear(&reply);
}

static void
test_challenge(void **state)
{
	struct said_pop pop = { .y = y, .y_len = sizeof(y) };
	unsigned char id[20];

	(void)state;
	/* RSA in CRMF, by its SKI; the two ways to say that it is wanted. */
	send_for(rsa_key, 1, 1, NULL);
	sent_request(&pop.request, &pop.request_len);
	key_id_of(rsa_key, id);
	pop.pub = rsa_key;
	pop.key_id = id;
	pop.key_id_len = 20;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	solved(rsa_key, 0xa1);
	challenge(&pop, BURIN_CMC_POP_REQUIRED, -1);
	solved(rsa_key, 0xa1);
	/* ECDH in PKCS#10, by an empty name and the id of the request. */
	send_for(other_key, 0, 1, NULL);
	sent_request(&pop.request, &pop.request_len);
	pop.pub = other_key;
	pop.key_id = NULL;
	pop.key_id_len = 0;
	pop.serial = 1;
	pop.cipher = BURIN_CMS_AES256_GCM;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	solved(other_key, 0xa0);
}

static void
unsolved(EVP_PKEY *key, int legacy, int rc)
{
	struct burin_cmc_pop out;
	unsigned char id[20];

	taken(BURIN_CMC_CHALLENGE);
	key_id_of(key, id);
	assert_int_equal(burin_cmc_solve(&reply.challenges[0], key, key, id,
			     sizeof(id), legacy, 0, &out, &e),
	    rc);
	if (rc == -1) {
		print_message("  %s\n", e.reason);
		assert_int_equal(e.status, BURIN_ECHECK);
		assert_string_equal(e.code, "pop-challenge");
		assert_string_not_equal(e.rule, "");
		assert_string_not_equal(e.advice, "");
	}
	burin_error_clear(&e);
	assert_int_equal(ERR_peek_error(), 0);
	burin_cmc_reply_clear(&reply);
}

static void
test_bad_challenge(void **state)
{
	struct said_pop pop = { .y = y, .y_len = sizeof(y), .serial = 1 };
	struct said_pop good;
	unsigned char *copy;
	struct said s;

	(void)state;
	send_for(rsa_key, 1, 1, NULL);
	sent_request(&pop.request, &pop.request_len);
	pop.pub = rsa_key;
	good = pop;
	pop.wrong_witness = 1;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.inner = SIGNED_OID;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.serial = 2; /* for another request */
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.pub = other_key; /* for another key */
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	pop = good;
	pop.sha1 = 1;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	unsolved(rsa_key, 0, -1);
	unsolved(rsa_key, 1, 0);
	/* About something else than we sent; without being wanted; twice. */
	pop = good;
	copy = OPENSSL_memdup(pop.request, pop.request_len);
	copy[pop.request_len - 1] ^= 1;
	pop.request = copy;
	challenge(&pop, BURIN_CMC_FAILED, 8);
	refused(BURIN_ECHECK, "pop-challenge");
	OPENSSL_free(copy);
	challenge(&good, BURIN_CMC_SUCCESS, -1);
	refused(BURIN_ECHECK, "pop-challenge");
	begin(&s);
	(void)said_plain(&s, BURIN_CMC_FAILED, 8);
	(void)said_pop(&s, &good);
	(void)said_pop(&s, &good);
	by_ca(&s);
	refused(BURIN_ECHECK, "pop-challenge");
	/* A failure for another reason is no challenge. */
	challenge(&good, BURIN_CMC_FAILED, 7);
	refused(BURIN_EAUTHORITY, "cmc-badIdentity");
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
	publish(4, EVP_sha256(), &how);
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

/* authData around the anchors, MACed with this. */
static void
publish_auth(const struct burin_secret *with, const char *type)
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
	by_ca(&s);
	said_free(&inner);
	OPENSSL_free(data);
	OPENSSL_free(der);
}

static void
test_auth_data(void **state)
{
	struct said s;

	(void)state;
	publish_auth(secret, CMC_OID_PKI_DATA);
	refused(BURIN_ECHECK, "auth-data");
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

static int
setup(void **state)
{
	static const char word[] = "a secret of more than 16 characters";

	(void)state;
	ca_key = pki_key("P-256");
	ee_key = pki_key("P-256");
	ra_key = pki_key("P-256");
	other_key = pki_key("P-256");
	rsa_key = pki_key("RSA");
	ca = pki_ca("Test CA", ca_key);
	stranger = pki_ca("Stranger", other_key);
	ee = issue("Alice", ee_key, NULL);
	ra = issue("RA", ra_key, ra_eku);
	anchors = sk_X509_new_null();
	if (sk_X509_push(anchors, ca) <= 0 ||
	    burin_secret_new(&secret, word, sizeof(word) - 1, &e) == -1 ||
	    burin_secret_new(&wrong, word, sizeof(word) - 2, &e) == -1)
		return -1;
	identity.secret = secret;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	OPENSSL_free(request);
	OPENSSL_free(reqs);
	OPENSSL_free(answer);
	burin_secret_free(&secret);
	burin_secret_free(&wrong);
	sk_X509_free(anchors);
	X509_free(ca);
	X509_free(ee);
	X509_free(ra);
	X509_free(stranger);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(ee_key);
	EVP_PKEY_free(ra_key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(rsa_key);
	return 0;
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, fresh, done)

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
		ONE(test_secret),
		ONE(test_no_answer),
		ONE(test_our_request),
		ONE(test_thread),
		ONE(test_fails),
		ONE(test_texts),
		ONE(test_status_parts),
		ONE(test_simple_request),
		ONE(test_pending),
		ONE(test_confirm),
		ONE(test_challenge),
		ONE(test_bad_challenge),
		ONE(test_response_body),
		ONE(test_encrypted),
		ONE(test_anchors),
		ONE(test_auth_data),
		ONE(test_ber),
		ONE(test_trailing),
		ONE(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
