/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Initializing a token: SO PIN and label, then the user PIN (PKCS#11 2.40
 * section 5.5, C_InitToken and C_InitPIN).
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>

#include "p11.h"

#define MAX_LABEL 32 /* bytes of CK_TOKEN_INFO.label */

static int
check_label(const char *label, struct burin_error *e)
{
	const unsigned char *p = (const unsigned char *)label;
	size_t len = strlen(label), i;
	unsigned long c;
	int n;

	if (len == 0 || len > MAX_LABEL) {
		burin_fail(e, BURIN_EUSAGE, "label-length",
		    "the label has %zu bytes: 1 to %d are possible", len,
		    MAX_LABEL);
		return burin_error_rule(
		    e, "PKCS#11 2.40 section 5.5, C_InitToken");
	}
	for (i = 0; i < len; i += (size_t)n) {
		n = UTF8_getc(p + i, (int)(len - i), &c);
		if (n <= 0 || c < 0x20 || c == 0x7f)
			return burin_fail(e, BURIN_EUSAGE, "label-text",
			    "the label is not printable UTF-8");
	}
	/* The field is padded with blanks: one at the end would be lost. */
	if (label[len - 1] == ' ')
		return burin_fail(e, BURIN_EUSAGE, "label-text",
		    "the label ends with a blank");
	return 0;
}

static int
check_blank(const struct burin_token *t, int reinit, struct burin_error *e)
{
	if (!t->info.initialized || reinit)
		return 0;
	burin_fail(e, BURIN_EREFUSED, "token-not-blank",
	    "the token is initialized already");
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(e,
	    "use it as it is; to start anew and destroy every key and "
	    "certificate on it, ask for that and give its present SO PIN");
}

/* Tokens of m as they were: label and serial of each. */
struct before {
	struct {
		char label[33], serial[17];
	} * t;
	size_t n;
};

static int
remember(struct before *b, const struct p11_module *m, struct burin_error *e)
{
	size_t i;

	b->t = calloc(m->n_tokens + 1, sizeof(*b->t));
	if (b->t == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < m->n_tokens; i++) {
		memcpy(
		    b->t[i].label, m->tokens[i]->label, sizeof(b->t[i].label));
		memcpy(b->t[i].serial, m->tokens[i]->serial,
		    sizeof(b->t[i].serial));
	}
	b->n = m->n_tokens;
	return 0;
}

static int
was_there(const struct before *b, const struct burin_token *t)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (strcmp(b->t[i].label, t->label) == 0 &&
		    strcmp(b->t[i].serial, t->serial) == 0)
			return 1;
	return 0;
}

/*
 * The token after C_InitToken. Its slot may be another one and a blank token
 * may have got its serial number only now (SoftHSM): then it is the one with
 * the label that was not there before.
 */
static int
find_again(struct p11_module *m, const char *label, const char *serial,
    const struct before *b, struct burin_token **out, struct burin_error *e)
{
	size_t i, hits = 0;

	p11_forget_tokens(m);
	if (p11_list_tokens(m, NULL, e) == -1)
		return -1;
	for (i = 0; i < m->n_tokens; i++) {
		struct burin_token *t = m->tokens[i];

		if (!t->info.initialized || strcmp(t->label, label) != 0 ||
		    (serial[0] != '\0' ? strcmp(t->serial, serial) != 0
				       : was_there(b, t)))
			continue;
		*out = t;
		hits++;
	}
	if (hits == 1)
		return 0;
	burin_fail(e, BURIN_ETOKEN,
	    hits == 0 ? "token-missing" : "token-ambiguous",
	    "the token was initialized as '%s' but %s afterwards", label,
	    hits == 0 ? "cannot be found" : "cannot be told from another");
	return burin_error_advice(e,
	    "its SO PIN is set and its user PIN is not: pull it and put it in "
	    "again, then initialize it once more");
}

