/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameter values that several operations share. OpenSSL gives padding and
 * salt length as a number or as a name, whatever the caller used.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>

#include "provider.h"

#define MAX_NAME 50 /* bytes of a name, with the NUL */

struct word {
	const char *name;
	int value;
};

static const struct word paddings[] = {
	{ OSSL_PKEY_RSA_PAD_MODE_PKCSV15, RSA_PKCS1_PADDING },
	{ OSSL_PKEY_RSA_PAD_MODE_PSS, RSA_PKCS1_PSS_PADDING },
	{ OSSL_PKEY_RSA_PAD_MODE_OAEP, RSA_PKCS1_OAEP_PADDING },
	{ NULL, 0 },
};

static const struct word saltlens[] = {
	{ OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, RSA_PSS_SALTLEN_DIGEST },
	{ OSSL_PKEY_RSA_PSS_SALT_LEN_MAX, RSA_PSS_SALTLEN_MAX },
	{ OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO, RSA_PSS_SALTLEN_AUTO },
	{ NULL, 0 },
};

static int
get_word(const OSSL_PARAM *p, const struct word *words, int *value)
{
	const char *name = NULL;

	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, value);
	if (!OSSL_PARAM_get_utf8_string_ptr(p, &name) || name == NULL)
		return 0;
	for (; words->name != NULL; words++)
		if (strcmp(words->name, name) == 0) {
			*value = words->value;
			return 1;
		}
	return 0;
}

static int
set_word(OSSL_PARAM *p, const struct word *words, int value)
{
	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_set_int(p, value);
	for (; words->name != NULL; words++)
		if (words->value == value)
			return OSSL_PARAM_set_utf8_string(p, words->name);
	return 0;
}

int
prov_get_padding(const OSSL_PARAM *p, int *padding)
{
	const struct word *w;
	int value;

	if (get_word(p, paddings, &value))
		for (w = paddings; w->name != NULL; w++)
			if (w->value == value) {
				*padding = value;
				return 1;
			}
	ERR_raise(ERR_LIB_PROV, PROV_R_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE);
	return 0;
}

int
prov_set_padding(OSSL_PARAM *p, int padding)
{
	return set_word(p, paddings, padding);
}

int
prov_get_saltlen(const OSSL_PARAM *p, int *saltlen)
{
	const char *text;
	char *end;
	int value;
	long n;

	if (!get_word(p, saltlens, &value)) {
		/* "-sigopt rsa_pss_saltlen:32" comes as text. */
		if (!OSSL_PARAM_get_utf8_string_ptr(p, &text) || *text == '\0')
			goto bad;
		n = strtol(text, &end, 10);
		if (*end != '\0' || n < 0 || n > PROV_MAX_RSA)
			goto bad;
		value = (int)n;
	}
	if (value < RSA_PSS_SALTLEN_MAX || value > PROV_MAX_RSA)
		goto bad;
	*saltlen = value;
	return 1;
bad:
	ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_SALT_LENGTH);
	return 0;
}

int
prov_set_saltlen(OSSL_PARAM *p, int saltlen)
{
	char text[16];

	if (set_word(p, saltlens, saltlen))
		return 1;
	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return 0;
	(void)snprintf(text, sizeof(text), "%d", saltlen);
	return OSSL_PARAM_set_utf8_string(p, text);
}

int
prov_get_md(const OSSL_PARAM *p, EVP_MD **md)
{
	char name[MAX_NAME], *buf = name;
	EVP_MD *new;

	if (!OSSL_PARAM_get_utf8_string(p, &buf, sizeof(name)) ||
	    (new = EVP_MD_fetch(NULL, name, NULL)) == NULL) {
		ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_DIGEST);
		return 0;
	}
	EVP_MD_free(*md);
	*md = new;
	return 1;
}

int
prov_set_md(OSSL_PARAM *p, const EVP_MD *md)
{
	return OSSL_PARAM_set_utf8_string(
	    p, md != NULL ? EVP_MD_get0_name(md) : "");
}

int
prov_get_bytes(const OSSL_PARAM *p, unsigned char **buf, size_t *len)
{
	void *new = NULL;
	size_t n = 0;

	if (p->data_size > PROV_MAX_LABEL) {
		ERR_raise(ERR_LIB_PROV, PROV_R_LENGTH_TOO_LARGE);
		return 0;
	}
	if (p->data_size > 0 && !OSSL_PARAM_get_octet_string(p, &new, 0, &n))
		return 0;
	OPENSSL_clear_free(*buf, *len);
	*buf = new;
	*len = n;
	return 1;
}
