/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a profile would ask for an identity that exists already.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <burin/names.h>
#include <burin/profile.h>
#include <burin/request.h>

#include "../enroll/profile_dir.h"
#include "profile_req.h"

static void
check_type(const struct burin_profile *p, enum burin_key_type type,
    struct burin_checks *checks)
{
	const char *const *types = burin_profile_key_types(p);
	struct burin_check *ch;
	int known = 0;

	for (; types != NULL && *types != NULL; types++)
		known |= burin_key_type_parse(*types) == type;
	if (checks->n == BURIN_MAX_CHECKS)
		return;
	ch = &checks->list[checks->n++];
	ch->id = "V5";
	ch->title = "the profile takes this type of key";
	ch->rule = "";
	ch->level = known ? BURIN_PASS : BURIN_FAIL;
	(void)snprintf(
	    ch->detail, sizeof(ch->detail), "%s", burin_key_type_name(type));
}

/* The names that are there: a profile says nothing of whose they are. */
static int
copy_names(X509 *cert, struct burin_subject *s, struct burin_error *e)
{
	char *dn = burin_dn_text(X509_get_subject_name(cert));
	char **sans = burin_cert_sans(cert);
	size_t i;
	int rc = -1;

	if (dn == NULL || sans == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (burin_subject_set_dn(s, dn, e) != 0)
		goto out;
	/* Kinds that cannot be asked for are not held against anybody. */
	for (i = 0; sans[i] != NULL; i++)
		(void)burin_subject_add_san(s, sans[i], NULL);
	rc = 0;
out:
	free(dn);
	burin_texts_free(&sans);
	return rc;
}

/* Signed with a key that lives as long as this function. */
static int
sign(const struct burin_subject *s, struct burin_asked *out,
    struct burin_error *e)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char *der = NULL;
	size_t len;
	int rc = -1;

	if (pkey == NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "keygen",
		    "cannot make a key in software");
		goto out;
	}
	if (burin_pkcs10_make(s, pkey, pkey, NULL, &der, &len, e) != 0)
		goto out;
	rc = burin_asked_parse(der, len, NULL, BURIN_EINTERNAL, out, e);
out:
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return rc;
}

int
profile_read(
    const char *name, struct burin_profile **out, struct burin_error *e)
{
	char *text = NULL;
	size_t len;
	int rc;

	*out = NULL;
	if (name == NULL)
		return 0;
	if (profile_load(name, &text, &len, e) != 0)
		return -1;
	rc = burin_profile_parse(text, len, out, e);
	free(text);
	return rc;
}

int
profile_req(const struct burin_profile *p, enum burin_key_type type, X509 *cert,
    struct burin_asked *out, struct burin_checks *checks, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (burin_subject_new(&s, e) != 0)
		goto out;
	check_type(p, type, checks);
	burin_subject_set_ski(s, 0);
	if (copy_names(cert, s, e) != 0 || burin_profile_apply(p, s, e) != 0)
		goto out;
	rc = sign(s, out, e);
out:
	burin_subject_free(&s);
	return rc;
}
