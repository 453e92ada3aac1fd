/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMP (RFC 9810) by OpenSSL's own client: which message, what is in it, how
 * it is protected, what is believed of the answer.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/request.h>
#include <burin/response.h>

#include "cmp.h"
#include "http.h"
#include "protocol.h"

#define ABORT_SECONDS 5 /* to tell the authority that nobody waits */

static const struct command {
	const char *name;
	int type;
	int crmf; /* the new key signs the CertRequest (RFC 4211) */
} commands[] = {
	{ "ir", OSSL_CMP_IR, 1 },
	{ "cr", OSSL_CMP_CR, 1 },
	{ "kur", OSSL_CMP_KUR, 1 },
	{ "p10cr", OSSL_CMP_P10CR, 0 },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Who renews asks for an update of the key, everybody else is new here. */
static const struct command *
find_command(
    const struct transport_config *c, int reenroll, struct burin_error *e)
{
	const char *name = c->command != NULL ? c->command
	    : reenroll			      ? "kur"
					      : "ir";
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			break;
	if (i == N_COMMANDS) {
		burin_fail(e, BURIN_EUSAGE, "cmp-command",
		    "'%s' is no CMP request", name);
		burin_error_advice(
		    e, "--cmp-command takes ir, cr, kur or p10cr");
		return NULL;
	}
	if (commands[i].type == OSSL_CMP_KUR && !reenroll) {
		burin_fail(e, BURIN_EUSAGE, "cmp-command",
		    "kur updates a certificate, and none is named");
		burin_error_rule(e, "RFC 9810 section 5.3.5");
		burin_error_advice(e, "add --reenroll, or ask with ir or cr");
		return NULL;
	}
	return &commands[i];
}

/* A CertTemplate has extensions, but no place for attributes. */
static int
no_place(const char *what, struct burin_error *e)
{
	burin_fail(e, BURIN_EUSAGE, "cmp-attribute",
	    "the attribute%s has no place in a CRMF request", what);
	burin_error_rule(e, "RFC 4211 section 5");
	return burin_error_advice(e, "ask with --cmp-command p10cr");
}

static int
cmp_check(const struct transport_config *c, struct burin_error *e)
{
	const struct command *cmd = find_command(c, c->reenroll, e);
	char *url = NULL;
	int rc;

	if (cmd == NULL || http_refuse_userinfo("--proxy", c->proxy, e) != 0)
		return -1;
	if (cmd->crmf && c->attributes)
		return no_place("s", e);
	if (!c->reenroll && (c->user == NULL || c->user[0] == '\0')) {
		burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "nothing says who asks: CMP messages are protected with "
		    "a secret, which --user names");
		burin_error_rule(e, "RFC 9810 section 5.1.3.1");
		return burin_error_advice(e,
		    "give --user (the reference value) and --secret, or "
		    "--reenroll");
	}
	rc = cmp_url(c->url, &url, e);
	free(url);
	return rc;
}

static int
cmp_needs_key(const struct transport_config *c, int reenroll)
{
	const struct command *cmd = find_command(c, reenroll, NULL);

	return cmd != NULL && cmd->crmf;
}

/* --- how messages are protected ---------------------------------------- */

/* What OpenSSL's client would print is in the error, or of no interest. */
static int
say_nothing(const char *func, const char *file, int line,
    OSSL_CMP_severity level, const char *msg)
{
	(void)func;
	(void)file;
	(void)line;
	(void)level;
	(void)msg;
	return 1;
}

/*
 * Before the certificate is confirmed, or thrown away: is it for the key?
 * The other checks come when the answer is on disk (docs/checks.md).
 */
static int
confirm(OSSL_CMP_CTX *ctx, X509 *cert, int fail_info, const char **text)
{
	struct cmp *s = OSSL_CMP_CTX_get_certConf_cb_arg(ctx);
	EVP_PKEY *pub = X509_get0_pubkey(cert);

	if (pub != NULL && EVP_PKEY_eq(pub, s->pub) == 1)
		return fail_info;
	s->wrong_key = 1;
	*text = "the certificate is for another key";
	return fail_info | (1 << OSSL_CMP_PKIFAILUREINFO_incorrectData);
}

