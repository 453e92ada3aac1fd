/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the file that BURIN_MOCK names.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

#define ROW(rv) rv, #rv

static const struct {
	CK_RV rv;
	const char *name;
} ckrs[] = {
	{ ROW(CKR_OK) },
	{ ROW(CKR_CANCEL) },
	{ ROW(CKR_HOST_MEMORY) },
	{ ROW(CKR_SLOT_ID_INVALID) },
	{ ROW(CKR_GENERAL_ERROR) },
	{ ROW(CKR_FUNCTION_FAILED) },
	{ ROW(CKR_ARGUMENTS_BAD) },
	{ ROW(CKR_ATTRIBUTE_READ_ONLY) },
	{ ROW(CKR_ATTRIBUTE_SENSITIVE) },
	{ ROW(CKR_ATTRIBUTE_TYPE_INVALID) },
	{ ROW(CKR_ATTRIBUTE_VALUE_INVALID) },
	{ ROW(CKR_DATA_INVALID) },
	{ ROW(CKR_DATA_LEN_RANGE) },
	{ ROW(CKR_DEVICE_ERROR) },
	{ ROW(CKR_DEVICE_MEMORY) },
	{ ROW(CKR_DEVICE_REMOVED) },
	{ ROW(CKR_ENCRYPTED_DATA_INVALID) },
	{ ROW(CKR_FUNCTION_CANCELED) },
	{ ROW(CKR_FUNCTION_NOT_SUPPORTED) },
	{ ROW(CKR_KEY_HANDLE_INVALID) },
	{ ROW(CKR_KEY_SIZE_RANGE) },
	{ ROW(CKR_KEY_FUNCTION_NOT_PERMITTED) },
	{ ROW(CKR_MECHANISM_INVALID) },
	{ ROW(CKR_MECHANISM_PARAM_INVALID) },
	{ ROW(CKR_OBJECT_HANDLE_INVALID) },
	{ ROW(CKR_OPERATION_ACTIVE) },
	{ ROW(CKR_OPERATION_NOT_INITIALIZED) },
	{ ROW(CKR_PIN_INCORRECT) },
	{ ROW(CKR_PIN_INVALID) },
	{ ROW(CKR_PIN_LEN_RANGE) },
	{ ROW(CKR_PIN_EXPIRED) },
	{ ROW(CKR_PIN_LOCKED) },
	{ ROW(CKR_SESSION_CLOSED) },
	{ ROW(CKR_SESSION_COUNT) },
	{ ROW(CKR_SESSION_HANDLE_INVALID) },
	{ ROW(CKR_SESSION_READ_ONLY) },
	{ ROW(CKR_SESSION_EXISTS) },
	{ ROW(CKR_SESSION_READ_ONLY_EXISTS) },
	{ ROW(CKR_SESSION_READ_WRITE_SO_EXISTS) },
	{ ROW(CKR_TEMPLATE_INCOMPLETE) },
	{ ROW(CKR_TEMPLATE_INCONSISTENT) },
	{ ROW(CKR_TOKEN_NOT_PRESENT) },
	{ ROW(CKR_TOKEN_NOT_RECOGNIZED) },
	{ ROW(CKR_TOKEN_WRITE_PROTECTED) },
	{ ROW(CKR_USER_ALREADY_LOGGED_IN) },
	{ ROW(CKR_USER_NOT_LOGGED_IN) },
	{ ROW(CKR_USER_PIN_NOT_INITIALIZED) },
	{ ROW(CKR_USER_TYPE_INVALID) },
	{ ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN) },
	{ ROW(CKR_BUFFER_TOO_SMALL) },
	{ ROW(CKR_CRYPTOKI_NOT_INITIALIZED) },
	{ ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED) },
	{ ROW(CKR_FUNCTION_REJECTED) },
};

#define N_CKRS (sizeof(ckrs) / sizeof(ckrs[0]))

const char *
ckr_name(CK_RV rv, char buf[MAX_WORD])
{
	size_t i;

	for (i = 0; i < N_CKRS; i++)
		if (ckrs[i].rv == rv)
			return ckrs[i].name;
	(void)snprintf(buf, MAX_WORD, "0x%08lx", rv);
	return buf;
}

static int
number(const char *text, unsigned long *n)
{
	char *end;

	*n = strtoul(text, &end, 0);
	return end != text && *end == '\0';
}

int
ckr_parse(const char *text, CK_RV *rv)
{
	size_t i;

	for (i = 0; i < N_CKRS; i++)
		if (strcmp(ckrs[i].name, text) == 0) {
			*rv = ckrs[i].rv;
			return 1;
		}
	return number(text, rv);
}

