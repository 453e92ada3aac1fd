/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's side of the store: invites, and requests that wait. Needs
 * no token; works while the server runs.
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

static int
check_input(const char *name, const char *profile, const char *identity,
    long ttl, struct burin_error *e)
{
	if (secret_name_ok(name, e) != 0)
		return -1;
	if (ttl <= 0 || ttl > MAX_TTL)
		return burin_fail(e, BURIN_EUSAGE, "ttl-refused",
		    "an invite lives 1 to %ld seconds", MAX_TTL);
	if (identity != NULL && *identity == '\0')
		return burin_fail(e, BURIN_EUSAGE, "identity-empty",
		    "the identity of the invite is empty");
	if (identity != NULL && profile == NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "profile-needed",
		    "an identity means something only with a profile");
		return burin_error_advice(e, "give --profile as well");
	}
	return 0;
}

static int
put_invite(struct store *st, struct invite *in,
    const struct burin_secret *secret, struct burin_error *e)
{
	int rc;

	if (store_begin(st, e) != 0)
		return -1;
	rc = store_invite_put(st, in, secret, e);
	if (rc == 0)
		rc = store_audit(st, e, "invited", "%s as %lld profile %s: %s",
		    in->name, in->id, in->profile != NULL ? in->profile : "-",
		    in->identity != NULL ? in->identity : "any identity");
	return store_end(st, rc == 0, e) != 0 ? -1 : rc;
}

static int
copy(char **dst, const char *src, struct burin_error *e)
{
	if (src != NULL && (*dst = strdup(src)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

int
authority_invite(const char *dir, const char *name, const char *profile,
    const char *identity, long ttl, struct burin_secret **out,
    struct burin_error *e)
{
	struct burin_secret *secret = NULL;
	struct invite in = { .created = time(NULL) };
	struct store *st = NULL;
	int rc = -1;

	*out = NULL;
	in.expires = in.created + ttl;
	if (check_input(name, profile, identity, ttl, e) != 0 ||
	    ca_dir_check(dir, e) != 0 ||
	    (profile != NULL && check_profile(dir, profile, identity, e) != 0))
		goto out;
	if (copy(&in.name, name, e) != 0 ||
	    copy(&in.profile, profile, e) != 0 ||
	    copy(&in.identity, identity, e) != 0 ||
	    secret_make(&secret, e) != 0 ||
	    secret_keep(&in, burin_secret_bytes(secret),
		burin_secret_len(secret), e) != 0)
		goto out;
	if (store_open(dir, 0, &st, e) != 0 ||
	    put_invite(st, &in, secret, e) != 0)
		goto out;
	*out = secret;
	secret = NULL;
	rc = 0;
out:
	store_close(&st);
	burin_secret_free(&secret);
	invite_clear(&in);
	if (rc != 0)
		(void)burin_error_step(e, "invite");
	return rc;
}

int
authority_pending(const char *dir,
    void (*each)(void *arg, const struct authority_waiting *w), void *arg,
    struct burin_error *e)
{
	struct store *st = NULL;
	int rc = -1;

	if (ca_dir_check(dir, e) != 0 || store_open(dir, 0, &st, e) != 0 ||
	    store_begin(st, e) != 0)
		goto out;
	rc = store_request_each(st, each, arg, e);
	(void)store_end(st, 0, e);
out:
	store_close(&st);
	return rc;
}

int
authority_approve(const char *dir, long long id, struct burin_error *e)
{
	struct store *st = NULL;
	int rc = -1;

	if (ca_dir_check(dir, e) != 0 || store_open(dir, 0, &st, e) != 0 ||
	    store_begin(st, e) != 0)
		goto out;
	rc = store_request_approve(st, id, time(NULL), e);
	if (store_end(st, rc == 0, e) != 0)
		rc = -1;
out:
	store_close(&st);
	return rc;
}
