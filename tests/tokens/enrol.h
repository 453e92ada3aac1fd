/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Enrolments on SoftHSM by files, with a certification authority in
 * software; included once by each test of the engine.
 */

#ifndef TESTS_ENROL_H
#define TESTS_ENROL_H

#include <signal.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <burin/response.h>

#include "enroll/engine.h"
#include "tokens/softhsm.h"

/* A token, a journal, an authority, and one walk at a time. */
struct enrol {
	struct softhsm hsm;
	struct journal *journal;
	struct burin_error e;
	EVP_PKEY *ca_key, *foreign_key;
	X509 *ca;
	char *trust; /* PEM */
	char state[96], request[96], response[96];
	struct engine en;
	struct engine_report r;
	volatile sig_atomic_t stop;
	enum job_state stop_at; /* JOB_PLANNED: nowhere */
	int answer;		/* the authority answers when it is asked */
	int foreign;		/* for another key */
	unsigned calls, failed; /* PKCS#11 calls of this "process" */
	unsigned kill_at;	/* dies after so many of them; 0: never */
};

/* --- the authority ---------------------------------------------------- */

static inline void
enrol_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static inline X509 *
enrol_new_cert(const char *issuer_cn)
{
	static long serial = 1;
	X509 *x = X509_new();

	assert_non_null(x);
	assert_true(X509_set_version(x, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 86400));
	assert_true(X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "CN",
	    MBSTRING_UTF8, (const unsigned char *)issuer_cn, -1, -1, 0));
	return x;
}

static inline void
enrol_make_ca(struct enrol *n)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text;
	long len;

	n->ca_key = EVP_EC_gen("P-256");
	n->foreign_key = EVP_EC_gen("P-256");
	assert_non_null(n->ca_key);
	assert_non_null(n->foreign_key);
	n->ca = enrol_new_cert("Paper CA");
	assert_true(X509_set_subject_name(n->ca, X509_get_issuer_name(n->ca)));
	assert_true(X509_set_pubkey(n->ca, n->ca_key));
	enrol_ext(n->ca, n->ca, NID_basic_constraints, "critical,CA:TRUE");
	enrol_ext(n->ca, n->ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	enrol_ext(n->ca, n->ca, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(n->ca, n->ca_key, EVP_sha256()) > 0);
	assert_true(PEM_write_bio_X509(b, n->ca));
	len = BIO_get_mem_data(b, &text);
	n->trust = strndup(text, (size_t)len);
	assert_non_null(n->trust);
	BIO_free(b);
}

static inline X509 *
enrol_issue(struct enrol *n, X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	X509 *x = enrol_new_cert("Paper CA");
	int i;

	assert_true(X509_set_subject_name(x, X509_REQ_get_subject_name(req)));
	assert_true(X509_set_pubkey(
	    x, n->foreign ? n->foreign_key : X509_REQ_get0_pubkey(req)));
	for (i = 0; i < sk_X509_EXTENSION_num(exts); i++)
		assert_true(
		    X509_add_ext(x, sk_X509_EXTENSION_value(exts, i), -1));
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	enrol_ext(x, n->ca, NID_authority_key_identifier, "keyid");
	assert_true(X509_sign(x, n->ca_key, EVP_sha256()) > 0);
	return x;
}

