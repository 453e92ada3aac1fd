/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The core of the token layer on SoftHSM: names, logins, initialization and
 * the number of calls.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pkcs11/p11.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define NSS "/usr/lib/x86_64-linux-gnu/libsoftokn3.so"
#define PIN "123456"
#define SO_PIN "87654321"

static char dir[64];

static void run(const char *, ...) BURIN_PRINTF(1, 2);

static void
run(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	assert_int_equal(system(cmd), 0);
}

static void
make_token(const char *label)
{
	run("softhsm2-util --init-token --free --label '%s' --so-pin %s "
	    "--pin %s >/dev/null",
	    label, SO_PIN, PIN);
}

static int
setup(void **state)
{
	char path[128];
	FILE *f;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/burin-core-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/tokens", dir);
	run("mkdir %s", path);
	(void)snprintf(path, sizeof(path), "%s/softhsm2.conf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fprintf(f,
			"directories.tokendir = %s/tokens\n"
			"log.level = ERROR\n",
			dir) > 0);
	assert_int_equal(fclose(f), 0);
	return setenv("SOFTHSM2_CONF", path, 1);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A policy that gives what it is told and remembers what it was asked. */
struct policy {
	const char *pin, *so, *new_pin, *new_so;
	int asked, refused, right, wrong, refuse, pad;
};

static int
give(void *arg, const struct burin_token *t, enum burin_login who,
    struct burin_secret **out, struct burin_error *e)
{
	struct policy *p = arg;
	const char *pin = NULL;

	assert_non_null(burin_token_name(t));
	p->asked++;
	switch (who) {
	case BURIN_LOGIN_USER:
	case BURIN_LOGIN_CONTEXT:
		pin = p->pin;
		break;
	case BURIN_LOGIN_SO:
		pin = p->so;
		break;
	case BURIN_LOGIN_NEW_USER:
		pin = p->new_pin;
		break;
	case BURIN_LOGIN_NEW_SO:
		pin = p->new_so;
		break;
	case BURIN_LOGIN_PUK:
	case BURIN_LOGIN_NEW_PUK:
		break; /* of YubiKeys only */
	}
	if (pin == NULL)
		return burin_fail(e, BURIN_EPIN, "pin-missing", "no PIN");
	return burin_secret_new(out, pin, strlen(pin), e);
}

static int
before(void *arg, const struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, struct burin_error *e)
{
	struct policy *p = arg;

	(void)t;
	assert_true(who == BURIN_LOGIN_USER || who == BURIN_LOGIN_SO);
	assert_non_null(pin);
	if (!p->refuse)
		return 0;
	p->refused++;
	return burin_fail(e, BURIN_EPIN, "pin-known-wrong", "it was wrong");
}

static int
after(void *arg, const struct burin_token *t, enum burin_login who,
    const struct burin_secret *pin, int right, struct burin_error *e)
{
	struct policy *p = arg;

	(void)t;
	(void)who;
	(void)e;
	assert_non_null(pin);
	if (right == 1)
		p->right++;
	else if (right == 0)
		p->wrong++;
	return 0;
}

static void
pad(void *arg, const struct burin_token *t, enum burin_login who)
{
	struct policy *p = arg;

	(void)t;
	assert_int_equal(who, BURIN_LOGIN_USER);
	p->pad++;
}

static struct burin_p11 *
start(struct policy *policy, burin_log_fn log, void *arg)
{
	const struct burin_module_spec module = { MODULE, NULL };
	const struct burin_p11_config config = {
		.modules = &module, .n_modules = 1, .log = log, .log_arg = arg
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_login_policy p;
	struct burin_p11 *p11 = NULL;

	if (burin_p11_new(&p11, &config, &e) == -1)
		fail_msg("%s; %s", e.reason, e.cause);
	memset(&p, 0, sizeof(p));
	p.pin = give;
	p.before = before;
	p.after = after;
	p.use_pad = pad;
	p.arg = policy;
	if (policy != NULL)
		burin_p11_set_policy(p11, &p);
	return p11;
}

static struct burin_token *
find(struct burin_p11 *p11, const char *name)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *t = NULL;

	if (burin_token_find(p11, name, 0, &t, &e) == -1)
		fail_msg("%s", e.reason);
	return t;
}

