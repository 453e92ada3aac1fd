/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The outermost element of a message, by OpenSSL's reader.
 */

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "message.h"

/*
 * Tag and length octets: one for the tag that we accept, one that counts, and
 * what a long holds. A header that is still unreadable is none.
 */
#define MAX_HEADER (2 + sizeof(long))

enum transport_kind
message_kind(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	enum transport_kind kind = TRANSPORT_NOTHING;
	ASN1_SEQUENCE_ANY *parts;

	if (len == 0 || len > TRANSPORT_MAX_BODY)
		return kind;
	parts = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)len);
	if (parts != NULL && p == der + len && sk_ASN1_TYPE_num(parts) > 0)
		switch (ASN1_TYPE_get(sk_ASN1_TYPE_value(parts, 0))) {
		case V_ASN1_OBJECT:
			kind = TRANSPORT_CMC;
			break;
		case V_ASN1_SEQUENCE:
			kind = TRANSPORT_PKCS10;
			break;
		default:
			break;
		}
	sk_ASN1_TYPE_pop_free(parts, ASN1_TYPE_free);
	ERR_clear_error();
	return kind;
}

/* Its end is where its end-of-contents octets are: only reading it tells. */
static enum message_end
indefinite_end(const unsigned char *ber, size_t len)
{
	const unsigned char *p = ber;
	ASN1_TYPE *whole;

	/* Reading it anew for each byte that drips in would cost too much. */
	if (len < 4 || ber[len - 1] != 0 || ber[len - 2] != 0)
		return MESSAGE_MORE;
	if ((whole = d2i_ASN1_TYPE(NULL, &p, (long)len)) == NULL)
		return MESSAGE_MORE;
	ASN1_TYPE_free(whole);
	return p == ber + len ? MESSAGE_WHOLE : MESSAGE_TRAILING;
}

static enum message_end
find_end(const unsigned char *ber, size_t len)
{
	const unsigned char *p = ber;
	size_t header;
	long content = 0;
	int tag = 0, class = 0, rv;

	if (len == 0)
		return MESSAGE_MORE;
	if (len > TRANSPORT_MAX_BODY)
		return MESSAGE_TOO_LARGE;
	/* 0x80 also says that the content is not all there, but p moves. */
	rv = ASN1_get_object(&p, &content, &tag, &class, (long)len);
	if (p == ber)
		return len < MAX_HEADER ? MESSAGE_MORE : MESSAGE_NONE;
	if (tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL ||
	    (rv & V_ASN1_CONSTRUCTED) == 0)
		return MESSAGE_NONE;
	if ((rv & 1) != 0)
		return indefinite_end(ber, len);
	header = (size_t)(p - ber);
	if (content > (long)(TRANSPORT_MAX_BODY - header))
		return MESSAGE_TOO_LARGE;
	if ((size_t)content > len - header)
		return MESSAGE_MORE;
	return (size_t)content == len - header ? MESSAGE_WHOLE
					       : MESSAGE_TRAILING;
}

enum message_end
message_end(const unsigned char *ber, size_t len)
{
	enum message_end end = find_end(ber, len);

	ERR_clear_error();
	return end;
}

static int
refuse(enum message_end end, const char *where, struct burin_error *e)
{
	switch (end) {
	case MESSAGE_MORE:
		burin_fail(e, BURIN_EINTERRUPTED, "answer-truncated",
		    "%s ends before the message does", where);
		return burin_error_advice(e, "try again");
	case MESSAGE_TRAILING:
		burin_fail(e, BURIN_EAUTHORITY, "answer-malformed",
		    "%s goes on behind the message", where);
		return burin_error_rule(e, "RFC 10003");
	case MESSAGE_TOO_LARGE:
		return burin_fail(e, BURIN_EAUTHORITY, "answer-too-large",
		    "%s is longer than %d bytes", where, TRANSPORT_MAX_BODY);
	default:
		burin_fail(e, BURIN_EAUTHORITY, "answer-malformed",
		    "%s is no message in BER", where);
		return burin_error_rule(e, "RFC 10003");
	}
}

int
message_must_be_cmc(const unsigned char *ber, size_t len, const char *where,
    struct burin_error *e)
{
	enum message_end end = message_end(ber, len);

	if (end != MESSAGE_WHOLE)
		return refuse(end, where, e);
	if (message_kind(ber, len) == TRANSPORT_CMC)
		return 0;
	burin_fail(e, BURIN_EAUTHORITY, "answer-malformed",
	    "%s is no CMS message", where);
	return burin_error_rule(e, "RFC 5652 section 3");
}
