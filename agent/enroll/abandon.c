/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Giving a job up: what it made and nobody uses goes from the token, what it
 * replaced comes back, what others made stays.
 */

#include <stdlib.h>
#include <string.h>

#include "steps.h"

/* What is on the token of a job, and what is to be done about it. */
struct leftovers {
	struct burin_key *key;	 /* NULL: none */
	struct burin_id_use use; /* certs NULL without a key */
	X509 *own;		 /* the certificate of the job, or NULL */
	X509 *replaced;		 /* what it took the place of, or NULL */
	int remove_cert;	 /* own is on the token */
	int restore;		 /* replaced is to come back */
	int remove_key;
	int key_stays; /* such a token cannot delete keys */
};

static void
leftovers_clear(struct leftovers *l)
{
	burin_key_free(&l->key);
	sk_X509_pop_free(l->use.certs, X509_free);
	X509_free(l->own);
	X509_free(l->replaced);
}

static int
parse_cert(const struct blob *b, X509 **out, struct burin_error *e)
{
	if (b->len == 0)
		return 0;
	return burin_cert_parse(b->data, b->len, BURIN_EINTERNAL, out, e);
}

static int
others_certs(const struct leftovers *l)
{
	int i, n = 0;

	for (i = 0; i < sk_X509_num(l->use.certs); i++)
		if (l->own == NULL ||
		    X509_cmp(sk_X509_value(l->use.certs, i), l->own) != 0)
			n++;
	return n;
}

static int
look(struct walk *w, int dry_run, struct leftovers *l, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;

	if (!w->job->key_made_by_us && w->job->certificate.len == 0)
		return 0;
	if (parse_cert(&w->job->certificate, &l->own, e) != 0 ||
	    parse_cert(&w->job->cert_replaced, &l->replaced, e) != 0 ||
	    walk_token(w, e) != 0)
		return -1;
	if (walk_find_made(w, !dry_run, &l->key, &why) != 0 &&
	    strcmp(why.code, "key-changed") != 0) {
		*e = why;
		return -1;
	}
	/* Gone, or another key by now: nothing there is this job's. */
	if (l->key == NULL)
		return 0;
	if (burin_key_id_use(l->key, &l->use, e) != 0)
		return -1;
	/* One that was there before the job is not the job's to remove. */
	l->remove_cert = l->own != NULL && same_cert_in(l->use.certs, l->own) &&
	    (l->replaced == NULL || X509_cmp(l->own, l->replaced) != 0);
	/*
	 * Where the old one has to go first, a process that died in between
	 * has left none; another one, of somebody else, is let alone.
	 */
	l->restore = l->replaced != NULL &&
	    !same_cert_in(l->use.certs, l->replaced) &&
	    (l->remove_cert || sk_X509_num(l->use.certs) == 0);
	l->key_stays = burin_token_keeps_keys(w->token);
	l->remove_key = w->job->key_made_by_us && others_certs(l) == 0 &&
	    l->replaced == NULL && !l->key_stays;
	return 0;
}

/* An abandon that died between the two halves of the key has left this. */
static int
clear_public(struct walk *w, struct burin_error *e)
{
	const unsigned char *der = w->job->public_key.data;
	EVP_PKEY *pub;
	int rc;

	if (!w->job->key_made_by_us || w->job->key_id.len == 0 ||
	    w->job->public_key.len == 0)
		return 0;
	pub = d2i_PUBKEY(NULL, &der, (long)w->job->public_key.len);
	if (pub == NULL)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "journal-row",
		    "the journal has no sound public key of job %s",
		    w->job->id);
	rc = burin_public_destroy(
	    w->token, w->job->key_id.data, w->job->key_id.len, pub, e);
	EVP_PKEY_free(pub);
	return rc;
}

/*
 * The old certificate first, so that the key is never without one; then the
 * new one, and only that: others may have been added since. The key last: a
 * certificate alone is of no use.
 */
static int
undo(struct walk *w, struct leftovers *l, struct burin_error *e)
{
	if (l->restore &&
	    burin_cert_write(l->key, l->replaced, NULL, BURIN_OTHERS_KEEP, e) !=
		0)
		return -1;
	if (l->remove_cert && burin_cert_destroy(l->key, l->own, e) != 0)
		return -1;
	if (l->remove_key && burin_key_destroy(l->key, e) != 0)
		return -1;
	if (l->key == NULL && clear_public(w, e) != 0)
		return -1;
	/* Nothing of this job is left that could be undone again. */
	w->job->key_made_by_us = 0;
	return 0;
}

static int
say(const struct walk *w, const struct leftovers *l, char **removed,
    struct burin_error *e)
{
	const char *cert = !l->restore
	    ? l->remove_cert ? "the certificate of this job" : NULL
	    : l->remove_cert
	    ? "the certificate of this job (the one before it comes back)"
	    : "nothing; the certificate before this job, which had gone, "
	      "comes back";
	const char *key = l->remove_key ? "the key pair made by this job"
	    : l->key_stays && w->job->key_made_by_us
	    ? "nothing else: the token cannot delete the key, which stays in "
	      "its slot until another takes its place"
	    : l->key != NULL && w->job->key_made_by_us
	    ? "nothing else: the key is used by another "
	      "certificate"
	    : NULL;
	int n;

	if (cert == NULL && key == NULL)
		n = asprintf(
		    removed, "nothing, no token holds anything of this job");
	else
		n = asprintf(removed, "%s%s%s", cert != NULL ? cert : "",
		    cert != NULL && key != NULL ? " and " : "",
		    key != NULL ? key : "");
	if (n < 0) {
		*removed = NULL;
		return burin_fail_memory(e);
	}
	return 0;
}

static int
close_job(struct walk *w, struct burin_error *e)
{
	struct job *job = w->job;

	burin_error_clear(&job->error);
	burin_fail(&job->error, BURIN_EUSAGE, "abandoned",
	    "the enrolment was abandoned in state %s",
	    job_state_name(job->state));
	job->state = JOB_FAILED;
	return journal_save(w->en->journal, job, e);
}

/* A job that was closed with nothing left is closed already. */
static int
is_over(const struct job *job)
{
	return job->state == JOB_FAILED && !job->key_made_by_us;
}

int
engine_abandon(struct engine *en, struct job *job, int dry_run, char **removed,
    struct burin_error *e)
{
	struct engine_report r;
	struct leftovers l;
	struct walk w;
	int lock = -1, rc = -1;

	*removed = NULL;
	memset(&r, 0, sizeof(r));
	memset(&l, 0, sizeof(l));
	if (walk_open(&w, en, job, &r, &lock, e) != 0)
		goto out;
	if (job->state == JOB_DONE) {
		burin_fail(e, BURIN_EUSAGE, "job-done",
		    "job %s is done: there is nothing to give up", job->id);
		goto out;
	}
	if (!is_over(job) && look(&w, dry_run, &l, e) != 0)
		goto out;
	if (say(&w, &l, removed, e) != 0)
		goto out;
	if (!dry_run && !is_over(job) &&
	    (undo(&w, &l, e) != 0 || close_job(&w, e) != 0))
		goto out;
	rc = 0;
out:
	if (rc != 0) {
		burin_error_step(e, "abandon");
		free(*removed);
		*removed = NULL;
	}
	leftovers_clear(&l);
	walk_close(&w, lock);
	return rc;
}
