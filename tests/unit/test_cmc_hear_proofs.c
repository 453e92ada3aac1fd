/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a server believes of a request that it heard: signatures, secrets,
 * proofs of possession, what an RA states; and what it hears of everything an
 * end entity can say.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/rand.h>

#include "hearing.h"

/* --- round trips ---------------------------------------------------------- */

static void
believed_secret(void)
{
	must(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e));
	assert_int_equal(why.status, BURIN_CMC_SUCCESS);
}

static void
test_enrol(void **state)
{
	struct der reqs = pair(&identity);
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);

	(void)state;
	ask.identity = &identity;
	ask.link = 1;
	memcpy(ask.reg_info.data, "reg", ask.reg_info.len = 3);
	hear(asked(&ask));
	assert_int_equal(heard.by, BURIN_CMC_BY_REQUEST);
	assert_string_equal(heard.identification, "r7");
	assert_int_equal(heard.has_proof, 1);
	assert_int_equal(heard.has_random, 1);
	assert_int_equal(heard.reqs_len, reqs.len);
	assert_memory_equal(heard.reqs, reqs.data, reqs.len);
	assert_memory_equal(heard.reg_info.data, "reg", 3);
	assert_int_equal(heard.n_items, 2);
	assert_int_equal(heard.items[0].form, BURIN_CMC_PKCS10);
	assert_int_equal(heard.items[1].form, BURIN_CMC_CRMF);
	assert_int_equal(heard.items[1].der[0], 0x30);
	assert_int_equal(heard.items[1].tagged[0], 0xa1);
	assert_int_equal(EVP_PKEY_eq(heard.items[0].asked.pub, ed), 1);
	assert_int_equal(EVP_PKEY_eq(heard.items[1].asked.pub, rsa), 1);
	assert_memory_equal(heard.items[1].key_id, rsa_id, 20);
	must(burin_cmc_hear_signer(&heard, NULL, NULL, 0, &why, &e));
	believed_secret();
	must(burin_cmc_hear_pops(&heard, NULL, NULL, &e));
	assert_int_equal(heard.items[0].proved, BURIN_CMC_POP_PROVED);
	assert_int_equal(heard.items[1].proved, BURIN_CMC_POP_TO_CHALLENGE);
	forget();
	OPENSSL_free(reqs.data);
}

