/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Judging a profile: everything that is wrong is found, with its line, and
 * nothing in a sound one.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include <burin/profile.h>
#include <burin/token.h>

static struct burin_error e;
static struct burin_profile_flaws flaws;

/* What most rows begin with: 5 lines. */
static const char head[] = "# a profile\n[profile]\nname = x\n"
			   "key_types = ec:P-256\nusage = sign\n";

static void
judge(const char *text)
{
	burin_profile_flaws_clear(&flaws);
	burin_error_clear(&e);
	if (burin_profile_judge(text, strlen(text), NULL, &flaws, &e) == -1)
		fail_msg("%s (%s)", e.reason, e.cause);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
judge_behind_head(const char *text)
{
	char whole[4096];

	(void)snprintf(whole, sizeof(whole), "%s%s", head, text);
	judge(whole);
}

static void
show(void)
{
	size_t i;

	for (i = 0; i < flaws.n; i++)
		print_message("%ld [%s] %s: %s\n", flaws.list[i].line,
		    flaws.list[i].section, flaws.list[i].key,
		    flaws.list[i].error.reason);
}

static void
is_flaw(size_t i, long line, const char *section, const char *key,
    const char *code, const char *word)
{
	const struct burin_profile_flaw *f = &flaws.list[i];

	if (i >= flaws.n)
		fail_msg("%zu flaws, none says %s", flaws.n, word);
	if (strstr(f->error.reason, word) == NULL)
		fail_msg("not \"%s\" but \"%s\"", word, f->error.reason);
	assert_int_equal(f->line, line);
	assert_string_equal(f->section, section);
	assert_string_equal(f->key, key);
	assert_string_equal(f->error.code, code);
	assert_int_equal(f->error.status, BURIN_EUSAGE);
}

#define BAD "profile-malformed"
#define AGAINST "profile-contradiction"

/* Behind the head; one flaw each, where it is. */
static const struct row {
	const char *text;
	long line;
	const char *section, *key, *code, *word;
} rows[] = {
	/* what the reader refuses */
	{ "colour = red\n", 6, "profile", "colour", BAD, "colour" },
	{ "[other]\na = b\n", 6, "other", "", BAD, "[other]" },
	{ "description = a\\\nb\nprefix = 1\n", 8, "profile", "prefix", BAD,
	    "neither yes nor no" },
	{ "[certificate]\ndays = 0\n", 7, "certificate", "days", BAD, "days" },
	{ "[certificate]\nkeyUsage=digitalSignature\n", 6, "certificate", "",
	    BAD, "no days" },
	{ "identity = {bare}\n", 6, "profile", "identity", BAD,
	    "kind of name" },
	{ "identity_cn = yes\n", 6, "profile", "identity_cn", BAD,
	    "without identity" },
	{ "[certificate]\ndays = 1\ncopy = nosuch\n", 8, "certificate", "copy",
	    BAD, "nosuch" },
	{ "[request]\nkeyUsage = digitalSignature, sing\n", 7, "request",
	    "keyUsage", "ext-malformed", "keyUsage" },
	{ "[request]\n\n# x\n\textendedKeyUsage = imUrl\n", 9, "request",
	    "extendedKeyUsage", "eku-unknown", "imUrl" },
	{ "[certificate]\ndays = 1\nnosuch = x\n", 8, "certificate", "nosuch",
	    "ext-malformed", "nosuch" },
	{ "oops\n", 6, "", "", BAD, "cannot be read" },
	{ "description = $x\n", 6, "", "", BAD, "a variable" },
	/* a key again */
	{ "usage = sign\n", 6, "profile", "usage", BAD, "line 5" },
	{ "[request]\nprofile::usage = sign\n", 7, "profile", "usage", BAD,
	    "line 5" },
	/* keys and what they are for */
	{ "[request]\nkeyUsage = keyAgreement\n", 7, "request", "keyUsage",
	    AGAINST, "keyAgreement" },
	{ "[certificate]\ndays = 1\n2.5.29.15 = DER:03020490\n", 8,
	    "certificate", "2.5.29.15", AGAINST, "dataEncipherment" },
	{ "[certificate]\ndays = 1\nkeyUsage = digitalSignature,keyCertSign\n",
	    8, "certificate", "keyUsage", AGAINST, "keyCertSign" },
	{ "[request]\nkeyUsage = digitalSignature,encipherOnly\n", 7, "request",
	    "keyUsage", AGAINST, "encipherOnly" },
	/* names */
	{ "identity = emial:{bare}\n", 6, "profile", "identity", AGAINST,
	    "emial" },
	{ "identity = uri:{address}\n", 6, "profile", "identity", AGAINST,
	    "uri:{address}" },
	{ "identity = email:{bare} ip:{bare}\n", 6, "profile", "identity",
	    AGAINST, "no one address" },
	{ "identity_schemes = im\n", 6, "profile", "identity_schemes", AGAINST,
	    "without identity" },
	{ "identity = email:{bare}\nidentity_schemes = mailto, x_y\n", 7,
	    "profile", "identity_schemes", AGAINST, "x_y" },
	/* asked for and not given */
	{ "identity = email:{bare}\n[certificate]\ndays = 1\n", 7,
	    "certificate", "copy", AGAINST, "subjectAltName" },
	{ "prefix = yes\n[certificate]\ndays = 1\n", 7, "certificate", "copy",
	    AGAINST, "sbgp-ipAddrBlock" },
	{ "[certificate]\ndays = 1\nkeyUsage = nonRepudiation\n", 8,
	    "certificate", "keyUsage", AGAINST, "digitalSignature" },
	{ "[request]\nextendedKeyUsage = imUri,clientAuth\n"
	  "[certificate]\ndays = 1\nextendedKeyUsage = clientAuth\n",
	    10, "certificate", "extendedKeyUsage", AGAINST, "imUri" },
	{ "[request]\nextendedKeyUsage = imUri\n[certificate]\ndays = 1\n", 8,
	    "certificate", "", AGAINST, "imUri" },
	{ "[request]\nnsComment = hello\n[certificate]\ndays = 1\n", 7,
	    "request", "nsComment", AGAINST, "nsComment" },
	{ "[certificate]\ndays = 1\nbasicConstraints = CA:TRUE\n", 8,
	    "certificate", "basicConstraints", AGAINST, "authority" },
	/* extensions by themselves */
	{ "[certificate]\ndays = 1\nauthorityInfoAccess = "
	  "critical,caIssuers;URI:{base}/ca.cer\n",
	    8, "certificate", "authorityInfoAccess", AGAINST, "critical" },
	{ "[certificate]\ndays = 1\nextendedKeyUsage = clientAuth\n"
	  "2.5.29.37 = clientAuth\n",
	    8, "certificate", "extendedKeyUsage", AGAINST, "two lines" },
};

static void
test_each(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		judge_behind_head(rows[i].text);
		if (flaws.n != 1) {
			show();
			fail_msg("%zu flaws: %s", flaws.n, rows[i].text);
		}
		is_flaw(0, rows[i].line, rows[i].section, rows[i].key,
		    rows[i].code, rows[i].word);
	}
}

