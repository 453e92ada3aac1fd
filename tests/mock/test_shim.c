/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The shim in front of SoftHSM: calls pass, are counted, and fail when told.
 */

#include <dlfcn.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <p11-kit/pkcs11.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

static char dir[64];

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
file(const char *name, const char *variable, const char *fmt, const char *arg)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(f = fopen(path, "w"));
	assert_true(fprintf(f, "%s%s\n", fmt, arg) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(setenv(variable, path, 1), 0);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/burin-shim-XXXXXX");
	assert_non_null(mkdtemp(dir));
	file("softhsm2.conf", "SOFTHSM2_CONF", "directories.tokendir = ", dir);
	return setenv("BURIN_SHIM_MODULE", SOFTHSM, 1);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
shim(void **state)
{
	unsigned char label[33] = "shim                            ";
	void *module = dlopen(BUILD_DIR "/mock/burin-shim.so", RTLD_NOW);
	CK_RV (*get)(CK_FUNCTION_LIST **);
	CK_FUNCTION_LIST *f = NULL;
	CK_SESSION_HANDLE s;
	CK_SLOT_ID slots[8];
	CK_TOKEN_INFO info;
	CK_ULONG n = 8;
	char path[128], text[512];
	FILE *calls;

	(void)state;
	assert_non_null(module);
	*(void **)&get = dlsym(module, "C_GetFunctionList");
	assert_int_equal(get(&f), CKR_OK);

	(void)snprintf(path, sizeof(path), "%s/calls", dir);
	file("conf", "BURIN_MOCK",
	    "pad=1\nfail=C_OpenSession:1:CKR_DEVICE_MEMORY\ncalls_file=", path);
	assert_int_equal(f->C_Initialize(NULL), CKR_OK);
	assert_int_equal(f->C_GetSlotList(1, slots, &n), CKR_OK);
	assert_int_equal(n, 1);
	/* The pad types so_pin= and pin=. */
	assert_int_equal(
	    f->C_InitToken(slots[0], label, 8, label), CKR_ARGUMENTS_BAD);
	assert_int_equal(f->C_InitToken(slots[0], NULL, 0, label), CKR_OK);
	assert_int_equal(f->C_GetTokenInfo(slots[0], &info), CKR_OK);
	assert_true(info.flags & CKF_PROTECTED_AUTHENTICATION_PATH);
	assert_int_equal(
	    f->C_OpenSession(
		slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s),
	    CKR_DEVICE_MEMORY);
	assert_int_equal(
	    f->C_OpenSession(
		slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s),
	    CKR_OK);
	assert_int_equal(f->C_Login(s, CKU_SO, NULL, 0), CKR_OK);
	assert_int_equal(f->C_InitPIN(s, NULL, 0), CKR_OK);
	assert_int_equal(f->C_Logout(s), CKR_OK);
	assert_int_equal(f->C_Login(s, CKU_USER, NULL, 0), CKR_OK);
	assert_int_equal(f->C_Finalize(NULL), CKR_OK);

	assert_non_null(calls = fopen(path, "r"));
	text[fread(text, 1, sizeof(text) - 1, calls)] = '\0';
	assert_int_equal(fclose(calls), 0);
	assert_string_equal(text,
	    "C_Initialize CKR_OK\nC_GetSlotList CKR_OK\n"
	    "C_InitToken CKR_ARGUMENTS_BAD\nC_InitToken CKR_OK\n"
	    "C_GetTokenInfo CKR_OK\nC_OpenSession CKR_DEVICE_MEMORY\n"
	    "C_OpenSession CKR_OK\nC_Login CKR_OK\nC_InitPIN CKR_OK\n"
	    "C_Logout CKR_OK\nC_Login CKR_OK\nC_Finalize CKR_OK\n");
}

/* Every call takes as much longer as it is told to. */
static void
slow(void **state)
{
	void *module = dlopen(BUILD_DIR "/mock/burin-shim.so", RTLD_NOW);
	CK_RV (*get)(CK_FUNCTION_LIST **);
	struct timespec before, after;
	CK_FUNCTION_LIST *f = NULL;
	CK_ULONG n = 0;
	char path[128];

	(void)state;
	assert_non_null(module);
	*(void **)&get = dlsym(module, "C_GetFunctionList");
	assert_int_equal(get(&f), CKR_OK);
	(void)snprintf(path, sizeof(path), "%s/slow", dir);
	file("conf", "BURIN_MOCK", "delay=40\ncalls_file=", path);
	assert_int_equal(f->C_Initialize(NULL), CKR_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(f->C_GetSlotList(1, NULL, &n), CKR_OK);
	assert_int_equal(f->C_GetSlotList(1, NULL, &n), CKR_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000 +
		(after.tv_nsec - before.tv_nsec) / 1000000 >=
	    79);
	assert_int_equal(f->C_Finalize(NULL), CKR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(shim),
		cmocka_unit_test(slow) };

	if (access(SOFTHSM, R_OK) != 0) {
		print_message("SKIPPED: SoftHSM is not installed\n");
		return 77;
	}
	return cmocka_run_group_tests_name("shim", tests, setup, teardown);
}