static void
test_authenticated(void **state)
{
	struct burin_cmc_request r = challenged(BURIN_CMC_CRMF, rsa);
	struct der reqs = requests(&r, 1, &identity);
	struct burin_cmc_ask ask = ask_for(&reqs, NULL);
	struct burin_cmc_identity wrong = identity;

	(void)state;
	ask.identity = &identity;
	ask.link = 1;
	ask.protect = BURIN_CMC_AUTHENTICATED;
	hear(asked(&ask));
	assert_int_equal(heard.by, BURIN_CMC_BY_SECRET);
	believed_secret();
	must(burin_secret_new(
	    (struct burin_secret **)(uintptr_t)&wrong.secret, "wrong", 5, &e));
	told(burin_cmc_hear_secret(&heard, &wrong, 0, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "mac-wrong");
	told(burin_cmc_hear_secret(&heard, NULL, 0, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "identity-proof");
	told(burin_cmc_hear_signer(&heard, cert, ed, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "cmc-signer");
	forget();
	burin_secret_free((struct burin_secret **)(uintptr_t)&wrong.secret);
	OPENSSL_free(reqs.data);
}

static void
test_renewal(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_CRMF, ed));
	struct burin_cmc_ask ask = ask_for(&reqs, &by_cert);
	X509 *stranger = pki_ca("Example CA", other);

	(void)state;
	hear(asked(&ask));
	assert_int_equal(heard.by, BURIN_CMC_BY_CERT);
	assert_int_equal(X509_cmp(heard.signer, cert), 0);
	must(burin_cmc_hear_signer(&heard, heard.signer, NULL, 0, &why, &e));
	told(burin_cmc_hear_signer(&heard, NULL, NULL, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "cmc-signer");
	told(burin_cmc_hear_signer(&heard, stranger, NULL, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "cmc-signer");
	/* it shows nothing of a secret, and needs none */
	must(burin_cmc_hear_secret(&heard, NULL, 0, 0, &why, &e));
	told(burin_cmc_hear_secret(&heard, &identity, 1, 0, &why, &e),
	    BURIN_CMC_BAD_IDENTITY, NULL, 0, "identity-proof");
	forget();
	X509_free(stranger);
	OPENSSL_free(reqs.data);
}

/* A damaged signature; and a poll by a key that its request had. */
static void
test_signature(void **state)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_key);
	struct der m;

	(void)state;
	memcpy(ask.pend_token.data, "token", ask.pend_token.len = 5);
	m = asked(&ask);
	m.data[m.len - 1] ^= 1;
	hear(m);
	assert_int_equal(heard.by, BURIN_CMC_BY_KEY);
	assert_int_equal(heard.signer_key_id_len, 20);
	told(burin_cmc_hear_signer(&heard, NULL, ed, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "signature-wrong");
	forget();
	hear(asked(&ask));
	must(burin_cmc_hear_signer(&heard, NULL, ed, 0, &why, &e));
	must(burin_cmc_hear_signer(&heard, cert, NULL, 0, &why, &e));
	told(burin_cmc_hear_signer(&heard, NULL, other, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "signature-wrong");
	told(burin_cmc_hear_signer(&heard, NULL, NULL, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "cmc-signer");
	forget();
}

static void
test_no_signature(void **state)
{
	struct der reqs = one(challenged(BURIN_CMC_PKCS10, rsa));
	struct burin_cmc_ask ask = ask_for(&reqs, &unsigned_rsa);

	(void)state;
	hear(asked(&ask));
	assert_int_equal(heard.by, BURIN_CMC_NO_SIGNATURE);
	told(burin_cmc_hear_signer(&heard, NULL, rsa, 0, &why, &e),
	    BURIN_CMC_BAD_MESSAGE_CHECK, NULL, 0, "cmc-signer");
	must(burin_cmc_hear_pops(&heard, NULL, NULL, &e));
	assert_int_equal(heard.items[0].proved, BURIN_CMC_POP_TO_CHALLENGE);
	forget();
	OPENSSL_free(reqs.data);
}

static void
test_services(void **state)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);
	unsigned char hash[32];
	unsigned int len;

	(void)state;
	revocation.reason = 4;
	revocation.invalid = PKI_NOW;
	revocation.comment = "lost in the \xc3\xbc train";
	ask.revoke = &revocation;
	hear(asked(&ask));
	assert_int_equal(heard.n_revokes, 1);
	assert_int_equal(heard.revokes[0].reason, 4);
	assert_int_equal(heard.revokes[0].invalid, PKI_NOW);
	assert_string_equal(heard.revokes[0].comment, revocation.comment);
	assert_null(heard.revokes[0].secret);
	assert_int_equal(
	    ASN1_INTEGER_cmp(heard.revokes[0].serial, revocation.serial), 0);
	forget();
	revocation.secret = secret;
	ask.signer = &by_nobody;
	hear(asked(&ask));
	assert_int_equal(heard.by, BURIN_CMC_BY_NOBODY);
	assert_int_equal(burin_secret_eq(heard.revokes[0].secret, secret), 1);
	forget();
	ask = ask_for(NULL, &by_cert);
	ask.get_issuer = X509_get_issuer_name(cert);
	ask.get_serial = X509_get0_serialNumber(cert);
	hear(asked(&ask));
	assert_int_equal(heard.n_certs, 1);
	assert_int_equal(
	    X509_NAME_cmp(heard.get_certs[0].issuer, ask.get_issuer), 0);
	assert_int_equal(
	    ASN1_INTEGER_cmp(heard.get_certs[0].serial, ask.get_serial), 0);
	forget();
	ask.get_serial = NULL;
	ask.get_crl = 1;
	hear(asked(&ask));
	assert_int_equal(heard.n_crls, 1);
	assert_null(heard.get_crls[0].serial);
	forget();
	ask = ask_for(NULL, &by_cert);
	assert_non_null(ask.publish = sk_X509_new_null());
	assert_true(sk_X509_push(ask.publish, cert) > 0);
	hear(asked(&ask));
	sk_X509_free(ask.publish);
	assert_int_equal(heard.n_publishes, 1);
	assert_int_equal(heard.publishes[0].publish, 1);
	assert_string_equal(heard.publishes[0].hash, "SHA256");
	assert_int_equal(heard.publishes[0].n, 1);
	assert_int_equal(heard.publishes[0].hash_len, 32);
	assert_int_equal(X509_digest(cert, EVP_sha256(), hash, &len), 1);
	assert_memory_equal(heard.publishes[0].hashes[0], hash, 32);
	forget();
}

static void
test_confirmation(void **state)
{
	struct burin_cmc_ask ask = ask_for(NULL, &by_cert);

	(void)state;
	ask.confirm = cert;
	ask.reject = 1;
	hear(asked(&ask));
	assert_int_equal(ASN1_INTEGER_cmp(heard.confirm.serial,
			     X509_get0_serialNumber(cert)),
	    0);
	assert_int_equal(heard.n_said, 1);
	assert_int_equal(heard.said[0].status, BURIN_CMC_FAILED);
	assert_int_equal(heard.said[0].fail, BURIN_CMC_FAIL_NONE);
	assert_int_equal(heard.said[0].part.n, 1);
	assert_int_equal(heard.said[0].part.ids[0], heard.confirm.id);
	forget();
	ask = ask_for(NULL, &by_cert);
	ask.abort_pop = 5;
	hear(asked(&ask));
	assert_int_equal(heard.said[0].fail, BURIN_CMC_POP_FAILED);
	assert_int_equal(heard.said[0].part.ids[0], 5);
	forget();
}

/* --- secrets -------------------------------------------------------------- */

static void
test_wrong_secret(void **state)
{
	struct der reqs = pair(&identity);
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	struct burin_cmc_identity wrong = identity;
	struct burin_secret *s;

	(void)state;
	must(burin_secret_new(&s, "wrong", 5, &e));
	ask.identity = &identity;
	ask.link = 1;
	hear(asked(&ask));
	wrong.secret = s;
	told(burin_cmc_hear_secret(&heard, &wrong, 0, 0, &why, &e),
	    BURIN_CMC_BAD_IDENTITY, NULL, 0, "identity-proof");
	told(burin_cmc_hear_secret(&heard, NULL, 0, 0, &why, &e),
	    BURIN_CMC_BAD_IDENTITY, NULL, 0, "identity-proof");
	wrong.secret = secret;
	wrong.identification = "r8";
	told(burin_cmc_hear_secret(&heard, &wrong, 0, 0, &why, &e),
	    BURIN_CMC_BAD_IDENTITY, NULL, 0, "identity-proof");
	forget();
	burin_secret_free(&s);
	OPENSSL_free(reqs.data);
}

/* The witness of V2 under the number of identityProofV2, and the reverse. */
static void
test_swapped(void **state)
{
	struct der reqs = pair(&identity);
	struct said s;
	ASN1_TYPE *proof;

	(void)state;
	must(cmc_identity_prove(&identity, reqs.data, reqs.len, &proof, &e));
	said_begin(&s);
	(void)said_octets(&s, CMC_POP_LINK_RANDOM, thread.pop_random.data,
	    thread.pop_random.len);
	(void)said_any(&s, CMC_OID_ARC "33", proof);
	ASN1_TYPE_free(proof);
	hear(message(&s, &reqs, &by_key));
	assert_int_equal(heard.has_proof, 1);
	/* without identification, the key is of the secret alone */
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_BAD_IDENTITY, NULL, 0, "identity-proof");
	forget();
	identity.identification = NULL;
	must(cmc_identity_prove(&identity, reqs.data, reqs.len, &proof, &e));
	said_begin(&s);
	(void)said_octets(&s, CMC_POP_LINK_RANDOM, thread.pop_random.data,
	    thread.pop_random.len);
	(void)said_any(&s, CMC_OID_ARC "33", proof);
	ASN1_TYPE_free(proof);
	hear(message(&s, &reqs, &by_key));
	believed_secret();
	forget();
	identity.identification = "r7";
	OPENSSL_free(reqs.data);
}

static void
test_link(void **state)
{
	/* the second one without a witness */
	struct burin_cmc_request a = signed_by(BURIN_CMC_PKCS10, ed);
	struct burin_cmc_request both[2] = { a,
		challenged(BURIN_CMC_CRMF, rsa) };
	struct der reqs = requests(both, 2, NULL);
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);
	struct said s;

	(void)state;
	ask.identity = &identity;
	ask.link = 1;
	hear(asked(&ask));
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_POP_FAILED, (uint32_t[]) { 1, 2 }, 2, "pop-link");
	forget();
	/* no random number, and so no link: unless names are linked */
	ask.link = 0;
	hear(asked(&ask));
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_POP_FAILED, (uint32_t[]) { 1, 2 }, 2, "pop-link");
	must(burin_cmc_hear_secret(&heard, &identity, 1, 0, &why, &e));
	forget();
	OPENSSL_free(reqs.data);
	/* a link, and no proof */
	reqs = requests(&a, 1, &identity);
	said_begin(&s);
	(void)said_octets(&s, CMC_POP_LINK_RANDOM, thread.pop_random.data,
	    thread.pop_random.len);
	hear(message(&s, &reqs, &by_key));
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_BAD_IDENTITY, NULL, 0, "identity-proof");
	forget();
	OPENSSL_free(reqs.data);
}

