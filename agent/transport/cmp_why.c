/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a CMP transaction ended with: PKIStatusInfo (RFC 9810 section 5.2.3)
 * or a reason of OpenSSL's client, as an error.
 */

#include <stdio.h>
#include <string.h>

#include "cmp.h"

/* PKIFailureInfo by its bits, and what can be done about it. */
static const struct {
	const char *name, *rule, *advice;
} failures[] = {
	{ "badAlg", NULL, "ask for another type of key" },
	{ "badMessageCheck", "RFC 9810 section 5.1.3",
	    "check --user and --secret, or the certificate that signs" },
	{ "badRequest", NULL,
	    "check --user and --secret, or ask another way with "
	    "--cmp-command" },
	{ "badTime", NULL, "look at this machine's clock" },
	{ "badCertId", NULL,
	    "it does not know this certificate as one of its own" },
	{ "badDataFormat", NULL, NULL },
	{ "wrongAuthority", NULL, "check --ca" },
	{ "incorrectData", NULL, NULL },
	{ "missingTimeStamp", NULL, NULL },
	{ "badPOP", "RFC 9810 section 5.2.8", NULL },
	{ "certRevoked", NULL, NULL },
	{ "certConfirmed", NULL, NULL },
	{ "wrongIntegrity", "RFC 9810 section 5.1.3",
	    "it wants the other way to prove who you are: a secret, or the "
	    "certificate that is renewed" },
	{ "badRecipientNonce", NULL, NULL },
	{ "timeNotAvailable", NULL, NULL },
	{ "unacceptedPolicy", NULL, NULL },
	{ "unacceptedExtension", NULL,
	    "ask without the extension, or for another profile" },
	{ "addInfoNotAvailable", NULL, NULL },
	{ "badSenderNonce", NULL, NULL },
	{ "badCertTemplate", NULL,
	    "it does not issue such a certificate: check names and profile" },
	{ "signerNotTrusted", "RFC 9810 section 5.1.3",
	    "it does not believe the certificate that signs" },
	{ "transactionIdInUse", NULL, NULL },
	{ "unsupportedVersion", NULL, NULL },
	{ "notAuthorized", NULL,
	    "it knows the user but does not allow this; ask its operator" },
	{ "systemUnavail", NULL, "try again later" },
	{ "systemFailure", NULL, "try again later" },
	{ "duplicateCertReq", NULL, NULL },
};
#define N_FAILURES (sizeof(failures) / sizeof(failures[0]))

void
cmp_words(const struct cmp *s, char *words, size_t size)
{
	const OSSL_CMP_PKIFREETEXT *texts =
	    OSSL_CMP_CTX_get0_statusString(s->ctx);
	size_t n = 0;
	int i, len;

	words[0] = '\0';
	for (i = 0; i < sk_ASN1_UTF8STRING_num(texts); i++) {
		const ASN1_UTF8STRING *t = sk_ASN1_UTF8STRING_value(texts, i);

		len = snprintf(words + n, size - n, "%s%.*s", n > 0 ? "; " : "",
		    ASN1_STRING_length(t),
		    (const char *)ASN1_STRING_get0_data(t));
		if (len < 0 || (size_t)len >= size - n)
			return;
		n += (size_t)len;
	}
}

/* The first bit counts: there is seldom another. */
static int
refused(struct cmp *s, int bits, struct burin_error *e)
{
	char words[200], code[BURIN_ERROR_WORD];
	const char *name = "rejection";
	size_t i;

	for (i = 0; i < N_FAILURES; i++)
		if (bits > 0 && (bits & (1 << i)) != 0)
			break;
	if (i < N_FAILURES)
		name = failures[i].name;
	cmp_words(s, words, sizeof(words));
	(void)snprintf(code, sizeof(code), "cmp-%s", name);
	burin_fail_openssl(e, BURIN_EAUTHORITY, code, "%s refused: %s%s%s",
	    s->url, name, words[0] != '\0' ? ": " : "", words);
	if (i < N_FAILURES && failures[i].advice != NULL)
		burin_error_advice(e, "%s", failures[i].advice);
	return burin_error_rule(e, "%s",
	    i < N_FAILURES && failures[i].rule != NULL
		? failures[i].rule
		: "RFC 9810 section 5.2.3");
}

int
cmp_fail(struct cmp *s, struct burin_error *e)
{
	int status = OSSL_CMP_CTX_get_status(s->ctx);

	if (s->wrong_key) {
		burin_fail_openssl(e, BURIN_ECHECK, "check-G1",
		    "the certificate of %s is for another key", s->url);
		burin_error_rule(e, "RFC 5280 section 4.1.2.7");
		return burin_error_advice(e,
		    "it was not accepted; ask the authority for the right "
		    "one");
	}
	if (s->http.status != BURIN_OK) {
		if (e != NULL && e->status == BURIN_OK)
			*e = s->http;
		return -1;
	}
	if (status == OSSL_CMP_PKISTATUS_rejection)
		return refused(s, OSSL_CMP_CTX_get_failInfoCode(s->ctx), e);
	if (s->answers == 0) {
		burin_fail_openssl(e, BURIN_EINTERNAL, "cmp-request",
		    "the CMP request could not be made; nothing was sent");
		return burin_error_rule(e, "RFC 9810 section 5.1");
	}
	burin_fail_openssl(e, BURIN_EAUTHORITY, "cmp-answer",
	    "the answer of %s is not believed", s->url);
	burin_error_rule(e, "RFC 9810 section 5.1.3");
	return burin_error_advice(e,
	    "check --trust, and --secret: an answer is signed by who is "
	    "trusted, or protected with the secret");
}