/* Shared secret: PasswordBasedMac, and no SHA-1 in it. */
static int
protect_secret(struct cmp *s, struct burin_error *e)
{
	const struct transport_config *c = s->c;
	struct burin_secret *secret = NULL;
	int rc = -1;

	if (c->user == NULL || c->user[0] == '\0' || c->secret == NULL) {
		burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "CMP needs --user and --secret, or --reenroll");
		goto out;
	}
	if (c->secret(c->arg, &secret, e) != 0)
		goto out;
	if (OSSL_CMP_CTX_set1_referenceValue(s->ctx,
		(const unsigned char *)c->user, (int)strlen(c->user)) != 1 ||
	    OSSL_CMP_CTX_set1_secretValue(s->ctx, burin_secret_bytes(secret),
		(int)burin_secret_len(secret)) != 1 ||
	    OSSL_CMP_CTX_set_option(
		s->ctx, OSSL_CMP_OPT_OWF_ALGNID, NID_sha256) != 1 ||
	    OSSL_CMP_CTX_set_option(
		s->ctx, OSSL_CMP_OPT_MAC_ALGNID, NID_hmacWithSHA256) != 1) {
		burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not take the secret");
		goto out;
	}
	rc = 0;
out:
	burin_secret_free(&secret);
	return rc;
}

static int
protect_signature(struct cmp *s, struct burin_error *e)
{
	const struct transport_config *c = s->c;

	if (EVP_PKEY_is_a(c->client_key, "ED25519") ||
	    EVP_PKEY_is_a(c->client_key, "ED448")) {
		burin_fail(e, BURIN_EUSAGE, "cmp-eddsa",
		    "a key of type %s cannot protect CMP messages with this "
		    "OpenSSL; nothing was sent",
		    EVP_PKEY_get0_type_name(c->client_key));
		burin_error_rule(e, "RFC 9481 section 3.3");
		return burin_error_advice(e,
		    "give --user and --secret instead of the key, or ask over "
		    "another protocol");
	}
	if (OSSL_CMP_CTX_set1_pkey(s->ctx, c->client_key) != 1 ||
	    OSSL_CMP_CTX_set1_cert(s->ctx, c->client_cert) != 1 ||
	    (c->client_chain != NULL &&
		OSSL_CMP_CTX_set1_untrusted(s->ctx, c->client_chain) != 1))
		return burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not take the certificate that "
		    "signs");
	return 0;
}

/* An anchor need not be self-signed, as in check G2. */
static int
trust(struct cmp *s, struct burin_error *e)
{
	STACK_OF(X509) *anchors = s->c->tls_anchors;
	X509_STORE *store = X509_STORE_new();
	int i, good;

	good = store != NULL &&
	    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
	for (i = 0; good && i < sk_X509_num(anchors); i++)
		good = X509_STORE_add_cert(store, sk_X509_value(anchors, i));
	if (good && OSSL_CMP_CTX_set0_trustedStore(s->ctx, store) == 1)
		return 0;
	X509_STORE_free(store);
	return burin_fail_memory(e);
}

static int
cmp_open(struct cmp *s, const struct transport_config *c, struct burin_error *e)
{
	s->c = c;
	s->deadline = time(NULL) +
	    (c->timeout > 0 ? c->timeout : TRANSPORT_TOTAL_SECONDS);
	if (cmp_url(c->url, &s->url, e) != 0)
		return -1;
	if ((s->ctx = OSSL_CMP_CTX_new(NULL, NULL)) == NULL ||
	    OSSL_CMP_CTX_set_log_cb(s->ctx, say_nothing) != 1 ||
	    OSSL_CMP_CTX_set_transfer_cb(s->ctx, cmp_transfer) != 1 ||
	    OSSL_CMP_CTX_set_transfer_cb_arg(s->ctx, s) != 1 ||
	    OSSL_CMP_CTX_set_certConf_cb(s->ctx, confirm) != 1 ||
	    OSSL_CMP_CTX_set_certConf_cb_arg(s->ctx, s) != 1 ||
	    OSSL_CMP_CTX_set_option(s->ctx, OSSL_CMP_OPT_IMPLICIT_CONFIRM, 1) !=
		1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not start");
	if (trust(s, e) != 0)
		return -1;
	return c->client_key != NULL ? protect_signature(s, e)
				     : protect_secret(s, e);
}

static void
cmp_close(struct cmp *s)
{
	OSSL_CMP_CTX_free(s->ctx);
	ERR_clear_error(); /* what it tried and did without */
	http_disconnect(&s->connection);
	free(s->url);
}

/* --- asking for a certificate ------------------------------------------ */

/* A hash as strong as the curve (RFC 5758), for POP and protection. */
static int
digest_nid(EVP_PKEY *pub)
{
	int bits = EVP_PKEY_get_bits(pub);

	if (!EVP_PKEY_is_a(pub, "EC"))
		return NID_sha256;
	return bits > 384 ? NID_sha512 : bits > 256 ? NID_sha384 : NID_sha256;
}

static int
refuse_attributes(const X509_REQ *req, struct burin_error *e)
{
	char name[80] = " ";
	int i;

	for (i = 0; i < X509_REQ_get_attr_count(req); i++) {
		ASN1_OBJECT *type =
		    X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(req, i));

		if (X509_REQ_extension_nid(OBJ_obj2nid(type)))
			continue;
		(void)OBJ_obj2txt(name + 1, sizeof(name) - 1, type, 0);
		return no_place(name, e);
	}
	return 0;
}

