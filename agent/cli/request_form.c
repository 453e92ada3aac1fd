/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The forms of a request: PKCS#10 (RFC 2986), CertReqMessages (RFC 4211), and
 * a Full request of CMC (RFC 10002 section 3.2) for one key or several.
 */

#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include <burin/cmc.h>
#include <burin/crmf.h>
#include <burin/response.h>

#include "request_form.h"

/* What goes into a request for each key. */
struct asking {
	struct burin_subject *subjects[REQUEST_MAX_KEYS];
	struct burin_pop_how how[REQUEST_MAX_KEYS];
	STACK_OF(X509) * authority; /* of static DH proofs */
};

static void
asking_clear(struct asking *a)
{
	size_t i;

	for (i = 0; i < REQUEST_MAX_KEYS; i++)
		burin_subject_free(&a->subjects[i]);
	sk_X509_pop_free(a->authority, X509_free);
}

/* Two keys are there because they do different things. */
static int
say_usage(
    struct burin_subject *s, const struct burin_key *k, struct burin_error *e)
{
	unsigned use = burin_key_usage(k);

	return burin_subject_default_key_usage(s,
	    use & BURIN_USE_SIGN	  ? "digitalSignature"
		: use & BURIN_USE_DECRYPT ? "keyEncipherment"
					  : "keyAgreement",
	    e);
}

static int
subject_for(const struct request_input *in, struct burin_key *k,
    struct burin_subject **out, struct burin_error *e)
{
	if (plan_subject(in->plan, out, e) != 0)
		return burin_error_step(e, "subject");
	if (in->challenge != NULL &&
	    burin_subject_set_challenge(*out, in->challenge, e) != 0)
		return burin_error_step(e, "subject");
	if (in->n > 1 && say_usage(*out, k, e) != 0)
		return burin_error_step(e, "subject");
	if (plan_attest(in->plan, k, *out, e) != 0)
		return burin_error_step(e, "attestation");
	return 0;
}

static int
asking_open(
    const struct request_input *in, struct asking *a, struct burin_error *e)
{
	size_t i;

	memset(a, 0, sizeof(*a));
	if (in->plan->pop_cert != NULL &&
	    burin_certs_parse(in->plan->pop_cert, strlen(in->plan->pop_cert),
		BURIN_EUSAGE, &a->authority, e) != 0)
		return -1;
	for (i = 0; i < in->n; i++) {
		if (subject_for(in, in->keys[i], &a->subjects[i], e) != 0 ||
		    plan_pop(in->plan, in->keys[i], a->authority, &a->how[i],
			e) != 0)
			return -1;
	}
	return 0;
}

/* --- the forms ------------------------------------------------------------ */

static int
make_pkcs10(const struct request_input *in, const struct asking *a,
    unsigned char **der, size_t *len, struct burin_error *e)
{
	if (burin_pkcs10_make_with(a->subjects[0],
		burin_key_public(in->keys[0]), &a->how[0], der, len, e) == 0)
		return 0;
	(void)burin_key_last_error(in->keys[0], e);
	return -1;
}

static int
make_crmf(const struct request_input *in, const struct asking *a,
    unsigned char **der, size_t *len, struct burin_error *e)
{
	unsigned char *list[REQUEST_MAX_KEYS] = { NULL };
	size_t lens[REQUEST_MAX_KEYS], i;
	int rc = -1;

	for (i = 0; i < in->n; i++) {
		if (burin_crmf_make(a->subjects[i],
			burin_key_public(in->keys[i]), (uint32_t)i + 1,
			&a->how[i], &list[i], &lens[i], e) == 0)
			continue;
		(void)burin_key_last_error(in->keys[i], e);
		goto out;
	}
	rc = burin_crmf_list(
	    (const unsigned char *const *)list, lens, in->n, der, len, e);
out:
	for (i = 0; i < in->n; i++)
		OPENSSL_free(list[i]);
	return rc;
}

/* --- CMC ------------------------------------------------------------------ */

struct full {
	struct burin_cmc_thread thread;
	struct burin_cmc_identity identity;
	struct burin_cmc_request requests[REQUEST_MAX_KEYS];
	struct burin_cms_signer signer;
	struct burin_key *signer_key;
	unsigned char key_id[BURIN_KEY_IDENTIFIER];
	X509 *cert;
	unsigned char *sequence; /* reqSequence */
	size_t sequence_len;
	struct burin_cmc_ask ask;
	struct burin_cms_recipient authority; /* of --encrypt-to */
	STACK_OF(X509) * authority_cert;
};

static void
full_clear(struct full *f)
{
	sk_X509_pop_free(f->authority_cert, X509_free);
	X509_free(f->cert);
	OPENSSL_free(f->sequence);
}

