/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an RA changes of a request: RFC 10002 section 6.5, within what RFC
 * 6403 leaves it: never the public key nor its usage.
 */

#include <string.h>

#include <openssl/err.h>

#include "../internal.h"
#include "hear.h"

/* One statement that is applied. */
struct change {
	const struct burin_cmc_statement *s;
	STACK_OF(X509_EXTENSION) * exts; /* as they are to become */
	X509_NAME *subject;		 /* NULL: stays */
	struct burin_cmc_refusal *why;
	struct burin_error *e;
};

static int
refuse(const struct change *c, enum burin_cmc_fail fail, const char *text)
{
	int template = c->s->kind == BURIN_CMC_STATES_TEMPLATE;

	cmc_why_set(c->why, fail, c->s->control);
	(void)burin_fail_openssl(c->e, BURIN_EAUTHORITY, "cmc-change",
	    "the control %s %s", template ? "modCertTemplate" : "addExtensions",
	    text);
	return burin_error_rule(
	    c->e, "RFC 10002 section %s", template ? "6.5.1" : "6.5.2");
}

static int
malformed(const struct change *c)
{
	return refuse(c, BURIN_CMC_BAD_REQUEST, "cannot be decoded");
}

/* --- extensions, one by one ----------------------------------------------- */

static int
is_authority(X509_EXTENSION *ext)
{
	BASIC_CONSTRAINTS *bc = X509V3_EXT_d2i(ext);
	int is = bc == NULL || bc->ca;

	BASIC_CONSTRAINTS_free(bc);
	return is;
}

static int
is_equal(X509_EXTENSION *a, X509_EXTENSION *b)
{
	return X509_EXTENSION_get_critical(a) ==
	    X509_EXTENSION_get_critical(b) &&
	    ASN1_OCTET_STRING_cmp(
		X509_EXTENSION_get_data(a), X509_EXTENSION_get_data(b)) == 0;
}

/* before: the one of its kind that is there, or NULL. */
static int
check_change(
    const struct change *c, X509_EXTENSION *ext, X509_EXTENSION *before)
{
	switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
	case NID_key_usage:
		if (c->s->replace && before != NULL && is_equal(ext, before))
			return 0;
		return refuse(c, BURIN_CMC_UNSUPPORTED_EXT,
		    "changes what the key is for (keyUsage)");
	case NID_basic_constraints:
		if (!c->s->replace || !is_authority(ext))
			return 0;
		return refuse(c, BURIN_CMC_UNSUPPORTED_EXT,
		    "makes an authority (basicConstraints)");
	default:
		return 0;
	}
}

static int
change_extension(struct change *c, X509_EXTENSION *ext)
{
	int at = csr_ext_find(c->exts, X509_EXTENSION_get_object(ext));
	X509_EXTENSION *copy;

	if (check_change(c, ext,
		at >= 0 ? sk_X509_EXTENSION_value(c->exts, at) : NULL) == -1)
		return -1;
	if (at >= 0)
		X509_EXTENSION_free(sk_X509_EXTENSION_delete(c->exts, at));
	if (!c->s->replace)
		return 0;
	if ((copy = X509_EXTENSION_dup(ext)) == NULL ||
	    sk_X509_EXTENSION_push(c->exts, copy) <= 0) {
		X509_EXTENSION_free(copy);
		return burin_fail_memory(c->e);
	}
	return 0;
}

static int
change_extensions(struct change *c, const STACK_OF(X509_EXTENSION) * exts)
{
	struct burin_error one = BURIN_ERROR_INIT;
	int i, n = sk_X509_EXTENSION_num(exts);

	if (csr_check_asked(exts, BURIN_EAUTHORITY, &one) == -1) {
		(void)refuse(c, BURIN_CMC_BAD_REQUEST,
		    "has extensions that are not sound");
		return burin_error_cause(c->e, "%s", one.reason);
	}
	for (i = 0; i < n; i++) {
		if (change_extension(c, sk_X509_EXTENSION_value(exts, i)) == -1)
			return -1;
	}
	if (sk_X509_EXTENSION_num(c->exts) <= BURIN_MAX_EXTENSIONS)
		return 0;
	return refuse(c, BURIN_CMC_UNSUPPORTED_EXT,
	    "makes the request ask for more than 32 extensions");
}