/*
 * What the PKCS#10 asks for, in CRMF: the same subject, key and extensions,
 * and nothing of the certificate that signs. The new key signs it again:
 * the PKCS#10, made and committed before anybody knew how it would travel,
 * is what the checks compare with, so ir, cr and kur cost one signature more
 * than p10cr.
 */
static int
set_template(struct cmp *s, X509_REQ *req, struct burin_error *e)
{
	X509_EXTENSIONS *exts = NULL;
	EVP_PKEY *key = s->c->key;

	if (refuse_attributes(req, e) != 0)
		return -1;
	if (key == NULL)
		return burin_fail(e, BURIN_EINTERNAL, "cmp-key",
		    "the key that proves possession is not at hand");
	if (EVP_PKEY_up_ref(key) != 1 ||
	    OSSL_CMP_CTX_set0_newPkey(s->ctx, 1, key) != 1) {
		burin_fail_memory(e);
		return -1;
	}
	exts = X509_REQ_get_extensions(req);
	if (exts != NULL &&
	    OSSL_CMP_CTX_set0_reqExtensions(s->ctx, exts) != 1) {
		sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
		return burin_fail_memory(e);
	}
	if (OSSL_CMP_CTX_set_option(
		s->ctx, OSSL_CMP_OPT_SUBJECTALTNAME_NODEFAULT, 1) != 1 ||
	    OSSL_CMP_CTX_set_option(s->ctx, OSSL_CMP_OPT_POPO_METHOD,
		OSSL_CRMF_POPO_SIGNATURE) != 1)
		return burin_fail_memory(e);
	return 0;
}

static int
set_request(struct cmp *s, const struct command *cmd, X509_REQ *req,
    struct burin_error *e)
{
	if ((s->pub = X509_REQ_get0_pubkey(req)) == NULL)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "the request has no public key");
	if (OSSL_CMP_CTX_set1_subjectName(
		s->ctx, X509_REQ_get_subject_name(req)) != 1 ||
	    OSSL_CMP_CTX_set_option(
		s->ctx, OSSL_CMP_OPT_DIGEST_ALGNID, digest_nid(s->pub)) != 1 ||
	    (!cmd->crmf && OSSL_CMP_CTX_set1_p10CSR(s->ctx, req) != 1) ||
	    (cmd->type == OSSL_CMP_KUR &&
		OSSL_CMP_CTX_set1_oldCert(s->ctx, s->c->client_cert) != 1))
		return burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not take the request");
	return cmd->crmf ? set_template(s, req, e) : 0;
}

/*
 * A transaction lives in the memory of OpenSSL's client: its nonces cannot
 * be carried over to another process, so this is no "pending".
 */
static int
give_up(struct cmp *s, struct burin_error *e)
{
	char words[200];

	cmp_words(s, words, sizeof(words));
	s->deadline = time(NULL) + ABORT_SECONDS;
	(void)OSSL_CMP_try_certreq(s->ctx, -1, NULL, NULL);
	burin_fail(e, BURIN_EINTERRUPTED, "cmp-waiting",
	    "%s did not decide in time%s%s; a CMP transaction ends with the "
	    "process",
	    s->url, words[0] != '\0' ? ": " : "", words);
	burin_error_rule(e, "RFC 9810 section 5.3.22");
	return burin_error_advice(e,
	    "resuming sends the same request again, in a new transaction; "
	    "give a longer --timeout to wait for the authority");
}

