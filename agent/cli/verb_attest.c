/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin attest: did the device make this key itself, and how is it guarded?
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attest_out.h"
#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI", "the key" },
	{ "trust", 0, OPT_VALUE, "FILE",
	    "root certificates of the device's maker" },
	{ "out", 0, OPT_VALUE, "FILE",
	    "where the attestation goes, with what is above it, as PEM" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_wait, opts_common,
	NULL };

/* A key whose attestation is checked. */
struct attested {
	struct burin_key *key;
	X509 *cert;
	STACK_OF(X509) * above;
};

static int
check(struct cli *c, const struct attested *a, struct burin_checks *checks,
    struct burin_attest *said, struct burin_error *e)
{
	const char *trust = arg_value(c->args, "trust");
	struct burin_attest_input in;
	int rc = -1;

	memset(&in, 0, sizeof(in));
	if (trust != NULL && work_certs(trust, &in.anchors, e) != 0)
		goto out;
	in.cert = a->cert;
	in.above = a->above;
	in.pub = burin_key_public(a->key);
	in.now = time(NULL);
	rc = burin_attest_check(&in, checks, said, e);
out:
	sk_X509_pop_free(in.anchors, X509_free);
	return rc == 0 ? 0 : burin_error_step(e, "check");
}

/* The attestation first, then the certificates above. */
static int
write_out(struct cli *c, const struct attested *a, struct burin_error *e)
{
	const char *path = arg_value(c->args, "out");
	STACK_OF(X509) * all;
	char *pem = NULL;
	size_t len;
	int rc = -1;

	if (path == NULL)
		return 0;
	if ((all = sk_X509_dup(a->above)) == NULL ||
	    sk_X509_insert(all, a->cert, 0) <= 0)
		(void)burin_fail_memory(e);
	else if (work_pem(all, &pem, &len, e) == 0)
		rc = file_write(path, pem, len, 0644, e);
	free(pem);
	sk_X509_free(all);
	if (rc != 0)
		return burin_error_step(e, "write-file");
	out_json(c, "out", json_text(path));
	return 0;
}

static int
holds(const struct burin_checks *checks)
{
	size_t i;

	for (i = 0; i < checks->n; i++)
		if (checks->list[i].level == BURIN_FAIL ||
		    checks->list[i].level == BURIN_SKIP)
			return 0;
	return checks->n > 0;
}

static int
tell(struct cli *c, const struct burin_checks *checks,
    const struct burin_attest *said, struct burin_error *e)
{
	json_t *o = json_attest(said);
	char line[400];
	size_t i;

	attest_line(o, line, sizeof(line));
	out_text(c, "attestation  %s", line[0] != '\0' ? line : "unreadable");
	for (i = 0; i < checks->n; i++)
		out_text(c, "%-4s  %-3s %s: %s",
		    burin_check_level_name(checks->list[i].level),
		    checks->list[i].id, checks->list[i].title,
		    checks->list[i].detail);
	(void)json_object_set_new(o, "verified", json_boolean(holds(checks)));
	out_json(c, "attestation", o);
	out_json(c, "checks", json_checks(checks));
	if (burin_checks_verdict(checks, BURIN_EVERIFY, e) != 0)
		return -1;
	out_text(c, "made on the device");
	return 0;
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct attested a = { NULL, NULL, NULL };
	struct burin_attest said;
	struct burin_checks checks;
	struct timespec start;
	const char *path = arg_value(c->args, "out");
	int rc = -1;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (path != NULL && work_out(c, &path, e) != 0)
		return burin_error_step(e, "options");
	if (work_key(c, &a.key, e) != 0 ||
	    burin_attestation_read(a.key, &a.cert, &a.above, e) != 0)
		goto out;
	work_say_identity(c, a.key, NULL);
	if (check(c, &a, &checks, &said, e) != 0 || write_out(c, &a, e) != 0)
		goto out;
	work_cost(c, &start);
	rc = tell(c, &checks, &said, e);
out:
	if (rc != 0 && a.key != NULL)
		(void)burin_error_token(
		    e, "%s", burin_token_name(burin_key_token(a.key)));
	X509_free(a.cert);
	sk_X509_pop_free(a.above, X509_free);
	burin_key_free(&a.key);
	return rc;
}

const struct verb verb_attest = {
	.name = "attest",
	.usage = "--key URI [--trust FILE] [--out FILE]",
	.help = "did the device make this key itself?",
	.opts = groups,
	.run = run,
};