/* Somebody's request, glued into another's message. */
static void
test_glued(void **state)
{
	struct burin_cmc_request a = signed_by(BURIN_CMC_PKCS10, ed);
	struct der reqs = requests(&a, 1, &identity);
	struct burin_cmc_thread mine = thread;
	struct burin_cmc_ask ask = ask_for(&reqs, &by_key);

	(void)state;
	assert_int_equal(
	    RAND_bytes(mine.pop_random.data, (int)mine.pop_random.len), 1);
	ask.thread = &mine;
	ask.identity = &identity;
	ask.link = 1;
	hear(asked(&ask));
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_POP_FAILED, (uint32_t[]) { 1 }, 1, "pop-link");
	forget();
	OPENSSL_free(reqs.data);
}

static void
test_legacy(void **state)
{
	struct burin_cmc_identity old = identity;
	struct der reqs;
	struct burin_cmc_ask ask;

	(void)state;
	old.legacy = 1;
	reqs = pair(&old);
	ask = ask_for(&reqs, &by_key);
	ask.identity = &old;
	ask.link = 1;
	hear(asked(&ask));
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_BAD_ALG, NULL, 0, "algorithm-refused");
	must(burin_cmc_hear_secret(&heard, &identity, 0, 1, &why, &e));
	forget();
	OPENSSL_free(reqs.data);
}