/* Sound, though it looks like one of the rows above. */
static void
test_sound(void **state)
{
	static const char *const texts[] = {
		"",
		"[certificate]\ndays = 1\n",
		"[request]\nbasicConstraints = CA:FALSE\n"
		"[certificate]\ndays = 1\n",
		"[request]\nextendedKeyUsage = imUri\n"
		"[certificate]\ndays = 1\ncopy = 2.5.29.37\n",
		"[request]\nkeyUsage = nonRepudiation\n"
		"[certificate]\ndays = 1\ncopy = keyUsage\n"
		"keyUsage = digitalSignature\n",
		"[request]\nnsComment = hello\n"
		"[certificate]\ndays = 1\nnsComment = bye\n",
		"prefix = yes\n[certificate]\ndays = 1\n"
		"sbgp-ipAddrBlock = critical,IPv6:inherit\n",
		"identity = uri:{address}\nidentity_schemes = tel\n",
		"identity = uri:{address}\nidentity_schemes = https\n",
		"identity = uri:{address}\nidentity_schemes = urn\n",
		"identity = ip:{bare}\n",
		"identity = dns:{domain} uri:acct:{user}@{domain}\n",
		"[request]\nsubjectKeyIdentifier = none\n",
		"[request]\nkeyUsage = keyCertSign\n"
		"basicConstraints = critical,CA:TRUE\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		judge_behind_head(texts[i]);
		show();
		if (flaws.n != 0)
			fail_msg("%s", texts[i]);
	}
}

/* Each type is known, and is told from the others by what it can do. */
static void
test_key_types(void **state)
{
	static const struct {
		const char *type, *can;
	} kinds[] = {
		{ "rsa:", "sign decrypt" },
		{ "ec:", "sign derive" },
		{ "ed", "sign" },
		{ "x25519", "derive" },
	};
	static const char *const words[] = { "sign", "decrypt", "derive" };
	char text[256];
	size_t i, k;
	int t;

	(void)state;
	for (t = BURIN_KEY_UNKNOWN + 1; t < BURIN_KEY_TYPES; t++) {
		const char *type = burin_key_type_name((enum burin_key_type)t);

		for (i = 0;
		     strncmp(type, kinds[i].type, strlen(kinds[i].type)) != 0;)
			assert_true(++i < sizeof(kinds) / sizeof(kinds[0]));
		for (k = 0; k < 3; k++) {
			(void)snprintf(text, sizeof(text),
			    "[profile]\nname = x\nkey_types = %s\n"
			    "usage = %s\n",
			    type, words[k]);
			judge(text);
			if (strstr(kinds[i].can, words[k]) != NULL) {
				assert_int_equal(flaws.n, 0);
				continue;
			}
			assert_int_equal(flaws.n, 1);
			is_flaw(
			    0, 3, "profile", "key_types", AGAINST, words[k]);
		}
	}
	judge("[profile]\nname = x\nkey_types = EC:p-256, rsa:1024\n");
	assert_int_equal(flaws.n, 1);
	is_flaw(0, 3, "profile", "key_types", BAD, "rsa:1024");
	/* Without usage, what a key of its type is made for. */
	judge("[profile]\nname = x\nkey_types = rsa:2048, x25519\n"
	      "[request]\nkeyUsage = keyEncipherment\n");
	assert_int_equal(flaws.n, 2);
	is_flaw(0, 5, "request", "keyUsage", AGAINST, "rsa:2048");
	is_flaw(1, 5, "request", "keyUsage", AGAINST, "x25519");
}

