/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One token on SoftHSM in a folder of its own, with a policy that gives its
 * PIN, and keys on it; included once by each test that needs it.
 */

#ifndef TESTS_SOFTHSM_H
#define TESTS_SOFTHSM_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <burin/token.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

/*
 * For a build with sanitizers: what SoftHSM itself leaks is not ours. The name
 * of a curve of EdDSA or X25519 it leaks from inside libcrypto, where only the
 * slow unwinder sees its frames; that takes most of the time of a test, which
 * has to want it: SOFTHSM_LEAKS, before this is included.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libsofthsm2.so\n";
}

#ifdef SOFTHSM_LEAKS
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}
#endif

struct softhsm {
	char dir[64];
	const char *pin; /* what the policy gives */
	unsigned asked;	 /* how often */
	struct burin_p11 *p11;
	struct burin_token *t;
};

static inline int
softhsm_pin(void *arg, const struct burin_token *t, enum burin_login who,
    struct burin_secret **out, struct burin_error *e)
{
	struct softhsm *h = arg;
	const char *pin = h->pin;

	(void)t;
	if (who == BURIN_LOGIN_SO || who == BURIN_LOGIN_NEW_SO)
		pin = "12345678";
	h->asked++;
	return burin_secret_new(out, pin, strlen(pin), e);
}

/* Fails the test with the reason in e. */
static inline void
must(int rc, const struct burin_error *e)
{
	if (rc == 0)
		return;
	print_error("%s: %s (%s)\n", e->code, e->reason, e->cause);
	fail();
}

static inline void
softhsm_start(struct softhsm *h)
{
	struct burin_module_spec module = { SOFTHSM, NULL };
	struct burin_p11_config config = { .modules = &module, .n_modules = 1 };
	struct burin_login_policy policy = { softhsm_pin, NULL, NULL, NULL, h,
		0 };
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_token *blank;
	char path[128];
	FILE *f;

	if (access(SOFTHSM, R_OK) != 0) {
		print_message("SKIPPED: SoftHSM is not installed\n");
		exit(77);
	}
	memset(h, 0, sizeof(*h));
	h->pin = "123456";
	(void)snprintf(h->dir, sizeof(h->dir), "/tmp/burin-test-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(path, sizeof(path), "%s/softhsm2.conf", h->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "directories.tokendir = %s\nlog.level = ERROR\n",
			h->dir) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
	must(burin_p11_new(&h->p11, &config, &e), &e);
	burin_p11_set_policy(h->p11, &policy);
	must(burin_token_find(h->p11, NULL, 1, &blank, &e), &e);
	must(burin_token_init(h->p11, blank, "test", 0, &h->t, &e), &e);
}

static inline int
softhsm_remove(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
softhsm_stop(struct softhsm *h)
{
	burin_p11_free(&h->p11);
	assert_int_equal(
	    nftw(h->dir, softhsm_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* A new key with every usage its type can have, or with one. */
static inline struct burin_key *
softhsm_key(
    struct softhsm *h, enum burin_key_type type, unsigned usage, int always)
{
	struct burin_key_spec spec;
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_key *k = NULL;

	memset(&spec, 0, sizeof(spec));
	spec.type = type;
	spec.usage = usage;
	spec.always_authenticate = always;
	must(burin_keygen(h->t, &spec, &k, &e), &e);
	return k;
}

static inline EVP_PKEY *
softhsm_evp(struct burin_key *k)
{
	struct burin_error e = BURIN_ERROR_INIT;
	EVP_PKEY *pkey = burin_key_evp(k, &e);

	must(pkey != NULL ? 0 : -1, &e);
	return pkey;
}

#endif