/* AuthenticatedData with this many rounds of PBKDF2 around an empty PKIData. */
static struct der
mac_of(unsigned long rounds, struct said *s)
{
	struct der data = data_of(s, NULL), out;

	must(burin_cms_authenticate("r7", secret, 0, rounds, BURIN_CMC_PKI_DATA,
	    data.data, data.len, &out.data, &out.len, &e));
	OPENSSL_free(data.data);
	return out;
}

static void
test_auth_data(void **state)
{
	struct der inner;
	struct said s;
	uint32_t id;
	int more;

	(void)state;
	for (more = 0; more < 2; more++) {
		said_begin(&s);
		if (more)
			(void)said_octets(&s, CMC_REG_INFO, "a", 1);
		inner = mac_of(1000, &s);
		said_begin(&s);
		id = said_message(&s, inner.data, inner.len);
		assert_int_equal(id, 0xffffff00u);
		id = said_integer(&s, CMC_AUTH_DATA, "\xff\xff\xff\x00", 4);
		hear(message(&s, NULL, &by_cert));
		assert_int_equal(heard.auth_data, id);
		told(burin_cmc_hear_secret(&heard, NULL, 0, 0, &why, &e),
		    BURIN_CMC_AUTH_DATA_FAIL, &id, 1, "auth-data");
		if (more)
			told(burin_cmc_hear_secret(
				 &heard, &identity, 0, 0, &why, &e),
			    BURIN_CMC_AUTH_DATA_FAIL, &id, 1, "auth-data");
		else
			/* the name is in no control here */
			believed_secret();
		forget();
		OPENSSL_free(inner.data);
	}
	/* with another secret; by nobody with a secret */
	said_begin(&s);
	inner = mac_of(1000, &s);
	inner.data[inner.len - 1] ^= 1;
	said_begin(&s);
	(void)said_message(&s, inner.data, inner.len);
	id = said_integer(&s, CMC_AUTH_DATA, "\xff\xff\xff\x00", 4);
	hear(message(&s, NULL, &by_cert));
	told(burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
	    BURIN_CMC_AUTH_DATA_FAIL, &id, 1, "mac-wrong");
	forget();
	OPENSSL_free(inner.data);
}

static void
test_rounds(void **state)
{
	struct said s;

	(void)state;
	said_begin(&s);
	hear(mac_of(1000, &s));
	believed_secret();
	forget();
	said_begin(&s);
	refused(mac_of(2000001, &s), BURIN_CMC_BAD_ALG, 0, "algorithm-refused");
}

/* popLinkWitnessV2 of so many rounds of PBKDF2, in the first of two requests.
 */
static struct der
slow_links(long rounds)
{
	struct der a = pair(NULL), out = { NULL, 0 };
	const unsigned char *p = a.data;
	CMC_REQS *list = d2i_CMC_REQS(NULL, &p, (long)a.len);
	X509_ALGOR *alg =
	    PKCS5_pbkdf2_set((int)rounds, NULL, 0, NID_hmacWithSHA256, -1);
	X509_ALGOR *mac = cmc_hmac_algor("SHA256");
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	CMC_WITNESS w = { alg, mac, value };
	X509_REQ *req = pki_req("a", ed, NULL);
	unsigned char *der = NULL;
	CMC_TCR *tcr;
	int n;

	assert_non_null(alg);
	n = ASN1_item_i2d(
	    (const ASN1_VALUE *)&w, &der, ASN1_ITEM_rptr(CMC_WITNESS));
	assert_true(n > 0);
	assert_int_equal(X509_REQ_add1_attr_by_txt(
			     req, CMC_OID_ARC "33", V_ASN1_SEQUENCE, der, n),
	    1);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_X509_REQ(req, &der);
	p = der;
	tcr = sk_CMC_REQ_value(list, 0)->d.tcr;
	assert_non_null(d2i_ASN1_TYPE(&tcr->certificationRequest, &p, n));
	OPENSSL_free(der);
	out.len = (size_t)i2d_CMC_REQS(list, &out.data);
	X509_REQ_free(req);
	X509_ALGOR_free(alg);
	X509_ALGOR_free(mac);
	ASN1_OCTET_STRING_free(value);
	sk_CMC_REQ_pop_free(list, CMC_REQ_free);
	OPENSSL_free(a.data);
	return out;
}

