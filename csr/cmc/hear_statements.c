/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an RA states about parts of its message: RFC 10002 sections 6.5, 6.8
 * and 6.19, RFC 6402 section 2.5. Whether it is one is the caller's to judge.
 * Of a path, its beginning is held against this message; the rest is about
 * messages inside, which are heard by themselves.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hear.h"

static int
dangling(const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	return cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
	    "names nothing, too much, or a part that is not there");
}

static struct burin_cmc_statement *
next_statement(const struct cmc_hearing *hg,
    const struct cmc_control_part *part, enum burin_cmc_statement_kind kind)
{
	struct burin_cmc_heard *h = hg->h;
	struct burin_cmc_statement *s;

	if (h->n_statements == BURIN_CMC_MAX_PARTS) {
		(void)cmc_refuse_control(hg, BURIN_CMC_BAD_REQUEST, part,
		    "and those before it are about more than 256 parts");
		return NULL;
	}
	s = &h->statements[h->n_statements++];
	s->kind = kind;
	s->control = part->id;
	return s;
}

/* --- about requests ------------------------------------------------------- */

/* Of this message they must be there; of one inside, that must be there. */
static int
take_ids(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    const STACK_OF(ASN1_INTEGER) * ids, struct burin_cmc_statement *s)
{
	const struct cmc_body *b = hg->kept->body;
	int i, n = sk_ASN1_INTEGER_num(ids);
	uint32_t id;

	if (n < 1 || n > BURIN_CMC_MAX_PARTS)
		return dangling(hg, part);
	if (s->path.n > 0 && cmc_body_message(b, s->path.ids[0]) == NULL)
		return dangling(hg, part);
	for (i = 0; i < n; i++) {
		if (cmc_id_read(sk_ASN1_INTEGER_value(ids, i), 0, &id) == -1 ||
		    (s->path.n == 0 && cmc_body_request(b, id) == NULL))
			return dangling(hg, part);
		s->ids[s->n_ids++] = id;
	}
	return 0;
}

/* One id, 0 for this message: older than paths. */
static int
take_reference(const struct cmc_hearing *hg,
    const struct cmc_control_part *part, const ASN1_INTEGER *id,
    struct burin_cmc_path *out)
{
	struct cmc_path path = { .n = 1 };

	if (cmc_id_read(id, 1, &path.ids[0]) == -1)
		return dangling(hg, part);
	cmc_path_take(&path, out);
	return 0;
}

static int
hear_pop(const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	const CMC_POP_WITNESS *w = part->value;
	struct burin_cmc_statement *s =
	    next_statement(hg, part, BURIN_CMC_STATES_POP);

	if (s == NULL ||
	    take_reference(hg, part, w->pkiDataBodyid, &s->path) == -1)
		return -1;
	return take_ids(hg, part, w->bodyIds, s);
}

static int
hear_template(const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	const CMC_MOD_TEMPLATE *m = part->value;
	struct burin_cmc_statement *s =
	    next_statement(hg, part, BURIN_CMC_STATES_TEMPLATE);
	struct cmc_path path;

	if (s == NULL)
		return -1;
	if (cmc_path_read(m->pkiDataReference, &path) == -1)
		return dangling(hg, part);
	cmc_path_take(&path, &s->path);
	s->replace = m->replace != 0;
	s->der = ASN1_STRING_get0_data(m->certTemplate);
	s->der_len = (size_t)ASN1_STRING_length(m->certTemplate);
	return take_ids(hg, part, m->certReferences, s);
}

static int
hear_extensions(
    const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	const CMC_ADD_EXTENSIONS *a = part->value;
	struct cmc_heard_kept *kept = hg->kept;
	struct burin_cmc_statement *s =
	    next_statement(hg, part, BURIN_CMC_STATES_EXTENSIONS);
	unsigned char *der = NULL;
	int len;

	if (s == NULL ||
	    take_reference(hg, part, a->pkiDataReference, &s->path) == -1 ||
	    take_ids(hg, part, a->certReferences, s) == -1)
		return -1;
	if ((len = i2d_X509_EXTENSIONS(a->extensions, &der)) <= 0)
		return burin_fail_memory(hg->e);
	/* One for each control at most, and there is room for all of them. */
	kept->extensions[kept->n_extensions++] = der;
	s->replace = 1;
	s->der = der;
	s->der_len = (size_t)len;
	return 0;
}

/* --- about parts ---------------------------------------------------------- */

/* whole: {0} may stand for this message. */
static int
take_part(const struct cmc_hearing *hg, const struct cmc_control_part *part,
    const struct cmc_path *path, int whole, struct burin_cmc_statement *s)
{
	const struct cmc_body *b = hg->kept->body;

	cmc_path_take(path, &s->path);
	if (s->path.n == 0)
		return whole ? 0 : dangling(hg, part);
	if (s->path.n == 1)
		return cmc_body_has(b, s->path.ids[0]) ? 0 : dangling(hg, part);
	return cmc_body_message(b, s->path.ids[0]) != NULL ? 0
							   : dangling(hg, part);
}

static int
hear_identity(const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	struct burin_cmc_statement *s =
	    next_statement(hg, part, BURIN_CMC_STATES_IDENTITY);
	struct cmc_path path;

	if (s == NULL)
		return -1;
	if (cmc_path_read(part->value, &path) == -1)
		return dangling(hg, part);
	return take_part(hg, part, &path, 1, s);
}

static int
hear_processed(
    const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	const CMC_PROCESSED *list = part->value;
	int i, n = sk_CMC_REF_num(list->bodyList);
	struct burin_cmc_statement *s;
	struct cmc_path path;

	for (i = 0; i < n; i++) {
		const CMC_REF *ref = sk_CMC_REF_value(list->bodyList, i);

		s = next_statement(hg, part, BURIN_CMC_STATES_PROCESSED);
		if (s == NULL)
			return -1;
		if (cmc_ref_read(ref, &path) == -1)
			return dangling(hg, part);
		if (take_part(hg, part, &path, 0, s) == -1)
			return -1;
	}
	return 0;
}

/* --- all of them ---------------------------------------------------------- */

static int
hear_statement(
    const struct cmc_hearing *hg, const struct cmc_control_part *part)
{
	switch (part->row->number) {
	case CMC_LRA_POP_WITNESS:
		return hear_pop(hg, part);
	case CMC_MOD_CERT_TEMPLATE:
		return hear_template(hg, part);
	case CMC_ADD_EXTENSION:
		return hear_extensions(hg, part);
	case CMC_RA_IDENTITY_WITNESS:
		return hear_identity(hg, part);
	case CMC_CONTROL_PROCESSED:
		return hear_processed(hg, part);
	default:
		return 0;
	}
}

int
cmc_hear_statements(const struct cmc_hearing *hg)
{
	const struct cmc_body *b = hg->kept->body;
	struct burin_cmc_heard *h = hg->h;
	size_t i, ra = 0;

	for (i = 0; i < b->n_controls; i++)
		ra += b->controls[i].row != NULL &&
		    (b->controls[i].row->where & CMC_BY_RA) != 0;
	if (ra == 0)
		return 0;
	h->statements =
	    cmc_hear_room(hg, BURIN_CMC_MAX_PARTS, sizeof(*h->statements));
	if (h->statements == NULL)
		return -1;
	for (i = 0; i < b->n_controls; i++) {
		if (b->controls[i].row != NULL &&
		    hear_statement(hg, &b->controls[i]) == -1)
			return -1;
	}
	return 0;
}
