/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a process can still reach behind the fence of the front: tried from
 * inside, in a child for each.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "authority/fence.h"
#include "authority/store.h"
#include "scratch.h"

#define NO_LANDLOCK 77
#define NET_VERSION 4

struct bench {
	char dir[32], pin[64];
	struct authority a;
	struct sockaddr_in listening;
	int fd; /* listens */
};

static void
put(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(f = fopen(path, "we"));
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct burin_error e = BURIN_ERROR_INIT;
	socklen_t len = sizeof(b->listening);
	char profiles[64];

	assert_non_null(b);
	scratch_make(b->dir);
	assert_non_null(b->a.dir = malloc(64));
	(void)snprintf(b->a.dir, 64, "%s/ca", b->dir);
	assert_int_equal(mkdir(b->a.dir, 0700), 0);
	(void)snprintf(profiles, sizeof(profiles), "%s/profiles", b->a.dir);
	assert_non_null(b->a.profiles = strdup(profiles));
	assert_int_equal(mkdir(profiles, 0755), 0);
	put(profiles, "im.cnf", "profile");
	put(b->a.dir, "authority.cnf", "settings");
	put(b->a.dir, "pin", "123456");
	(void)snprintf(b->pin, sizeof(b->pin), "%s/pin", b->dir);
	put(b->dir, "pin", "123456");
	assert_int_equal(store_open(b->a.dir, 1, &b->a.store, &e), 0);
	store_close(&b->a.store);

	b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	b->listening.sin_family = AF_INET;
	b->listening.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(b->fd, (struct sockaddr *)&b->listening, len), 0);
	assert_int_equal(listen(b->fd, 4), 0);
	assert_int_equal(
	    getsockname(b->fd, (struct sockaddr *)&b->listening, &len), 0);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	(void)close(b->fd);
	scratch_remove(b->dir);
	free(b->a.dir);
	free(b->a.profiles);
	free(b);
	return 0;
}

/* try in a child behind the fence; it returns 0 or the line that was wrong. */
static void
inside(struct bench *b, int upstream, int (*try)(struct bench *b, int abi))
{
	struct burin_error e = BURIN_ERROR_INIT;
	int abi = -1, status;
	pid_t pid;

	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		if (store_open(b->a.dir, 0, &b->a.store, &e) != 0 ||
		    fence_front(&b->a, upstream, &abi, &e) != 0)
			_exit(1);
		if (abi == 0)
			_exit(NO_LANDLOCK);
		status = try(b, abi);
		if (status != 0)
			(void)fprintf(stderr, "line %d\n", status);
		_exit(status != 0 ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LANDLOCK)
		exit(NO_LANDLOCK);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* errno of opening it, 0: it can be opened. name NULL: dir itself. */
static int
tried(const char *dir, const char *name, int flags)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s%s", dir,
	    name != NULL ? "/" : "", name != NULL ? name : "");
	if ((fd = open(path, flags | O_CLOEXEC, 0600)) == -1)
		return errno;
	(void)close(fd);
	return 0;
}

static void *
in_thread(void *arg)
{
	return tried(arg, NULL, O_RDONLY) == EACCES ? arg : NULL;
}