static void
test_link_rounds(void **state)
{
	static const long rounds[] = { 1000, 2000001 };
	struct der reqs;
	struct said s;
	ASN1_TYPE *proof;
	size_t i;

	(void)state;
	identity.identification = NULL;
	for (i = 0; i < 2; i++) {
		reqs = slow_links(rounds[i]);
		must(cmc_identity_prove(
		    &identity, reqs.data, reqs.len, &proof, &e));
		said_begin(&s);
		(void)said_any(&s, CMC_OID_ARC "34", proof);
		(void)said_octets(&s, CMC_POP_LINK_RANDOM, "random", 6);
		ASN1_TYPE_free(proof);
		hear(message(&s, &reqs, &by_cert));
		burin_error_clear(&e);
		assert_int_equal(
		    burin_cmc_hear_secret(&heard, &identity, 0, 0, &why, &e),
		    -1);
		/* only the second says so before it makes anything */
		assert_int_equal(
		    strstr(e.reason, "2000000 rounds") != NULL, i == 1);
		told(-1, BURIN_CMC_POP_FAILED, (uint32_t[]) { 1, 2 }, 2,
		    "pop-link");
		forget();
		OPENSSL_free(reqs.data);
	}
	identity.identification = "r7";
}

/* --- proofs of possession ------------------------------------------------- */

static void
test_wrong_pop(void **state)
{
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	struct said s;

	(void)state;
	/* the last octets are the signature's */
	reqs.data[reqs.len - 1] ^= 1;
	said_begin(&s);
	hear(message(&s, &reqs, &by_cert));
	must(burin_cmc_hear_pops(&heard, NULL, NULL, &e));
	assert_int_equal(heard.items[0].proved, BURIN_CMC_POP_WRONG);
	assert_string_not_equal(heard.items[0].why, "");
	forget();
	OPENSSL_free(reqs.data);
}

/* A CertReqMsg with this popo, or none. */
static struct der
with_popo(const unsigned char *popo, size_t len)
{
	struct der reqs = one(challenged(BURIN_CMC_CRMF, rsa)),
		   out = { NULL, 0 };
	const unsigned char *p = reqs.data;
	CMC_REQS *list = d2i_CMC_REQS(NULL, &p, (long)reqs.len);
	CRMF_MSG *m = sk_CMC_REQ_value(list, 0)->d.crm;
	int n;

	CRMF_POPO_free(m->popo);
	p = popo;
	m->popo = len > 0 ? d2i_CRMF_POPO(NULL, &p, (long)len) : NULL;
	assert_true(len == 0 || m->popo != NULL);
	n = i2d_CMC_REQS(list, &out.data);
	assert_true(n > 0);
	out.len = (size_t)n;
	sk_CMC_REQ_pop_free(list, CMC_REQ_free);
	OPENSSL_free(reqs.data);
	return out;
}

static void
proved_is(struct der reqs, enum burin_cmc_proved proved)
{
	struct said s;

	said_begin(&s);
	hear(message(&s, &reqs, &by_cert));
	must(burin_cmc_hear_pops(&heard, NULL, NULL, &e));
	assert_int_equal(heard.items[0].proved, proved);
	assert_int_equal(
	    heard.items[0].why[0] != '\0', proved == BURIN_CMC_POP_UNKNOWN);
	forget();
	OPENSSL_free(reqs.data);
}

static void
test_popo(void **state)
{
	static const unsigned char by_ra[] = { 0x80, 0x00 };
	static const unsigned char this_message[] = { 0xa2, 0x04, 0x80, 0x02,
		0x00, 0x00 };
	static const unsigned char agree[] = { 0xa3, 0x03, 0x81, 0x01, 0x01 };
	static const unsigned char encr_cert[] = { 0xa2, 0x03, 0x81, 0x01,
		0x00 };
	struct der reqs;
	struct said s;

	(void)state;
	proved_is(with_popo(by_ra, sizeof(by_ra)), BURIN_CMC_POP_SAYS_RA);
	proved_is(with_popo(NULL, 0), BURIN_CMC_POP_NOT_YET);
	proved_is(with_popo(agree, sizeof(agree)), BURIN_CMC_POP_TO_CHALLENGE);
	proved_is(with_popo(this_message, sizeof(this_message)),
	    BURIN_CMC_POP_UNKNOWN);
	/* not in CMC */
	reqs = with_popo(encr_cert, sizeof(encr_cert));
	said_begin(&s);
	refused(message(&s, &reqs, &by_cert), BURIN_CMC_BAD_REQUEST, 1,
	    "not-in-cmc");
	OPENSSL_free(reqs.data);
}

static void
test_agreement(void **state)
{
	static const char *const exts[] = { "keyUsage=critical,keyAgreement",
		NULL };
	EVP_PKEY *ours = pki_key("P-256"), *theirs = pki_key("P-256");
	struct pki_spec spec = { .cn = "POP", .exts = exts, .key = ours };
	X509 *pop_cert = pki_cert(&spec);
	struct burin_cmc_request r = { BURIN_CMC_CRMF, subject, theirs,
		{ .pop = BURIN_POP_AGREEMENT,
		    .key = theirs,
		    .authority = pop_cert } };
	struct der reqs;
	struct said s;
	int form;

	(void)state;
	for (form = 0; form < 2; form++) {
		r.form = form ? BURIN_CMC_CRMF : BURIN_CMC_PKCS10;
		reqs = requests(&r, 1, NULL);
		said_begin(&s);
		hear(message(&s, &reqs, &by_cert));
		must(burin_cmc_hear_pops(&heard, NULL, NULL, &e));
		assert_int_equal(heard.items[0].proved, BURIN_CMC_POP_UNKNOWN);
		must(burin_cmc_hear_pops(&heard, ours, pop_cert, &e));
		assert_int_equal(heard.items[0].proved, BURIN_CMC_POP_PROVED);
		assert_string_equal(heard.items[0].why, "");
		forget();
		OPENSSL_free(reqs.data);
	}
	X509_free(pop_cert);
	EVP_PKEY_free(ours);
	EVP_PKEY_free(theirs);
}

