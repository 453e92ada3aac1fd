/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of reading have in common: an authority and others, a
 * message that was sent, answers to it.
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

struct burin_error e;

/* --- the world ------------------------------------------------------------ */

EVP_PKEY *ca_key, *ee_key, *rsa_key, *ra_key, *other_key;
X509 *ca, *ee, *ra, *stranger;
STACK_OF(X509) * anchors;
struct burin_secret *secret, *wrong;
struct burin_cmc_identity identity = { .identification = "alice" };

/* What was sent, and what it must come back with. */
struct burin_cmc_thread thread;
unsigned char *request, *reqs;
size_t request_len, reqs_len;
struct burin_cmc_expect x;

const char *const ca_eku[] = { KEY_IDS, "keyUsage=digitalSignature",
	"extendedKeyUsage=1.3.6.1.5.5.7.3.27", NULL };
const char *const ra_eku[] = { "keyUsage=digitalSignature",
	"extendedKeyUsage=1.3.6.1.5.5.7.3.28", NULL };

X509 *
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

void
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

void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e.code, e.reason, e.cause);
}

/* A message with one request for key, which cannot sign when challenge. */
void
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

int
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

unsigned char *answer;
size_t answer_len;

void
set_answer(unsigned char *der, size_t len)
{
	OPENSSL_free(answer);
	answer = der;
	answer_len = len;
}

/* What an answer brings back. */
void
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

unsigned char *
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
void
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

void
by_ca(struct said *s)
{
	static const struct seal plain = { 0 };

	seal(s, &plain);
}

void
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

void
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

struct burin_cmc_reply reply;

void
taken(enum burin_cmc_outcome outcome)
{
	must(burin_cmc_read(answer, answer_len, &x, &reply, &e));
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(reply.outcome, outcome);
}

/* What was refused last. */
struct burin_error last;

void
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

int
done(void **state)
{
	(void)state;
	burin_cmc_reply_clear(&reply);
	burin_error_clear(&e);
	return 0;
}

int
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

int
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
