/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The names and purposes of a certificate or request as lists of text.
 */

#include <stdlib.h>

#include <openssl/err.h>

#include <burin/names.h>

void
burin_texts_free(char ***texts)
{
	size_t i;

	if (texts == NULL || *texts == NULL)
		return;
	for (i = 0; (*texts)[i] != NULL; i++)
		free((*texts)[i]);
	free(*texts);
	*texts = NULL;
}

static char **
names_list(const GENERAL_NAMES *names)
{
	int i, n = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
	char **list = calloc((size_t)n + 1, sizeof(*list));

	for (i = 0; list != NULL && i < n; i++) {
		list[i] = burin_san_text(sk_GENERAL_NAME_value(names, i));
		if (list[i] == NULL)
			burin_texts_free(&list);
	}
	return list;
}

static char **
ekus_list(const EXTENDED_KEY_USAGE *ekus)
{
	int i, n = ekus != NULL ? sk_ASN1_OBJECT_num(ekus) : 0;
	char **list = calloc((size_t)n + 1, sizeof(*list));

	for (i = 0; list != NULL && i < n; i++) {
		list[i] = burin_eku_text(sk_ASN1_OBJECT_value(ekus, i));
		if (list[i] == NULL)
			burin_texts_free(&list);
	}
	return list;
}

char **
burin_exts_sans(const STACK_OF(X509_EXTENSION) * exts)
{
	GENERAL_NAMES *names;
	char **list;

	(void)ERR_set_mark();
	names = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
	(void)ERR_pop_to_mark();
	list = names_list(names);
	GENERAL_NAMES_free(names);
	return list;
}

static char **
ekus_of(const STACK_OF(X509_EXTENSION) * exts)
{
	EXTENDED_KEY_USAGE *ekus;
	char **list;

	(void)ERR_set_mark();
	ekus = X509V3_get_d2i(exts, NID_ext_key_usage, NULL, NULL);
	(void)ERR_pop_to_mark();
	list = ekus_list(ekus);
	EXTENDED_KEY_USAGE_free(ekus);
	return list;
}

/* The extensions that req asks for, NULL when there is none. */
static STACK_OF(X509_EXTENSION) * asked_of(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) * exts;

	(void)ERR_set_mark();
	exts = X509_REQ_get_extensions(req);
	(void)ERR_pop_to_mark();
	return exts;
}

char **
burin_cert_sans(const X509 *cert)
{
	return burin_exts_sans(X509_get0_extensions(cert));
}

char **
burin_cert_ekus(const X509 *cert)
{
	return ekus_of(X509_get0_extensions(cert));
}

char **
burin_req_sans(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = asked_of(req);
	char **list = burin_exts_sans(exts);

	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return list;
}

char **
burin_req_ekus(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = asked_of(req);
	char **list = ekus_of(exts);

	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return list;
}