static void
test_challenge(void **state)
{
	struct der reqs = one(challenged(BURIN_CMC_CRMF, rsa));
	struct burin_cmc_item *item;
	struct burin_cmc_pop pop = { .id = 1,
		.algorithm = "1.2.840.113549.2.9" };
	const uint32_t id = 1;
	int untagged;
	struct said s;

	(void)state;
	said_begin(&s);
	hear(message(&s, &reqs, &by_cert));
	item = &heard.items[0];
	for (untagged = 0; untagged < 2; untagged++) {
		must(cmc_pop_make("SHA256", secret, item->tagged,
		    item->tagged_len, untagged, pop.value, &pop.value_len, &e));
		must(
		    burin_cmc_challenge_check(item, &pop, secret, 0, &why, &e));
		assert_int_equal(why.n, 0);
	}
	pop.value[5] ^= 1;
	told(burin_cmc_challenge_check(item, &pop, secret, 0, &why, &e),
	    BURIN_CMC_POP_FAILED, &id, 1, "pop-failed");
	pop.value[5] ^= 1;
	pop.value_len--;
	told(burin_cmc_challenge_check(item, &pop, secret, 0, &why, &e),
	    BURIN_CMC_POP_FAILED, &id, 1, "pop-failed");
	pop.value_len++;
	(void)strcpy(pop.algorithm, "1.2.840.113549.2.7");
	told(burin_cmc_challenge_check(item, &pop, secret, 0, &why, &e),
	    BURIN_CMC_POP_FAILED, &id, 1, "pop-failed");
	forget();
	OPENSSL_free(reqs.data);
}

/* --- what is beside the request ------------------------------------------- */

static void
test_revocation_secret(void **state)
{
	struct burin_cmc_request r = signed_by(BURIN_CMC_PKCS10, ed);
	struct burin_subject *s;
	struct der reqs;
	struct said said;
	int both;

	(void)state;
	for (both = 0; both < 2; both++) {
		must(burin_subject_new(&s, &e));
		must(burin_subject_set_dn(s, "CN=r7", &e));
		must(burin_subject_set_challenge(s, secret, &e));
		if (both)
			must(burin_subject_add_attribute(
			    s, "1.2.840.113549.1.9.16.2.57=other", &e));
		r.subject = s;
		reqs = requests(&r, 1, NULL);
		said_begin(&said);
		hear(message(&said, &reqs, &by_key));
		assert_non_null(heard.items[0].revocation);
		if (both)
			assert_memory_equal(
			    burin_secret_bytes(heard.items[0].revocation),
			    "other", 6);
		else
			assert_int_equal(
			    burin_secret_eq(heard.items[0].revocation, secret),
			    1);
		forget();
		OPENSSL_free(reqs.data);
		burin_subject_free(&s);
	}
}

/* An empty subject, alternative names only, of both generations. */
static void
test_names(void **state)
{
	static const struct {
		const char *der;
		size_t len;
		int subject, names;
	} list[] = {
		/* [1] dNSName a; subject "" and [1] */
		{ "\x30\x05\xa1\x03\x82\x01"
		  "a",
		    7, 0, 1 },
		{ "\x30\x07\x30\x00\xa1\x03\x82\x01"
		  "a",
		    9, 1, 1 },
		/* untagged: dNSName a alone, and with the empty subject */
		{ "\x30\x05\x30\x03\x82\x01"
		  "a",
		    7, 0, 1 },
		{ "\x30\x07\x30\x00\x30\x03\x82\x01"
		  "a",
		    9, 1, 1 },
		/* CN=a alone, which is the same in both */
		{ "\x30\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
		  "a",
		    16, 1, 0 },
		/* nobody */
		{ "\x30\x00", 2, -1, 0 },
		{ "\x30\x02\x30\x00", 4, -1, 0 },
		{ "\x30\x02\xa1\x00", 4, -1, 0 },
	};
	X509_REQ *req;
	struct said s;
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed)), mine;
	const unsigned char *p;
	unsigned char *der;
	CMC_REQS *typed;
	size_t i;
	int len;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		req = pki_req("a", ed, NULL);
		assert_int_equal(
		    X509_REQ_add1_attr_by_txt(req, CMC_OID_ARC "36",
			V_ASN1_SEQUENCE, (const unsigned char *)list[i].der,
			(int)list[i].len),
		    1);
		der = NULL;
		len = i2d_X509_REQ(req, &der);
		X509_REQ_free(req);
		p = reqs.data;
		typed = d2i_CMC_REQS(NULL, &p, (long)reqs.len);
		p = der;
		assert_non_null(d2i_ASN1_TYPE(
		    &sk_CMC_REQ_value(typed, 0)->d.tcr->certificationRequest,
		    &p, len));
		mine.data = NULL;
		mine.len = (size_t)i2d_CMC_REQS(typed, &mine.data);
		sk_CMC_REQ_pop_free(typed, CMC_REQ_free);
		OPENSSL_free(der);
		said_begin(&s);
		if (list[i].subject == -1) {
			refused(message(&s, &mine, &by_cert),
			    BURIN_CMC_BAD_REQUEST, 1, "request-malformed");
		} else {
			hear(message(&s, &mine, &by_cert));
			assert_int_equal(heard.items[0].renames, 1);
			assert_int_equal(heard.items[0].new_subject != NULL,
			    list[i].subject);
			assert_int_equal(
			    heard.items[0].new_names != NULL, list[i].names);
			forget();
		}
		OPENSSL_free(mine.data);
	}
	OPENSSL_free(reqs.data);
}

