/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A certificate (RFC 5280 section 4), a request (RFC 2986) and a revocation
 * list (RFC 5280 section 5) as JSON objects.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <burin/crmf.h>
#include <burin/names.h>
#include <burin/request.h>
#include <burin/token.h>

#include "cli.h"
#include "show_parts.h"

int
show_put(json_t *o, const char *key, json_t *value)
{
	return o != NULL && value != NULL ? json_object_set_new(o, key, value)
					  : (json_decref(value), -1);
}

json_t *
show_take(char *text)
{
	json_t *s = text != NULL ? json_text(text) : NULL;

	free(text);
	return s;
}

json_t *
show_take_list(char **texts)
{
	json_t *list = texts != NULL ? json_array() : NULL;
	size_t i;

	for (i = 0; list != NULL && texts[i] != NULL; i++)
		(void)json_array_append_new(list, json_text(texts[i]));
	burin_texts_free(&texts);
	return list;
}

json_t *
show_key(EVP_PKEY *key)
{
	enum burin_key_type type;
	const char *name;

	if (key == NULL) {
		ERR_clear_error();
		return json_string("of a kind that is not known");
	}
	type = burin_key_type_of(key);
	if (type != BURIN_KEY_UNKNOWN)
		return json_string(burin_key_type_name(type));
	name = EVP_PKEY_get0_type_name(key);
	return json_sprintf("%s, %d bits", name != NULL ? name : "unknown",
	    EVP_PKEY_get_bits(key));
}

static json_t *
algorithm_text(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	return show_oid(oid);
}

static json_t *
hash_text(const unsigned char *der, int len)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n;

	if (len <= 0 ||
	    EVP_Digest(der, (size_t)len, md, &n, EVP_sha256(), NULL) != 1)
		return NULL;
	return show_take(burin_hex(md, n));
}

json_t *
show_cert(X509 *cert)
{
	const STACK_OF(X509_EXTENSION) *exts = X509_get0_extensions(cert);
	json_t *o = json_object(), *names = json_cert(cert);
	int rc;

	rc = show_put(o, "type", json_string("certificate"));
	if (rc == 0)
		rc = json_object_update(o, names);
	json_decref(names);
	if (rc == -1 ||
	    show_put(o, "key", show_key(X509_get0_pubkey(cert))) == -1 ||
	    show_put(o, "signature",
		algorithm_text(X509_get0_tbs_sigalg(cert))) == -1 ||
	    show_put(o, "key_usage", show_key_usage(exts)) == -1 ||
	    show_put(o, "extensions", show_extensions(exts)) == -1 ||
	    show_put(o, "attestation", show_attest_cert(cert)) == -1) {
		json_decref(o);
		return NULL;
	}
	ERR_clear_error();
	return o;
}

/* Names of the attributes of a request that are no extension request. */
static json_t *
attribute_names(X509_REQ *req)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < X509_REQ_get_attr_count(req); i++) {
		const ASN1_OBJECT *oid =
		    X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(req, i));

		if (X509_REQ_extension_nid(OBJ_obj2nid(oid)))
			continue;
		(void)json_array_append_new(list, show_oid(oid));
	}
	return list;
}

static int
put_pop(json_t *o, X509_REQ *req)
{
	struct burin_error e = BURIN_ERROR_INIT;
	enum burin_pop pop = burin_pkcs10_pop(req);

	(void)burin_pkcs10_verify_pop(req, BURIN_ECHECK, &e);
	return show_put_pop(o, burin_pop_name(pop),
	    pop == BURIN_POP_CHALLENGE || pop == BURIN_POP_AGREEMENT, &e);
}

static json_t *
req_hash(X509_REQ *req)
{
	unsigned char *der = NULL;
	int len = i2d_X509_REQ(req, &der);
	json_t *hash = hash_text(der, len);

	OPENSSL_free(der);
	return hash;
}

