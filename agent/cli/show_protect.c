/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How a message is protected (RFC 5652, RFC 5083): who signed, for whom it is
 * encrypted or MACed, and the certificates that came along.
 */

#include <openssl/err.h>

#include "../../csr/cms/internal.h"
#include "show_cmc.h"

#define OID_UNSIGNED_DATA "1.2.840.113549.1.9.16.2.34"

/* --- who ------------------------------------------------------------------ */

static int
put_issuer_serial(json_t *o, const CSR_ISSUER_SERIAL *is)
{
	int rc = show_put(o, "issuer", show_dn(is->issuer));

	return rc | show_put(o, "serial", show_serial(is->serial));
}

static int
put_key_name(json_t *o, const CSR_KEY_NAME *name)
{
	return name->type == CSR_ID_ISSUER
	    ? put_issuer_serial(o, name->d.issuer)
	    : show_put(o, "key_id", show_octets(name->d.key_id));
}

static json_t *
show_signer(const struct burin_cms *cms, size_t i)
{
	const CSR_SIGNER *si = sk_CSR_SIGNER_value(cms->sd->signers, (int)i);
	X509 *cert = burin_cms_signer_cert(cms, i);
	struct burin_cms_signer_info info;
	json_t *o = json_object();
	ASN1_TIME *t;
	int rc;

	burin_cms_signer(cms, i, &info);
	rc = put_key_name(o, si->sid);
	if (cert != NULL)
		rc |= show_put(
		    o, "subject", show_dn(X509_get_subject_name(cert)));
	rc |= show_put(o, "signature", json_string(info.signature));
	rc |= show_put(o, "no_signature", json_boolean(info.no_signature));
	if (info.signing_time != 0) {
		t = ASN1_TIME_set(NULL, info.signing_time);
		rc |= show_put(o, "signing_time", SHOW_OPT(t, show_time(t)));
		ASN1_TIME_free(t);
	}
	return show_done(o, rc);
}

int
show_put_signers(json_t *o, const struct burin_cms *cms)
{
	json_t *list = json_array();
	size_t i;
	int rc = 0;

	for (i = 0; i < burin_cms_n_signers(cms) && rc == 0; i++)
		rc = json_array_append_new(list, show_signer(cms, i));
	return rc | show_put(o, "signers", list);
}

static json_t *
show_agreement(const CSR_KARI *kari, const CSR_AGREE_KEY *mine)
{
	json_t *o = json_object();
	int rc;

	rc = show_put(o, "kind", json_string("key agreement"));
	rc |= mine->rid->type == CSR_ID_ISSUER
	    ? put_issuer_serial(o, mine->rid->d.issuer)
	    : show_put(o, "key_id", show_octets(mine->rid->d.key->key_id));
	rc |= show_put(o, "algorithm", show_algorithm(kari->alg));
	return show_done(o, rc);
}

static json_t *
show_recipient(const CSR_RECIPIENT *ri)
{
	json_t *o = json_object();
	int rc;

	switch (ri->type) {
	case CSR_RI_KTRI:
		rc = show_put(o, "kind", json_string("key transport"));
		rc |= put_key_name(o, ri->d.ktri->rid);
		rc |= show_put(o, "algorithm", show_algorithm(ri->d.ktri->alg));
		break;
	case CSR_RI_PWRI:
		rc = show_put(o, "kind", json_string("password"));
		if (ri->d.pwri->derivation != NULL)
			rc |= show_put(o, "derivation",
			    show_algorithm(ri->d.pwri->derivation));
		rc |= show_put(o, "algorithm", show_algorithm(ri->d.pwri->alg));
		break;
	case CSR_RI_KEK:
		rc = show_put(o, "kind", json_string("key encryption key"));
		break;
	default:
		rc = show_put(o, "kind", json_string("other"));
		break;
	}
	return show_done(o, rc);
}

/* A key agreement has one entry for each of its keys. */
static int
put_recipients(json_t *o, const STACK_OF(CSR_RECIPIENT) * all)
{
	json_t *list = json_array();
	int i, k, rc = 0;

	for (i = 0; i < sk_CSR_RECIPIENT_num(all); i++) {
		const CSR_RECIPIENT *ri = sk_CSR_RECIPIENT_value(all, i);
		const CSR_KARI *kari = ri->d.kari;

		if (ri->type != CSR_RI_KARI) {
			rc |= json_array_append_new(list, show_recipient(ri));
			continue;
		}
		for (k = 0; k < sk_CSR_AGREE_KEY_num(kari->keys); k++)
			rc |= json_array_append_new(list,
			    show_agreement(
				kari, sk_CSR_AGREE_KEY_value(kari->keys, k)));
	}
	return rc | show_put(o, "recipients", list);
}