static int
text(char *dst, size_t size, const char *value)
{
	if (strlen(value) >= size)
		return 0;
	(void)snprintf(dst, size, "%s", value);
	return 1;
}

/* C_Function:nth or C_Function:nth:CKR; nth may be '*'. */
static int
fault(struct fault *list, size_t *n, const char *value, int with_rv)
{
	struct fault *f = &list[*n];
	char nth[MAX_WORD], rv[MAX_WORD] = "0";
	int got;

	if (*n == MAX_FAULTS)
		return 0;
	got =
	    sscanf(value, "%63[A-Za-z_]:%63[0-9*]:%63s", f->function, nth, rv);
	if (got != (with_rv ? 3 : 2) || !ckr_parse(rv, &f->rv))
		return 0;
	f->nth = 0;
	if (strcmp(nth, "*") != 0 && !number(nth, &f->nth))
		return 0;
	++*n;
	return 1;
}

/* Numbers with commas in between. */
static int
refuse(struct conf *c, const char *value)
{
	char copy[256], *word, *save = NULL;

	if (!text(copy, sizeof(copy), value))
		return 0;
	for (word = strtok_r(copy, ", ", &save); word != NULL;
	     word = strtok_r(NULL, ", ", &save)) {
		if (c->n_refused == MAX_REFUSED ||
		    !number(word, &c->refused[c->n_refused++]))
			return 0;
	}
	return 1;
}

/* label:serial, one more token; one without a serial number is label:. */
static int
token(struct conf *c, const char *value)
{
	if (c->n_tokens == MAX_TOKENS || strchr(value, ':') == NULL)
		return 0;
	c->tokens[c->n_tokens].serial[0] = '\0';
	if (sscanf(value, "%32[^:]:%16[^:]", c->tokens[c->n_tokens].label,
		c->tokens[c->n_tokens].serial) < 1)
		return 0;
	c->n_tokens++;
	return 1;
}

static int
pad(struct conf *c, const char *value)
{
	if (strcmp(value, "right") == 0)
		c->pad = PAD_RIGHT;
	else if (strcmp(value, "wrong") == 0)
		c->pad = PAD_WRONG;
	else if (strcmp(value, "cancel") == 0)
		c->pad = PAD_CANCEL;
	else
		return 0;
	return 1;
}

static int
fate(enum cert_fate *dst, const char *value)
{
	if (strcmp(value, "damaged") == 0)
		*dst = CERT_DAMAGED;
	else if (strcmp(value, "lost") == 0)
		*dst = CERT_LOST;
	else
		return 0;
	return 1;
}

static int
attest(enum attest *dst, const char *value)
{
	if (strcmp(value, "1") == 0)
		*dst = ATTEST_NEW;
	else if (strcmp(value, "old") == 0)
		*dst = ATTEST_OLD;
	else if (strcmp(value, "0") == 0)
		*dst = ATTEST_NONE;
	else
		return 0;
	return 1;
}

static int
writer(enum writes *dst, const char *value)
{
	if (strcmp(value, "user") == 0)
		*dst = WRITES_USER;
	else if (strcmp(value, "so") == 0)
		*dst = WRITES_SO;
	else if (strcmp(value, "nobody") == 0)
		*dst = WRITES_NOBODY;
	else
		return 0;
	return 1;
}

static int
unload(enum unload *dst, const char *value)
{
	if (strcmp(value, "hang") == 0)
		*dst = UNLOAD_HANG;
	else if (strcmp(value, "crash") == 0)
		*dst = UNLOAD_CRASH;
	else
		return 0;
	return 1;
}

static int
flag(int *dst, const char *value)
{
	*dst = strcmp(value, "1") == 0;
	return *dst || strcmp(value, "0") == 0;
}

/* What makes the mock one of a family; -1: none of these keys. */
static int
set_family(struct conf *c, const char *key, const char *value)
{
#define IS(word) (strcmp(key, word) == 0)
	if (IS("manufacturer"))
		return text(c->manufacturer, sizeof(c->manufacturer), value);
	if (IS("model"))
		return text(c->model, sizeof(c->model), value);
	if (IS("library"))
		return text(c->library, sizeof(c->library), value);
	if (IS("sensitive")) {
		c->mute = strcmp(value, "mute") == 0;
		return c->mute || strcmp(value, "told") == 0;
	}
	if (IS("one_cert"))
		return flag(&c->one_cert, value);
	if (IS("cert_renames_key"))
		return flag(&c->cert_renames_key, value);
	if (IS("auth_key_blocks"))
		return flag(&c->auth_key_blocks, value);
	if (IS("full"))
		return flag(&c->full, value);
	if (IS("places"))
		return flag(&c->places, value);
	if (IS("writer"))
		return writer(&c->writer, value);
#undef IS
	return -1;
}

