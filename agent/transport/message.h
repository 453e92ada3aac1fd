/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * As much of a message as its carrier must know: which kind it is, and where
 * it ends.
 */

#ifndef BURIN_MESSAGE_H
#define BURIN_MESSAGE_H

#include "transport.h"

/*
 * TRANSPORT_CMC: one ContentInfo (RFC 5652 section 3); TRANSPORT_PKCS10: one
 * CertificationRequest (RFC 2986 section 4); TRANSPORT_NOTHING: neither, or
 * something stands behind it. The content decides, never a media type.
 */
enum transport_kind message_kind(const unsigned char *der, size_t len);

enum message_end {
	MESSAGE_MORE,	  /* the message goes on */
	MESSAGE_WHOLE,	  /* it ends with these bytes */
	MESSAGE_TRAILING, /* it ends before: something stands behind it */
	MESSAGE_TOO_LARGE,
	MESSAGE_NONE /* no message begins like this */
};
/*
 * Where the outer element ends, which is all the framing that CMC over TCP
 * has (RFC 5273 section 5). Of indefinite length or of definite length.
 */
enum message_end message_end(const unsigned char *ber, size_t len);

/* Refuses what is not one whole ContentInfo; where: "the answer of HOST". */
int message_must_be_cmc(const unsigned char *ber, size_t len, const char *where,
    struct burin_error *e);

#endif
