/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The world of test_authority_cmc*.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/names.h>

#include "cmc_bench.h"

static const char profile_text[] =
    "[profile]\nname = unit\ndescription = Unit test\n"
    "key_types = ec:P-256, ec:P-384, ec:P-521, rsa:2048, rsa:3072, "
    "ed25519, ed448, x25519\nusage = sign\n"
    "[request]\nkeyUsage = critical,digitalSignature\n"
    "[certificate]\ndays = 1\ncopy = subjectAltName\n"
    "keyUsage = critical,digitalSignature,keyAgreement\n"
    "subjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid:always\n";
static const char ra_text[] =
    "[profile]\nname = ra\ndescription = Unit test of an RA\n"
    "key_types = ec:P-256\nusage = sign\n"
    "[certificate]\ndays = 1\nkeyUsage = critical,digitalSignature\n"
    "extendedKeyUsage = cmcRA\n"
    "subjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid:always\n";

void
must(struct burin_error *e, int rc)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e->code, e->reason, e->cause);
	burin_error_clear(e);
	assert_int_equal(ERR_peek_error(), 0);
}

/* --- the bench -------------------------------------------------------------
 */

void
write_file(const char *dir, const char *name, const char *text)
{
	char path[160];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(f = fopen(path, "w"));
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

X509 *
own_cert(struct bench *b, EVP_PKEY *key, const char *usage, const char *eku)
{
	const char *exts[] = { usage, "subjectKeyIdentifier=hash",
		"authorityKeyIdentifier=keyid", eku, NULL };
	struct pki_spec spec = { .cn = "Unit CA",
		.exts = exts,
		.key = key,
		.issuer = b->ca.cert,
		.issuer_key = b->ca_key };

	return pki_cert(&spec);
}

int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/burin-unit-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	(void)snprintf(b->profiles, sizeof(b->profiles), "%s/p", b->dir);
	assert_int_equal(mkdir(b->profiles, 0700), 0);
	write_file(b->profiles, "unit.cnf", profile_text);
	write_file(b->profiles, "ra.cnf", ra_text);
	/* The operator's functions look what init has made. */
	write_file(b->dir, "authority.cnf",
	    "[authority]\nname = x\ntoken = t\nhosts = h\nca_key = a\n"
	    "cmc_key = b\ntls_key = c\npop_key = d\n");
	must(&b->e, store_open(b->dir, 1, &b->s.store, &b->e));
	b->cnf.crl_days = 1;
	b->cnf.retry_after = 30;
	b->ca_key = pki_key("P-256");
	issuer_of_key(&b->ca, b->ca_key, pki_ca("Unit CA", b->ca_key));
	b->s.ca = &b->ca;
	b->s.cnf = &b->cnf;
	b->s.profiles = b->profiles;
	b->s.key = pki_key("P-256");
	b->s.cert = own_cert(b, b->s.key, "keyUsage=critical,digitalSignature",
	    "extendedKeyUsage=cmcCA");
	b->s.pop_key = pki_key("P-256");
	b->s.pop_cert =
	    own_cert(b, b->s.pop_key, "keyUsage=critical,keyAgreement", NULL);
	memset(b->s.nonce_key, 7, sizeof(b->s.nonce_key));
	assert_non_null(b->anchors = sk_X509_new_null());
	assert_true(sk_X509_push(b->anchors, b->ca.cert) > 0);
	*state = b;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
teardown(void **state)
{
	struct bench *b = *state;

	store_close(&b->s.store);
	sk_X509_free(b->anchors);
	X509_free(b->ca.cert);
	X509_free(b->s.cert);
	X509_free(b->s.pop_cert);
	EVP_PKEY_free(b->ca_key);
	EVP_PKEY_free(b->s.key);
	EVP_PKEY_free(b->s.pop_key);
	(void)nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

/* --- a client ------------------------------------------------------------ */

void
client_at(struct bench *b, const struct cmc_server *at, struct client *c,
    const char *name, const char *key_type, const char *profile)
{
	char dn[64], secret[64];
	struct invite in = { 0 };

	memset(c, 0, sizeof(*c));
	c->b = b;
	c->to = at;
	c->name = name;
	(void)snprintf(dn, sizeof(dn), "CN=%s", name);
	(void)snprintf(secret, sizeof(secret), "sixteen letters of %s", name);
	must(
	    &b->e, burin_secret_new(&c->secret, secret, strlen(secret), &b->e));
	c->id = (struct burin_cmc_identity) { name, c->secret, 0, 0 };
	must(&b->e, burin_subject_new(&c->subject, &b->e));
	must(&b->e, burin_subject_set_dn(c->subject, dn, &b->e));
	c->key = pki_key(key_type);
	must(&b->e, burin_key_identifier(c->key, c->key_id, &b->e));
	must(&b->e, burin_cmc_begin(&c->thread, &b->e));
	in.name = strdup(name);
	in.profile = profile != NULL ? strdup(profile) : NULL;
	in.created = PKI_NOW;
	in.expires = PKI_NOW + 3600;
	must(&b->e, secret_keep(&in, secret, strlen(secret), &b->e));
	must(&b->e, store_begin(at->store, &b->e));
	must(&b->e, store_invite_put(at->store, &in, c->secret, &b->e));
	must(&b->e, store_end(at->store, 1, &b->e));
	invite_clear(&in);
}

void
client_new(struct bench *b, struct client *c, const char *name,
    const char *key_type, const char *profile)
{
	client_at(b, &b->s, c, name, key_type, profile);
}

void
client_clear(struct client *c)
{
	burin_cmc_reply_clear(&c->reply);
	cmc_reply_clear(&c->said);
	OPENSSL_free(c->reqs);
	OPENSSL_free(c->sent);
	burin_secret_free(&c->secret);
	burin_subject_free(&c->subject);
	EVP_PKEY_free(c->key);
}

struct burin_cms_signer
by_key(const struct client *c)
{
	return (struct burin_cms_signer) { .by = BURIN_CMS_BY_KEY,
		.key = c->key,
		.pub = c->key,
		.key_id = c->key_id,
		.key_id_len = sizeof(c->key_id),
		.signing_time = PKI_NOW };
}

struct burin_cms_signer
by_cert(const struct client *c, X509 *cert)
{
	return (struct burin_cms_signer) { .by = BURIN_CMS_BY_CERT,
		.key = c->key,
		.pub = c->key,
		.cert = cert,
		.signing_time = PKI_NOW };
}

void
make_requests(struct client *c, enum burin_cmc_form form, enum burin_pop pop,
    const struct burin_cmc_identity *id)
{
	struct burin_cmc_request r = { form, c->subject, c->key,
		{ .pop = pop,
		    .key = pop == BURIN_POP_CHALLENGE ? NULL : c->key,
		    .authority = c->to->pop_cert,
		    .agree = -1 } };
	struct burin_error *e = &c->b->e;

	OPENSSL_free(c->reqs);
	must(e,
	    burin_cmc_requests_make(
		&r, 1, &c->thread, id, &c->reqs, &c->reqs_len, e));
}

/* The authority's answer to what is in c->sent. */
void
turn(struct client *c)
{
	struct cmc_turn t = { .data = c->sent,
		.len = c->sent_len,
		.via = "cmc",
		.now = PKI_NOW };
	struct burin_error *e = &c->b->e;

	cmc_reply_clear(&c->said);
	must(e, cmc_serve(c->to, &t, &c->said, e));
}

/* What the end entity, or an RA that sent a layer, makes of it. */
int
hears(struct client *c, int layer)
{
	struct burin_cmc_expect x = { .status = BURIN_ECHECK,
		.thread = &c->thread,
		.request = c->sent,
		.request_len = c->sent_len,
		.anchors = c->b->anchors,
		.now = PKI_NOW,
		.anchors_seen = c->anchors_seen,
		.simple = 1 };
	int rc;

	if (c->simply)
		x.thread = NULL;
	if (c->no_anchor) {
		x.anchors = NULL;
		x.bootstrap = 1;
		x.identity = &c->id;
	}

	if (layer) {
		x.layer = c->sent;
		x.layer_len = c->sent_len;
	}

	burin_cmc_reply_clear(&c->reply);
	burin_error_clear(&c->b->e);
	rc = burin_cmc_read(c->said.der, c->said.len, &x, &c->reply, &c->b->e);
	if (rc == 0)
		c->thread.received = c->reply.server_nonce;
	return rc;
}

int
say(struct client *c, const struct burin_cmc_ask *ask)
{
	struct burin_error *e = &c->b->e;

	OPENSSL_free(c->sent);
	must(e, burin_cmc_make(ask, &c->sent, &c->sent_len, e));
	turn(c);
	return hears(c, 0);
}

/* A first message: requests, proof of identity, link. */
int
enrol(struct client *c, const struct burin_cms_signer *signer)
{
	struct burin_cmc_ask ask = { .thread = &c->thread,
		.requests = c->reqs,
		.requests_len = c->reqs_len,
		.identity = &c->id,
		.link = 1,
		.signer = signer };

	return say(c, &ask);
}

void
next_nonce(struct client *c)
{
	must(&c->b->e, burin_cmc_next(&c->thread, &c->b->e));
}

/* The certificate for key in the reply; borrowed. */
X509 *
got(struct client *c)
{
	int i;

	for (i = 0; i < sk_X509_num(c->reply.certs); i++) {
		X509 *cert = sk_X509_value(c->reply.certs, i);

		if (EVP_PKEY_eq(X509_get0_pubkey(cert), c->key) == 1) {
			/* Of other types of keys it says so there. */
			ERR_clear_error();
			assert_int_equal(X509_verify(cert, c->b->ca_key), 1);
			return cert;
		}
	}
	fail_msg("no certificate for %s", c->name);
	return NULL;
}

void
refused(struct client *c, const char *code)
{
	assert_string_equal(c->b->e.code, code);
	assert_int_equal(c->b->e.status, BURIN_EAUTHORITY);
	assert_int_equal(sk_X509_num(c->reply.certs) > 1 &&
		c->said.status == BURIN_CMC_SUCCESS,
	    0);
}

long long
lines_of(struct bench *b, const char *event)
{
	struct counts n;

	must(&b->e, store_begin(b->s.store, &b->e));
	must(&b->e, store_counts(b->s.store, PKI_NOW, &n, &b->e));
	must(&b->e, store_end(b->s.store, 0, &b->e));
	return strcmp(event, "refused") == 0 ? n.refused
	    : strcmp(event, "issued") == 0   ? n.issued
					     : n.revocations;
}

/* Enrols c and gives its certificate. */
X509 *
enrolled(struct client *c)
{
	struct burin_cms_signer s = by_key(c);

	make_requests(c, BURIN_CMC_PKCS10, BURIN_POP_SIGNATURE, &c->id);
	must(&c->b->e, enrol(c, &s));
	return X509_dup(got(c));
}

void
relay_new(struct bench *b, struct relay *ra, const char *profile)
{
	client_new(b, &ra->c, "station", "P-256", profile);
	ra->cert = enrolled(&ra->c);
	ra->signer = by_cert(&ra->c, ra->cert);
	must(&b->e, burin_cmc_begin(&ra->c.thread, &b->e));
}

void
relay_clear(struct relay *ra)
{
	X509_free(ra->cert);
	client_clear(&ra->c);
}

/* Passes on n messages in one batch. */
int
pass_on(struct relay *ra, const struct burin_cmc_bytes *list, size_t n,
    const struct burin_cmc_vouch *vouches, size_t n_vouches)
{
	struct burin_cmc_layer l = { .thread = &ra->c.thread,
		.messages = list,
		.n_messages = n,
		.batch = 1,
		.vouches = vouches,
		.n_vouches = n_vouches,
		.signer = &ra->signer };
	struct burin_error *e = &ra->c.b->e;

	OPENSSL_free(ra->c.sent);
	must(e, burin_cmc_layer_make(&l, &ra->c.sent, &ra->c.sent_len, e));
	turn(&ra->c);
	return hears(&ra->c, 1);
}

/* A message of somebody whose secret only the RA knows. */
void
stranger(struct client *c, enum burin_cms_by by)
{
	struct burin_cms_signer s = by_key(c);
	struct burin_cmc_ask ask = { .thread = &c->thread,
		.requests = c->reqs,
		.requests_len = c->reqs_len,
		.identity = &c->id,
		.link = 1,
		.signer = &s };

	s.by = by;
	s.key = by == BURIN_CMS_BY_KEY ? c->key : NULL;
	OPENSSL_free(c->sent);
	must(&c->b->e, burin_cmc_make(&ask, &c->sent, &c->sent_len, &c->b->e));
}

/* The answer to message number i of the batch, as its sender reads it. */
int
unpack(struct relay *ra, size_t i, struct client *c)
{
	const unsigned char *der;
	size_t len;

	must(&c->b->e, burin_cmc_reply_inside(&ra->c.reply, i, &der, &len));
	assert_non_null(der);
	cmc_reply_clear(&c->said);
	c->said.der = OPENSSL_memdup(der, len);
	c->said.len = len;
	return hears(c, 0);
}

X509_NAME *
name_of(const char *cn)
{
	X509_NAME *name = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)cn, -1, -1, 0),
	    1);
	return name;
}
