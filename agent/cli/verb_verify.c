/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin verify: is an identity whole, trusted, in profile, usable by others?
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "profile_req.h"
#include "verbs.h"
#include "work.h"

#define SKEW 300 /* seconds a clock may be off */

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI", "the key" },
	{ "trust", 0, OPT_VALUE, "FILE", "anchors: is it trusted?" },
	{ "profile", 0, OPT_VALUE, "PROFILE", "is it what this one asks?" },
	{ "no-consumer", 0, OPT_FLAG, NULL, "do not use the key with libp11" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_wait, opts_common,
	NULL };

static void
add(struct burin_checks *checks, const char *id, const char *title,
    const char *rule, enum burin_check_level level, const char *detail)
{
	struct burin_check *ch;

	if (checks->n == BURIN_MAX_CHECKS)
		return;
	ch = &checks->list[checks->n++];
	ch->id = id;
	ch->title = title;
	ch->rule = rule;
	ch->level = level;
	(void)snprintf(ch->detail, sizeof(ch->detail), "%s", detail);
}

/* The private key as the token describes it. */
static int
check_protection(struct burin_key *key, STACK_OF(X509) * bag,
    struct burin_checks *checks, struct burin_error *e)
{
	const unsigned char *id;
	struct burin_object *objects = NULL;
	size_t i, n = 0, len;
	int is_protected = 0, same = 0, rc = -1;

	id = burin_key_id(key, &len);
	if (burin_token_objects(burin_key_token(key), &objects, &n, e) != 0)
		return burin_error_step(e, "inventory");
	for (i = 0; i < n; i++) {
		if (objects[i].cert != NULL &&
		    X509_add_cert(bag, objects[i].cert, X509_ADD_FLAG_UP_REF) !=
			1) {
			(void)burin_fail_memory(e);
			goto out;
		}
		if (objects[i].cls != BURIN_OBJECT_PRIVATE ||
		    objects[i].id_len != len ||
		    memcmp(objects[i].id, id, len) != 0)
			continue;
		same++;
		is_protected = objects[i].protected_key;
	}
	add(checks, "V1", "the private key cannot leave the token",
	    "PKCS#11 2.40 section 4.9", is_protected ? BURIN_PASS : BURIN_FAIL,
	    is_protected ? "sensitive, not extractable"
			 : "it is not marked sensitive and not extractable");
	add(checks, "V2", "no other key has its CKA_ID",
	    "PKCS#11 2.40 section 4.5", same == 1 ? BURIN_PASS : BURIN_FAIL,
	    same == 1 ? "" : "several private keys have this CKA_ID");
	rc = 0;
out:
	burin_objects_free(&objects, n);
	return rc;
}

/* The certificates under the key's CKA_ID; *leaf is the newest of the key. */
static int
check_present(struct burin_key *key, STACK_OF(X509) * own, X509 **leaf,
    struct burin_checks *checks)
{
	char text[128];
	int n = sk_X509_num(own);

	*leaf = burin_certs_for_key(own, burin_key_public(key));
	if (*leaf == NULL) {
		add(checks, "V3", "a certificate of the key is there", "",
		    BURIN_FAIL,
		    n == 0 ? "no certificate has the key's CKA_ID"
			   : "the certificate under the key's CKA_ID is of "
			     "another key");
		return 0;
	}
	(void)snprintf(text, sizeof(text),
	    "%d certificates under one CKA_ID: programs may take the wrong one",
	    n);
	add(checks, "V3", "a certificate of the key is there", "",
	    n == 1 ? BURIN_PASS : BURIN_WARN, n == 1 ? "" : text);
	return 1;
}

static void
append(struct burin_checks *to, const struct burin_checks *from)
{
	size_t i;

	for (i = 0; i < from->n && to->n < BURIN_MAX_CHECKS; i++)
		to->list[to->n++] = from->list[i];
}

static int
check_certificate(struct cli *c, struct burin_key *key, X509 *leaf,
    const struct burin_profile *profile, STACK_OF(X509) * bag,
    struct burin_checks *checks, struct burin_error *e)
{
	const char *trust = arg_value(c->args, "trust");
	struct burin_check_input in;
	struct burin_checks found;
	struct burin_asked asked = { NULL, NULL, NULL };
	int rc = -1;

