/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The EST client against a real HTTPS server that misbehaves on demand: the
 * label in the path says how.
 */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <burin/response.h>
#include <transport/transport.h>

#define USER "alice"
#define SECRET "correct horse"
#define REALM "est test"
#define LARGE (TRANSPORT_MAX_BODY + 4096)

struct peer {
	struct MHD_Daemon *daemon;
	uint16_t port;
	char *key_pem, *cert_pem;
	EVP_PKEY *key;
	X509 *cert;
	char *answer; /* base64 certs-only with cert */
	char *large;
	int posts;	   /* requests with a body seen */
	int with_password; /* of them, those that carried one */
	int client_certs;  /* and those over a client certificate */
};
static struct peer peer;

/* --- certificates ------------------------------------------------------ */

static void
add_ext(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static X509 *
self_signed(EVP_PKEY *key, const char *cn, const char *san)
{
	X509 *x = X509_new();
	X509_NAME *name;

	assert_non_null(x);
	assert_true(X509_set_version(x, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	name = X509_get_subject_name(x);
	assert_true(X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
	assert_true(X509_set_issuer_name(x, name));
	assert_true(X509_set_pubkey(x, key));
	add_ext(x, NID_basic_constraints, "critical,CA:TRUE");
	add_ext(x, NID_subject_alt_name, san);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static char *
mem_text(BIO *b)
{
	char *data, *copy;
	long n = BIO_get_mem_data(b, &data);

	copy = strndup(data, (size_t)n);
	assert_non_null(copy);
	BIO_free(b);
	return copy;
}

static void
make_answer(void)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct burin_error e = BURIN_ERROR_INIT;
	unsigned char *der;
	size_t len;

	assert_non_null(certs);
	assert_true(sk_X509_push(certs, peer.cert) > 0);
	assert_int_equal(burin_certs_only_make(certs, &der, &len, &e), 0);
	sk_X509_free(certs);
	peer.answer = malloc(4 * ((len + 2) / 3) + 1);
	assert_non_null(peer.answer);
	(void)EVP_EncodeBlock((unsigned char *)peer.answer, der, (int)len);
	OPENSSL_free(der);
}

/* --- the server -------------------------------------------------------- */

struct canned {
	const char *label;
	unsigned status;
	const char *type, *header, *value, *body;
};
static const struct canned canned[] = {
	{ "type", 200, "text/html", NULL, NULL, "<html>login please</html>" },
	{ "wait", 202, "text/plain", "Retry-After", "7", "ask the operator\n" },
	{ "waitnone", 202, "text/plain", NULL, NULL, "" },
	{ "waitlong", 202, "text/plain", "Retry-After", "99999999", "" },
	{ "busy", 503, "text/plain", "Retry-After", "3", "backing up" },
	{ "deny", 403, "text/plain", NULL, NULL, "you may \x1b[31mnot\r\n" },
	{ "gone", 404, "text/plain", NULL, NULL, "" },
	{ "weird", 299, "text/plain", NULL, NULL, "" },
	{ "away", 302, NULL, "Location", "https://127.0.0.1:1/x", "" },
	{ "plain", 302, NULL, "Location", "http://localhost/x", "" },
	{ "loop", 302, NULL, "Location", "simpleenroll", "" },
};

static enum MHD_Result
answer(struct MHD_Connection *c, unsigned status, const char *type,
    const char *header, const char *value, const char *body, size_t len)
{
	struct MHD_Response *r;
	enum MHD_Result rc;

	r = MHD_create_response_from_buffer(
	    len, (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
	if (type != NULL)
		(void)MHD_add_response_header(r, "Content-Type", type);
	if (header != NULL)
		(void)MHD_add_response_header(r, header, value);
	rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result
issued(struct MHD_Connection *c)
{
	return answer(c, 200, "application/pkcs7-mime; smime-type=certs-only",
	    "Content-Transfer-Encoding", "base64", peer.answer,
	    strlen(peer.answer));
}

static enum MHD_Result
basic(struct MHD_Connection *c)
{
	char *password = NULL, *user;
	struct MHD_Response *r;
	enum MHD_Result rc;
	int right;

	user = MHD_basic_auth_get_username_password(c, &password);
	right = user != NULL && password != NULL && strcmp(user, USER) == 0 &&
	    strcmp(password, SECRET) == 0;
	MHD_free(user);
	MHD_free(password);
	if (right) {
		peer.with_password++;
		return issued(c);
	}
	r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	rc = MHD_queue_basic_auth_fail_response(c, REALM, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result
digest(struct MHD_Connection *c)
{
	struct MHD_Response *r;
	enum MHD_Result rc;

	if (MHD_digest_auth_check2(c, REALM, USER, SECRET, 300,
		MHD_DIGEST_ALG_SHA256) == MHD_YES) {
		peer.with_password++;
		return issued(c);
	}
	r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	rc = MHD_queue_auth_fail_response2(
	    c, REALM, "opaque", r, MHD_NO, MHD_DIGEST_ALG_SHA256);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result
by_certificate(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;
	unsigned n = 0;

	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (gnutls_certificate_get_peers(
		(gnutls_session_t)info->tls_session, &n) == NULL ||
	    n == 0)
		return answer(c, 401, "text/plain", NULL, NULL, "who?", 4);
	peer.client_certs++;
	return issued(c);
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *data, size_t *len, void **state)
{
	static int seen;
	char label[32] = "";
	size_t i;

	(void)arg;
	(void)version;
	(void)data;
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	if (*len != 0) {
		*len = 0;
		return MHD_YES;
	}
	if (strcmp(method, "POST") == 0)
		peer.posts++;
	(void)sscanf(url, "/.well-known/est/%31[a-z]/", label);
	for (i = 0; i < sizeof(canned) / sizeof(canned[0]); i++)
		if (strcmp(label, canned[i].label) == 0)
			return answer(c, canned[i].status, canned[i].type,
			    canned[i].header, canned[i].value, canned[i].body,
			    strlen(canned[i].body));
	if (strcmp(label, "large") == 0)
		return answer(c, 200, "application/pkcs7-mime", NULL, NULL,
		    peer.large, LARGE);
	if (strcmp(label, "hop") == 0)
		return answer(c, 307, NULL, "Location",
		    "/.well-known/est/ok/simpleenroll", "", 0);
	if (strcmp(label, "hang") == 0)
		(void)sleep(3);
	if (strcmp(label, "drop") == 0)
		return MHD_NO;
	if (strcmp(label, "basic") == 0)
		return basic(c);
	if (strcmp(label, "digest") == 0)
		return digest(c);
	if (strcmp(label, "mutual") == 0)
		return by_certificate(c);
	return issued(c);
}

static int
start(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const union MHD_DaemonInfo *info;
	BIO *b;

	(void)state;
	peer.key = EVP_EC_gen("P-256");
	assert_non_null(peer.key);
	peer.cert = self_signed(peer.key, "EST test server", "DNS:localhost");
	b = BIO_new(BIO_s_mem());
	assert_true(
	    PEM_write_bio_PrivateKey(b, peer.key, NULL, NULL, 0, NULL, NULL));
	peer.key_pem = mem_text(b);
	b = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_X509(b, peer.cert));
	peer.cert_pem = mem_text(b);
	make_answer();
	peer.large = malloc(LARGE);
	assert_non_null(peer.large);
	memset(peer.large, 'M', LARGE);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_TLS,
	    0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR,
	    (struct sockaddr *)&sin, MHD_OPTION_HTTPS_MEM_KEY, peer.key_pem,
	    MHD_OPTION_HTTPS_MEM_CERT, peer.cert_pem,
	    MHD_OPTION_HTTPS_MEM_TRUST, peer.cert_pem,
	    MHD_OPTION_DIGEST_AUTH_RANDOM, (size_t)8, "8 random",
	    MHD_OPTION_NONCE_NC_SIZE, 16u, MHD_OPTION_END);
	assert_non_null(peer.daemon);
	info = MHD_get_daemon_info(peer.daemon, MHD_DAEMON_INFO_BIND_PORT);
	assert_non_null(info);
	peer.port = info->port;
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	MHD_stop_daemon(peer.daemon);
	EVP_PKEY_free(peer.key);
	X509_free(peer.cert);
	free(peer.key_pem);
	free(peer.cert_pem);
	free(peer.answer);
	free(peer.large);
	return 0;
}

/* --- the client -------------------------------------------------------- */

static int asked;

static int
give_secret(void *arg, struct burin_secret **out, struct burin_error *e)
{
	asked++;
	return burin_secret_new(out, arg, strlen(arg), e);
}

struct client {
	struct transport_config c;
	struct transport_reply reply;
	struct burin_error e;
	char url[160];
};

static void
client_new(struct client *cl, const char *host, const char *label)
{
	memset(cl, 0, sizeof(*cl));
	(void)snprintf(cl->url, sizeof(cl->url), "https://%s:%u%s%s", host,
	    peer.port, *label != '\0' ? "/.well-known/est/" : "", label);
	cl->c.protocol = "est";
	cl->c.url = cl->url;
	cl->c.proxy = "";
	cl->c.timeout = 1;
	cl->c.tls_anchors = sk_X509_new_null();
	assert_non_null(cl->c.tls_anchors);
	assert_true(sk_X509_push(cl->c.tls_anchors, peer.cert) > 0);
	asked = 0;
	peer.posts = peer.with_password = peer.client_certs = 0;
}

static int
client_submit(struct client *cl)
{
	static const unsigned char request[] = { 0x30, 0x00 };

	return transport_submit(
	    &cl->c, request, sizeof(request), 0, &cl->reply, &cl->e);
}

static void
client_end(struct client *cl)
{
	sk_X509_free(cl->c.tls_anchors);
	transport_reply_clear(&cl->reply);
}

static void
issues(void **state)
{
	static const char *const labels[] = { "", "ok", "hop" };
	STACK_OF(X509) * certs;
	struct client cl;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		client_new(&cl, "localhost", labels[i]);
		assert_int_equal(client_submit(&cl), 0);
		assert_int_equal(cl.reply.outcome, TRANSPORT_ISSUED);
		assert_int_equal(burin_certs_parse(cl.reply.body, cl.reply.len,
				     BURIN_ECHECK, &certs, &cl.e),
		    0);
		assert_int_equal(sk_X509_num(certs), 1);
		assert_int_equal(
		    X509_cmp(sk_X509_value(certs, 0), peer.cert), 0);
		sk_X509_pop_free(certs, X509_free);
		client_end(&cl);
	}
}

static void
waits(void **state)
{
	static const struct {
		const char *label;
		long seconds;
	} cases[] = { { "wait", 7 }, { "waitnone", 60 },
		{ "waitlong", TRANSPORT_MAX_RETRY_AFTER } };
	struct client cl;
	size_t i;
	time_t before;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		client_new(&cl, "localhost", cases[i].label);
		before = time(NULL);
		assert_int_equal(client_submit(&cl), 0);
		assert_int_equal(cl.reply.outcome, TRANSPORT_PENDING);
		assert_in_range(cl.reply.retry_at, before + cases[i].seconds,
		    before + cases[i].seconds + 5);
		if (i == 0)
			assert_string_equal(
			    cl.reply.detail, "ask the operator");
		client_end(&cl);
	}
}

static void
refusals(void **state)
{
	static const struct {
		const char *host, *label, *code;
		enum burin_status status;
	} cases[] = {
		{ "localhost", "type", "answer-type", BURIN_EAUTHORITY },
		{ "localhost", "deny", "http-403", BURIN_EAUTHORITY },
		{ "localhost", "gone", "http-404", BURIN_EAUTHORITY },
		{ "localhost", "weird", "http-299", BURIN_EAUTHORITY },
		{ "localhost", "large", "answer-too-large", BURIN_EAUTHORITY },
		{ "localhost", "away", "redirect-refused", BURIN_EAUTHORITY },
		{ "localhost", "plain", "redirect-refused", BURIN_EAUTHORITY },
		{ "localhost", "loop", "redirect-refused", BURIN_EAUTHORITY },
		{ "localhost", "basic", "http-401", BURIN_EAUTHORITY },
		{ "localhost", "busy", "authority-unavailable",
		    BURIN_EINTERRUPTED },
		{ "localhost", "hang", "network-timeout", BURIN_EINTERRUPTED },
		{ "localhost", "drop", "network-failed", BURIN_EINTERRUPTED },
		{ "127.0.0.1", "ok", "server-untrusted", BURIN_EINTERRUPTED },
	};
	struct client cl;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		client_new(&cl, cases[i].host, cases[i].label);
		assert_int_equal(client_submit(&cl), -1);
		assert_string_equal(cl.e.code, cases[i].code);
		assert_int_equal(cl.e.status, cases[i].status);
		assert_null(strchr(cl.e.reason, '\x1b'));
		assert_null(cl.reply.body);
		client_end(&cl);
	}
}

static void
refuses_addresses(void **state)
{
	static const char *const urls[] = { "http://localhost", "localhost",
		"ftp://localhost", "https://localhost/elsewhere", "",
		"https://" };
	struct client cl;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		client_new(&cl, "localhost", "");
		cl.c.url = urls[i];
		assert_int_equal(transport_check(&cl.c, &cl.e), -1);
		assert_int_equal(cl.e.status, BURIN_EUSAGE);
		client_end(&cl);
	}
}

static void
passwords(void **state)
{
	static const char *const labels[] = { "basic", "digest" };
	char right[] = SECRET, wrong[] = "battery staple";
	struct client cl;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		client_new(&cl, "localhost", labels[i]);
		cl.c.user = USER;
		cl.c.secret = give_secret;
		cl.c.arg = right;
		assert_int_equal(client_submit(&cl), 0);
		assert_int_equal(asked, 1);
		assert_int_equal(peer.with_password, 1);
		client_end(&cl);

		client_new(&cl, "localhost", labels[i]);
		cl.c.user = USER;
		cl.c.secret = give_secret;
		cl.c.arg = wrong;
		assert_int_equal(client_submit(&cl), -1);
		assert_string_equal(cl.e.code, "http-401");
		assert_int_equal(asked, 1);
		assert_null(strstr(cl.e.reason, wrong));
		client_end(&cl);
	}
	/* nobody asked: nothing is told */
	client_new(&cl, "localhost", "ok");
	cl.c.user = USER;
	cl.c.secret = give_secret;
	cl.c.arg = right;
	assert_int_equal(client_submit(&cl), 0);
	assert_int_equal(asked, 0);
	client_end(&cl);
}

static void
stranger(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *other = self_signed(key, "another root", "DNS:localhost");
	char right[] = SECRET;
	struct client cl;

	(void)state;
	client_new(&cl, "localhost", "basic");
	(void)sk_X509_pop(cl.c.tls_anchors);
	assert_true(sk_X509_push(cl.c.tls_anchors, other) > 0);
	cl.c.secret = give_secret;
	cl.c.arg = right;
	assert_int_equal(client_submit(&cl), -1);
	assert_string_equal(cl.e.code, "server-untrusted");
	assert_int_equal(asked, 0);
	assert_int_equal(peer.posts, 0);
	client_end(&cl);
	X509_free(other);
	EVP_PKEY_free(key);
}

static void
client_certificate(void **state)
{
	struct client cl;

	(void)state;
	client_new(&cl, "localhost", "mutual");
	assert_int_equal(client_submit(&cl), -1);
	client_end(&cl);
	client_new(&cl, "localhost", "mutual");
	cl.c.client_key = peer.key;
	cl.c.client_cert = peer.cert;
	assert_int_equal(client_submit(&cl), 0);
	assert_int_equal(peer.client_certs, 1);
	client_end(&cl);
}

static void
first_contact(void **state)
{
	struct client cl;
	char hex[65];
	X509 *anchor;

	(void)state;
	client_new(&cl, "127.0.0.1", "ok");
	assert_int_equal(burin_cert_sha256(peer.cert, hex, &cl.e), 0);
	assert_int_equal(transport_bootstrap(&cl.c, hex, &anchor, &cl.e), 0);
	assert_int_equal(X509_cmp(anchor, peer.cert), 0);
	X509_free(anchor);
	hex[0] = hex[0] == '0' ? '1' : '0';
	assert_int_equal(transport_bootstrap(&cl.c, hex, &anchor, &cl.e), -1);
	assert_string_equal(cl.e.code, "fingerprint-mismatch");
	assert_non_null(strstr(cl.e.cause, "seen: "));
	assert_null(anchor);
	burin_error_clear(&cl.e);
	assert_int_equal(
	    transport_bootstrap(&cl.c, "abcd", &anchor, &cl.e), -1);
	assert_string_equal(cl.e.code, "fingerprint-malformed");
	client_end(&cl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issues),
		cmocka_unit_test(waits),
		cmocka_unit_test(refusals),
		cmocka_unit_test(refuses_addresses),
		cmocka_unit_test(passwords),
		cmocka_unit_test(stranger),
		cmocka_unit_test(client_certificate),
		cmocka_unit_test(first_contact),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
