/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One enrolment over HTTPS, as a client does it that does not know whether the
 * authority heard it when the connection breaks: the same request again, until
 * there is an answer.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include <burin/names.h>

#include "load.h"

#define MAX_ANSWER 65536
#define PATIENCE 60000 /* milliseconds for all tries */
#define ONE_TRY 20L    /* seconds */
#define PAUSE_MS 100   /* before the next one */

struct answer {
	unsigned char data[MAX_ANSWER];
	size_t len;
	long status;
};

static const struct {
	const char *name, *path, *type;
} kinds[LOAD_KINDS] = {
	[LOAD_EST] = { "est", "/.well-known/est/simpleenroll",
	    "Content-Type: application/pkcs10" },
	[LOAD_SIMPLE] = { "cmc-simple", "/cmc",
	    "Content-Type: application/pkcs10" },
	[LOAD_FULL] = { "cmc-full", "/cmc",
	    "Content-Type: application/pkcs7-mime; smime-type=CMC-request" },
};

const char *
load_kind(enum kind kind)
{
	return kinds[kind].name;
}

static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;

	if (size * n > sizeof(a->data) - a->len)
		return 0;
	memcpy(a->data + a->len, data, size * n);
	a->len += size * n;
	return size * n;
}

/* -1: there was no answer, in why it says how that was. */
static int
post(const struct load *l, struct job *j, const char *address, CURL *h,
    struct answer *a)
{
	struct curl_slist *head;
	char url[300];
	CURLcode rv;

	curl_easy_reset(h);
	a->len = 0;
	head = curl_slist_append(NULL, kinds[j->kind].type);
	(void)snprintf(url, sizeof(url), "%s%s", l->url, kinds[j->kind].path);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_INTERFACE, address);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, ONE_TRY);
	curl_easy_setopt(h, CURLOPT_CAINFO, l->ca_path);
	curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, (long)j->fresh);
	curl_easy_setopt(h, CURLOPT_FORBID_REUSE, (long)j->fresh);
	curl_easy_setopt(h, CURLOPT_SSL_SESSIONID_CACHE, (long)!j->fresh);
	if (j->kind != LOAD_FULL) {
		curl_easy_setopt(h, CURLOPT_USERNAME, j->name);
		curl_easy_setopt(h, CURLOPT_PASSWORD, j->secret);
	}
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, (char *)j->body);
	curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)j->len);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, a);
	rv = curl_easy_perform(h);
	curl_slist_free_all(head);
	(void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &a->status);
	if (rv == CURLE_OK)
		return 0;
	(void)snprintf(j->why, sizeof(j->why), "%s", curl_easy_strerror(rv));
	return -1;
}

/* The certificate for our key, if it is the CA's and says our name. */
static void
pick(const struct load *l, struct job *j, STACK_OF(X509) * certs)
{
	EVP_PKEY *ca = X509_get0_pubkey(sk_X509_value(l->anchors, 0));
	char name[200] = "";
	X509 *cert = NULL;
	int i, n = 0;

	for (i = 0; i < sk_X509_num(certs); i++) {
		X509 *one = sk_X509_value(certs, i);

		if (EVP_PKEY_eq(X509_get0_pubkey(one), j->key) == 1) {
			cert = one;
			n++;
		}
	}
	if (cert != NULL)
		(void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
		    NID_commonName, name, sizeof(name));
	if (n != 1 || X509_verify(cert, ca) != 1 ||
	    strcmp(name, j->name) != 0 ||
	    (j->serial = burin_serial_text(X509_get0_serialNumber(cert))) ==
		NULL) {
		(void)snprintf(j->why, sizeof(j->why),
		    "%d certificates for the key, of '%.100s'", n, name);
		return;
	}
	j->cert = cert;
	(void)X509_up_ref(cert);
}

static void
read_full(const struct load *l, struct job *j, const struct answer *a)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cmc_expect x = { .status = BURIN_ECHECK,
		.thread = &j->thread,
		.request = j->body,
		.request_len = j->len,
		.anchors = l->anchors,
		.now = time(NULL),
		.skew = 60 };
	struct burin_cmc_reply r = { 0 };

	if (burin_cmc_read(a->data, a->len, &x, &r, &e) != 0)
		(void)snprintf(
		    j->why, sizeof(j->why), "%s: %.150s", e.code, e.reason);
	else
		pick(l, j, r.certs);
	burin_cmc_reply_clear(&r);
}

/* Certs-only, in base64 by EST. */
static void
read_simple(const struct load *l, struct job *j, struct answer *a)
{
	unsigned char der[MAX_ANSWER];
	const unsigned char *at = a->data;
	EVP_ENCODE_CTX *c = EVP_ENCODE_CTX_new();
	int n = (int)a->len, more = 0;
	PKCS7 *p7 = NULL;

	if (j->kind == LOAD_EST) {
		at = der;
		EVP_DecodeInit(c);
		if (EVP_DecodeUpdate(c, der, &n, a->data, (int)a->len) < 0 ||
		    EVP_DecodeFinal(c, der + n, &more) < 0)
			n = more = 0;
	}
	if ((p7 = d2i_PKCS7(NULL, &at, n + more)) == NULL ||
	    !PKCS7_type_is_signed(p7))
		(void)snprintf(j->why, sizeof(j->why), "no certificates");
	else
		pick(l, j, p7->d.sign->cert);
	PKCS7_free(p7);
	EVP_ENCODE_CTX_free(c);
}

double
load_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
read_answer(const struct load *l, struct job *j, struct answer *a)
{
	if (a->status != 200) {
		(void)snprintf(j->why, sizeof(j->why), "status %ld: %.*s",
		    a->status, a->len < 150 ? (int)a->len : 150,
		    (char *)a->data);
		j->why[strcspn(j->why, "\n")] = '\0';
	} else if (j->kind == LOAD_FULL) {
		read_full(l, j, a);
	} else {
		read_simple(l, j, a);
	}
	ERR_clear_error();
}

void
load_enrol(const struct load *l, struct job *j, const char *address, void *curl)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	double begun = load_now();
	struct answer a = { .len = 0 };
	int answered;

	for (;;) {
		j->tries++;
		answered = post(l, j, address, curl, &a) == 0;
		/* 503 is "come again": a keeper that was killed. */
		if ((answered && a.status != 503) ||
		    load_now() - begun > PATIENCE)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (answered)
		read_answer(l, j, &a);
	j->ms = load_now() - begun;
}
