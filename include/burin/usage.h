/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a private key may be used for: bits that both the token layer and
 * the certificate checks speak of.
 */

#ifndef BURIN_USAGE_H
#define BURIN_USAGE_H

#define BURIN_USE_SIGN 1u
#define BURIN_USE_DECRYPT 2u
#define BURIN_USE_DERIVE 4u

#endif