static int
try_files(struct bench *b, int abi)
{
	const char *dir = b->a.dir;
	pthread_t thread;
	void *same = NULL;

	(void)abi;
	if (tried(b->pin, NULL, O_RDONLY) != EACCES ||
	    tried(dir, "pin", O_RDONLY) != EACCES)
		return __LINE__;
	/* They are other users' files, and can be read by all. */
	if (tried("/etc/passwd", NULL, O_RDONLY) != EACCES ||
	    tried("/etc/hosts", NULL, O_RDONLY) != EACCES ||
	    tried("/bin/sh", NULL, O_RDONLY) != EACCES)
		return __LINE__;
	if (tried(dir, "secrets.key", O_RDONLY) != EACCES ||
	    tried(dir, "authority.cnf", O_RDWR) != EACCES ||
	    tried(dir, "new", O_RDWR | O_CREAT) != EACCES ||
	    tried(b->dir, "new", O_RDWR | O_CREAT) != EACCES ||
	    tried("/tmp", NULL, O_RDONLY | O_DIRECTORY) != EACCES ||
	    tried(dir, NULL, O_RDONLY | O_DIRECTORY) != EACCES)
		return __LINE__;
	if (tried(b->a.profiles, "im.cnf", O_RDONLY) != 0 ||
	    tried(b->a.profiles, "im.cnf", O_RDWR) != EACCES ||
	    tried(b->a.profiles, "x.cnf", O_RDWR | O_CREAT) != EACCES ||
	    unlink(b->pin) != -1 || errno != EACCES)
		return __LINE__;
	(void)execl("/bin/true", "true", (char *)NULL);
	if (errno != EACCES)
		return __LINE__;
	/* Threads that are started now, too. */
	if (pthread_create(&thread, NULL, in_thread, b->pin) != 0 ||
	    pthread_join(thread, &same) != 0 || same != b->pin)
		return __LINE__;
	return 0;
}

static void
test_files(void **state)
{
	inside(*state, 0, try_files);
}

/* The store is as good as before, to its end. */
static int
try_store(struct bench *b, int abi)
{
	struct burin_error e = BURIN_ERROR_INIT;
	int i;

	(void)abi;
	for (i = 0; i < 600; i++)
		if (store_note(b->a.store, &e, "unit", "line %d", i) != 0)
			return __LINE__;
	store_close(&b->a.store);
	return 0;
}

static void
test_store(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct bench *b = *state;
	struct audit_head head;
	struct stat st;
	char wal[128];

	inside(b, 0, try_store);
	/* Nothing that an older store put in its place would be read with. */
	(void)snprintf(wal, sizeof(wal), "%s/authority.db-wal", b->a.dir);
	if (stat(wal, &st) == 0)
		assert_int_equal(st.st_size, 0);
	assert_int_equal(store_open(b->a.dir, 0, &b->a.store, &e), 0);
	assert_int_equal(store_begin(b->a.store, &e), 0);
	assert_int_equal(store_audit_verify(b->a.store, &head, &e), 0);
	assert_int_equal(store_end(b->a.store, 0, &e), 0);
	assert_int_equal(head.lines, 600);
	store_close(&b->a.store);
}

static int
connects(struct bench *b)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	rc =
	    connect(fd, (struct sockaddr *)&b->listening, sizeof(b->listening));
	rc = rc == 0 ? 0 : errno;
	(void)close(fd);
	return rc;
}

static int
try_alone(struct bench *b, int abi)
{
	return connects(b) == (abi >= NET_VERSION ? EACCES : 0) ? 0 : __LINE__;
}

/* An RA passes on what it is sent. */
static int
try_upstream(struct bench *b, int abi)
{
	(void)abi;
	if (connects(b) != 0 || tried("/etc/hosts", NULL, O_RDONLY) != 0 ||
	    tried("/etc/passwd", NULL, O_RDONLY) != EACCES ||
	    tried(b->pin, NULL, O_RDONLY) != EACCES)
		return __LINE__;
	return 0;
}

static void
test_network(void **state)
{
	struct bench *b = *state;

	assert_int_equal(connects(b), 0);
	inside(b, 0, try_alone);
	inside(b, 1, try_upstream);
}

/* What systemd does with a call that a unit does not let through. */
static int
forbid_landlock(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset,
		    0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { sizeof(code) / sizeof(code[0]),
		code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* It is no fault of the kernel, and no reason not to serve. */
static void
test_filtered(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct bench *b = *state;
	int abi = -1, status;
	pid_t pid;

	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		if (store_open(b->a.dir, 0, &b->a.store, &e) != 0)
			_exit(1);
		if (forbid_landlock() != 0)
			_exit(errno == EINVAL ? NO_LANDLOCK : 1);
		_exit(fence_front(&b->a, 0, &abi, &e) == 0 && abi == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LANDLOCK)
		exit(NO_LANDLOCK);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_network, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filtered, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