/* In slices of a second: a signal may come between look and sleep. */
static int
wait_for(struct cmp *s, long seconds, struct burin_error *e)
{
	const struct timespec slice = { .tv_sec = 1 };
	time_t at = time(NULL) + (seconds > 0 ? seconds : 1);

	if (at > s->deadline)
		at = s->deadline;
	if (time(NULL) >= at)
		return give_up(s, e);
	while (time(NULL) < at) {
		if (s->c->stop != NULL && *s->c->stop != 0)
			return burin_fail(e, BURIN_EINTERRUPTED, "interrupted",
			    "stopped while waiting");
		(void)nanosleep(&slice, NULL);
	}
	return 0;
}

/* The first round sends the request, the others are pollReq. */
static int
transact(struct cmp *s, int type, struct burin_error *e)
{
	int rv, after = 0;

	while ((rv = OSSL_CMP_try_certreq(s->ctx, type, NULL, &after)) == -1)
		if (wait_for(s, after, e) != 0)
			return -1;
	return rv == 1 && OSSL_CMP_CTX_get0_newCert(s->ctx) != NULL
	    ? 0
	    : cmp_fail(s, e);
}

/* caPubs and extraCerts may help to find a path; they are not believed. */
static int
take_certs(struct cmp *s, struct transport_reply *reply, struct burin_error *e)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	STACK_OF(X509) *cas = OSSL_CMP_CTX_get1_caPubs(s->ctx);
	STACK_OF(X509) *extra = OSSL_CMP_CTX_get1_extraCertsIn(s->ctx);
	const int flags = X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP;
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	if (all == NULL ||
	    X509_add_cert(all, OSSL_CMP_CTX_get0_newCert(s->ctx), flags) != 1 ||
	    (cas != NULL && X509_add_certs(all, cas, flags) != 1) ||
	    (extra != NULL && X509_add_certs(all, extra, flags) != 1)) {
		burin_fail_memory(e);
		goto out;
	}
	if (burin_certs_only_make(all, &der, &len, e) != 0)
		goto out;
	if ((reply->body = malloc(len)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	memcpy(reply->body, der, len);
	reply->len = len;
	reply->outcome = TRANSPORT_ISSUED;
	cmp_words(s, reply->detail, sizeof(reply->detail));
	rc = 0;
out:
	OPENSSL_free(der);
	sk_X509_pop_free(all, X509_free);
	sk_X509_pop_free(cas, X509_free);
	sk_X509_pop_free(extra, X509_free);
	return rc;
}

static int
cmp_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, int reenroll, struct transport_reply *reply,
    struct burin_error *e)
{
	const struct command *cmd = find_command(c, reenroll, e);
	struct cmp s = { .answers = 0 };
	X509_REQ *req = NULL;
	int rc = -1;

	if (cmd == NULL ||
	    burin_pkcs10_parse(request, len, BURIN_EINTERNAL, &req, e) != 0 ||
	    cmp_open(&s, c, e) != 0 || set_request(&s, cmd, req, e) != 0 ||
	    transact(&s, cmd->type, e) != 0)
		goto out;
	rc = take_certs(&s, reply, e);
out:
	cmp_close(&s);
	X509_REQ_free(req);
	return rc;
}

/* --- revoking one ------------------------------------------------------- */

static int
cmp_revoke(const struct transport_config *c, X509 *cert, int reason,
    struct burin_error *e)
{
	struct cmp s = { .answers = 0 };
	int rc = -1;

	if (cmp_open(&s, c, e) != 0)
		goto out;
	/* "unspecified" is said by saying nothing (RFC 5280 section 5.3.1). */
	if (OSSL_CMP_CTX_set1_oldCert(s.ctx, cert) != 1 ||
	    OSSL_CMP_CTX_set1_subjectName(s.ctx, X509_get_subject_name(cert)) !=
		1 ||
	    OSSL_CMP_CTX_set_option(s.ctx, OSSL_CMP_OPT_DIGEST_ALGNID,
		digest_nid(X509_get0_pubkey(cert))) != 1 ||
	    (reason != CRL_REASON_UNSPECIFIED &&
		OSSL_CMP_CTX_set_option(
		    s.ctx, OSSL_CMP_OPT_REVOCATION_REASON, reason) != 1)) {
		burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-setup",
		    "OpenSSL's CMP client does not take the certificate");
		goto out;
	}
	rc = OSSL_CMP_exec_RR_ses(s.ctx) == 1 ? 0 : cmp_fail(&s, e);
out:
	cmp_close(&s);
	return rc;
}

const struct transport_protocol transport_cmp = {
	.name = "cmp",
	.check = cmp_check,
	.submit = cmp_submit,
	.cacerts = NULL,
	.revoke = cmp_revoke,
	.needs_key = cmp_needs_key,
	.takes_command = 1,
};
