/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Any request, response, message of CMC, CRL or certificate (DER or PEM)
 * decoded.
 */

#ifndef BURIN_SHOW_H
#define BURIN_SHOW_H

#include <stdio.h>

#include <jansson.h>

#include <burin/error.h>

/* For people. */
int show_text(
    FILE *out, const unsigned char *data, size_t len, struct burin_error *e);
/* The same as an object, json_decref. */
int show_json(
    json_t **out, const unsigned char *data, size_t len, struct burin_error *e);

#endif