static int
add_extensions(struct change *c)
{
	const unsigned char *p = c->s->der;
	X509_EXTENSIONS *exts =
	    d2i_X509_EXTENSIONS(NULL, &p, (long)c->s->der_len);
	int rc;

	rc = exts != NULL && p == c->s->der + c->s->der_len
	    ? change_extensions(c, exts)
	    : malformed(c);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return rc;
}

/* --- a template ----------------------------------------------------------- */

/* The issuer is ours to choose, and does no harm. */
static int
check_template(const struct change *c, const CRMF_TEMPLATE *t)
{
	if (t->publicKey != NULL)
		return refuse(c, BURIN_CMC_UNSUPPORTED_EXT,
		    "touches the public key, of which possession was proved");
	if (t->serialNumber != NULL || t->signingAlg != NULL ||
	    t->issuerUID != NULL || t->subjectUID != NULL ||
	    (t->version != NULL && ASN1_INTEGER_get(t->version) != 2))
		return refuse(c, BURIN_CMC_BAD_REQUEST,
		    "has a field that no certificate template has (version, "
		    "serialNumber, signingAlg, unique ids)");
	if (t->validity != NULL)
		return refuse(c, BURIN_CMC_BAD_REQUEST,
		    "asks for a validity, which the authority decides");
	if (t->subject != NULL && csr_dn_flaw(t->subject) != NULL)
		return refuse(c, BURIN_CMC_BAD_REQUEST,
		    "has a subject that is no sound name");
	return 0;
}

static int
change_template(struct change *c, const CRMF_TEMPLATE *t)
{
	if (check_template(c, t) == -1)
		return -1;
	if (t->subject != NULL) {
		c->subject =
		    c->s->replace ? X509_NAME_dup(t->subject) : X509_NAME_new();
		if (c->subject == NULL)
			return burin_fail_memory(c->e);
	}
	return t->extensions != NULL ? change_extensions(c, t->extensions) : 0;
}

static int
modify_template(struct change *c)
{
	const unsigned char *p = c->s->der;
	CRMF_TEMPLATE *t = d2i_CRMF_TEMPLATE(NULL, &p, (long)c->s->der_len);
	int rc;

	rc = t != NULL && p == c->s->der + c->s->der_len ? change_template(c, t)
							 : malformed(c);
	CRMF_TEMPLATE_free(t);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static int
begin(struct change *c, const struct burin_cmc_item *item)
{
	c->exts = item->asked.extensions != NULL
	    ? sk_X509_EXTENSION_deep_copy(item->asked.extensions,
		  X509_EXTENSION_dup, X509_EXTENSION_free)
	    : sk_X509_EXTENSION_new_null();
	return c->exts != NULL ? 0 : burin_fail_memory(c->e);
}

/* All of it, or nothing. */
static void
finish(struct change *c, struct burin_cmc_item *item)
{
	struct burin_asked *a = &item->asked;

	sk_X509_EXTENSION_pop_free(a->extensions, X509_EXTENSION_free);
	a->extensions = NULL;
	if (sk_X509_EXTENSION_num(c->exts) > 0) {
		a->extensions = c->exts;
		c->exts = NULL;
	}
	if (c->subject == NULL)
		return;
	X509_NAME_free(a->subject);
	a->subject = c->subject;
	c->subject = NULL;
}

int
burin_cmc_item_modify(struct burin_cmc_item *item,
    const struct burin_cmc_statement *s, struct burin_cmc_refusal *why,
    struct burin_error *e)
{
	struct change c = { s, NULL, NULL, why, e };
	int rc;

	cmc_why_begin(why);
	if (s->kind != BURIN_CMC_STATES_TEMPLATE &&
	    s->kind != BURIN_CMC_STATES_EXTENSIONS)
		return burin_fail(e, BURIN_EUSAGE, "cmc-change",
		    "the statement changes no request");
	rc = begin(&c, item);
	if (rc == 0)
		rc = s->kind == BURIN_CMC_STATES_TEMPLATE ? modify_template(&c)
							  : add_extensions(&c);
	if (rc == 0) {
		finish(&c, item);
		memset(why, 0, sizeof(*why));
	}
	ERR_clear_error();
	sk_X509_EXTENSION_pop_free(c.exts, X509_EXTENSION_free);
	X509_NAME_free(c.subject);
	return rc;
}
