/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the status page: what is on it, and HTML without mistakes.
 */

#ifndef BURIN_AUTHORITY_PAGE_H
#define BURIN_AUTHORITY_PAGE_H

#include <openssl/bio.h>

#include "ca.h"

/* Everything on the page. Borrowed. */
struct page {
	const char *name; /* of the CA, as people read it */
	const char *fingerprint;
	time_t ends; /* of the CA certificate */
	const struct counts *counts;
	time_t now;
};
/* The whole page, into out. */
void page_print(BIO *out, const struct page *p);

/* chart.c: issued and refused per day, as SVG. */
void chart_print(BIO *out, const struct counts *c, time_t now);

/* Text of somebody else: what HTML would read as markup is written out. */
void html_text(BIO *out, const char *text);

#endif
