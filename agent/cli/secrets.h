/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PINs that burin makes: random, and written down before they are set.
 */

#ifndef BURIN_SECRETS_H
#define BURIN_SECRETS_H

#include <openssl/x509.h>

#include "cli.h"

extern const struct opt opts_secrets[]; /* generate, secrets-out, seal-to */

#define GENERATED_PIN 8	    /* digits: the longest that a PIV card takes */
#define GENERATED_SO_PIN 24 /* digits: nobody types it every day */

/*
 * n random decimal digits, each as likely as any other; hex: of 16. Free
 * with burin_secret_free.
 */
int generate_digits(
    size_t n, int hex, struct burin_secret **out, struct burin_error *e);
/* want, or the nearest length that the token takes. */
size_t generate_length(const struct burin_token *t, size_t want);

/*
 * A random PIN for t to be set, in c->new_pin, new_so_pin or new_puk: who is
 * one of BURIN_LOGIN_NEW_*.
 */
int secrets_make(struct cli *c, struct burin_token *t, enum burin_login who,
    struct burin_error *e);

/* Where the made PINs go, as --secrets-out and --seal-to say. */
struct secrets_out {
	const char *path; /* "-": standard output */
	X509 *cert;	  /* sealed for its holder, or NULL: plain text */
	int written;
};

/*
 * Looks at the options before anything is made: BURIN_EUSAGE when they do not
 * go together, the file is there already, or the certificate cannot be used.
 * path stays NULL without --generate. Free with secrets_out_clear.
 */
int secrets_out_open(
    struct cli *c, struct secrets_out *out, struct burin_error *e);
void secrets_out_clear(struct secrets_out *out);

/*
 * Writes what c->new_pin, new_so_pin and new_puk hold, durably: before they
 * are set. label as it is to be, NULL: the token's.
 */
int secrets_out_write(struct cli *c, struct secrets_out *out,
    struct burin_token *t, const char *label, struct burin_error *e);
/*
 * After a failure e: takes the file back when none of it can have been set
 * (the token refused before), else says what the file is worth. some_set: a
 * part of it was, or may have been.
 */
void secrets_out_failed(struct cli *c, struct secrets_out *out, int some_set,
    const struct burin_error *e);

/* The JSON object that is written, as a secret. Tested by itself. */
int secrets_text(struct cli *c, const struct burin_token_info *info,
    int is_yubikey, const char *label, struct burin_secret **out,
    struct burin_error *e);
/* CMS AuthEnvelopedData (RFC 5083, AES-256-GCM), DER; free() it. */
int secrets_seal(const struct burin_secret *text, X509 *cert,
    unsigned char **der, size_t *len, struct burin_error *e);

#endif
