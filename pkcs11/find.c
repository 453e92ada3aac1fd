/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Searching a token (PKCS#11 2.40 section 5.7, C_FindObjects): three calls
 * for what fits into the buffer, one more for each further buffer.
 */

#include <stdlib.h>
#include <string.h>

#include "object.h"

#define BULK 512 /* handles asked for at a time */

static int
append(CK_OBJECT_HANDLE **list, size_t *n, const CK_OBJECT_HANDLE *more,
    CK_ULONG count, struct burin_error *e)
{
	CK_OBJECT_HANDLE *p;

	if (count == 0)
		return 0;
	p = reallocarray(*list, *n + count, sizeof(*p));
	if (p == NULL)
		return burin_fail_memory(e);
	memcpy(p + *n, more, count * sizeof(*p));
	*list = p;
	*n += count;
	return 0;
}

static int
collect(struct burin_token *t, CK_SESSION_HANDLE s, size_t max,
    CK_OBJECT_HANDLE **list, size_t *n, struct burin_error *e)
{
	CK_OBJECT_HANDLE some[BULK];
	CK_ULONG count;
	CK_RV rv;

	do {
		count = 0;
		rv = p11_FindObjects(t->m, s, some, BULK, &count);
		if (rv != CKR_OK)
			return p11_failed(t, "C_FindObjects", rv, e);
		if (count > BULK) {
			burin_fail(e, BURIN_EREFUSED, "module-wrong",
			    "the module gave more objects than were asked for");
			return burin_error_token(e, "%s", t->name);
		}
		if (count > max - *n) {
			burin_fail(e, BURIN_EREFUSED, "too-many-objects",
			    "the token has more than %zu objects of the kind "
			    "that was looked for",
			    max);
			burin_error_token(e, "%s", t->name);
			return burin_error_advice(
			    e, "remove objects that are no longer needed");
		}
		if (append(list, n, some, count, e) == -1)
			return -1;
	} while (count == BULK);
	return 0;
}

int
p11_find(struct burin_token *t, CK_SESSION_HANDLE s, const CK_ATTRIBUTE *match,
    CK_ULONG n_match, size_t max, CK_OBJECT_HANDLE **out, size_t *n,
    struct burin_error *e)
{
	CK_OBJECT_HANDLE *list = NULL;
	size_t found = 0;
	CK_RV rv;
	int rc = -1;

	*out = NULL;
	*n = 0;
	rv = p11_FindObjectsInit(t->m, s, match, n_match);
	if (rv != CKR_OK) {
		p11_failed(t, "C_FindObjectsInit", rv, e);
		goto out;
	}
	if (collect(t, s, max, &list, &found, e) == -1) {
		/* The search is still active. */
		p11_drop_work(t);
		goto out;
	}
	rv = p11_FindObjectsFinal(t->m, s);
	if (rv != CKR_OK) {
		p11_failed(t, "C_FindObjectsFinal", rv, e);
		goto out;
	}
	*out = list;
	*n = found;
	list = NULL;
	rc = 0;
out:
	free(list);
	return rc;
}
