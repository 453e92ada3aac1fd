/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the answer says of each part of the message: RFC 10002 section 6.1.
 * Every refusal is a status for the peer and a line in the audit log; what the
 * authority itself failed at is a status, and a line in the server's log.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmc_work.h"

#define MAX_STATE_TEXT 400 /* bytes of a statusString of ours */
#define MAX_INFO 256	   /* bytes of regInfo in the audit log */

/* Policy and proofs speak in words of their own; CMC has fourteen numbers. */
static const struct {
	const char *code;
	enum burin_cmc_fail fail;
} fails[] = {
	{ "key-type-refused", BURIN_CMC_BAD_ALG },
	{ "algorithm-refused", BURIN_CMC_BAD_ALG },
	{ "key-unknown", BURIN_CMC_BAD_ALG },
	{ "identity-refused", BURIN_CMC_BAD_IDENTITY },
	{ "identity-missing", BURIN_CMC_BAD_IDENTITY },
	{ "identity-proof", BURIN_CMC_BAD_IDENTITY },
	{ "subject-refused", BURIN_CMC_BAD_IDENTITY },
	{ "invite-gone", BURIN_CMC_BAD_IDENTITY },
	{ "invite-used", BURIN_CMC_BAD_IDENTITY },
	{ "invite-expired", BURIN_CMC_BAD_IDENTITY },
	{ "mail-from", BURIN_CMC_BAD_IDENTITY },
	{ "not-yours", BURIN_CMC_BAD_IDENTITY },
	{ "renewal-changes-name", BURIN_CMC_BAD_IDENTITY },
	{ "pop-failed", BURIN_CMC_POP_FAILED },
	{ "pop-link", BURIN_CMC_POP_FAILED },
	{ "pop-unsupported", BURIN_CMC_POP_FAILED },
	{ "pop-required", BURIN_CMC_FAIL_POP_REQUIRED },
	{ "key-renewed", BURIN_CMC_NO_KEY_REUSE },
	{ "extension-refused", BURIN_CMC_UNSUPPORTED_EXT },
	{ "certificate-missing", BURIN_CMC_BAD_CERT_ID },
	{ "too-many-waiting", BURIN_CMC_TRY_LATER },
	{ "waiting-full", BURIN_CMC_TRY_LATER },
	{ "revocation-locked", BURIN_CMC_TRY_LATER },
};

enum burin_cmc_fail
cmc_fail_of(const char *code)
{
	size_t i;

	for (i = 0; i < sizeof(fails) / sizeof(fails[0]); i++)
		if (strcmp(fails[i].code, code) == 0)
			return fails[i].fail;
	return BURIN_CMC_BAD_REQUEST;
}

/* A refusal is worse than a wait, and a wait than a success. */
static int
is_worse(enum burin_cmc_status a, enum burin_cmc_status b)
{
	static const int rank[] = {
		[BURIN_CMC_SUCCESS] = 0,
		[BURIN_CMC_CONFIRM_REQUIRED] = 1,
		[BURIN_CMC_PARTIAL] = 2,
		[BURIN_CMC_PENDING] = 3,
		[BURIN_CMC_POP_REQUIRED] = 4,
		[BURIN_CMC_NO_SUPPORT] = 5,
		[BURIN_CMC_FAILED] = 6,
	};

	return rank[a] > rank[b];
}

static struct cmc_told *
next_state(struct cmc_work *w)
{
	struct cmc_told *list;

	list = realloc(w->states, (w->n_states + 1) * sizeof(*list));
	if (list == NULL)
		return NULL;
	w->states = list;
	memset(&list[w->n_states], 0, sizeof(*list));
	return &list[w->n_states];
}

int
cmc_tell_of(struct cmc_work *w, enum burin_cmc_status status,
    enum burin_cmc_fail fail, const uint32_t *parts, size_t n,
    struct burin_error *e, const char *fmt, ...)
{
	struct cmc_told *s;
	char text[MAX_STATE_TEXT];
	va_list ap;
	size_t i;

	if ((s = next_state(w)) == NULL)
		return burin_fail_memory(e);
	if (n > 0 && (s->parts = calloc(n, sizeof(*s->parts))) == NULL)
		return burin_fail_memory(e);
	if (fmt != NULL) {
		va_start(ap, fmt);
		(void)vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		if ((s->text = strdup(text)) == NULL) {
			free(s->parts);
			return burin_fail_memory(e);
		}
	}
	s->status = status;
	s->fail = fail;
	for (i = 0; i < n; i++) {
		s->parts[i].ids[0] = parts[i];
		s->parts[i].n = 1;
	}
	s->n = n;
	w->n_states++;
	if (is_worse(status, w->status)) {
		w->status = status;
		w->fail = fail;
	}
	return 0;
}

