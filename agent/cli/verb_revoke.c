/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin revoke: asks the authority to put the certificate of a key out of
 * use, as its holder.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/x509v3.h>

#include <burin/names.h>

#include "../transport/transport.h"
#include "verbs.h"
#include "work.h"

#define DEFAULT_PROTOCOL "cmp"

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI", "the key whose certificate is revoked" },
	{ "reason", 0, OPT_VALUE, "REASON",
	    "keyCompromise, superseded, cessationOfOperation, ..." },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_authority, opts_wait,
	opts_dry_run, opts_common, NULL };

/* RFC 5280 section 5.3.1; those that a holder can give. */
static const struct {
	const char *name;
	int code;
} reasons[] = {
	{ "unspecified", CRL_REASON_UNSPECIFIED },
	{ "keyCompromise", CRL_REASON_KEY_COMPROMISE },
	{ "affiliationChanged", CRL_REASON_AFFILIATION_CHANGED },
	{ "superseded", CRL_REASON_SUPERSEDED },
	{ "cessationOfOperation", CRL_REASON_CESSATION_OF_OPERATION },
	{ "certificateHold", CRL_REASON_CERTIFICATE_HOLD },
	{ "removeFromCRL", CRL_REASON_REMOVE_FROM_CRL },
};
#define N_REASONS (sizeof(reasons) / sizeof(reasons[0]))

/* What is asked of whom. */
struct revocation {
	size_t reason; /* index */
	struct transport_config config;
	const char *secret; /* source */
	struct burin_key *key;
	STACK_OF(X509) * certs;
	X509 *cert; /* in certs */
};

static int
find_reason(struct cli *c, size_t *out, struct burin_error *e)
{
	char list[200] = "";
	const char *name;
	size_t i, n = 0;

	if (work_required(c, "reason", &name, e) != 0)
		return -1;
	for (i = 0; i < N_REASONS; i++) {
		if (strcasecmp(name, reasons[i].name) == 0) {
			*out = i;
			return 0;
		}
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s",
		    n > 0 ? ", " : "", reasons[i].name);
	}
	(void)burin_fail(e, BURIN_EUSAGE, "reason-unknown",
	    "\"%s\" is no reason to revoke a certificate", name);
	(void)burin_error_rule(e, "RFC 5280 section 5.3.1");
	return burin_error_advice(e, "one of %s", list);
}

static int
give_secret(void *arg, struct burin_secret **out, struct burin_error *e)
{
	const struct revocation *r = arg;

	if (source_read(r->secret, "enrolment secret", 0, out, e) != 0)
		return burin_error_step(e, "secret");
	return 0;
}

/* Who has a name and a secret uses them; else the key speaks for itself. */
static int
set_identity(struct cli *c, struct revocation *r, struct burin_error *e)
{
	struct transport_config *config = &r->config;

	config->user = arg_value(c->args, "user");
	r->secret = arg_value(c->args, "secret");
	config->reenroll = config->user == NULL;
	if (config->user == NULL && r->secret != NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "--secret needs --user, which says whose it is");
	if (config->user == NULL)
		return 0;
	if (r->secret == NULL)
		r->secret = "prompt";
	if (source_check(r->secret, e) != 0)
		return burin_error_step(e, "secret");
	config->secret = give_secret;
	config->arg = r;
	return 0;
}

static int
set_trust(struct cli *c, struct revocation *r, struct burin_error *e)
{
	const char *path = arg_value(c->args, "tls-trust");
	const char *trust = arg_value(c->args, "trust");

	if (path == NULL && work_required(c, "trust", &path, e) != 0)
		return -1;
	if (work_certs(path, &r->config.tls_anchors, e) != 0)
		return -1;
	return trust != NULL ? work_certs(trust, &r->config.anchors, e) : 0;
}

static int
set_all(struct cli *c, struct revocation *r, struct burin_error *e)
{
	struct transport_config *config = &r->config;

	config->protocol = arg_value(c->args, "protocol");
	if (config->protocol == NULL)
		config->protocol = DEFAULT_PROTOCOL;
	config->proxy = arg_value(c->args, "proxy");
	config->stop = &cli_stop;
	if (find_reason(c, &r->reason, e) != 0 ||
	    work_required(c, "ca", &config->url, e) != 0 ||
	    set_identity(c, r, e) != 0 || set_trust(c, r, e) != 0 ||
	    work_timeout(c, &config->timeout, e) != 0)
		return burin_error_step(e, "options");
	return transport_check(config, e) == 0
	    ? 0
	    : burin_error_step(e, "transport");
}

static int
find_cert(struct revocation *r, struct burin_error *e)
{
	if (burin_cert_read(r->key, &r->certs, e) != 0)
		return burin_error_step(e, "read-certificate");
	r->cert = burin_certs_for_key(r->certs, burin_key_public(r->key));
	if (r->cert != NULL)
		return 0;
	(void)burin_fail(e, BURIN_ETOKEN, "certificate-missing",
	    "the key has no certificate on its token");
	return burin_error_advice(e,
	    "nothing here says which certificate is meant: ask the operator "
	    "of the authority");
}

static int
ask(struct cli *c, struct revocation *r, struct burin_error *e)
{
	struct transport_config *config = &r->config;

	if (config->user == NULL) {
		if ((config->client_key = burin_key_evp(r->key, e)) == NULL)
			return burin_error_step(e, "find-key");
		config->client_cert = r->cert;
	}
	work_catch_signals();
	if (transport_revoke(config, r->cert, reasons[r->reason].code, e) ==
	    0) {
		out_text(c, "revoked      %s", reasons[r->reason].name);
		return 0;
	}
	(void)burin_key_last_error(r->key, e);
	return burin_error_step(e, "revoke");
}

static void
tell(struct cli *c, const struct revocation *r)
{
	const char *by =
	    r->config.user == NULL ? "signed by the key" : "with a secret";
	char *serial;

	work_say_identity(c, r->key, r->cert);
	out_json(c, "certificate", json_cert(r->cert));
	out_json(c, "reason", json_text(reasons[r->reason].name));
	out_json(c, "protocol", json_text(r->config.protocol));
	if (!c->dry_run)
		return;
	serial = burin_serial_text(X509_get0_serialNumber(r->cert));
	out_text(c, "would ask %s (%s), %s, to revoke serial %s: %s",
	    r->config.url, r->config.protocol, by,
	    serial != NULL ? serial : "?", reasons[r->reason].name);
	free(serial);
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct revocation r;
	struct timespec start;
	int rc = -1;

	memset(&r, 0, sizeof(r));
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (set_all(c, &r, e) != 0 || work_key(c, &r.key, e) != 0 ||
	    find_cert(&r, e) != 0)
		goto out;
	tell(c, &r);
	if (!c->dry_run && ask(c, &r, e) != 0)
		goto out;
	out_json(c, "revoked", json_boolean(!c->dry_run));
	work_cost(c, &start);
	rc = 0;
out:
	if (rc != 0 && r.key != NULL)
		(void)burin_error_token(
		    e, "%s", burin_token_name(burin_key_token(r.key)));
	sk_X509_pop_free(r.config.tls_anchors, X509_free);
	sk_X509_pop_free(r.config.anchors, X509_free);
	sk_X509_pop_free(r.certs, X509_free);
	burin_key_free(&r.key);
	return rc;
}

const struct verb verb_revoke = {
	.name = "revoke",
	.usage = "--key URI --reason REASON --ca URL --trust FILE",
	.help = "ask the authority to revoke the certificate of a key",
	.opts = groups,
	.run = run,
};
