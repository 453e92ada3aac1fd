/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Extended key usages by name: ours first, because OpenSSL 3.0 lacks some of
 * them, then OpenSSL's. Nothing is added to OpenSSL's own table, which is
 * shared by the whole process.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include <burin/names.h>

#include "internal.h"

#define MAX_OID_TEXT 256

static const struct purpose {
	const char *name;
	const char *oid;
} purposes[] = {
	{ "sipDomain", "1.3.6.1.5.5.7.3.20" },	       /* RFC 5924 */
	{ "sendRouter", "1.3.6.1.5.5.7.3.23" },	       /* RFC 6494 */
	{ "sendProxiedRouter", "1.3.6.1.5.5.7.3.24" }, /* RFC 6494 */
	{ "sendOwner", "1.3.6.1.5.5.7.3.25" },	       /* RFC 6494 */
	{ "sendProxiedOwner", "1.3.6.1.5.5.7.3.26" },  /* RFC 6494 */
	{ "bgpsecRouter", "1.3.6.1.5.5.7.3.30" },      /* RFC 8209 */
	{ "imUri", "1.3.6.1.5.5.7.3.40" },	       /* RFC 9734 */
};

#define N_PURPOSES (sizeof(purposes) / sizeof(purposes[0]))

int
csr_eku_parse(const char *text, ASN1_OBJECT **out, struct burin_error *e)
{
	const char *oid = text;
	size_t i;

	for (i = 0; i < N_PURPOSES; i++) {
		if (strcmp(text, purposes[i].name) == 0)
			oid = purposes[i].oid;
	}
	if ((*out = OBJ_txt2obj(oid, 0)) != NULL)
		return 0;
	ERR_clear_error();
	(void)burin_fail(e, BURIN_EUSAGE, "eku-unknown",
	    "\"%.100s\" is no known extended key usage", text);
	(void)burin_error_rule(e, "RFC 5280 section 4.2.1.12");
	return burin_error_advice(e,
	    "give a name (clientAuth, emailProtection, imUri, sendRouter, "
	    "sipDomain...) or its OID");
}

char *
burin_eku_text(const ASN1_OBJECT *oid)
{
	char text[MAX_OID_TEXT];
	size_t i;
	int n, nid;

	n = OBJ_obj2txt(text, sizeof(text), oid, 1);
	if (n <= 0 || n >= MAX_OID_TEXT)
		return strdup("?");
	for (i = 0; i < N_PURPOSES; i++) {
		if (strcmp(text, purposes[i].oid) == 0)
			return strdup(purposes[i].name);
	}
	if ((nid = OBJ_obj2nid(oid)) != NID_undef)
		return strdup(OBJ_nid2sn(nid));
	return strdup(text);
}
