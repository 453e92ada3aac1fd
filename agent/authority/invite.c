/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Invites. Needs no token; works while the server runs.
 */

#include <stdlib.h>
#include <string.h>

#include "../enroll/profile_dir.h"
#include "ca.h"

#define MAX_TTL (366L * 24 * 60 * 60) /* seconds an invite may live */

/* The profile must be there, and make names of the identity. */
static int
check_profile(const char *dir, const char *name, const char *identity,
    struct burin_error *e)
{
	struct burin_profile *p = NULL;
	struct burin_subject *s = NULL;
	char *profiles = NULL, *text = NULL;
	size_t len;
	int rc = -1;

	if (ca_path(dir, "profiles", &profiles, e) != 0 ||
	    profile_load_from(profiles, name, &text, &len, e) != 0 ||
	    burin_profile_parse(text, len, &p, e) != 0)
		goto out;
	if (identity != NULL &&
	    (burin_subject_new(&s, e) != 0 ||
		burin_profile_identity(p, s, identity, e) != 0))
		goto out;
	rc = 0;
out:
	burin_subject_free(&s);
	burin_profile_free(&p);
	free(text);
	free(profiles);
	return rc;
}

/* The subject is a name; it is kept as it was typed. */
static int
check_subject(const char *subject, struct burin_error *e)
{
	struct burin_subject *s = NULL;
	int rc = -1;

	if (*subject == '\0')
		return burin_fail(e, BURIN_EUSAGE, "subject-empty",
		    "the subject of the invite is empty");
	if (burin_subject_new(&s, e) == 0)
		rc = burin_subject_set_dn(s, subject, e);
	burin_subject_free(&s);
	return rc;
}

static int
check_input(const struct authority_invite *in, struct burin_error *e)
{
	if (secret_name_ok(in->name, e) != 0)
		return -1;
	if (in->ttl <= 0 || in->ttl > MAX_TTL)
		return burin_fail(e, BURIN_EUSAGE, "ttl-refused",
		    "an invite lives 1 to %ld seconds", MAX_TTL);
	if (in->identity != NULL && *in->identity == '\0')
		return burin_fail(e, BURIN_EUSAGE, "identity-empty",
		    "the identity of the invite is empty");
	if (in->identity != NULL && in->profile == NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "profile-needed",
		    "an identity means something only with a profile");
		return burin_error_advice(e, "give --profile as well");
	}
	return in->subject != NULL ? check_subject(in->subject, e) : 0;
}

static int
put_invite(struct store *st, struct invite *in,
    const struct burin_secret *secret, struct burin_error *e)
{
	if (store_invite_put(st, in, secret, e) != 0)
		return -1;
	return store_audit(st, e, "invited", "%s as %lld profile %s: %s%s%s",
	    in->name, in->id, in->profile != NULL ? in->profile : "-",
	    in->identity != NULL ? in->identity : "any identity",
	    in->subject != NULL ? ", subject " : "",
	    in->subject != NULL ? in->subject : "");
}

static int
copy(char **dst, const char *src, struct burin_error *e)
{
	if (src != NULL && (*dst = strdup(src)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

static int
fill(struct invite *in, const struct authority_invite *from,
    struct burin_error *e)
{
	in->created = time(NULL);
	in->expires = in->created + from->ttl;
	if (copy(&in->name, from->name, e) != 0 ||
	    copy(&in->profile, from->profile, e) != 0 ||
	    copy(&in->identity, from->identity, e) != 0)
		return -1;
	return copy(&in->subject, from->subject, e);
}

static int
invite_one(
    struct store *st, struct authority_invite *from, struct burin_error *e)
{
	struct invite in = { 0 };
	int rc = -1;

	if (fill(&in, from, e) == 0 && secret_make(&from->secret, e) == 0 &&
	    secret_keep(&in, burin_secret_bytes(from->secret),
		burin_secret_len(from->secret), e) == 0)
		rc = put_invite(st, &in, from->secret, e);
	invite_clear(&in);
	return rc;
}

/* Everything that can be said before the store is touched. */
static int
check_all(const char *dir, const struct authority_invite *list, size_t n,
    struct burin_error *e)
{
	size_t i;

	if (n > AUTHORITY_INVITES)
		return burin_fail(e, BURIN_EUSAGE, "invites-too-many",
		    "more than %d invites at once", AUTHORITY_INVITES);
	for (i = 0; i < n; i++)
		if (check_input(&list[i], e) != 0)
			return -1;
	if (ca_dir_check(dir, e) != 0)
		return -1;
	for (i = 0; i < n; i++)
		if (list[i].profile != NULL &&
		    check_profile(dir, list[i].profile, list[i].identity, e) !=
			0)
			return -1;
	return 0;
}

/* One transaction: all of them or none. */
static int
invite_all(struct store *st, struct authority_invite *list, size_t n,
    struct burin_error *e)
{
	size_t i;
	int rc = 0;

	if (store_begin(st, e) != 0)
		return -1;
	for (i = 0; i < n && rc == 0; i++)
		rc = invite_one(st, &list[i], e);
	return store_end(st, rc == 0, e) != 0 ? -1 : rc;
}

int
authority_invite(const char *dir, struct authority_invite *list, size_t n,
    struct burin_error *e)
{
	struct store *st = NULL;
	size_t i;
	int rc = -1;

	for (i = 0; i < n; i++)
		list[i].secret = NULL;
	if (check_all(dir, list, n, e) == 0 && store_open(dir, 0, &st, e) == 0)
		rc = invite_all(st, list, n, e);
	store_close(&st);
	if (rc == 0)
		return 0;
	for (i = 0; i < n; i++)
		burin_secret_free(&list[i].secret);
	return burin_error_step(e, "invite");
}
