/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a reqSequence: RFC 10002 section 3.2.1.2. It is encoded once, for
 * the proof of identity is over these very octets.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "../internal.h"
#include "controls.h"
#include "proofs.h"
#include "requests.h"

static int
fail_encode(struct burin_error *e)
{
	return burin_fail_openssl(e, BURIN_EINTERNAL, "request-encode",
	    "the requests cannot be put together");
}

/* --- the witness in each request ------------------------------------------ */

static int
make_witness(const struct burin_cmc_thread *t,
    const struct burin_cmc_identity *identity, X509_ATTRIBUTE **attr,
    struct burin_error *e)
{
	char oid[sizeof(CMC_OID_ARC) + 8];
	ASN1_TYPE *value = NULL;
	int rc;

	*attr = NULL;
	if (identity == NULL)
		return 0;
	if (t == NULL || t->pop_random.len == 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "random-missing",
		    "there is no random number to link identity and proof of "
		    "possession with");
		return burin_error_rule(e, "RFC 10002 section 6.3.1.3");
	}
	if (cmc_link_prove(identity, t->pop_random.data, t->pop_random.len,
		&value, e) == -1)
		return -1;
	(void)snprintf(oid, sizeof(oid), CMC_OID_ARC "%d",
	    identity->legacy ? CMC_POP_LINK_WITNESS : CMC_POP_LINK_WITNESS_V2);
	rc = csr_attribute_make(oid, value, attr, e);
	ASN1_TYPE_free(value);
	return rc;
}

/* --- one request ---------------------------------------------------------- */

static int
put_pkcs10(const struct burin_cmc_request *r, const struct burin_subject *s,
    uint32_t id, CMC_REQ *req, struct burin_error *e)
{
	const unsigned char *p;
	unsigned char *der;
	size_t len;
	int rc = 0;

	req->type = CMC_REQ_TCR;
	if ((req->d.tcr = CMC_TCR_new()) == NULL ||
	    ASN1_INTEGER_set_uint64(req->d.tcr->bodyPartID, id) != 1)
		return burin_fail_memory(e);
	if (burin_pkcs10_make_with(s, r->pub, &r->how, &der, &len, e) == -1)
		return -1;
	p = der;
	if (d2i_ASN1_TYPE(&req->d.tcr->certificationRequest, &p, (long)len) ==
	    NULL)
		rc = fail_encode(e);
	OPENSSL_free(der);
	return rc;
}

static int
put_crmf(const struct burin_cmc_request *r, const struct burin_subject *s,
    uint32_t id, CMC_REQ *req, struct burin_error *e)
{
	const unsigned char *p;
	unsigned char *der;
	size_t len;
	int rc = 0;

	if (burin_crmf_make(s, r->pub, id, &r->how, &der, &len, e) == -1)
		return -1;
	p = der;
	req->type = CMC_REQ_CRM;
	if ((req->d.crm = d2i_CRMF_MSG(NULL, &p, (long)len)) == NULL)
		rc = fail_encode(e);
	OPENSSL_free(der);
	return rc;
}

static int
put_request(const struct burin_cmc_request *r, X509_ATTRIBUTE *witness,
    uint32_t id, CMC_REQ *req, struct burin_error *e)
{
	struct burin_subject s;
	int rc;

	if (csr_subject_with(r->subject, witness, &s, e) == -1)
		return -1;
	rc = r->form == BURIN_CMC_CRMF ? put_crmf(r, &s, id, req, e)
				       : put_pkcs10(r, &s, id, req, e);
	sk_X509_ATTRIBUTE_free(s.attributes);
	return rc;
}

/* --- all of them ---------------------------------------------------------- */

static int
check_count(size_t n, struct burin_error *e)
{
	if (n >= 1 && n <= BURIN_CMC_MAX_REQUESTS)
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "request-count",
	    "a message holds 1 to %d certification requests, not %zu",
	    BURIN_CMC_MAX_REQUESTS, n);
}

static int
encode(const CMC_REQS *reqs, unsigned char **der, size_t *len,
    struct burin_error *e)
{
	int n = i2d_CMC_REQS(reqs, der);

	if (n <= 0)
		return fail_encode(e);
	*len = (size_t)n;
	return 0;
}

int
burin_cmc_requests_make(const struct burin_cmc_request *list, size_t n,
    const struct burin_cmc_thread *t, const struct burin_cmc_identity *identity,
    unsigned char **der, size_t *der_len, struct burin_error *e)
{
	X509_ATTRIBUTE *witness = NULL;
	CMC_REQS *reqs = NULL;
	CMC_REQ *req;
	size_t i;
	int rc = -1;

	*der = NULL;
	*der_len = 0;
	if (check_count(n, e) == -1 ||
	    make_witness(t, identity, &witness, e) == -1)
		return -1;
	if ((reqs = sk_CMC_REQ_new_null()) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	for (i = 0; i < n; i++) {
		if ((req = CMC_REQ_new()) == NULL ||
		    sk_CMC_REQ_push(reqs, req) <= 0) {
			CMC_REQ_free(req);
			(void)burin_fail_memory(e);
			goto out;
		}
		if (put_request(&list[i], witness, (uint32_t)i + 1, req, e) ==
		    -1)
			goto out;
	}
	rc = encode(reqs, der, der_len, e);
out:
	sk_CMC_REQ_pop_free(reqs, CMC_REQ_free);
	X509_ATTRIBUTE_free(witness);
	return rc;
}