json_t *
show_req(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	const X509_ALGOR *algorithm;
	json_t *o = json_object();

	X509_REQ_get0_signature(req, NULL, &algorithm);
	if (show_put(o, "type", json_string("request")) == -1 ||
	    show_put(o, "subject",
		show_take(burin_dn_text(X509_REQ_get_subject_name(req)))) ==
		-1 ||
	    show_put(o, "key", show_key(X509_REQ_get0_pubkey(req))) == -1 ||
	    show_put(o, "signature", algorithm_text(algorithm)) == -1 ||
	    put_pop(o, req) == -1 ||
	    show_put(o, "sans", show_take_list(burin_req_sans(req))) == -1 ||
	    show_put(o, "ekus", show_take_list(burin_req_ekus(req))) == -1 ||
	    show_put(o, "key_usage", show_key_usage(exts)) == -1 ||
	    show_put(o, "attributes", attribute_names(req)) == -1 ||
	    show_put(o, "controls", show_req_controls(req)) == -1 ||
	    show_put(o, "extensions", show_extensions(exts)) == -1 ||
	    show_put(o, "attestation", show_attest_req(req)) == -1 ||
	    show_put(o, "sha256", req_hash(req)) == -1) {
		json_decref(o);
		o = NULL;
	}
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	ERR_clear_error();
	return o;
}

const char *
show_reason(const ASN1_ENUMERATED *code)
{
	static const char *const reasons[] = { "unspecified", "keyCompromise",
		"cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", "", "removeFromCRL",
		"privilegeWithdrawn", "aACompromise" };
	int64_t value;

	if (ASN1_ENUMERATED_get_int64(&value, code) == 1 && value >= 0 &&
	    (size_t)value < sizeof(reasons) / sizeof(reasons[0]))
		return reasons[value];
	return "";
}

/* The reason of an entry, "" when none is given. */
static const char *
reason_text(X509_REVOKED *entry)
{
	ASN1_ENUMERATED *code;
	const char *text;

	code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	text = code != NULL ? show_reason(code) : "";
	ASN1_ENUMERATED_free(code);
	return text;
}

static json_t *
show_revoked(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	json_t *list = json_array();
	int i;

	for (i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
		json_t *o = json_object();

		if (show_put(o, "serial",
			show_take(burin_serial_text(
			    X509_REVOKED_get0_serialNumber(entry)))) == -1 ||
		    show_put(o, "date",
			show_take(burin_time_text(
			    X509_REVOKED_get0_revocationDate(entry)))) == -1 ||
		    show_put(o, "reason", json_string(reason_text(entry))) ==
			-1 ||
		    json_array_append(list, o) == -1) {
			json_decref(o);
			json_decref(list);
			return NULL;
		}
		json_decref(o);
	}
	return list;
}

static json_t *
crl_hash(X509_CRL *crl)
{
	unsigned char *der = NULL;
	int len = i2d_X509_CRL(crl, &der);
	json_t *hash = hash_text(der, len);

	OPENSSL_free(der);
	return hash;
}

json_t *
show_crl(X509_CRL *crl)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	const X509_ALGOR *algorithm;
	json_t *o = json_object();

	X509_CRL_get0_signature(crl, NULL, &algorithm);
	if (show_put(o, "type", json_string("crl")) == -1 ||
	    show_put(o, "issuer",
		show_take(burin_dn_text(X509_CRL_get_issuer(crl)))) == -1 ||
	    show_put(o, "this_update",
		show_take(burin_time_text(X509_CRL_get0_lastUpdate(crl)))) ==
		-1 ||
	    show_put(o, "next_update",
		next == NULL ? json_string("")
			     : show_take(burin_time_text(next))) == -1 ||
	    show_put(o, "signature", algorithm_text(algorithm)) == -1 ||
	    show_put(o, "revoked", show_revoked(crl)) == -1 ||
	    show_put(o, "extensions",
		show_extensions(X509_CRL_get0_extensions(crl))) == -1 ||
	    show_put(o, "sha256", crl_hash(crl)) == -1) {
		json_decref(o);
		o = NULL;
	}
	ERR_clear_error();
	return o;
}
