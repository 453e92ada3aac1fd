/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * planned -> key-made: the plan is proved to be one that can be carried
 * out, then the key is found or made. And, for every later step: finding
 * the key again.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "place.h"
#include "steps.h"

/* --- the plan, before anything is touched -------------------------------- */

int
walk_trust(struct walk *w, STACK_OF(X509) * anchors, struct burin_error *e)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *text;
	long n = 0;
	int i, ok = mem != NULL;

	for (i = 0; ok && i < sk_X509_num(anchors); i++)
		ok = PEM_write_bio_X509(mem, sk_X509_value(anchors, i));
	if (ok && (n = BIO_get_mem_data(mem, &text)) > 0)
		w->plan.trust = strndup(text, (size_t)n);
	BIO_free(mem);
	if (w->plan.trust == NULL)
		return burin_fail_memory(e);
	return walk_save_plan(w, e);
}

static int
bootstrap(struct walk *w, struct burin_error *e)
{
	struct transport_config c;
	STACK_OF(X509) *one = sk_X509_new_null();
	X509 *anchor = NULL;
	int rc = -1;

	if (walk_transport(w, &c, e) != 0)
		goto out;
	if (transport_bootstrap(&c, w->plan.ca_fingerprint, &anchor, e) != 0)
		goto out;
	rc = one != NULL && sk_X509_push(one, anchor) > 0
	    ? walk_trust(w, one, e)
	    : burin_fail_memory(e);
out:
	walk_transport_clear(&c);
	sk_X509_free(one);
	X509_free(anchor);
	return rc;
}

static int
check_trust(struct walk *w, struct burin_error *e)
{
	STACK_OF(X509) *anchors = NULL;

	if (w->plan.trust == NULL && w->plan.ca_fingerprint != NULL)
		return bootstrap(w, e);
	if (w->plan.trust == NULL && !plan_finds_anchors(&w->plan)) {
		burin_fail(e, BURIN_EUSAGE, "trust-missing",
		    "no trust anchor to check the certificate with");
		return burin_error_advice(e,
		    "give --trust FILE, or --ca-fingerprint for the first "
		    "contact");
	}
	if (walk_anchors(w, 0, &anchors, e) != 0)
		return -1;
	sk_X509_pop_free(anchors, X509_free);
	return 0;
}

/* Nothing must be found wrong later that could be found wrong now. */
static int
check_plan(struct walk *w, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	struct transport_config c;
	struct burin_key_spec spec;
	int rc = -1;

	if (walk_transport(w, &c, e) != 0)
		goto out;
	if (transport_check(&c, e) != 0 || plan_subject(&w->plan, &s, e) != 0)
		goto out;
	if (w->plan.key == NULL &&
	    (plan_key_spec(&w->plan, &spec, e) != 0 ||
		plan_can_prove(&w->plan, spec.type, spec.usage, e) != 0))
		goto out;
	rc = check_trust(w, e);
out:
	walk_transport_clear(&c);
	burin_subject_free(&s);
	return rc;
}

/* --- token and key ----------------------------------------------------- */

static int
set_text(char **field, const char *text, struct burin_error *e)
{
	char *copy;

	if (text == NULL || (copy = strdup(text)) == NULL)
		return burin_fail_memory(e);
	free(*field);
	*field = copy;
	return 0;
}

static int
remember_token(struct walk *w, struct burin_token *t, struct burin_error *e)
{
	const struct burin_token_info *info = burin_token_info(t);
	char *uri;
	int rc;

	w->token = t;
	uri = burin_token_uri(t);
	rc = set_text(&w->job->token_uri, uri, e);
	free(uri);
	if (rc != 0 || set_text(&w->job->token_label, info->label, e) != 0 ||
	    set_text(&w->job->token_serial, info->serial, e) != 0)
		return -1;
	return 0;
}

static int
walk_find_token(struct walk *w, struct burin_error *e)
{
	const char *name = w->job->token_uri;
	struct burin_token *t;

	if (w->token != NULL)
		return 0;
	if (name == NULL)
		name = w->plan.token;
	if (burin_token_find(w->en->p11, name, 0, &t, e) != 0)
		return -1;
	return remember_token(w, t, e);
}

int
walk_token(struct walk *w, struct burin_error *e)
{
	return walk_find_token(w, e) == 0 ? burin_token_login(w->token, e) : -1;
}

static int
set_public(struct walk *w, EVP_PKEY *pub, struct burin_error *e)
{
	unsigned char *der = NULL;
	int len, rc;

	if (pub == NULL || (len = i2d_PUBKEY(pub, &der)) <= 0)
		return burin_fail_openssl(e, BURIN_ETOKEN, "public-key-missing",
		    "the token does not give the public half of the key");
	rc = blob_set(&w->job->public_key, der, (size_t)len, e);
	OPENSSL_free(der);
	return rc;
}

