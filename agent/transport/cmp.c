/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CMP (RFC 9810) by OpenSSL's own client: which message, what is in it, how
 * it is protected, what is believed of the answer.
 */

#include <stdlib.h>
#include <string.h>

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
	{ "ir", OSSL_CMP_IR, 1 }, { "cr", OSSL_CMP_CR, 1 },
	{ "kur", OSSL_CMP_KUR, 1 },
	{ "p10cr", OSSL_CMP_P10CR, 0 }, /* the last one: choose */
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

static int
no_place(const char *what, const char *rule, struct burin_error *e)
{
	burin_fail(e, BURIN_EUSAGE, "cmp-crmf",
	    "a CRMF request of OpenSSL's client has no place for %s", what);
	burin_error_rule(e, "%s", rule);
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
	if (c->command != NULL && cmd->crmf && c->attributes)
		return no_place("attributes", "RFC 4211 section 5", e);
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

/* --- asking for a certificate ------------------------------------------ */

static int
has_attributes(const X509_REQ *req)
{
	int i;

	for (i = 0; i < X509_REQ_get_attr_count(req); i++)
		if (!X509_REQ_extension_nid(OBJ_obj2nid(
			X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(req, i)))))
			return 1;
	return 0;
}

/*
 * A CertTemplate has extensions, but no place for attributes. Without a
 * subject the proof of possession needs a poposkInput (RFC 4211 section 4.1),
 * which OpenSSL cannot make. Who did not say how gets p10cr then.
 */
static const struct command *
choose(const struct transport_config *c, const X509_REQ *req, int reenroll,
    struct burin_error *e)
{
	const struct command *cmd = find_command(c, reenroll, e);
	int nobody = X509_NAME_entry_count(X509_REQ_get_subject_name(req)) == 0;

	if (cmd == NULL || !cmd->crmf || (!nobody && !has_attributes(req)))
		return cmd;
	if (c->command == NULL)
		return &commands[N_COMMANDS - 1];
	if (nobody)
		(void)no_place(
		    "a request without a subject", "RFC 4211 section 4.1", e);
	else
		(void)no_place("attributes", "RFC 4211 section 5", e);
	return NULL;
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
		s->ctx, OSSL_CMP_OPT_DIGEST_ALGNID, cmp_digest(s->pub)) != 1 ||
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
	const struct command *cmd;
	struct cmp s = { .answers = 0 };
	X509_REQ *req = NULL;
	int rc = -1;

	if (burin_pkcs10_parse(request, len, BURIN_EINTERNAL, &req, e) != 0 ||
	    (cmd = choose(c, req, reenroll, e)) == NULL ||
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
		cmp_digest(X509_get0_pubkey(cert))) != 1 ||
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
	.carries = TRANSPORT_PKCS10,
	.check = cmp_check,
	.submit = cmp_submit,
	.cacerts = NULL,
	.revoke = cmp_revoke,
	.needs_key = cmp_needs_key,
	.takes_command = 1,
};
