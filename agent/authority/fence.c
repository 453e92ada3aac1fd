/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Landlock by its three system calls, which no C library wraps. The kernel
 * says which version it has; the rights of newer ones than the headers know
 * are named here.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "fence.h"
#include "http.h"
#include "store.h"

/* linux/landlock.h of Linux 6.12; Debian 12 has that of 6.1. */
#define FS_V1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)	 /* version 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)	 /* version 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */
#define NET_BIND_TCP UINT64_C(1)	 /* version 4 */
#define NET_CONNECT_TCP UINT64_C(2)
#define SCOPE_ALL UINT64_C(3) /* version 6: abstract sockets, signals */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

static int
cannot(const char *what, const char *path, struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERNAL, "no-fence",
	    "cannot %s for the process that answers requests: %s%s%s", what,
	    path != NULL ? path : "", path != NULL ? ": " : "",
	    strerror(errno));
}

static uint64_t
fs_rights(int abi)
{
	return FS_V1 | (abi >= 2 ? FS_REFER : 0) |
	    (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
}

/* A file that is not there needs no rule: it cannot be made either. */
static int
allow(int rules, const char *path, uint64_t rights, struct burin_error *e)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	struct stat st;
	int rc = -1;

	if ((rule.parent_fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return errno == ENOENT ? 0 : cannot("look at", path, e);
	if (fstat(rule.parent_fd, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			rule.allowed_access &=
			    ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
		rc = (int)syscall(SYS_landlock_add_rule, rules,
		    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	if (rc != 0)
		(void)cannot("leave open", path, e);
	(void)close(rule.parent_fd);
	return rc == 0 ? 0 : -1;
}

static int
allow_all(int rules, const struct fence *f, int abi, struct burin_error *e)
{
	uint64_t writes = WRITES | (abi >= 3 ? FS_TRUNCATE : 0);
	size_t i;

	for (i = 0; f->read[i] != NULL; i++)
		if (allow(rules, f->read[i], READS, e) != 0)
			return -1;
	for (i = 0; f->write[i] != NULL; i++)
		if (allow(rules, f->write[i], writes, e) != 0)
			return -1;
#ifdef SANITIZED
	/* What the sanitizer reads to look for leaks. */
	return allow(rules, "/proc/self", READS, e);
#else
	return 0;
#endif
}

/*
 * EPERM: asking for the version needs no right of the kernel, so a filter of
 * system calls that does not know Landlock (seccomp(2)) said it.
 */
static int
has_none(int error)
{
	return error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

int
fence_close(const struct fence *f, int *abi, struct burin_error *e)
{
	struct ruleset set = { 0, 0, 0 };
	size_t len = sizeof(set.fs);
	int rules, rc = -1;
	long v;

	*abi = 0;
	v = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (v <= 0)
		return has_none(errno) ? 0
				       : cannot("ask for Landlock", NULL, e);
	set.fs = fs_rights((int)v);
	if (v >= 4) {
		set.net = NET_BIND_TCP | (f->connect ? 0 : NET_CONNECT_TCP);
		len += sizeof(set.net);
	}
	if (v >= 6) {
		set.scoped = SCOPE_ALL;
		len += sizeof(set.scoped);
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, len, 0);
	if (rules == -1)
		return cannot("make a fence", NULL, e);
	if (allow_all(rules, f, (int)v, e) != 0)
		goto out;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
		(void)cannot("close the fence", NULL, e);
		goto out;
	}
	*abi = (int)v;
	rc = 0;
out:
	(void)close(rules);
	return rc;
}

/* --- that of the front --------------------------------------------------- */

#define STORE_FILES 3

/* Looking up names, as getaddrinfo(3) does it, with its modules. */
#define LOOK_UP                                                 \
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", \
	    "/etc/host.conf", "/etc/gai.conf", "/etc/services", \
	    "/etc/ld.so.cache", "/usr/lib", "/lib", "/run/systemd/resolve"

int
fence_front(struct authority *a, int upstream, int *abi, struct burin_error *e)
{
	static const char *const names[STORE_FILES] = { "authority.db",
		"authority.db-wal", "authority.db-shm" };
	const char *const alone[] = { a->profiles, NULL };
	const char *const with[] = { a->profiles, LOOK_UP, NULL };
	char *files[STORE_FILES + 1] = { NULL };
	struct fence f = { .read = upstream ? with : alone,
		.write = (const char *const *)files,
		.connect = upstream };
	size_t i;
	int rc = -1;

	*abi = 0;
	for (i = 0; i < STORE_FILES; i++)
		if (ca_path(a->dir, names[i], &files[i], e) != 0)
			goto out;
	if (store_hold_files(a->store, e) == 0)
		rc = fence_close(&f, abi, e);
	if (rc == 0 && *abi == 0)
		http_log("no Landlock in this kernel: who takes this process "
			 "over reads what its user may read");
out:
	for (i = 0; i < STORE_FILES; i++)
		free(files[i]);
	return rc;
}
