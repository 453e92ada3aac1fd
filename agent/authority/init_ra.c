/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A new RA: its keys and their certificates are on the token already, put
 * there by "burin enroll". Nothing is made here but the files of DIR.
 */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "init.h"

int
init_ra_check(const struct authority_init *in, struct burin_error *e)
{
	if (settings_upstream_check(in->ra->upstream, e) != 0)
		return -1;
	if (X509_check_ca(in->ra->anchor) > 0)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "anchor-unfit",
	    "the anchor is not the certificate of a CA");
	(void)burin_error_rule(e, "RFC 5280 section 4.2.1.9");
	return burin_error_advice(e, "give the CA's ca.pem");
}

static int
find_key(struct build *b, const char *uri, struct burin_key **out,
    struct burin_error *e)
{
	struct burin_token *t = b->in->token;

	if (burin_key_find(b->in->ra->p11, uri, out, e) != 0)
		return -1;
	if (burin_key_token(*out) == t)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "key-elsewhere",
	    "the key %.300s is on another token", uri);
	return burin_error_token(e, "%s", burin_token_name(t));
}

/* --- the hosts of the server's certificate ---------------------------------
 */

/* As authority.cnf has it: free(). NULL: no host, or no memory. */
static char *
host_text(const GENERAL_NAME *name)
{
	char text[INET6_ADDRSTRLEN];
	const ASN1_STRING *value;
	int len, type;

	value = GENERAL_NAME_get0_value(name, &type);
	if (type == GEN_DNS)
		return strndup((const char *)ASN1_STRING_get0_data(value),
		    (size_t)ASN1_STRING_length(value));
	if (type != GEN_IPADD)
		return NULL;
	len = ASN1_STRING_length(value);
	if ((len != 4 && len != 16) ||
	    inet_ntop(len == 4 ? AF_INET : AF_INET6,
		ASN1_STRING_get0_data(value), text, sizeof(text)) == NULL)
		return NULL;
	return strdup(text);
}

static int
find_hosts(struct build *b, struct burin_error *e)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(b->tls_cert, NID_subject_alt_name, NULL, NULL);
	int i;
	size_t n = 0;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && n < CA_MAX_HOSTS; i++) {
		b->found[n] = host_text(sk_GENERAL_NAME_value(names, i));
		/* What authority.cnf cannot hold is no host (RFC 1123). */
		if (b->found[n] == NULL ||
		    !cert_has_host(b->tls_cert, b->found[n])) {
			free(b->found[n]);
			b->found[n] = NULL;
			continue;
		}
		n++;
	}
	GENERAL_NAMES_free(names);
	b->hosts = (const char *const *)b->found;
	if (n > 0)
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "enrolment-unfit",
	    "the certificate of the TLS key names no host");
	(void)burin_error_rule(e, "RFC 9525 section 2");
	return burin_error_advice(e,
	    "burin enroll --key '%.200s' --profile tls-server --san dns:HOST "
	    "--replace ...",
	    b->in->ra->tls_key);
}

/* --- keys and certificates --------------------------------------------------
 */

int
init_ra_find(struct build *b, struct burin_error *e)
{
	const struct authority_init_ra *ra = b->in->ra;
	const struct {
		const char *uri;
		struct burin_key **key;
		X509 **cert;
	} own[] = {
		[ENROLLED_CMC] = { ra->cmc_key, &b->cmc_key, &b->cmc_cert },
		[ENROLLED_TLS] = { ra->tls_key, &b->tls_key, &b->tls_cert },
		[ENROLLED_POP] = { ra->pop_key, &b->pop_key, &b->pop_cert },
	};
	time_t now = time(NULL);
	size_t i;

	if (!X509_up_ref(ra->anchor))
		return burin_fail_memory(e);
	issuer_of_nobody(&b->ca, ra->anchor);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (find_key(b, own[i].uri, own[i].key, e) != 0 ||
		    enrolled_find(&b->ca, *own[i].key, (enum enrolled)i,
			b->hosts, now, own[i].cert, e) != 0 ||
		    enrolled_record(
			b->store, (enum enrolled)i, *own[i].cert, e) != 0)
			return -1;
	return b->hosts != NULL ? 0 : find_hosts(b, e);
}