/* --- what an RA states, and changes --------------------------------------- */

static STACK_OF(ASN1_INTEGER) * list_of(uint32_t id)
{
	STACK_OF(ASN1_INTEGER) *list = sk_ASN1_INTEGER_new_null();
	ASN1_INTEGER *one = ASN1_INTEGER_new();

	assert_int_equal(ASN1_INTEGER_set_uint64(one, id), 1);
	assert_true(sk_ASN1_INTEGER_push(list, one) > 0);
	return list;
}

static struct der
template_of(const char *cn, const char *const *exts, EVP_PKEY *key)
{
	CRMF_TEMPLATE *t = CRMF_TEMPLATE_new();
	X509_REQ *req = pki_req(cn, ed, exts);
	struct der out = { NULL, 0 };

	if (cn != NULL)
		t->subject = X509_NAME_dup(X509_REQ_get_subject_name(req));
	if (exts != NULL)
		t->extensions = X509_REQ_get_extensions(req);
	if (key != NULL) {
		t->publicKey = X509_PUBKEY_new();
		assert_int_equal(X509_PUBKEY_set(&t->publicKey, key), 1);
	}
	out.len = (size_t)i2d_CRMF_TEMPLATE(t, &out.data);
	CRMF_TEMPLATE_free(t);
	X509_REQ_free(req);
	return out;
}

static int
modified(const struct der *t, int replace)
{
	struct burin_cmc_statement s = { .kind = BURIN_CMC_STATES_TEMPLATE,
		.control = 77,
		.replace = replace,
		.der = t->data,
		.der_len = t->len };

	return burin_cmc_item_modify(&heard.items[0], &s, &why, &e);
}

static void
unmodified(const char *cn, const char *const *exts, EVP_PKEY *key, int replace,
    enum burin_cmc_fail fail)
{
	struct der t = template_of(cn, exts, key);
	char text[64];

	told(modified(&t, replace), fail, (uint32_t[]) { 77 }, 1, "cmc-change");
	assert_non_null(X509_NAME_oneline(
	    heard.items[0].asked.subject, text, sizeof(text)));
	assert_string_equal(text, "/CN=r7");
	OPENSSL_free(t.data);
}

static int
has_ext(int nid)
{
	return X509v3_get_ext_by_NID(
		   heard.items[0].asked.extensions, nid, -1) >= 0;
}

static void
test_modify(void **state)
{
	static const char *const usage[] = { "keyUsage=critical,keyCertSign",
		NULL };
	static const char *const ca[] = { "basicConstraints=CA:TRUE", NULL };
	static const char *const good[] = { "subjectAltName=DNS:a.example",
		"basicConstraints=CA:FALSE", NULL };
	static const char *const same[] = {
		"keyUsage=critical,digitalSignature", NULL
	};
	struct burin_cmc_request r = signed_by(BURIN_CMC_PKCS10, ed);
	struct burin_subject *s;
	struct der reqs, t;
	struct said said;
	char text[64];

	(void)state;
	must(burin_subject_new(&s, &e));
	must(burin_subject_set_dn(s, "CN=r7", &e));
	must(
	    burin_subject_add_ext(s, "keyUsage=critical,digitalSignature", &e));
	r.subject = s;
	reqs = requests(&r, 1, NULL);
	said_begin(&said);
	hear(message(&said, &reqs, &by_cert));
	unmodified("x", NULL, other, 1, BURIN_CMC_UNSUPPORTED_EXT);
	unmodified("x", NULL, other, 0, BURIN_CMC_UNSUPPORTED_EXT);
	unmodified("x", usage, NULL, 1, BURIN_CMC_UNSUPPORTED_EXT);
	unmodified("x", usage, NULL, 0, BURIN_CMC_UNSUPPORTED_EXT);
	unmodified("x", same, NULL, 0, BURIN_CMC_UNSUPPORTED_EXT);
	unmodified("x", ca, NULL, 1, BURIN_CMC_UNSUPPORTED_EXT);
	t = template_of("r9", good, NULL);
	must(modified(&t, 1));
	assert_int_equal(has_ext(NID_subject_alt_name), 1);
	assert_int_equal(has_ext(NID_key_usage), 1);
	assert_int_equal(has_ext(NID_subject_key_identifier), 1);
	assert_non_null(X509_NAME_oneline(
	    heard.items[0].asked.subject, text, sizeof(text)));
	assert_string_equal(text, "/CN=r9");
	must(modified(&t, 0));
	assert_int_equal(has_ext(NID_subject_alt_name), 0);
	assert_int_equal(
	    X509_NAME_entry_count(heard.items[0].asked.subject), 0);
	OPENSSL_free(t.data);
	t = template_of(NULL, same, NULL);
	must(modified(&t, 1));
	t.len--;
	told(modified(&t, 1), BURIN_CMC_BAD_REQUEST, (uint32_t[]) { 77 }, 1,
	    "cmc-change");
	OPENSSL_free(t.data);
	forget();
	OPENSSL_free(reqs.data);
	burin_subject_free(&s);
}

