/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * authority.cnf: whether it is a CA or an RA, and its keys
 * (docs/decisions/0015-ra-is-an-authority-without-ca-key.md).
 */

#include <stdlib.h>
#include <string.h>

#include "ca.h"

#define HTTPS "https://"

static int
malformed(const char *name, const char *why, struct burin_error *e)
{
	return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
	    "authority.cnf: %s %s", name, why);
}

/* Escapes what config(5) would read as syntax. */
void
settings_put(BIO *out, const char *key, const char *value)
{
	(void)BIO_printf(out, "%s = ", key);
	for (; *value != '\0'; value++)
		(void)BIO_printf(out, "%s%c",
		    strchr("\\$#\"'`", *value) != NULL ? "\\" : "", *value);
	(void)BIO_printf(out, "\n");
}

void
settings_role_write(BIO *out, const struct settings *s)
{
	(void)BIO_printf(out,
	    "# ca: it issues. ra: it passes requests on to the authority at "
	    "upstream.\nrole = %s\n",
	    s->ra ? "ra" : "ca");
	if (s->ra)
		settings_put(out, "upstream", s->upstream);
	else
		settings_put(out, "ca_key", s->ca_key);
	settings_put(out, "cmc_key", s->cmc_key);
	settings_put(out, "tls_key", s->tls_key);
	settings_put(out, "pop_key", s->pop_key);
}

int
settings_upstream_check(const char *url, struct burin_error *e)
{
	if (burin_url_check(url, NULL) == 0 &&
	    strncmp(url, HTTPS, sizeof(HTTPS) - 1) == 0 &&
	    url[sizeof(HTTPS) - 1] != '\0' && url[sizeof(HTTPS) - 1] != '/')
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "upstream-malformed",
	    "'%.200s' is no place where an authority answers CMC over TLS",
	    url);
	return burin_error_advice(
	    e, "write its URL, such as https://ca.example:8443/cmc");
}

int
settings_role_read(struct settings *s, const char *name, const char *value,
    struct burin_error *e)
{
	const struct {
		const char *name;
		char **at;
	} texts[] = { { "upstream", &s->upstream }, { "ca_key", &s->ca_key },
		{ "cmc_key", &s->cmc_key }, { "tls_key", &s->tls_key },
		{ "pop_key", &s->pop_key } };
	size_t i;

	if (strcmp(name, "role") == 0) {
		s->ra = strcmp(value, "ra") == 0;
		return s->ra || strcmp(value, "ca") == 0
		    ? 1
		    : malformed(name, "is ca or ra", e);
	}
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) != 0)
			continue;
		free(*texts[i].at);
		*texts[i].at = strdup(value);
		return *texts[i].at != NULL ? 1 : burin_fail_memory(e);
	}
	return 0;
}

/* An authority made before there were so many keys cannot go on. */
static int
lacks(const char *name, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, "settings-malformed",
	    "authority.cnf lacks %s", name);
	return burin_error_advice(
	    e, "make a new authority with \"burin authority init\"");
}

int
settings_role_check(const struct settings *s, struct burin_error *e)
{
	if (s->ra && s->upstream == NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "settings-malformed",
		    "authority.cnf lacks upstream");
		return burin_error_advice(e,
		    "an RA passes requests on: write the CMC URL of the CA, or "
		    "of the next RA");
	}
	if (s->ra && s->ca_key != NULL) {
		(void)malformed("ca_key", "is not for an RA", e);
		return burin_error_advice(
		    e, "an RA signs no certificates: take the line out");
	}
	if (!s->ra && s->upstream != NULL) {
		(void)malformed("upstream", "is not for a CA", e);
		return burin_error_advice(
		    e, "take the line out, or write role = ra");
	}
	if (s->upstream != NULL && settings_upstream_check(s->upstream, e) != 0)
		return burin_error_cause(e, "upstream in authority.cnf");
	if (!s->ra && s->ca_key == NULL)
		return lacks("ca_key", e);
	if (s->cmc_key == NULL)
		return lacks("cmc_key", e);
	if (s->tls_key == NULL)
		return lacks("tls_key", e);
	return s->pop_key != NULL ? 0 : lacks("pop_key", e);
}

int
role_not_ca(const char *what, const char *upstream, struct burin_error *e)
{
	(void)burin_fail(e, BURIN_EUSAGE, "not-a-ca",
	    "a registration authority cannot %s: that is the CA's alone", what);
	return upstream == NULL
	    ? -1
	    : burin_error_advice(e,
		  "the operator of the authority at %.200s does it", upstream);
}

/* --- an issuer that issues nothing -----------------------------------------
 */

static int
sign_cert(void *arg, X509 *cert, struct burin_error *e)
{
	(void)arg;
	(void)cert;
	return role_not_ca("issue a certificate", NULL, e);
}

static int
sign_crl(void *arg, X509_CRL *crl, struct burin_error *e)
{
	(void)arg;
	(void)crl;
	return role_not_ca("make a CRL", NULL, e);
}

void
issuer_of_nobody(struct issuer *ca, X509 *cert)
{
	*ca = (struct issuer) { cert, sign_cert, sign_crl, NULL };
}
