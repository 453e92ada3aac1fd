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

#include "service.h"
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
find_cert(struct cli *c, struct service *s, struct burin_error *e)
{
	if (service_key(c, s, e) == 0)
		return 0;
	if (strcmp(e->code, "certificate-missing") == 0)
		(void)burin_error_advice(e,
		    "nothing here says which certificate is meant: ask the "
		    "operator of the authority");
	return -1;
}

static int
ask(struct cli *c, struct service *s, size_t reason, struct burin_error *e)
{
	if (service_speak(s, e) != 0)
		return -1;
	work_catch_signals();
	if (transport_revoke(&s->config, s->cert, reasons[reason].code, e) != 0)
		return service_failed(s, "revoke", e);
	out_text(c, "revoked      %s", reasons[reason].name);
	return 0;
}

static void
tell(struct cli *c, const struct service *s, size_t reason)
{
	char *serial;

	work_say_identity(c, s->key, s->cert);
	out_json(c, "certificate", json_cert(s->cert));
	out_json(c, "reason", json_text(reasons[reason].name));
	out_json(c, "protocol", json_text(s->config.protocol));
	if (!c->dry_run)
		return;
	serial = burin_serial_text(X509_get0_serialNumber(s->cert));
	out_text(c, "would ask %s (%s), %s, to revoke serial %s: %s",
	    s->config.url, s->config.protocol, service_voice(s),
	    serial != NULL ? serial : "?", reasons[reason].name);
	free(serial);
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct service s;
	struct timespec start;
	size_t reason = 0;
	int rc = -1;

	memset(&s, 0, sizeof(s));
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (find_reason(c, &reason, e) != 0) {
		(void)burin_error_step(e, "options");
		goto out;
	}
	if (service_options(c, &s, DEFAULT_PROTOCOL, TRANSPORT_REVOCATION, e) !=
		0 ||
	    find_cert(c, &s, e) != 0)
		goto out;
	tell(c, &s, reason);
	if (!c->dry_run && ask(c, &s, reason, e) != 0)
		goto out;
	out_json(c, "revoked", json_boolean(!c->dry_run));
	work_cost(c, &start);
	rc = 0;
out:
	return service_close(&s, rc, e);
}

const struct verb verb_revoke = {
	.name = "revoke",
	.usage = "--key URI --reason REASON --ca URL --trust FILE",
	.help = "ask the authority to revoke the certificate of a key",
	.opts = groups,
	.run = run,
};