	memset(&in, 0, sizeof(in));
	memset(&found, 0, sizeof(found));
	if (trust != NULL && work_certs(trust, &in.anchors, e) != 0)
		goto out;
	if (profile != NULL &&
	    profile_req(profile, burin_key_get_type(key), leaf, &asked, checks,
		e) != 0) {
		(void)burin_error_step(e, "profile");
		goto out;
	}
	in.cert = leaf;
	in.pub = burin_key_public(key);
	in.bag = bag;
	in.now = time(NULL);
	in.skew = SKEW;
	in.asked = profile != NULL ? &asked : NULL;
	in.key_usage = burin_key_usage(key);
	in.key_id = burin_key_id(key, &in.key_id_len);
	if (burin_check_cert(&in, &found, NULL, e) != 0)
		goto out;
	append(checks, &found);
	rc = 0;
out:
	burin_asked_clear(&asked);
	sk_X509_pop_free(in.anchors, X509_free);
	return rc;
}

static int
check_consumer(struct cli *c, struct burin_key *key,
    struct burin_checks *checks, struct burin_error *e)
{
	struct consumer_result result;

	if (arg_flag(c->args, "no-consumer"))
		return 0;
	if (consumer_run(c, key, &result, e) != 0)
		return -1;
	add(checks, "V4", "another program can use it", "", result.level,
	    result.text);
	return 0;
}

/* "title: what was seen", once where both say the same. */
static void
one_line(const struct burin_check *ch, char *buf, size_t size)
{
	int more = ch->detail[0] != '\0' && strcmp(ch->title, ch->detail) != 0;

	(void)snprintf(buf, size, "%s%s%s", ch->title, more ? ": " : "",
	    more ? ch->detail : "");
}

/* Lines, problems[] and warnings[], and the verdict. */
static int
tell(struct cli *c, const struct burin_checks *checks, struct burin_error *e)
{
	json_t *problems = json_array(), *warnings = json_array();
	const struct burin_check *ch, *first = NULL;
	size_t i, n = 0;
	char line[400];

	for (i = 0; i < checks->n; i++) {
		ch = &checks->list[i];
		one_line(ch, line, sizeof(line));
		if (ch->level != BURIN_SKIP || c->verbose > 0)
			out_text(c, "%-4s  %-3s %s",
			    burin_check_level_name(ch->level), ch->id, line);
		if (ch->level == BURIN_WARN)
			(void)json_array_append_new(warnings, json_text(line));
		if (ch->level != BURIN_FAIL)
			continue;
		(void)json_array_append_new(problems, json_text(line));
		first = first == NULL ? ch : first;
		n++;
	}
	out_json(c, "checks", json_checks(checks));
	out_json(c, "problems", problems);
	out_json(c, "warnings", warnings);
	if (first == NULL) {
		out_text(c, "whole%s",
		    arg_value(c->args, "trust") != NULL ? " and trusted" : "");
		return 0;
	}
	one_line(first, line, sizeof(line));
	(void)burin_fail(e, BURIN_EVERIFY, "verify", "%zu %s; the first: %s", n,
	    n == 1 ? "problem" : "problems", line);
	return burin_error_rule(e, "%s", first->rule);
}

static int
run(struct cli *c, struct burin_error *e)
{
	STACK_OF(X509) *own = NULL, *bag = NULL;
	struct burin_profile *profile = NULL;
	struct burin_checks checks;
	struct burin_key *key = NULL;
	struct timespec start;
	X509 *leaf;
	int rc = -1;

	memset(&checks, 0, sizeof(checks));
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	/* A mistyped profile is the user's slip, not the identity's fault. */
	if (profile_read(arg_value(c->args, "profile"), &profile, e) != 0) {
		(void)burin_error_step(e, "profile");
		goto out;
	}
	if (work_key(c, &key, e) != 0)
		goto out;
	if ((bag = sk_X509_new_null()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (burin_cert_read(key, &own, e) != 0) {
		(void)burin_error_step(e, "read-certificate");
		goto out;
	}
	if (check_protection(key, bag, &checks, e) != 0)
		goto out;
	if (check_present(key, own, &leaf, &checks)) {
		out_json(c, "certificate", json_cert(leaf));
		work_say_identity(c, key, leaf);
		if (check_certificate(c, key, leaf, profile, bag, &checks, e) !=
			0 ||
		    check_consumer(c, key, &checks, e) != 0)
			goto out;
	} else {
		work_say_identity(c, key, NULL);
	}
	work_cost(c, &start);
	rc = tell(c, &checks, e);
	(void)burin_error_token(
	    e, "%s", burin_token_name(burin_key_token(key)));
out:
	sk_X509_pop_free(own, X509_free);
	sk_X509_pop_free(bag, X509_free);
	burin_profile_free(&profile);
	burin_key_free(&key);
	return rc;
}

const struct verb verb_verify = {
	.name = "verify",
	.usage = "--key URI [--trust FILE] [--profile PROFILE]",
	.help = "is an identity whole, trusted, usable by others?",
	.opts = groups,
	.run = run,
};