/* All of it at once, in the order of the lines. */
static void
test_all_at_once(void **state)
{
	(void)state;
	judge("lost = 1\n"
	      "[profile]\n"
	      "name = a b\n"
	      "key_types = ec:P-256, dsa:1024\n"
	      "usage = sing, decrypt\n"
	      "colour = red\n"
	      "[request]\n"
	      "keyUsage = nosuch\n"
	      "extendedKeyUsage = imUri\n"
	      "[certificate]\n"
	      "days = never\n"
	      "copy = basicConstraints, nosuch\n"
	      "subjectKeyIdentifier = critical,hash\n"
	      "[colours]\n");
	is_flaw(0, 1, "default", "lost", BAD, "outside");
	is_flaw(1, 3, "profile", "name", BAD, "name");
	is_flaw(2, 4, "profile", "key_types", AGAINST, "decrypt");
	is_flaw(3, 4, "profile", "key_types", BAD, "dsa:1024");
	is_flaw(4, 5, "profile", "usage", BAD, "sing");
	is_flaw(5, 6, "profile", "colour", BAD, "colour");
	is_flaw(6, 8, "request", "keyUsage", "ext-malformed", "keyUsage");
	is_flaw(7, 10, "certificate", "", AGAINST, "imUri");
	is_flaw(8, 11, "certificate", "days", BAD, "days");
	is_flaw(9, 12, "certificate", "copy", BAD, "basicConstraints");
	is_flaw(10, 12, "certificate", "copy", BAD, "nosuch");
	is_flaw(
	    11, 13, "certificate", "subjectKeyIdentifier", AGAINST, "critical");
	is_flaw(12, 14, "colours", "", BAD, "colours");
	assert_int_equal(flaws.n, 13);
	assert_int_equal(flaws.more, 0);
}

/* The reader and the judge agree on what can be used. */
static void
test_reader_agrees(void **state)
{
	struct burin_profile *p;
	char whole[4096];
	size_t i;
	int rc, refuses;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(
		    whole, sizeof(whole), "%s%s", head, rows[i].text);
		judge(whole);
		rc = burin_profile_parse(whole, strlen(whole), &p, &e);
		/* Keys again are the judge's alone. */
		refuses = strcmp(rows[i].code, AGAINST) != 0 &&
		    strstr(rows[i].word, "line 5") == NULL;
		if (rc != (refuses ? -1 : 0))
			fail_msg("%d: %s", rc, rows[i].text);
		if (refuses)
			assert_string_equal(
			    e.reason, flaws.list[0].error.reason);
		burin_profile_free(&p);
	}
	burin_error_clear(&e);
}

static void
test_name_of_file(void **state)
{
	(void)state;
	burin_error_clear(&e);
	burin_profile_flaws_clear(&flaws);
	assert_int_equal(
	    burin_profile_judge(head, strlen(head), "y", &flaws, &e), 0);
	assert_int_equal(flaws.n, 1);
	is_flaw(0, 3, "profile", "name", BAD, "than its file: y");
	burin_profile_flaws_clear(&flaws);
	assert_int_equal(
	    burin_profile_judge(head, strlen(head), "x", &flaws, &e), 0);
	assert_int_equal(flaws.n, 0);
}

/* Not more than can be read, and counted; bytes of any kind. */
static void
test_bounds(void **state)
{
	static char many[BURIN_MAX_PROFILE + 2];
	size_t i, n;

	(void)state;
	n = (size_t)snprintf(many, sizeof(many), "%s", head);
	for (i = 0; i < 150; i++)
		n += (size_t)snprintf(
		    many + n, sizeof(many) - n, "k%zu = 1\n", i);
	judge(many);
	assert_int_equal(flaws.n, BURIN_MAX_FLAWS);
	assert_int_equal(flaws.more, 150 - BURIN_MAX_FLAWS);
	is_flaw(0, 6, "profile", "k0", BAD, "k0");
	memset(many, '#', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	judge(many);
	is_flaw(0, 0, "", "", BAD, "longer than");
	judge("");
	assert_true(flaws.n >= 2);
	is_flaw(0, 0, "", "", BAD, "no section [profile]");
	judge("\xff\xfe");
	assert_int_equal(flaws.n, 1);
	is_flaw(0, 0, "", "", BAD, "UTF-8");
	/* A section without an end, one of blanks, a line that goes on. */
	judge("[profile");
	is_flaw(0, 1, "", "", BAD, "line 1");
	judge("[ profile ]\nname = \\\nx\nkey_types = ec:P-256\\\n\n");
	assert_int_equal(flaws.n, 0);
	burin_profile_flaws_clear(&flaws);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_key_types),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_reader_agrees),
		cmocka_unit_test(test_name_of_file),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