/* Takes k over. */
static int
use_key(struct walk *w, struct burin_key *k, struct burin_error *e)
{
	const unsigned char *id;
	size_t len;
	char *uri;
	int rc;

	w->r->key = k;
	id = burin_key_id(k, &len);
	if (blob_set(&w->job->key_id, id, len, e) != 0 ||
	    set_public(w, burin_key_public(k), e) != 0)
		return -1;
	uri = burin_key_uri(k);
	rc = set_text(&w->job->key_uri, uri, e);
	free(uri);
	return rc;
}

/* The key under the final CKA_ID. *out NULL: none; another one: refused. */
static int
find_known(struct walk *w, struct burin_key **out, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	const unsigned char *der = w->job->public_key.data;
	EVP_PKEY *pub;
	int same;

	*out = NULL;
	if (w->job->key_id.len == 0 || w->job->public_key.len == 0)
		return 0;
	if (burin_key_find_id(w->token, w->job->key_id.data, w->job->key_id.len,
		out, &why) != 0) {
		if (strcmp(why.code, "key-missing") == 0)
			return 0;
		*e = why;
		return -1;
	}
	pub = d2i_PUBKEY(NULL, &der, (long)w->job->public_key.len);
	same = pub != NULL && EVP_PKEY_eq(pub, burin_key_public(*out)) == 1;
	EVP_PKEY_free(pub);
	if (same)
		return 0;
	burin_key_free(out);
	burin_fail(e, BURIN_ETOKEN, "key-changed",
	    "the key under this job's CKA_ID is another one than when the job "
	    "began");
	return burin_error_advice(e,
	    "put in the token that the job began with; or give it up with "
	    "burin abandon %s",
	    w->job->id);
}

int
walk_key(struct walk *w, struct burin_error *e)
{
	struct burin_key *k;

	if (w->r->key != NULL)
		return 0;
	if (walk_token(w, e) != 0 || find_known(w, &k, e) != 0)
		return -1;
	if (k == NULL) {
		burin_fail(e, BURIN_ETOKEN, "key-missing",
		    "the key of job %s is no longer on the token", w->job->id);
		return burin_error_advice(
		    e, "burin abandon %s, and enrol anew", w->job->id);
	}
	w->r->key = k;
	return 0;
}

/* Called by the token layer while the key still has its first CKA_ID. */
static int
on_made(void *arg, EVP_PKEY *pub, const unsigned char *final_id, size_t len,
    struct burin_error *e)
{
	struct walk *w = arg;

	if (set_public(w, pub, e) != 0 ||
	    blob_set(&w->job->key_id, final_id, len, e) != 0)
		return -1;
	return journal_save(w->en->journal, w->job, e);
}

/* before is to be freed. */
static int
made_spec(struct walk *w, struct burin_key_spec *spec, EVP_PKEY **before,
    struct burin_error *e)
{
	const unsigned char *der = w->job->key_before.data;

	if (plan_key_spec(&w->plan, spec, e) != 0)
		return -1;
	if (w->job->key_before.len > 0 && *before == NULL &&
	    (*before = d2i_PUBKEY(NULL, &der, (long)w->job->key_before.len)) ==
		NULL)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "journal-row",
		    "the journal has no sound key of before job %s",
		    w->job->id);
	spec->id = w->job->made_id.data;
	spec->id_len = w->job->made_id.len;
	spec->overwrite = w->plan.replace;
	spec->before = *before;
	spec->made = on_made;
	spec->made_arg = w;
	return 0;
}

static int
complete_made(struct walk *w, struct burin_key **out, struct burin_error *e)
{
	struct burin_key_spec spec;
	EVP_PKEY *before = NULL;
	int rc = -1;

	if (made_spec(w, &spec, &before, e) == 0)
		rc = burin_key_find_made(w->token, &spec, out, e);
	EVP_PKEY_free(before);
	return rc;
}

int
walk_find_made(
    struct walk *w, int complete, struct burin_key **out, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;

	*out = NULL;
	/* In a place, only its public half tells a key from another. */
	if (w->job->made_id.len > 0 &&
	    (complete ||
		burin_token_place_of(w->token, w->job->made_id.data,
		    w->job->made_id.len) == NULL)) {
		if (!complete) {
			if (burin_key_find_id(w->token, w->job->made_id.data,
				w->job->made_id.len, out, &why) != 0 &&
			    strcmp(why.code, "key-missing") != 0) {
				*e = why;
				return -1;
			}
		} else if (complete_made(w, out, e) != 0) {
			return -1;
		}
	}
	return *out != NULL ? 0 : find_known(w, out, e);
}