/* Answers the request of a job into the response file, as certs-only. */
static inline void
enrol_answer(struct enrol *n, const struct job *job)
{
	const unsigned char *der = job->request.data;
	STACK_OF(X509) *certs = sk_X509_new_null();
	unsigned char *out = NULL;
	X509_REQ *req;
	size_t len;
	X509 *x;
	FILE *f;

	req = d2i_X509_REQ(NULL, &der, (long)job->request.len);
	assert_non_null(req);
	assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
	x = enrol_issue(n, req);
	assert_true(sk_X509_push(certs, n->ca) > 0);
	assert_true(sk_X509_push(certs, x) > 0);
	must(burin_certs_only_make(certs, &out, &len, &n->e), &n->e);
	f = fopen(n->response, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(out, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	OPENSSL_free(out);
	sk_X509_free(certs);
	X509_free(x);
	X509_REQ_free(req);
}

/* --- processes ----------------------------------------------------------- */

static inline void
enrol_log(void *arg, const char *line)
{
	struct enrol *n = arg;

	if (strncmp(line, "C_", 2) != 0)
		return;
	n->calls++;
	if (n->calls == n->kill_at)
		(void)raise(SIGKILL);
	if (strstr(line, "CKR_OK") == NULL)
		n->failed++;
}

static inline void
enrol_progress(void *arg, const struct engine_event *ev)
{
	struct enrol *n = arg;
	struct job job;

	if (n->answer && strcmp(ev->state, "requested") == 0) {
		must(journal_load(n->journal, ev->job, &job, &n->e), &n->e);
		enrol_answer(n, &job);
		job_clear(&job);
	}
	if (n->stop_at != JOB_PLANNED &&
	    strcmp(ev->state, job_state_name(n->stop_at)) == 0)
		n->stop = 1;
}

/* A new process: modules loaded and logged in again. */
static inline void
enrol_process(struct enrol *n)
{
	struct burin_module_spec module = { SOFTHSM, NULL };
	struct burin_p11_config config = { .modules = &module,
		.n_modules = 1,
		.log = enrol_log,
		.log_arg = n };
	struct burin_login_policy policy = { softhsm_pin, NULL, NULL, NULL,
		&n->hsm, 0 };

	engine_report_clear(&n->r);
	burin_p11_free(&n->hsm.p11);
	n->calls = n->failed = 0;
	n->stop = 0;
	must(burin_p11_new(&n->hsm.p11, &config, &n->e), &n->e);
	burin_p11_set_policy(n->hsm.p11, &policy);
	n->en.p11 = n->hsm.p11;
	n->en.journal = n->journal;
	n->en.progress = enrol_progress;
	n->en.arg = n;
	n->en.stop = &n->stop;
	n->en.response_file = n->answer ? n->response : NULL;
	burin_error_clear(&n->e);
}

static inline int
enrol_run(struct enrol *n, struct job *job)
{
	enrol_process(n);
	return engine_run(&n->en, job, &n->r, &n->e);
}

static inline int
enrol_start(void **state)
{
	struct enrol *n = calloc(1, sizeof(*n));

	if (n == NULL)
		abort();
	softhsm_start(&n->hsm);
	(void)snprintf(n->state, sizeof(n->state), "%s/state", n->hsm.dir);
	must(journal_open(n->state, &n->journal, &n->e), &n->e);
	(void)snprintf(
	    n->request, sizeof(n->request), "%s/request", n->hsm.dir);
	(void)snprintf(
	    n->response, sizeof(n->response), "%s/response", n->hsm.dir);
	enrol_make_ca(n);
	n->answer = 1;
	*state = n;
	return 0;
}

static inline int
enrol_stop(void **state)
{
	struct enrol *n = *state;

	engine_report_clear(&n->r);
	journal_close(&n->journal);
	softhsm_stop(&n->hsm);
	EVP_PKEY_free(n->ca_key);
	EVP_PKEY_free(n->foreign_key);
	X509_free(n->ca);
	free(n->trust);
	free(n);
	return 0;
}

/* Fails the test unless e is this. */
static inline void
expect(struct enrol *n, int rc, enum burin_status status, const char *code)
{
	assert_int_equal(rc, -1);
	if (n->e.status != status || strcmp(n->e.code, code) != 0)
		fail_msg("%s: %s (%s)", n->e.code, n->e.reason, n->e.cause);
	burin_error_clear(&n->e);
}

/* --- jobs and what they leave ------------------------------------------ */

/* A plan for a new key, or for the one that key (may be NULL) names. */
static inline void
enrol_plan(struct enrol *n, struct job *job, const char *key, int replace)
{
	struct plan p;

	memset(&p, 0, sizeof(p));
	if (key != NULL)
		p.key = strdup(key);
	else
		p.token = strdup("test");
	p.dn = strdup("CN=r7");
	must(texts_add(&p.sans, "dns:r7.example.org", &n->e), &n->e);
	p.protocol = strdup("file");
	p.request_file = strdup(n->request);
	p.trust = strdup(n->trust);
	p.replace = replace;
	memset(job, 0, sizeof(*job));
	job->verb = strdup("enroll");
	must(plan_format(&p, &job->plan, &n->e), &n->e);
	must(journal_create(n->journal, job, &n->e), &n->e);
	plan_clear(&p);
}

static inline int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is on the token, in a new process: counts and a text to compare. */
struct seen {
	size_t private, public, certs, ids;
	char text[4096];
};

static inline void
enrol_look(struct enrol *n, struct seen *s)
{
	struct burin_object *list;
	struct burin_token *t;
	char *lines[64];
	size_t i, k, count, at = 0;

	memset(s, 0, sizeof(*s));
	enrol_process(n);
	must(burin_token_find(n->hsm.p11, "test", 0, &t, &n->e), &n->e);
	must(burin_token_login(t, &n->e), &n->e);
	must(burin_token_objects(t, &list, &count, &n->e), &n->e);
	assert_true(count <= 64);
	for (i = 0; i < count; i++) {
		char *id = OPENSSL_buf2hexstr(list[i].id, (long)list[i].id_len);
		char sha[65] = "";

		for (k = 0; k < i; k++)
			if (list[k].id_len == list[i].id_len &&
			    memcmp(list[k].id, list[i].id, list[i].id_len) == 0)
				break;
		s->ids += k == i;
		s->private += list[i].cls == BURIN_OBJECT_PRIVATE;
		s->public += list[i].cls == BURIN_OBJECT_PUBLIC;
		s->certs += list[i].cls == BURIN_OBJECT_CERT;
		if (list[i].cert != NULL)
			must(
			    burin_cert_sha256(list[i].cert, sha, &n->e), &n->e);
		assert_true(asprintf(&lines[i], "%d %s %s %s\n",
				(int)list[i].cls, id, list[i].label, sha) > 0);
		OPENSSL_free(id);
	}
	qsort(lines, count, sizeof(lines[0]), by_text);
	for (i = 0; i < count; i++) {
		at += (size_t)snprintf(
		    s->text + at, sizeof(s->text) - at, "%s", lines[i]);
		free(lines[i]);
	}
	burin_objects_free(&list, count);
}

static inline void
enrol_one_pair(struct enrol *n)
{
	struct seen s;

	enrol_look(n, &s);
	if (s.private != 1 || s.public != 1 || s.certs != 1 || s.ids != 1)
		fail_msg("%s", s.text);
}

#endif