/* --- unsigned data: RFC 10002 section 3.2.3 --------------------------------
 */

static json_t *
show_unsigned(const ASN1_TYPE *any)
{
	CMC_UNSIGNED_DATA *d =
	    show_decode_any(ASN1_ITEM_rptr(CMC_UNSIGNED_DATA), any);
	json_t *o = json_object();
	int rc;

	if (d == NULL) {
		rc = show_put(o, "value", show_any(any));
	} else {
		rc = show_put(o, "path", show_path(d->path));
		rc |= show_put(o, "name", show_oid(d->identifier));
		rc |= show_put(o, "value", show_any(d->content));
	}
	CMC_UNSIGNED_DATA_free(d);
	return show_done(o, rc);
}

static int
add_unsigned(json_t *list, const STACK_OF(X509_ATTRIBUTE) * attrs)
{
	int i, k, rc = 0;

	for (i = 0; i < sk_X509_ATTRIBUTE_num(attrs); i++) {
		X509_ATTRIBUTE *attr = sk_X509_ATTRIBUTE_value(attrs, i);

		if (!csr_oid_is(
			X509_ATTRIBUTE_get0_object(attr), OID_UNSIGNED_DATA))
			continue;
		for (k = 0; k < X509_ATTRIBUTE_count(attr) &&
		     k < SHOW_MAX_PARTS && rc == 0;
		     k++)
			rc = json_array_append_new(list,
			    show_unsigned(X509_ATTRIBUTE_get0_type(attr, k)));
	}
	return rc;
}

int
show_put_unsigned(json_t *o, const struct burin_cms *cms)
{
	json_t *list = json_array();
	int i, rc = 0;

	for (i = 0; i < (int)burin_cms_n_signers(cms); i++)
		rc |= add_unsigned(list,
		    sk_CSR_SIGNER_value(cms->sd->signers, i)->unsigned_attrs);
	if (cms->ad != NULL)
		rc |= add_unsigned(list, cms->ad->unauth_attrs);
	if (json_array_size(list) > 0)
		return rc | show_put(o, "unsigned_data", list);
	json_decref(list);
	return rc;
}

/* --- the envelope --------------------------------------------------------- */

int
show_put_held(json_t *o, const struct burin_cms *cms)
{
	const STACK_OF(X509) *certs = burin_cms_certs(cms);
	const STACK_OF(X509_CRL) *crls = burin_cms_crls(cms);
	json_t *cert_list = json_array(), *crl_list = json_array();
	int i, rc = 0;

	for (i = 0; i < sk_X509_num(certs); i++)
		rc |= json_array_append_new(
		    cert_list, show_cert(sk_X509_value(certs, i)));
	for (i = 0; i < sk_X509_CRL_num(crls); i++)
		rc |= json_array_append_new(
		    crl_list, show_crl(sk_X509_CRL_value(crls, i)));
	rc |= show_put(o, "certificates", cert_list);
	return rc | show_put(o, "crls", crl_list);
}

int
show_put_protection(json_t *o, const struct burin_cms *cms)
{
	int rc;

	switch (cms->type) {
	case BURIN_CMS_AUTHENTICATED:
		rc = put_recipients(o, cms->ad->recipients);
		rc |= show_put(o, "mac", show_algorithm(cms->ad->mac_alg));
		return rc;
	case BURIN_CMS_ENVELOPED:
		rc = put_recipients(o, cms->env->recipients);
		return rc |
		    show_put(
			o, "cipher", show_algorithm(cms->env->encrypted->alg));
	case BURIN_CMS_AUTH_ENVELOPED:
		rc = put_recipients(o, cms->auth_env->recipients);
		return rc |
		    show_put(o, "cipher",
			show_algorithm(cms->auth_env->encrypted->alg));
	case BURIN_CMS_SIGNED:
	case BURIN_CMS_DATA:
	default:
		return 0;
	}
}