static int
set(struct conf *c, const char *key, const char *value)
{
	int on;

	if ((on = set_family(c, key, value)) != -1)
		return on;
#define IS(word) (strcmp(key, word) == 0)
	if (IS("calls_file"))
		return text(c->calls_file, sizeof(c->calls_file), value);
	if (IS("kill"))
		return number(value, &c->kill);
	if (IS("kill_after"))
		return number(value, &c->kill_after);
	if (IS("delay"))
		return number(value, &c->delay);
	if (IS("kill_parent"))
		return number(value, &c->kill_parent);
	if (IS("unload"))
		return unload(&c->unload, value);
	if (IS("remove_at"))
		return number(value, &c->remove_at);
	if (IS("removed"))
		return ckr_parse(value, &c->removed);
	if (IS("present_file"))
		return text(c->present_file, sizeof(c->present_file), value);
	if (IS("fail"))
		return fault(c->fail, &c->n_fail, value, 1);
	if (IS("hang"))
		return fault(c->hang, &c->n_hang, value, 0);
	if (IS("crash"))
		return fault(c->crash, &c->n_crash, value, 0);
	if (IS("refuse_template"))
		return refuse(c, value);
	if (IS("pad")) {
		if (!flag(&on, value))
			return 0;
		if (!on || c->pad == PAD_NONE)
			c->pad = on ? PAD_RIGHT : PAD_NONE;
		return 1;
	}
	if (IS("pad_pin"))
		return pad(c, value);
	if (IS("pin"))
		return text(c->pin, sizeof(c->pin), value);
	if (IS("so_pin"))
		return text(c->so_pin, sizeof(c->so_pin), value);
	if (IS("new_pin"))
		return text(c->new_pin, sizeof(c->new_pin), value);
	if (IS("dir"))
		return text(c->dir, sizeof(c->dir), value);
	if (IS("label"))
		return text(c->tokens[0].label, 33, value);
	if (IS("serial"))
		return text(c->tokens[0].serial, 17, value);
	if (IS("token"))
		return token(c, value);
	if (IS("slots"))
		return number(value, &c->slots) && c->slots <= MAX_TOKENS;
	if (IS("blank"))
		return flag(&c->blank, value);
	if (IS("tries"))
		return number(value, &c->tries);
	if (IS("max_sessions"))
		return number(value, &c->max_sessions);
	if (IS("extractable"))
		return flag(&c->extractable, value);
	if (IS("certificate"))
		return fate(&c->cert_fate, value);
	if (IS("attest"))
		return attest(&c->attest, value);
	if (IS("flags")) {
		c->silent = strcmp(value, "silent") == 0;
		return c->silent || strcmp(value, "truthful") == 0;
	}
#undef IS
	return 0;
}

static void
defaults(struct conf *c, const char *path)
{
	memset(c, 0, sizeof(*c));
	c->tries = 3;
	c->removed = CKR_DEVICE_REMOVED;
	(void)snprintf(c->manufacturer, 33, "burin tests");
	(void)snprintf(c->model, 17, "mock");
	(void)snprintf(c->library, 33, "burin tests");
	(void)snprintf(c->pin, sizeof(c->pin), "123456");
	(void)snprintf(c->so_pin, sizeof(c->so_pin), "12345678");
	(void)snprintf(c->new_pin, sizeof(c->new_pin), "654321");
	(void)snprintf(c->tokens[0].label, 33, "mock");
	(void)snprintf(c->tokens[0].serial, 17, "0000000000000001");
	if (path != NULL)
		(void)snprintf(c->dir, sizeof(c->dir), "%s.state", path);
}

int
conf_read(struct conf *c)
{
	const char *path = getenv("BURIN_MOCK");
	char line[512], *value;
	unsigned n = 0;
	FILE *f;
	int rc = 1;

	defaults(c, path);
	if (path == NULL) {
		c->n_tokens = c->slots = 1;
		return 1;
	}
	if ((f = fopen(path, "re")) == NULL) {
		perror(path);
		return 0;
	}
	while (rc && fgets(line, sizeof(line), f) != NULL) {
		n++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if ((value = strchr(line, '=')) != NULL)
			*value++ = '\0';
		if (value == NULL || !set(c, line, value)) {
			(void)fprintf(
			    stderr, "%s:%u: what is this?\n", path, n);
			rc = 0;
		}
	}
	(void)fclose(f);
	if (c->n_tokens == 0 && !c->blank)
		c->n_tokens = 1;
	if (c->slots < c->n_tokens)
		c->slots = c->n_tokens;
	if (c->slots == 0)
		c->slots = 1;
	return rc;
}