static int
log_refusal(const struct cmc_work *w, const struct cmc_told *s,
    const unsigned char *request, const char *code, struct burin_error *e)
{
	char hash[2 * CA_SHA256 + 1] = "-";
	const char *word;
	size_t i;
	int rc;

	for (i = 0; request != NULL && i < CA_SHA256; i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", request[i]);
	word = s->fail == BURIN_CMC_FAIL_NONE ? burin_cmc_status_name(s->status)
					      : burin_cmc_fail_name(s->fail);
	if (store_begin(w->s->store, e) != 0)
		return -1;
	rc = store_audit(w->s->store, e, "refused",
	    "%s by %s request %s: %s (%s)", w->t->via,
	    w->principal[0] != '\0' ? w->principal : "nobody", hash, word,
	    code);
	return store_end(w->s->store, rc == 0, e) != 0 ? -1 : rc;
}

static int
is_among(const uint32_t *ids, size_t n, uint32_t id)
{
	while (n-- > 0)
		if (ids[n] == id)
			return 1;
	return 0;
}

/*
 * A refusal of some parts refuses the message; what is said of no request
 * would be taken for its success.
 */
static size_t
whole(const struct cmc_work *w, const struct burin_cmc_refusal *why,
    const uint32_t **parts,
    uint32_t all[BURIN_CMC_MAX_REFUSED + BURIN_CMC_MAX_PARTS])
{
	size_t i, n = why->n;

	*parts = all;
	if (n == 0)
		return 0;
	memcpy(all, why->parts, n * sizeof(*all));
	for (i = 0; i < w->h.n_items; i++)
		if (!is_among(all, n, w->h.items[i].id))
			all[n++] = w->h.items[i].id;
	return n;
}

int
cmc_deny(struct cmc_work *w, const uint32_t *parts, size_t n,
    const unsigned char *request, struct burin_error *e)
{
	uint32_t all[BURIN_CMC_MAX_REFUSED + BURIN_CMC_MAX_PARTS];
	struct burin_cmc_refusal why = w->why;
	struct burin_error before = *e;
	int rc;

	burin_error_clear(e);
	memset(&w->why, 0, sizeof(w->why));
	w->why.fail = BURIN_CMC_FAIL_NONE;
	if (before.status != BURIN_EAUTHORITY) {
		(void)snprintf(w->trouble, sizeof(w->trouble),
		    "%s: %s [%.300s]", before.code, before.reason,
		    before.cause);
		why.status = BURIN_CMC_FAILED;
		why.fail = BURIN_CMC_INTERNAL_CA_ERROR;
	} else if (why.status == BURIN_CMC_SUCCESS) {
		why.status = BURIN_CMC_FAILED;
		why.fail = cmc_fail_of(before.code);
	}
	if (parts == NULL)
		n = whole(w, &why, &parts, all);
	if (why.fail == BURIN_CMC_INTERNAL_CA_ERROR)
		rc = cmc_tell_of(w, why.status, why.fail, parts, n, e,
		    "the authority failed; its operator finds the reason in "
		    "its log");
	else
		rc = cmc_tell_of(w, why.status, why.fail, parts, n, e,
		    "%s%s%s%s", before.reason,
		    before.rule[0] != '\0' ? " (" : "", before.rule,
		    before.rule[0] != '\0' ? ")" : "");
	/* As in issue(): what the authority itself failed at is no refusal. */
	if (rc != 0 || why.fail == BURIN_CMC_INTERNAL_CA_ERROR)
		return rc;
	return log_refusal(
	    w, &w->states[w->n_states - 1], request, before.code, e);
}

int
cmc_note_info(const struct cmc_work *w, struct burin_error *e)
{
	const struct burin_cmc_octets *o = &w->h.reg_info;
	char text[MAX_INFO * 4 + 1] = "";
	size_t i, n = 0;

	if (o->len == 0 || w->speaker == CMC_SPEAKER_NONE)
		return 0;
	/* What it means is between people: here it only must not mislead. */
	for (i = 0; i < o->len && i < MAX_INFO; i++) {
		unsigned char c = o->data[i];

		if (c >= ' ' && c <= '~' && c != '\\' && c != '"')
			text[n++] = (char)c;
		else
			n += (size_t)snprintf(
			    text + n, sizeof(text) - n, "\\x%02x", c);
	}
	text[n] = '\0';
	return store_note(w->s->store, e, "told", "%s by %s: regInfo \"%s\"%s",
	    w->t->via, w->principal, text, i < o->len ? ", cut" : "");
}
