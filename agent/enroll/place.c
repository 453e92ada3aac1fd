/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key that is made in a place of a token takes the place of the one there
 * before, for good: what would be lost is found out and said first.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <burin/names.h>

#include "place.h"

/*
 * The key there, by whatever tells its public half. A certificate is the
 * last to be believed: it can be another key's, and a key that is taken for
 * another one would be taken for the new one as well (burin_key_find_made).
 */
static EVP_PKEY *
public_of(const struct burin_object *objects, size_t n)
{
	EVP_PKEY *by_cert = NULL, *by_private = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		if (objects[i].cls == BURIN_OBJECT_PUBLIC &&
		    objects[i].public_key != NULL)
			return objects[i].public_key;
		if (by_private == NULL)
			by_private = objects[i].public_key;
		if (by_cert == NULL && objects[i].cert != NULL)
			by_cert = X509_get0_pubkey(objects[i].cert);
	}
	return by_private != NULL ? by_private : by_cert;
}

static int
take(const struct burin_object *objects, size_t n, struct place_use *use,
    enum burin_cert_kind *kind, struct burin_error *e)
{
	EVP_PKEY *pub = public_of(objects, n);
	size_t i;

	if (pub != NULL && !EVP_PKEY_up_ref(pub))
		return burin_fail_memory(e);
	use->pub = pub;
	for (i = 0; i < n; i++) {
		if (objects[i].cls == BURIN_OBJECT_OTHER)
			continue;
		use->occupied = 1;
		if (objects[i].cert == NULL || use->cert != NULL)
			continue;
		*kind = burin_cert_kind(objects[i].cert);
		if (burin_cert_is_by_token(*kind))
			continue;
		if (!X509_up_ref(objects[i].cert))
			return burin_fail_memory(e);
		use->cert = objects[i].cert;
	}
	return 0;
}

static void
say(const struct burin_place *p, struct place_use *use,
    enum burin_cert_kind kind)
{
	const char *type = burin_key_type_name(burin_key_type_of(use->pub));
	char *dn, *until;

	if (!use->occupied) {
		(void)snprintf(use->text, sizeof(use->text),
		    "slot %s (%s) is empty", p->name, p->purpose);
		return;
	}
	if (use->cert == NULL) {
		(void)snprintf(use->text, sizeof(use->text),
		    "slot %s (%s) holds a key (%s) %s", p->name, p->purpose,
		    type,
		    kind == BURIN_CERT_PLACEHOLDER
			? "with nothing but the placeholder certificate that "
			  "the token made with it"
			: "without a certificate");
		return;
	}
	dn = burin_dn_text(X509_get_subject_name(use->cert));
	until = burin_time_text(X509_get0_notAfter(use->cert));
	(void)snprintf(use->text, sizeof(use->text),
	    "slot %s (%s) holds a key (%s) with the %scertificate of %.100s, "
	    "valid until %s",
	    p->name, p->purpose, type,
	    kind == BURIN_CERT_SELF_SIGNED ? "self-signed " : "",
	    dn != NULL && dn[0] != '\0' ? dn : "(no subject)",
	    until != NULL ? until : "?");
	free(dn);
	free(until);
}

int
place_look(struct burin_token *t, const struct burin_place *p,
    struct place_use *use, struct burin_error *e)
{
	enum burin_cert_kind kind = BURIN_CERT_ORDINARY;
	struct burin_object *objects = NULL;
	size_t n = 0;
	int rc = -1;

	memset(use, 0, sizeof(*use));
	if (burin_token_objects_id(t, &p->id, 1, &objects, &n, e) != 0)
		return burin_error_step(e, "look-at-slot");
	if (take(objects, n, use, &kind, e) == 0) {
		say(p, use, kind);
		rc = 0;
	}
	burin_objects_free(&objects, n);
	if (rc != 0)
		place_use_clear(use);
	return rc;
}

void
place_use_clear(struct place_use *use)
{
	EVP_PKEY_free(use->pub);
	X509_free(use->cert);
	use->pub = NULL;
	use->cert = NULL;
}

int
place_check(struct burin_token *t, const struct place_use *use, int replace,
    struct burin_error *e)
{
	if (!use->occupied || replace)
		return 0;
	burin_fail(e, BURIN_EREFUSED, "slot-occupied",
	    "%s: a new key would take its place for good", use->text);
	burin_error_token(e, "%s", burin_token_name(t));
	burin_error_advice(e,
	    "name another slot with --slot, or add --replace and lose what is "
	    "there");
	return burin_error_step(e, "look-at-slot");
}
