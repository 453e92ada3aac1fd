/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * URL ANCHOR USERPWDFILE: EST (RFC 7030 section 4.2) with libcurl as it
 * comes, so that an enrolment over EST is compared with one that pays for
 * libcurl and a TLS handshake too.
 */

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "floor.h"

static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct bytes *b = arg;

	if (b->n + size * n >= sizeof(b->p))
		return 0;
	memcpy(b->p + b->n, data, size * n);
	b->n += size * n;
	return size * n;
}

static void
post(char **args, const char *body, struct bytes *answer)
{
	struct curl_slist *head = NULL;
	struct bytes user;
	char url[512];
	CURL *h = curl_easy_init();
	long status = 0;

	floor_read(args[2], &user);
	user.p[user.n] = '\0';
	user.p[strcspn((char *)user.p, "\n")] = '\0';
	(void)snprintf(
	    url, sizeof(url), "%s/.well-known/est/simpleenroll", args[0]);
	head = curl_slist_append(head, "Content-Type: application/pkcs10");
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_CAINFO, args[1]);
	curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(h, CURLOPT_USERPWD, (char *)user.p);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, answer);
	if (curl_easy_perform(h) != CURLE_OK)
		floor_die("no answer");
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(h);
	curl_slist_free_all(head);
	if (status != 200)
		floor_die((char *)answer->p);
}

/* The leaf comes first (RFC 8951 section 3.2.2 says nothing; ours does). */
static void
first_of(const struct bytes *answer, struct bytes *cert)
{
	unsigned char der[FLOOR_MAX], *to = cert->p;
	const unsigned char *at = der;
	EVP_ENCODE_CTX *c = EVP_ENCODE_CTX_new();
	int n = 0, more = 0;
	PKCS7 *p7;

	EVP_DecodeInit(c);
	if (EVP_DecodeUpdate(c, der, &n, answer->p, (int)answer->n) < 0 ||
	    EVP_DecodeFinal(c, der + n, &more) < 0)
		floor_die("not base64");
	EVP_ENCODE_CTX_free(c);
	if ((p7 = d2i_PKCS7(NULL, &at, n + more)) == NULL ||
	    !PKCS7_type_is_signed(p7))
		floor_die("not PKCS#7");
	cert->n = (size_t)i2d_X509(sk_X509_value(p7->d.sign->cert, 0), &to);
	PKCS7_free(p7);
}

void
floor_exchange(char **args, const struct bytes *request, struct bytes *cert)
{
	static struct bytes answer;
	static unsigned char body[FLOOR_MAX * 2];

	(void)EVP_EncodeBlock(body, request->p, (int)request->n);
	post(args, (char *)body, &answer);
	first_of(&answer, cert);
}