static int
send_init_token(struct burin_token *t, const char *label, int reinit,
    const struct burin_secret *so, struct burin_error *e)
{
	enum burin_login who = reinit ? BURIN_LOGIN_SO : BURIN_LOGIN_NEW_SO;
	CK_RV rv;

	p11_close_token(t);
	if (so == NULL)
		p11_say_pad(t, who);
	rv = p11_InitToken(t->m, t->slot,
	    so != NULL ? burin_secret_bytes(so) : NULL,
	    so != NULL ? burin_secret_len(so) : 0, label);
	if (rv == CKR_OK && reinit)
		return p11_login_told(t, who, so, 1, e);
	if (rv == CKR_OK)
		return 0;
	if (reinit && (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID))
		return p11_login_wrong(t, who, so, "C_InitToken", rv, e);
	p11_note_rv(t, rv);
	return p11_fail(e, t, "C_InitToken", rv);
}

/* As the security officer, in a session of its own. */
static int
set_user_pin(struct burin_token *t, const struct burin_secret *so,
    const struct burin_secret *user, struct burin_error *e)
{
	CK_RV rv;
	int rc = -1;

	if (p11_anchor_session(t, e) == -1 ||
	    p11_login_send(t, t->anchor, BURIN_LOGIN_SO, so, e) == -1)
		goto out;
	if (user == NULL)
		p11_say_pad(t, BURIN_LOGIN_NEW_USER);
	rv = p11_InitPIN(t->m, t->anchor,
	    user != NULL ? burin_secret_bytes(user) : NULL,
	    user != NULL ? burin_secret_len(user) : 0);
	(void)p11_Logout(t->m, t->anchor);
	if (rv != CKR_OK) {
		p11_fail(e, t, "C_InitPIN", rv);
		goto out;
	}
	rc = 0;
out:
	p11_close_token(t);
	return rc;
}

static int
init_locked(struct burin_token *t, const char *label, struct burin_token **out,
    struct burin_error *e)
{
	struct p11_module *m = t->m;
	struct burin_secret *so = NULL, *user = NULL;
	struct burin_token *again = NULL;
	struct before before = { NULL, 0 };
	char serial[sizeof(t->serial)];
	int reinit = t->info.initialized; /* a blank one has no SO PIN yet */
	int rc = -1;

	memcpy(serial, t->serial, sizeof(serial));
	/* Both PINs before the first change: nothing is left half done. */
	if (p11_list_tokens(m, NULL, e) == -1 ||
	    remember(&before, m, e) == -1 ||
	    p11_login_pin(t, reinit ? BURIN_LOGIN_SO : BURIN_LOGIN_NEW_SO, &so,
		e) == -1 ||
	    p11_login_pin(t, BURIN_LOGIN_NEW_USER, &user, e) == -1 ||
	    send_init_token(t, label, reinit, so, e) == -1 ||
	    find_again(m, label, serial, &before, &again, e) == -1)
		goto out;
	if (set_user_pin(again, so, user, e) == -1) {
		burin_error_cause(
		    e, "the token is initialized, its user PIN is not set");
		goto out;
	}
	if (p11_token_reload(again, e) == -1)
		goto out;
	*out = again;
	rc = 0;
out:
	burin_secret_free(&so);
	burin_secret_free(&user);
	free(before.t);
	return rc;
}

int
burin_token_init(struct burin_p11 *p11, struct burin_token *t,
    const char *label, int reinit, struct burin_token **out,
    struct burin_error *e)
{
	struct p11_module *m = t->m;
	int rc = -1;

	*out = NULL;
	if (check_label(label, e) == -1 || check_blank(t, reinit, e) == -1)
		goto out;
	p11_lock(m);
	rc = init_locked(t, label, out, e);
	p11_unlock(m);
	/* The list that burin_tokens gave names tokens that are gone. */
	free(p11->all);
	p11->all = NULL;
	p11->n_all = 0;
out:
	return rc == 0 ? 0 : burin_error_step(e, "init");
}