static void
test_statements(void **state)
{
	static const char *const exts[] = { "subjectAltName=DNS:a.example",
		NULL };
	struct der reqs = one(signed_by(BURIN_CMC_PKCS10, ed));
	CMC_ADD_EXTENSIONS *x = CMC_ADD_EXTENSIONS_new();
	CMC_POP_WITNESS *w = CMC_POP_WITNESS_new();
	X509_REQ *req = pki_req("a", ed, exts);
	struct der inner;
	const struct burin_cmc_statement *st;
	struct said s;
	uint32_t inside, xid, ids[2];

	(void)state;
	said_begin(&s);
	inner = message(&s, NULL, &by_cert);
	said_begin(&s);
	inside = said_message(&s, inner.data, inner.len);
	ids[0] = inside;
	ids[1] = 9;
	sk_X509_EXTENSION_pop_free(x->extensions, X509_EXTENSION_free);
	sk_ASN1_INTEGER_pop_free(x->certReferences, ASN1_INTEGER_free);
	x->extensions = X509_REQ_get_extensions(req);
	x->certReferences = list_of(1);
	xid = said_value(&s, CMC_ADD_EXTENSION, x);
	sk_ASN1_INTEGER_pop_free(w->bodyIds, ASN1_INTEGER_free);
	w->bodyIds = list_of(5);
	assert_int_equal(ASN1_INTEGER_set_uint64(w->pkiDataBodyid, inside), 1);
	(void)said_value(&s, CMC_LRA_POP_WITNESS, w);
	(void)said_ids(&s, CMC_RA_IDENTITY_WITNESS, ids, 2);
	(void)said_ids(&s, CMC_BATCH_REQUESTS, ids, 1);
	hear(message(&s, &reqs, &by_cert));
	assert_int_equal(heard.n_inside, 1);
	assert_int_equal(heard.inside[0].id, inside);
	assert_int_equal(heard.inside[0].batched, 1);
	assert_int_equal(heard.inside[0].len, inner.len);
	assert_memory_equal(heard.inside[0].der, inner.data, inner.len);
	assert_int_equal(heard.n_statements, 3);
	st = &heard.statements[0];
	assert_int_equal(st->kind, BURIN_CMC_STATES_EXTENSIONS);
	assert_int_equal(st->control, xid);
	assert_int_equal(st->path.n, 0);
	assert_int_equal(st->n_ids, 1);
	assert_int_equal(st->ids[0], 1);
	must(burin_cmc_item_modify(&heard.items[0], st, &why, &e));
	assert_int_equal(has_ext(NID_subject_alt_name), 1);
	st = &heard.statements[1];
	assert_int_equal(st->kind, BURIN_CMC_STATES_POP);
	assert_int_equal(st->path.n, 1);
	assert_int_equal(st->path.ids[0], inside);
	assert_int_equal(st->ids[0], 5);
	st = &heard.statements[2];
	assert_int_equal(st->kind, BURIN_CMC_STATES_IDENTITY);
	assert_int_equal(st->path.n, 2);
	assert_int_equal(st->path.ids[1], 9);
	forget();
	OPENSSL_free(inner.data);
	OPENSSL_free(reqs.data);
	CMC_ADD_EXTENSIONS_free(x);
	CMC_POP_WITNESS_free(w);
	X509_REQ_free(req);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enrol),
		cmocka_unit_test(test_authenticated),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_no_signature),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_confirmation),
		cmocka_unit_test(test_wrong_secret),
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_glued),
		cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_auth_data),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_link_rounds),
		cmocka_unit_test(test_wrong_pop),
		cmocka_unit_test(test_popo),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_revocation_secret),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_modify),
		cmocka_unit_test(test_statements),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
