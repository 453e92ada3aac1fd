/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Enrolment by files: the DER request is written for somebody to carry to
 * the authority, the answer is read when it has come. The content decides
 * what a file is, whatever its name (RFC 5273 section 2); as mail both have a
 * MIME header.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmc_ask.h"
#include "message.h"
#include "mime.h"
#include "protocol.h"

static int
fail_file(const char *doing, const char *path, struct burin_error *e)
{
	return burin_fail(e, BURIN_EINTERNAL, "file", "cannot %s %s: %s", doing,
	    path, strerror(errno));
}

static int
file_check(const struct transport_config *c, struct burin_error *e)
{
	if (c->response_file != NULL ||
	    (c->request_file != NULL && strcmp(c->request_file, "-") != 0))
		return 0;
	/* Standard output cannot be replaced as one, nor written twice. */
	burin_fail(e, BURIN_EUSAGE, "request-file-missing",
	    "no file is named that the request is to be written to");
	return burin_error_advice(e, "give --request-file FILE");
}

static int
write_all(int fd, const unsigned char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The rename is durable only when the directory is. */
static int
sync_dir_of(const char *path)
{
	char copy[PATH_MAX];
	int fd, rc;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	rc = fsync(fd);
	(void)close(fd);
	/* Some file systems cannot; the file itself is safe. */
	return rc == 0 || errno == EINVAL ? 0 : -1;
}

/* Written beside and renamed over, so that nobody carries half a request. */
static int
put_request(const char *path, const unsigned char *data, size_t len,
    struct burin_error *e)
{
	char beside[PATH_MAX];
	int fd, n;

	n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(beside)) {
		errno = ENAMETOOLONG;
		return fail_file("write", path, e);
	}
	if ((fd = mkostemp(beside, O_CLOEXEC)) == -1)
		return fail_file("write beside", path, e);
	if (write_all(fd, data, len) != 0 || fchmod(fd, 0644) != 0 ||
	    fsync(fd) != 0) {
		(void)fail_file("write", beside, e);
		(void)close(fd);
		(void)unlink(beside);
		return -1;
	}
	(void)close(fd);
	if (rename(beside, path) != 0) {
		(void)fail_file("write", path, e);
		(void)unlink(beside);
		return -1;
	}
	return sync_dir_of(path) == 0 ? 0 : fail_file("sync", path, e);
}

static int
put_mail(const char *path, const unsigned char *data, size_t len,
    struct burin_error *e)
{
	static const struct mime_head head = { .subject =
						   "certificate request" };
	enum transport_kind kind = message_kind(data, len);
	size_t text_len = 0;
	char *text;
	int rc;

	if (kind == TRANSPORT_NOTHING)
		return burin_fail(e, BURIN_EINTERNAL, "request-kind",
		    "the request is neither a CMC message nor a PKCS#10");
	if (mime_write(
		kind == TRANSPORT_CMC ? MIME_FULL_REQUEST : MIME_SIMPLE_REQUEST,
		&head, data, len, &text, &text_len, e) != 0)
		return -1;
	rc = put_request(path, (const unsigned char *)text, text_len, e);
	free(text);
	return rc;
}

static int
take_response(
    const char *path, struct transport_reply *reply, struct burin_error *e)
{
	unsigned char *body = NULL;
	struct mime_mail mail;
	struct stat st;
	size_t len;
	FILE *f;
	int rc = -1;

	if ((f = fopen(path, "rbe")) == NULL)
		return fail_file("read", path, e);
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
		burin_fail(
		    e, BURIN_EUSAGE, "response-file", "%s is not a file", path);
		goto out;
	}
	/* One byte more than is allowed shows a longer one. */
	if ((body = malloc(TRANSPORT_MAX_BODY + 1)) == NULL) {
		burin_fail_memory(e);
		goto out;
	}
	len = fread(body, 1, TRANSPORT_MAX_BODY + 1, f);
	if (ferror(f)) {
		(void)fail_file("read", path, e);
		goto out;
	}
	if (len == 0 || len > TRANSPORT_MAX_BODY) {
		burin_fail(e, BURIN_EUSAGE, "response-file",
		    len == 0 ? "%s is empty"
			     : "%s is longer than an answer may be",
		    path);
		goto out;
	}
	if (mime_is(body, len)) {
		if (mime_read(body, len, MIME_RESPONSE, &mail, e) != 0) {
			mime_mail_clear(&mail);
			goto out;
		}
		reply->body = mail.der;
		reply->len = mail.len;
		mail.der = NULL;
		mime_mail_clear(&mail);
	} else {
		reply->body = body;
		reply->len = len;
		body = NULL;
	}
	reply->outcome = TRANSPORT_ISSUED;
	rc = 0;
out:
	free(body);
	(void)fclose(f);
	return rc;
}

static int
file_submit(const struct transport_config *c, const unsigned char *request,
    size_t len, int reenroll, struct transport_reply *reply,
    struct burin_error *e)
{
	(void)reenroll;
	memset(reply, 0, sizeof(*reply));
	if (file_check(c, e) != 0)
		return -1;
	if (c->response_file != NULL)
		return take_response(c->response_file, reply, e);
	if ((c->mime ? put_mail(c->request_file, request, len, e)
		     : put_request(c->request_file, request, len, e)) != 0)
		return -1;
	reply->outcome = TRANSPORT_PENDING;
	(void)snprintf(reply->detail, sizeof(reply->detail),
	    "the request is in %s", c->request_file);
	return 0;
}

const struct transport_protocol transport_file = {
	.name = "file",
	.carries = TRANSPORT_EITHER,
	.check = file_check,
	.submit = file_submit,
	.fetch = cmc_fetch,
	.cacerts = NULL,
};
