/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Small files of the authority's directory.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "ca.h"

int
ca_path(const char *dir, const char *name, char **path, struct burin_error *e)
{
	*path = NULL;
	if (asprintf(path, "%s/%s", dir, name) < 0) {
		*path = NULL;
		return burin_fail_memory(e);
	}
	return 0;
}

int
ca_dir_check(const char *dir, struct burin_error *e)
{
	char *path;
	int rc = -1;

	if (ca_path(dir, "authority.cnf", &path, e) != 0)
		return -1;
	if (access(path, R_OK) == 0) {
		rc = 0;
	} else {
		(void)burin_fail(e, BURIN_EUSAGE, "authority-missing",
		    "%s holds no authority: authority.cnf: %s", dir,
		    strerror(errno));
		(void)burin_error_advice(e,
		    "name the directory of an authority, or make one with "
		    "\"burin authority init\"");
	}
	free(path);
	return rc;
}

int
ca_cert_read(
    const char *dir, const char *name, X509 **out, struct burin_error *e)
{
	char *path = NULL;
	BIO *in = NULL;
	int rc = -1;

	*out = NULL;
	if (ca_path(dir, name, &path, e) != 0)
		goto out;
	if ((in = BIO_new_file(path, "r")) == NULL ||
	    (*out = PEM_read_bio_X509(in, NULL, NULL, NULL)) == NULL) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "file-unreadable",
		    "cannot read a certificate from %s", path);
		goto out;
	}
	rc = 0;
out:
	BIO_free(in);
	free(path);
	return rc;
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, text, len)) < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd);
}

int
ca_text_write(const char *dir, const char *name, const char *text, size_t len,
    struct burin_error *e)
{
	char *path = NULL, *beside = NULL;
	int fd = -1, rc = -1;

	if (ca_path(dir, name, &path, e) != 0)
		goto out;
	if (asprintf(&beside, "%s.new", path) < 0) {
		beside = NULL;
		(void)burin_fail_memory(e);
		goto out;
	}
	fd = open(beside, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || write_all(fd, text, len) != 0 ||
	    rename(beside, path) != 0) {
		(void)burin_fail(e, BURIN_EINTERNAL, "file-write",
		    "cannot write %s: %s", path, strerror(errno));
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		(void)close(fd);
	free(path);
	free(beside);
	return rc;
}

int
ca_cert_write(
    const char *dir, const char *name, X509 *cert, struct burin_error *e)
{
	BIO *mem = NULL;
	char *text;
	long len;
	int rc = -1;

	if ((mem = BIO_new(BIO_s_mem())) == NULL ||
	    !PEM_write_bio_X509(mem, cert) ||
	    (len = BIO_get_mem_data(mem, &text)) <= 0) {
		(void)burin_fail_openssl(e, BURIN_EINTERNAL, "file-write",
		    "cannot encode a certificate for %s", name);
		goto out;
	}
	rc = ca_text_write(dir, name, text, (size_t)len, e);
out:
	BIO_free(mem);
	return rc;
}
