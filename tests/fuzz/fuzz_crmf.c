/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CRMF from a stranger, one CertReqMsg or a list, as the authority reads it
 * with its key for key agreement; and PKCS#10 that is not signed.
 */

#include <openssl/x509.h>

#include <burin/crmf.h>

#include "fuzz.h"

static EVP_PKEY *key;
static X509 *cert;

static void
make_authority(void)
{
	X509_NAME *name;

	if (cert != NULL)
		return;
	DEMAND((key = EVP_EC_gen("P-256")) != NULL);
	DEMAND((cert = X509_new()) != NULL);
	name = X509_NAME_new();
	DEMAND(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		   (const unsigned char *)"ca", -1, -1, 0) == 1);
	DEMAND(X509_set_subject_name(cert, name) == 1);
	DEMAND(X509_set_issuer_name(cert, name) == 1);
	DEMAND(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1);
	DEMAND(X509_set_pubkey(cert, key) == 1);
	X509_NAME_free(name);
}

/* Nobody made a request for this authority: no MAC is right. */
static void
look_at(struct burin_crmf *m)
{
	struct burin_error e = BURIN_ERROR_INIT;
	enum burin_crmf_popo popo = burin_crmf_get_popo(m);
	const char *oid;
	size_t i, len;
	int rc;

	for (i = 0; (oid = burin_crmf_control_oid(m, i)) != NULL; i++)
		DEMAND(burin_crmf_control(m, oid, &len) != NULL && len > 0);
	(void)burin_crmf_id(m);
	rc = burin_crmf_verify_pop(m, key, cert, BURIN_EAUTHORITY, &e);
	demand_clean(rc, &e);
	DEMAND(rc == -1 || popo == BURIN_POPO_SIGNATURE);
}

static void
one(const uint8_t *data, size_t len, int cmc)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_crmf *m;
	int rc;

	rc = burin_crmf_parse(data, len, cmc, BURIN_EAUTHORITY, &m, &e);
	demand_clean(rc, &e);
	DEMAND((rc == 0) == (m != NULL));
	if (rc == -1)
		return;
	if (cmc)
		DEMAND(burin_crmf_subject(m) != NULL && burin_crmf_id(m) > 0);
	look_at(m);
	burin_crmf_free(&m);
}

static void
list(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_crmf **ms;
	size_t i, n;
	int rc;

	rc = burin_crmf_parse_list(data, len, 0, BURIN_EAUTHORITY, &ms, &n, &e);
	demand_clean(rc, &e);
	DEMAND((rc == 0) == (n > 0) && n <= BURIN_MAX_CRMF);
	for (i = 0; i < n; i++) {
		look_at(ms[i]);
		burin_crmf_free(&ms[i]);
	}
	free(ms);
}

static void
pkcs10(const uint8_t *data, size_t len)
{
	struct burin_error e = BURIN_ERROR_INIT;
	X509_REQ *req;

	if (burin_pkcs10_parse(data, len, BURIN_EAUTHORITY, &req, &e) == -1)
		return;
	(void)burin_pkcs10_pop(req);
	DEMAND(burin_pkcs10_verify_agreement(
		   req, key, cert, BURIN_EAUTHORITY, &e) == -1);
	demand_clean(-1, &e);
	X509_REQ_free(req);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	make_authority();
	one(data, len, 0);
	one(data, len, 1);
	list(data, len);
	pkcs10(data, len);
	return 0;
}
