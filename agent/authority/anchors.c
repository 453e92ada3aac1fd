/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The trust anchors that the authority publishes (RFC 10002 section 6.15): its
 * own certificate, and what anchors.pem has beside it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <burin/names.h>

#include "ca.h"
#include "http.h"

#define FILE_NAME "anchors.pem"
#define MAX_ANCHORS 16 /* they are in every answer that publishes them */

static int
malformed(const char *why, struct burin_error *e)
{
	(void)burin_fail_openssl(
	    e, BURIN_EUSAGE, "anchors-malformed", FILE_NAME ": %s", why);
	return burin_error_advice(e,
	    "certificates of other authorities, as PEM, at most %d",
	    MAX_ANCHORS - 1);
}

/* Takes cert. */
static int
add(STACK_OF(X509) * list, X509 *cert, struct burin_error *e)
{
	int i;

	if (cert == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < sk_X509_num(list); i++) {
		if (X509_cmp(sk_X509_value(list, i), cert) != 0)
			continue;
		X509_free(cert);
		return 0;
	}
	if (sk_X509_num(list) < MAX_ANCHORS && X509_check_ca(cert) != 0) {
		if (sk_X509_push(list, cert) > 0)
			return 0;
		X509_free(cert);
		return burin_fail_memory(e);
	}
	X509_free(cert);
	return malformed(sk_X509_num(list) < MAX_ANCHORS
		? "a certificate that is no authority's"
		: "too many certificates",
	    e);
}

/* What is over would be believed by whoever does not look. Takes cert. */
static int
add_other(STACK_OF(X509) * list, X509 *cert, time_t now, struct burin_error *e)
{
	char *name;

	if (X509_cmp_time(X509_get0_notAfter(cert), &now) > 0)
		return add(list, cert, e);
	name = burin_dn_text(X509_get_subject_name(cert));
	http_log(FILE_NAME ": not published, it is over: %s",
	    name != NULL ? name : "?");
	free(name);
	X509_free(cert);
	return 0;
}

/*
 * The next one, NULL at the end or when it is none. Other PEM, a key perhaps,
 * was not meant to lie here.
 */
static X509 *
next_cert(FILE *in)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	X509 *cert = NULL;
	long len = 0;

	if (PEM_read(in, &name, &header, &der, &len) != 1)
		return NULL;
	p = der;
	if (strcmp(name, PEM_STRING_X509) == 0 && *header == '\0')
		cert = d2i_X509(NULL, &p, len);
	if (cert != NULL && p != der + len) {
		X509_free(cert);
		cert = NULL;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)len);
	return cert;
}

/* No such file: there are no others. */
static int
read_others(
    const char *dir, STACK_OF(X509) * list, time_t now, struct burin_error *e)
{
	char *path = NULL;
	FILE *in = NULL;
	X509 *cert;
	int n = 0, rc = -1;

	if (ca_path(dir, FILE_NAME, &path, e) != 0)
		return -1;
	if ((in = fopen(path, "re")) == NULL) {
		rc = errno == ENOENT ? 0 : malformed(strerror(errno), e);
		goto out;
	}
	ERR_clear_error();
	while ((cert = next_cert(in)) != NULL) {
		n++;
		if (add_other(list, cert, now, e) != 0)
			goto out;
	}
	if (n == 0 ||
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		(void)malformed("not certificates and nothing else", e);
		goto out;
	}
	ERR_clear_error();
	rc = 0;
out:
	if (in != NULL)
		(void)fclose(in);
	free(path);
	return rc;
}

/* What tells one set from another: their hashes, one after the other. */
static int
digest(
    STACK_OF(X509) * list, unsigned char out[CA_SHA256], struct burin_error *e)
{
	unsigned char all[MAX_ANCHORS * CA_SHA256];
	unsigned len;
	size_t n = 0;
	int i;

	for (i = 0; i < sk_X509_num(list); i++, n += CA_SHA256)
		if (!X509_digest(
			sk_X509_value(list, i), EVP_sha256(), all + n, &len))
			return burin_fail_memory(e);
	if (!EVP_Digest(all, n, out, &len, EVP_sha256(), NULL))
		return burin_fail_openssl(
		    e, BURIN_EINTERNAL, "digest-failed", "SHA-256 failed");
	return 0;
}

static int
number_of(struct store *st, const unsigned char set[CA_SHA256], int n,
    time_t now, long long *number, struct burin_error *e)
{
	int fresh, rc;

	if (store_begin(st, e) != 0)
		return -1;
	rc = store_anchors_number(st, set, now, number, &fresh, e);
	if (rc == 0 && fresh)
		rc = store_audit(st, e, "anchors",
		    "%d trust anchors are published, number %lld", n, *number);
	return store_end(st, rc == 0, e) != 0 ? -1 : rc;
}

int
anchors_open(const char *dir, struct store *st, X509 *ca, time_t now,
    struct anchors *out, struct burin_error *e)
{
	unsigned char set[CA_SHA256];

	memset(out, 0, sizeof(*out));
	if ((out->certs = sk_X509_new_null()) == NULL || !X509_up_ref(ca))
		return burin_fail_memory(e);
	if (add(out->certs, ca, e) != 0 ||
	    read_others(dir, out->certs, now, e) != 0 ||
	    digest(out->certs, set, e) != 0)
		return -1;
	return number_of(
	    st, set, sk_X509_num(out->certs), now, &out->number, e);
}

void
anchors_clear(struct anchors *a)
{
	sk_X509_pop_free(a->certs, X509_free);
	memset(a, 0, sizeof(*a));
}
