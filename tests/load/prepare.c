/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys and requests, before the clock starts: what is measured is the
 * authority.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

#include "load.h"
#include "pki.h"

#define MAX_JOBS 100000
/* Of ten: eight over EST, one of each CMC; three of four open a connection. */
#define OF_CMC 10
#define OF_KEPT 4

static void
must(const struct burin_error *e, int rc)
{
	if (rc != 0)
		load_die("%s: %s", e->code, e->reason);
}

static void
make_pkcs10(struct job *j)
{
	X509_REQ *req = pki_req(j->name, j->key, NULL);
	unsigned char *der = NULL;
	int n = i2d_X509_REQ(req, &der);

	X509_REQ_free(req);
	if (n <= 0)
		load_die("no request");
	if (j->kind == LOAD_SIMPLE) {
		j->body = der;
		j->len = (size_t)n;
		return;
	}
	if ((j->body = OPENSSL_malloc((size_t)n * 2)) == NULL)
		load_die("no memory");
	j->len = (size_t)EVP_EncodeBlock(j->body, der, n);
	OPENSSL_free(der);
}

static void
make_full(struct job *j)
{
	unsigned char key_id[BURIN_KEY_IDENTIFIER], *requests;
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms_signer signer = { .by = BURIN_CMS_BY_KEY,
		.key = j->key,
		.pub = j->key,
		.key_id = key_id,
		.key_id_len = sizeof(key_id),
		.signing_time = time(NULL) };
	struct burin_cmc_identity id = { .identification = j->name };
	struct burin_cmc_request request = { .form = BURIN_CMC_PKCS10,
		.pub = j->key,
		.how = { .pop = BURIN_POP_SIGNATURE, .key = j->key } };
	struct burin_cmc_ask ask = { .thread = &j->thread,
		.identity = &id,
		.link = 1,
		.signer = &signer };
	struct burin_subject *subject = NULL;
	struct burin_secret *secret = NULL;
	char dn[200];

	(void)snprintf(dn, sizeof(dn), "CN=%s", j->name);
	must(&e, burin_key_identifier(j->key, key_id, &e));
	must(&e, burin_secret_new(&secret, j->secret, strlen(j->secret), &e));
	must(&e, burin_subject_new(&subject, &e));
	must(&e, burin_subject_set_dn(subject, dn, &e));
	must(&e, burin_cmc_begin(&j->thread, &e));
	id.secret = secret;
	request.subject = subject;
	must(&e,
	    burin_cmc_requests_make(&request, 1, &j->thread, &id, &requests,
		&ask.requests_len, &e));
	ask.requests = requests;
	must(&e, burin_cmc_make(&ask, &j->body, &j->len, &e));
	OPENSSL_free(requests);
	burin_subject_free(&subject);
	burin_secret_free(&secret);
}

static void
make_job(struct load *l, const char *name, const char *secret)
{
	struct job *j = &l->jobs[l->n];

	j->name = strdup(name);
	j->secret = strdup(secret);
	if (j->name == NULL || j->secret == NULL)
		load_die("no memory");
	j->kind = l->n % OF_CMC == 1 ? LOAD_SIMPLE
	    : l->n % OF_CMC == 6     ? LOAD_FULL
				     : LOAD_EST;
	j->fresh = l->n % OF_KEPT != 0;
	j->key = pki_key("P-256");
	if (j->kind == LOAD_FULL)
		make_full(j);
	else
		make_pkcs10(j);
	l->n++;
}

static void
read_anchor(struct load *l)
{
	FILE *f = fopen(l->ca_path, "r");
	X509 *ca;

	if (f == NULL || (ca = PEM_read_X509(f, NULL, NULL, NULL)) == NULL)
		load_die("no certificate in %s", l->ca_path);
	(void)fclose(f);
	l->anchors = sk_X509_new_null();
	if (l->anchors == NULL || !sk_X509_push(l->anchors, ca))
		load_die("no memory");
}

void
load_prepare(struct load *l, const char *secrets)
{
	char name[160], secret[80];
	FILE *f = fopen(secrets, "r");

	read_anchor(l);
	if (f == NULL)
		load_die("cannot open %s", secrets);
	if ((l->jobs = calloc(MAX_JOBS, sizeof(*l->jobs))) == NULL)
		load_die("no memory");
	while (l->n < MAX_JOBS && fscanf(f, "%159s %79s", name, secret) == 2)
		make_job(l, name, secret);
	if (!feof(f) || l->n == 0)
		load_die("%s is no list of names and secrets", secrets);
	(void)fclose(f);
	OPENSSL_cleanse(secret, sizeof(secret));
}

void
load_clear(struct load *l)
{
	struct job *j;

	for (j = l->jobs; j < l->jobs + l->n; j++) {
		free(j->name);
		OPENSSL_clear_free(j->body, j->len);
		OPENSSL_cleanse(j->secret, strlen(j->secret));
		free(j->secret);
		EVP_PKEY_free(j->key);
		X509_free(j->cert);
		free(j->serial);
	}
	free(l->jobs);
	sk_X509_pop_free(l->anchors, X509_free);
}