static void
not_found(struct burin_p11 *p11, const char *name, int want_blank,
    const char *code, struct burin_error *e)
{
	struct burin_token *t;

	burin_error_clear(e);
	assert_int_equal(burin_token_find(p11, name, want_blank, &t, e), -1);
	assert_null(t);
	assert_int_equal(e->status, BURIN_ETOKEN);
	assert_string_equal(e->code, code);
}

static void
test_no_module(void **state)
{
	const struct burin_module_spec module = { "/nonexistent.so", NULL };
	const struct burin_p11_config config = { .modules = &module,
		.n_modules = 1 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_p11 *p11;

	(void)state;
	assert_int_equal(burin_p11_new(&p11, &config, &e), -1);
	assert_null(p11);
	assert_string_equal(e.code, "module-missing");
	assert_non_null(strstr(e.reason, "/nonexistent.so"));
	/* Loads, and does not start like this. */
	if (access(NSS, R_OK) == 0) {
		const struct burin_module_spec nss = { NSS,
			"configdir='sql:/nonexistent' flags=" };
		const struct burin_p11_config with = { .modules = &nss,
			.n_modules = 1 };

		burin_error_clear(&e);
		assert_int_equal(burin_p11_new(&p11, &with, &e), -1);
		assert_string_equal(e.code, "module-start");
	}
	burin_p11_free(&p11);
	burin_p11_free(NULL);
}

static void
test_blank_and_init(void **state)
{
	struct policy policy = {
		.new_pin = PIN, .new_so = SO_PIN, .so = "wrong-so", .pin = PIN
	};
	struct burin_p11 *p11 = start(&policy, NULL, NULL);
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *t = NULL, *again = NULL;
	char uri[64];

	(void)state;
	/* The only slot is blank: nothing that could be meant by chance. */
	not_found(p11, NULL, 0, "token-missing", &e);
	not_found(p11, "core", 0, "token-missing", &e);
	not_found(p11, "core", 1, "token-missing", &e);
	assert_non_null(strstr(e.reason, "blank token"));
	assert_int_equal(burin_token_find(p11, NULL, 1, &t, NULL), 0);
	assert_int_equal(burin_token_info(t)->initialized, 0);
	(void)snprintf(
	    uri, sizeof(uri), "pkcs11:slot-id=%lu", burin_token_info(t)->slot);
	assert_ptr_equal(find(p11, uri), t);
	assert_ptr_equal(find(p11, "pkcs11:token="), t);

	burin_error_clear(&e);
	assert_int_equal(
	    burin_token_init(
		p11, t, "a label that is longer than the field", 0, &again, &e),
	    -1);
	assert_int_equal(e.status, BURIN_EUSAGE);
	policy.new_pin = "1";
	burin_error_clear(&e);
	assert_int_equal(burin_token_init(p11, t, "core", 0, &again, &e), -1);
	assert_string_equal(e.code, "pin-length");
	assert_int_equal(burin_p11_calls_of(p11, "C_InitToken"), 0);
	policy.new_pin = PIN;
	burin_error_clear(&e);
	if (burin_token_init(p11, t, "core", 0, &again, &e) == -1)
		fail_msg("%s", e.reason);
	assert_string_equal(burin_token_info(again)->label, "core");
	assert_true(burin_token_info(again)->serial[0] != '\0');
	assert_true(burin_token_info(again)->pin_set);
	assert_ptr_equal(find(p11, "core"), again);
	if (burin_token_login(again, &e) == -1)
		fail_msg("%s", e.reason);

	/* Not blank any more; a new start wants the present SO PIN. */
	t = again;
	assert_int_equal(burin_token_init(p11, t, "core", 0, &again, &e), -1);
	assert_string_equal(e.code, "token-not-blank");
	assert_null(again);
	burin_error_clear(&e);
	assert_int_equal(burin_token_init(p11, t, "core", 1, &again, &e), -1);
	assert_string_equal(e.code, "pin-incorrect");
	assert_non_null(strstr(e.reason, "SO PIN"));
	assert_int_equal(policy.wrong, 1);
	policy.so = SO_PIN;
	burin_error_clear(&e);
	if (burin_token_init(p11, t, "core2", 1, &again, &e) == -1)
		fail_msg("%s", e.reason);
	assert_string_equal(burin_token_info(again)->label, "core2");
	not_found(p11, "core", 0, "token-missing", &e);
	burin_p11_free(&p11);
	assert_null(p11);
}

static void
test_names(void **state)
{
	struct burin_p11 *p11;
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *const *list, *const *again, *t;
	const char *serial[3] = { NULL, NULL, NULL };
	char uri[128], *full;
	size_t i, n, twins = 0;

	(void)state;
	make_token("twin");
	make_token("twin");
	make_token("twin1");
	p11 = start(NULL, NULL, NULL);
	assert_int_equal(burin_tokens(p11, &list, &n, &e), 0);
	assert_int_equal(n, 5);
	assert_int_equal(burin_tokens(p11, &again, &n, &e), 0);
	assert_ptr_equal(again, list);
	for (i = 0; i < n; i++)
		if (strcmp(burin_token_info(list[i])->label, "twin") == 0)
			serial[twins++] = burin_token_info(list[i])->serial;
	assert_int_equal(twins, 2);

	not_found(p11, "twin", 0, "token-ambiguous", &e);
	assert_non_null(strstr(e.reason, serial[0]));
	assert_non_null(strstr(e.reason, serial[1]));
	not_found(p11, "pkcs11:token=twin", 0, "token-ambiguous", &e);
	not_found(p11, NULL, 0, "token-ambiguous", &e);
	not_found(p11, "pkcs11:", 0, "token-ambiguous", &e);
	not_found(p11, "twi", 0, "token-missing", &e);
	assert_non_null(strstr(e.reason, "label 'twin1'"));
	not_found(p11, "pkcs11:library-version=200", 0, "token-missing", &e);
	not_found(
	    p11, "pkcs11:?module-name=opensc-pkcs11", 0, "token-missing", &e);

	t = find(p11, "twin1");
	assert_ptr_equal(find(p11, "pkcs11:token=twin1"), t);
	assert_ptr_equal(find(p11,
			     "pkcs11:token=twin1"
			     ";library-manufacturer=SoftHSM;slot-manufacturer="
			     "SoftHSM%20project"
			     "?module-name=softhsm2&module-path=" MODULE),
	    t);
	t = find(p11, serial[1]);
	assert_string_equal(burin_token_info(t)->serial, serial[1]);
	(void)snprintf(
	    uri, sizeof(uri), "pkcs11:token=twin;serial=%s", serial[1]);
	assert_ptr_equal(find(p11, uri), t);
	full = burin_token_uri(t);
	assert_non_null(full);
	assert_ptr_equal(find(p11, full), t);
	assert_int_equal(burin_token_matches(t, full), 1);
	assert_int_equal(burin_token_matches(find(p11, serial[0]), full), 0);
	free(full);
	assert_int_equal(burin_p11_calls_of(p11, "C_GetSlotList"), 1);
	assert_int_equal(burin_p11_calls_of(p11, "C_GetTokenInfo"), 5);

	burin_p11_refresh(p11);
	assert_non_null(find(p11, "twin1"));
	assert_int_equal(burin_p11_calls_of(p11, "C_GetSlotList"), 2);
	burin_p11_free(&p11);
}

/* A slot's number: the others are asked only when it does not do. */
static void
test_one_slot(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *const *list, *const *again, *t;
	struct burin_p11 *p11;
	char uri[64], other[96];
	size_t i, n, hits = 0;

	(void)state;
	p11 = start(NULL, NULL, NULL);
	t = find(p11, "twin1");
	(void)snprintf(
	    uri, sizeof(uri), "pkcs11:slot-id=%lu", burin_token_info(t)->slot);
	(void)snprintf(other, sizeof(other), "%s;token=other", uri);
	burin_p11_free(&p11);

	p11 = start(NULL, NULL, NULL);
	t = find(p11, uri);
	assert_string_equal(burin_token_info(t)->label, "twin1");
	assert_ptr_equal(find(p11, uri), t);
	assert_int_equal(burin_p11_calls_of(p11, "C_GetSlotList"), 1);
	assert_int_equal(burin_p11_calls_of(p11, "C_GetTokenInfo"), 1);

	/* What is there is all told, and the first is still the same one. */
	not_found(p11, other, 0, "token-missing", &e);
	assert_non_null(strstr(e.reason, "label 'twin1'"));
	assert_int_equal(burin_tokens(p11, &list, &n, &e), 0);
	assert_true(n > 1);
	for (i = 0; i < n; i++)
		hits += list[i] == t;
	assert_int_equal(hits, 1);
	assert_int_equal(burin_p11_calls_of(p11, "C_GetTokenInfo"), n);
	assert_ptr_equal(find(p11, uri), t);
	assert_int_equal(burin_tokens(p11, &again, &n, &e), 0);
	assert_ptr_equal(again, list);
	burin_p11_free(&p11);
}

static void
test_wrong_pin(void **state)
{
	struct policy policy = { .pin = "999999" };
	struct burin_p11 *p11 = start(&policy, NULL, NULL);
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *t = find(p11, "twin1");

	(void)state;
	assert_int_equal(burin_token_login(t, &e), -1);
	assert_int_equal(e.status, BURIN_EPIN);
	assert_string_equal(e.code, "pin-incorrect");
	assert_string_equal(e.step, "login");
	assert_int_equal(e.ckr, CKR_PIN_INCORRECT);
	assert_non_null(strstr(e.reason, "left"));
	assert_non_null(strstr(e.token, "twin1"));
	assert_null(strstr(e.reason, "999999"));
	assert_int_equal(policy.wrong, 1);
	assert_int_equal(burin_p11_calls_of(p11, "C_Login"), 1);
	assert_true(burin_token_info(t)->pin_count_low);

	/* Our own memory of it: not sent. */
	policy.refuse = 1;
	burin_error_clear(&e);
	assert_int_equal(burin_token_login(t, &e), -1);
	assert_string_equal(e.code, "pin-known-wrong");
	/* The wrong length: not sent. */
	policy.refuse = 0;
	policy.pin = "123";
	burin_error_clear(&e);
	assert_int_equal(burin_token_login(t, &e), -1);
	assert_string_equal(e.code, "pin-length");
	/* Locked and last try: not even asked for. */
	policy.asked = 0;
	policy.pin = PIN;
	t->flags |= CKF_USER_PIN_FINAL_TRY;
	burin_error_clear(&e);
	assert_int_equal(burin_token_login(t, &e), -1);
	assert_string_equal(e.code, "pin-final-try");
	t->flags |= CKF_USER_PIN_LOCKED;
	burin_error_clear(&e);
	assert_int_equal(burin_token_login(t, &e), -1);
	assert_string_equal(e.code, "pin-locked");
	assert_int_equal(policy.asked, 0);
	assert_int_equal(burin_p11_calls_of(p11, "C_Login"), 1);

	t->flags &= ~(CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY);
	burin_error_clear(&e);
	if (burin_token_login(t, &e) == -1)
		fail_msg("%s", e.reason);
	assert_int_equal(policy.right, 1);
	assert_false(burin_token_info(t)->pin_count_low);
	assert_int_equal(burin_token_login(t, &e), 0);
	assert_int_equal(burin_p11_calls_of(p11, "C_Login"), 2);
	burin_token_logout(t);
	assert_int_equal(burin_p11_calls_of(p11, "C_Logout"), 1);
	burin_p11_free(&p11);
}

/* With a pad no PIN is asked for; SoftHSM, which has none, wants one. */
static void
test_pad(void **state)
{
	struct policy policy = { .pin = PIN };
	struct burin_p11 *p11 = start(&policy, NULL, NULL);
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *t = find(p11, "twin1");

	(void)state;
	t->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	assert_int_equal(burin_token_login(t, &e), -1);
	assert_string_equal(e.code, "arguments-refused");
	assert_int_equal(policy.pad, 1);
	assert_int_equal(policy.asked, 0);
	assert_int_equal(policy.wrong, 0);
	burin_p11_free(&p11);
}

static void
test_no_policy(void **state)
{
	struct burin_p11 *p11 = start(NULL, NULL, NULL);
	struct burin_error e = BURIN_ERROR_INIT;

	(void)state;
	assert_int_equal(burin_token_login(find(p11, "twin1"), &e), -1);
	assert_string_equal(e.code, "pin-missing");
	burin_p11_free(&p11);
}

static void
keep(void *arg, const char *line)
{
	char *log = arg;

	assert_null(strstr(line, PIN));
	(void)strncat(log, line, strcspn(line, " "));
	(void)strcat(log, " ");
}

/* Find, login, a work session: nothing more than that takes. */
static void
test_calls(void **state)
{
	struct policy policy = { .pin = PIN };
	char log[4096] = "";
	struct burin_p11 *p11 = start(&policy, keep, log);
	struct burin_p11_calls calls;
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *t = find(p11, "twin1");
	CK_SESSION_HANDLE s, s2;
	unsigned generation;

	(void)state;
	assert_int_equal(burin_token_login(t, &e), 0);
	p11_lock(t->m);
	assert_int_equal(p11_work_session(t, &s, &e), 0);
	assert_int_equal(p11_work_session(t, &s2, &e), 0);
	p11_unlock(t->m);
	assert_int_equal(s, s2);
	burin_p11_calls(p11, &calls);
	assert_int_equal(calls.total, 10);
	assert_int_equal(calls.failed, 0);
	assert_int_equal(burin_p11_calls_of(p11, "C_Initialize"), 1);
	assert_int_equal(burin_p11_calls_of(p11, "C_GetSlotList"), 1);
	assert_int_equal(burin_p11_calls_of(p11, "C_GetTokenInfo"), 5);
	assert_int_equal(burin_p11_calls_of(p11, "C_OpenSession"), 2);
	assert_int_equal(burin_p11_calls_of(p11, "C_Login"), 1);
	assert_int_equal(burin_p11_calls_of(p11, "C_Nothing"), 0);

	/* A dropped work session leaves the login; a lost token does not. */
	p11_lock(t->m);
	assert_int_equal(p11_fresh_session(t, &s2, &e), 0);
	assert_true(t->logged_in);
	generation = t->generation;
	p11_note_rv(t, CKR_OK);
	assert_int_equal(t->generation, generation);
	p11_note_rv(t, CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(t->generation, generation + 1);
	assert_true(t->logged_in);
	p11_note_rv(t, CKR_DEVICE_REMOVED);
	assert_int_equal(t->generation, generation + 2);
	assert_false(t->logged_in);
	p11_unlock(t->m);
	assert_int_equal(burin_token_login(t, &e), 0);
	log[0] = '\0';
	burin_p11_free(&p11);
	assert_string_equal(log, "C_Finalize ");
}

/* A token with room for one session: shared, the login renewed. */
static void
test_one_session(void **state)
{
	struct policy policy = { .pin = PIN };
	struct burin_p11 *p11 = start(&policy, NULL, NULL);
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *t = find(p11, "twin1");
	CK_SESSION_HANDLE s;

	(void)state;
	t->max_sessions = 1;
	assert_int_equal(burin_token_login(t, &e), 0);
	p11_lock(t->m);
	assert_int_equal(p11_work_session(t, &s, &e), 0);
	assert_int_equal(s, t->anchor);
	assert_int_equal(p11_fresh_session(t, &s, &e), 0);
	assert_int_equal(s, t->anchor);
	assert_true(t->logged_in);
	p11_unlock(t->m);
	assert_int_equal(burin_p11_calls_of(p11, "C_OpenSession"), 2);
	assert_int_equal(burin_p11_calls_of(p11, "C_Login"), 2);
	burin_token_logout(t);
	assert_int_equal(t->anchor, P11_NO_SESSION);
	assert_int_equal(t->work, P11_NO_SESSION);
	burin_p11_free(&p11);
}

/* A second owner in the process finds it running and does not end it. */
static void
test_shared(void **state)
{
	struct policy policy = { .pin = PIN };
	struct burin_p11 *one = start(&policy, NULL, NULL);
	struct burin_p11 *two = start(&policy, NULL, NULL);
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *t = find(two, "twin1");
	CK_SESSION_HANDLE s;

	(void)state;
	assert_int_equal(burin_token_login(t, &e), 0);
	assert_int_equal(burin_token_login(find(one, "twin1"), &e), 0);
	assert_int_equal(policy.right, 1);
	t = find(one, "twin1");
	assert_false(t->login_ours);
	burin_p11_free(&two);
	p11_lock(t->m);
	assert_int_equal(p11_work_session(t, &s, &e), 0);
	p11_unlock(t->m);
	burin_p11_free(&one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_module),
		cmocka_unit_test(test_blank_and_init),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_one_slot),
		cmocka_unit_test(test_wrong_pin),
		cmocka_unit_test(test_pad),
		cmocka_unit_test(test_no_policy),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_one_session),
		cmocka_unit_test(test_shared),
	};

	if (access(MODULE, R_OK) != 0)
		return 77;
	return cmocka_run_group_tests(tests, setup, teardown);
}
