/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * IPv6 prefixes for SEND (RFC 6494) as ipAddrBlocks (RFC 3779 section 2),
 * always in canonical form (section 2.2.3.6).
 */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "internal.h"

#define IPV6_BITS 128

struct prefix {
	unsigned char bytes[16];
	int len; /* bits */
};

static int
refuse(struct burin_error *e, const char *text, const char *why,
    const char *advice)
{
	(void)burin_fail(e, BURIN_EUSAGE, "prefix-malformed",
	    "the prefix \"%.100s\" %s", text, why);
	(void)burin_error_rule(e, "RFC 3779 section 2.2.3, RFC 6494 section 4");
	return burin_error_advice(e, "%s", advice);
}

/* 1 when no bit behind the prefix is set. */
static int
is_clear_behind(const struct prefix *p)
{
	int bit;

	for (bit = p->len; bit < IPV6_BITS; bit++) {
		if ((p->bytes[bit / 8] & (0x80u >> bit % 8)) != 0)
			return 0;
	}
	return 1;
}

static int
read_prefix(const char *text, struct prefix *p, struct burin_error *e)
{
	static const char advice[] =
	    "write an IPv6 prefix as 2001:db8:7::/48, or \"inherit\"";
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	char *end;
	size_t n;
	long len;

	if (slash == NULL)
		return refuse(e, text, "has no length", advice);
	n = (size_t)(slash - text);
	if (n >= sizeof(address))
		return refuse(e, text, "is no IPv6 prefix", advice);
	memcpy(address, text, n);
	address[n] = '\0';
	if (inet_pton(AF_INET6, address, p->bytes) != 1)
		return refuse(e, text, "is no IPv6 prefix", advice);
	len = strtol(slash + 1, &end, 10);
	if (strspn(slash + 1, "0123456789") == 0 || *end != '\0' || len < 0 ||
	    len > IPV6_BITS)
		return refuse(
		    e, text, "has a length that is not 0 to 128", advice);
	p->len = (int)len;
	if (!is_clear_behind(p))
		return refuse(e, text, "has bits set behind its length",
		    "is the length right? Every bit behind it must be zero");
	return 0;
}

static int
put(struct burin_subject *s, const char *text, struct burin_error *e)
{
	struct prefix p;
	int inherits = X509v3_addr_inherits(s->prefixes);

	if (strcmp(text, "inherit") == 0) {
		if (!inherits && sk_IPAddressFamily_num(s->prefixes) > 0)
			return refuse(e, text, "stands beside prefixes",
			    "ask either for prefixes or to inherit");
		if (!inherits &&
		    X509v3_addr_add_inherit(s->prefixes, IANA_AFI_IPV6, NULL) !=
			1)
			return burin_fail_memory(e);
		return 0;
	}
	if (read_prefix(text, &p, e) == -1)
		return -1;
	if (inherits)
		return refuse(e, text, "stands beside \"inherit\"",
		    "ask either for prefixes or to inherit");
	if (X509v3_addr_add_prefix(
		s->prefixes, IANA_AFI_IPV6, NULL, p.bytes, p.len) != 1)
		return burin_fail_memory(e);
	/* Merges neighbours; refuses what overlaps. */
	if (X509v3_addr_canonize(s->prefixes) != 1) {
		ERR_clear_error();
		return refuse(
		    e, text, "overlaps another one", "name every address once");
	}
	return 0;
}

int
burin_subject_add_prefix(
    struct burin_subject *s, const char *prefix, struct burin_error *e)
{
	if (csr_ext_find(s->asked, OBJ_nid2obj(NID_sbgp_ipAddrBlock)) >= 0)
		return refuse(e, prefix,
		    "stands beside an extension sbgp-ipAddrBlock",
		    "give all resources in one of the two ways");
	if (s->prefixes == NULL &&
	    (s->prefixes = sk_IPAddressFamily_new_null()) == NULL)
		return burin_fail_memory(e);
	return put(s, prefix, e);
}
