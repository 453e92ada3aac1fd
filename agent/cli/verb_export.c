/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin export: the certificates of a key with their chain.
 */

#include <stdlib.h>
#include <string.h>

#include "verbs.h"
#include "work.h"

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI", "the key" },
	{ "certs-only", 0, OPT_FLAG, NULL,
	    "PKCS#7 certs-only (default: PEM certificates)" },
	{ "out", 0, OPT_VALUE, "FILE", "where it goes; - is standard output" },
	{ "trust", 0, OPT_VALUE, "FILE",
	    "more certificates to make the chain of" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_dry_run, opts_common,
	NULL };

/* Certificates on the token, from its inventory. */
static int
add_token(struct burin_key *key, STACK_OF(X509) * bag, struct burin_error *e)
{
	struct burin_object *objects = NULL;
	size_t i, n = 0;
	int rc = -1;

	if (burin_token_objects(burin_key_token(key), &objects, &n, e) != 0)
		return -1;
	for (i = 0; i < n; i++)
		if (objects[i].cert != NULL &&
		    X509_add_cert(bag, objects[i].cert, X509_ADD_FLAG_UP_REF) !=
			1) {
			(void)burin_fail_memory(e);
			goto out;
		}
	rc = 0;
out:
	burin_objects_free(&objects, n);
	return rc;
}

/* The path that was verified when the certificate was enrolled. */
static int
add_journal(struct cli *c, STACK_OF(X509) * bag, struct burin_error *e)
{
	STACK_OF(X509) * chain;
	struct job *jobs = NULL;
	size_t i, n = 0;

	if (cli_journal(c, e) != 0 ||
	    journal_list(c->journal, 0, &jobs, &n, e) != 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (jobs[i].state == JOB_DONE && jobs[i].chain.len > 0 &&
		    burin_certs_parse(jobs[i].chain.data, jobs[i].chain.len,
			BURIN_EINTERNAL, &chain, NULL) == 0) {
			(void)X509_add_certs(bag, chain,
			    X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP);
			sk_X509_pop_free(chain, X509_free);
		}
		job_clear(&jobs[i]);
	}
	free(jobs);
	return 0;
}

static int
issued(X509 *issuer, X509 *cert)
{
	EVP_PKEY *pub = X509_get0_pubkey(issuer);

	return X509_check_issued(issuer, cert) == X509_V_OK && pub != NULL &&
	    X509_verify(cert, pub) == 1;
}

/* leaf and its issuers as far as bag reaches. */
static int
make_chain(X509 *leaf, STACK_OF(X509) * bag, STACK_OF(X509) * *out,
    struct burin_error *e)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *at = leaf;
	int i;

	if (chain == NULL || !X509_add_cert(chain, leaf, X509_ADD_FLAG_UP_REF))
		goto memory;
	while (sk_X509_num(chain) < BURIN_MAX_CHAIN && !issued(at, at)) {
		for (i = 0; i < sk_X509_num(bag); i++)
			if (issued(sk_X509_value(bag, i), at))
				break;
		if (i == sk_X509_num(bag))
			break;
		at = sk_X509_value(bag, i);
		if (!X509_add_cert(chain, at, X509_ADD_FLAG_UP_REF))
			goto memory;
	}
	*out = chain;
	return 0;
memory:
	sk_X509_pop_free(chain, X509_free);
	return burin_fail_memory(e);
}

static int
collect(struct cli *c, struct burin_key *key, STACK_OF(X509) * *chain,
    struct burin_error *e)
{
	const char *trust = arg_value(c->args, "trust");
	STACK_OF(X509) *bag = NULL;
	X509 *leaf;
	int rc = -1;

	if (trust != NULL) {
		if (work_certs(trust, &bag, e) != 0)
			return -1;
	} else if ((bag = sk_X509_new_null()) == NULL) {
		return burin_fail_memory(e);
	}
	if (add_token(key, bag, e) != 0 || add_journal(c, bag, e) != 0)
		goto out;
	leaf = burin_certs_for_key(bag, burin_key_public(key));
	if (leaf == NULL) {
		(void)burin_fail(e, BURIN_ETOKEN, "certificate-missing",
		    "the token holds no certificate of this key");
		(void)burin_error_token(
		    e, "%s", burin_token_name(burin_key_token(key)));
		goto out;
	}
	rc = make_chain(leaf, bag, chain, e);
out:
	sk_X509_pop_free(bag, X509_free);
	return rc;
}

static int
write_certs(struct cli *c, const char *path, STACK_OF(X509) * chain,
    struct burin_error *e)
{
	unsigned char *der = NULL;
	char *pem = NULL;
	size_t len;
	int rc;

	if (arg_flag(c->args, "certs-only")) {
		rc = burin_certs_only_make(chain, &der, &len, e);
		if (rc == 0)
			rc = file_write(path, der, len, 0644, e);
	} else {
		rc = work_pem(chain, &pem, &len, e);
		if (rc == 0)
			rc = file_write(path, pem, len, 0644, e);
	}
	OPENSSL_free(der);
	free(pem);
	return rc;
}

static void
json_chain(struct cli *c, STACK_OF(X509) * chain)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < sk_X509_num(chain); i++)
		(void)json_array_append_new(
		    list, json_cert(sk_X509_value(chain, i)));
	out_json(c, "certificates", list);
}

static int
run(struct cli *c, struct burin_error *e)
{
	STACK_OF(X509) *chain = NULL;
	struct burin_key *key = NULL;
	const char *path;
	int n, rc = -1;

	if (work_out(c, &path, e) != 0 || work_key(c, &key, e) != 0)
		goto out;
	if (collect(c, key, &chain, e) != 0) {
		(void)burin_error_step(e, "collect");
		goto out;
	}
	n = sk_X509_num(chain);
	json_chain(c, chain);
	out_json(c, "out", json_text(path));
	if (c->dry_run) {
		out_text(c, "would write %d %s to %s", n,
		    n == 1 ? "certificate" : "certificates", path);
		rc = 0;
		goto out;
	}
	if ((rc = write_certs(c, path, chain, e)) != 0)
		(void)burin_error_step(e, "write-file");
	else if (strcmp(path, "-") != 0)
		out_text(c, "%d %s in %s", n,
		    n == 1 ? "certificate" : "certificates", path);
out:
	sk_X509_pop_free(chain, X509_free);
	burin_key_free(&key);
	return rc;
}

const struct verb verb_export = {
	.name = "export",
	.usage = "--key URI --certs-only --out FILE",
	.help = "the certificates of a key, with their chain",
	.opts = groups,
	.run = run,
};