/* A key that renews another is called like it. */
static int
old_label(struct walk *w, struct burin_error *e)
{
	const char *label;

	if (w->plan.label != NULL || w->plan.reenroll_key == NULL ||
	    !plan_names_nobody(&w->plan))
		return 0;
	if (walk_old(w, e) != 0)
		return -1;
	label = burin_key_label(w->old_key);
	if (label[0] != '\0' && (w->plan.label = strdup(label)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

/* What is in the place now, so that it is known from what comes. */
static int
note_before(struct walk *w, const struct place_use *use, struct burin_error *e)
{
	unsigned char *der = NULL;
	int len, rc;

	if (use->occupied && w->en->note != NULL)
		w->en->note(w->en->arg, use->text);
	if (use->pub == NULL)
		return 0;
	if ((len = i2d_PUBKEY(use->pub, &der)) <= 0)
		return burin_fail_memory(e);
	rc = blob_set(&w->job->key_before, der, (size_t)len, e);
	OPENSSL_free(der);
	return rc;
}

/* On a token whose keys have places; *taken 0: on another one. */
static int
take_place(struct walk *w, int *taken, struct burin_error *e)
{
	const struct burin_place *place;
	struct burin_key_spec spec;
	struct place_use use;
	int rc = -1;

	*taken = 0;
	if (plan_key_spec(&w->plan, &spec, e) != 0 ||
	    burin_token_place(
		w->token, w->plan.slot, plan_usage(&spec), &place, e) != 0)
		return -1;
	if (place == NULL)
		return 0;
	*taken = 1;
	if (place_look(w->token, place, &use, e) != 0)
		return -1;
	if (place_check(w->token, &use, w->plan.replace, e) == 0 &&
	    note_before(w, &use, e) == 0)
		rc = blob_set(&w->job->made_id, &place->id, 1, e);
	place_use_clear(&use);
	return rc;
}

/* What will name the key is committed before there is a key. */
static int
commit_made_id(struct walk *w, struct burin_error *e)
{
	unsigned char id[MADE_ID_LEN];
	int taken;

	if (old_label(w, e) != 0 || plan_settle_label(&w->plan, e) != 0 ||
	    take_place(w, &taken, e) != 0)
		return -1;
	if (!taken) {
		if (RAND_bytes(id, sizeof(id)) != 1)
			return burin_fail_openssl(e, BURIN_EINTERNAL, "random",
			    "no random numbers to be had");
		if (blob_set(&w->job->made_id, id, sizeof(id), e) != 0)
			return -1;
	}
	w->job->key_made_by_us = 1;
	return walk_save_plan(w, e);
}

/* Nothing is typed for a token that could not be written to anyway. */
static int
check_writable(struct walk *w, struct burin_error *e)
{
	return walk_find_token(w, e) == 0 ? burin_token_check_write(w->token, e)
					  : -1;
}

static int
make_key(struct walk *w, struct burin_error *e)
{
	struct burin_key *k = NULL;
	struct burin_key_spec spec;
	EVP_PKEY *before = NULL;
	int rc;

	/* Nothing is written down for a token that does not let us in. */
	if (check_writable(w, e) != 0 || walk_token(w, e) != 0)
		return -1;
	if (w->job->made_id.len > 0) {
		if (walk_find_made(w, 1, &k, e) != 0)
			return -1;
	} else if (commit_made_id(w, e) != 0) {
		return -1;
	}
	if (k == NULL) {
		rc = made_spec(w, &spec, &before, e);
		if (rc == 0)
			rc = burin_keygen(w->token, &spec, &k, e);
		EVP_PKEY_free(before);
		if (rc != 0)
			return -1;
		w->key_fresh = 1;
	}
	(void)snprintf(w->text, sizeof(w->text), "%s key pair %s the token",
	    burin_key_type_name(burin_key_get_type(k)),
	    w->key_fresh ? "made on" : "found again on");
	return use_key(w, k, e);
}

static int
take_key(struct walk *w, struct burin_error *e)
{
	struct burin_key *k;

	if (burin_key_find(w->en->p11, w->plan.key, &k, e) != 0)
		return -1;
	if (use_key(w, k, e) != 0 ||
	    remember_token(w, burin_key_token(k), e) != 0 ||
	    plan_can_prove(
		&w->plan, burin_key_get_type(k), burin_key_usage(k), e) != 0)
		return -1;
	(void)snprintf(w->text, sizeof(w->text), "%s key found on the token",
	    burin_key_type_name(burin_key_get_type(k)));
	/* Known now: a certificate that could not be written later. */
	return walk_present(w, e);
}

int
step_key(struct walk *w, enum job_state *next, struct burin_error *e)
{
	if (check_plan(w, e) != 0)
		return -1;
	if ((w->plan.key != NULL ? take_key(w, e) : make_key(w, e)) != 0)
		return -1;
	*next = JOB_KEY_MADE;
	return 0;
}