/* A certificate that is there already is the identity. */
static int
sign_by_cert(struct full *f, struct burin_key *k, struct burin_error *e)
{
	struct burin_id_use use = { 0, NULL };
	X509 *x;

	if (burin_key_id_use(k, &use, e) != 0)
		return -1;
	x = burin_certs_for_key(use.certs, burin_key_public(k));
	if (x != NULL && X509_up_ref(x))
		f->cert = x;
	sk_X509_pop_free(use.certs, X509_free);
	if (f->cert == NULL) {
		(void)burin_fail(e, BURIN_ETOKEN, "certificate-missing",
		    "the key that is to sign has no certificate on its token");
		return burin_error_advice(e,
		    "name with --signer a key that has one, or show the "
		    "identity with --user and --secret");
	}
	f->signer.by = BURIN_CMS_BY_CERT;
	f->signer.cert = f->cert;
	f->signer_key = k;
	return 0;
}

/* The first of the new keys that can; else the secret, else nobody. */
static int
sign_by_new(
    const struct request_input *in, struct full *f, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < in->n && !plan_key_signs(in->keys[i]); i++)
		continue;
	if (i == in->n && in->secret != NULL) {
		f->ask.protect = BURIN_CMC_AUTHENTICATED;
		return 0;
	}
	f->signer.by = i == in->n ? BURIN_CMS_UNSIGNED : BURIN_CMS_BY_KEY;
	f->signer_key = i == in->n ? NULL : in->keys[i];
	f->signer.pub = burin_key_public(in->keys[i == in->n ? 0 : i]);
	f->signer.key_id = f->key_id;
	f->signer.key_id_len = sizeof(f->key_id);
	return burin_key_identifier(f->signer.pub, f->key_id, e);
}

static int
choose_signer(
    const struct request_input *in, struct full *f, struct burin_error *e)
{
	if ((in->signer != NULL ? sign_by_cert(f, in->signer, e)
				: sign_by_new(in, f, e)) != 0)
		return -1;
	f->signer.signing_time = time(NULL);
	if (f->signer_key == NULL)
		return 0;
	f->signer.pub = burin_key_public(f->signer_key);
	f->signer.key = burin_key_evp(f->signer_key, e);
	return f->signer.key != NULL ? 0 : -1;
}

static int
fill_requests(const struct request_input *in, const struct asking *a,
    struct full *f, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < in->n; i++) {
		struct burin_cmc_request *q = &f->requests[i];

		q->form = plan_inner(in->plan, &a->how[i]);
		q->subject = a->subjects[i];
		q->pub = burin_key_public(in->keys[i]);
		q->how = a->how[i];
	}
	if (in->secret != NULL) {
		f->identity.identification = in->plan->user;
		f->identity.secret = in->secret;
		f->identity.legacy = in->plan->legacy;
		f->ask.identity = &f->identity;
		f->ask.link = 1;
	}
	return burin_cmc_requests_make(f->requests, in->n, &f->thread,
	    f->ask.identity, &f->sequence, &f->sequence_len, e);
}

static int
encrypt_for(const struct plan *p, struct full *f, struct burin_error *e)
{
	if (p->encrypt_to == NULL)
		return 0;
	if (plan_recipient(p, &f->authority_cert, &f->authority, e) != 0)
		return -1;
	f->ask.encrypt = &f->authority;
	return 0;
}

static int
last_error(const struct request_input *in, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		if (burin_key_last_error(in->keys[i], e) != 0)
			return -1;
	if (in->signer != NULL)
		(void)burin_key_last_error(in->signer, e);
	return -1;
}

static int
make_cmc(const struct request_input *in, const struct asking *a,
    unsigned char **der, size_t *len, struct burin_error *e)
{
	struct full f;
	int rc = -1;

	memset(&f, 0, sizeof(f));
	if (burin_cmc_begin(&f.thread, e) != 0 ||
	    encrypt_for(in->plan, &f, e) != 0 || choose_signer(in, &f, e) != 0)
		goto out;
	if (fill_requests(in, a, &f, e) != 0) {
		(void)last_error(in, e);
		goto out;
	}
	f.ask.thread = &f.thread;
	f.ask.requests = f.sequence;
	f.ask.requests_len = f.sequence_len;
	f.ask.signer = &f.signer;
	if (plan_octets(in->plan->reg_info, "--reg-info", &f.ask.reg_info, e) !=
	    0)
		goto out;
	if (burin_cmc_make(&f.ask, der, len, e) != 0) {
		(void)last_error(in, e);
		goto out;
	}
	rc = 0;
out:
	full_clear(&f);
	return rc;
}

int
request_make(const struct request_input *in, unsigned char **der, size_t *len,
    struct burin_error *e)
{
	const char *form = in->plan->format;
	struct asking a;
	int rc = -1;

	if (asking_open(in, &a, e) != 0)
		goto out;
	if (form == NULL || strcmp(form, "pkcs10") == 0)
		rc = make_pkcs10(in, &a, der, len, e);
	else if (strcmp(form, "crmf") == 0)
		rc = make_crmf(in, &a, der, len, e);
	else
		rc = make_cmc(in, &a, der, len, e);
out:
	asking_clear(&a);
	return rc;
}
