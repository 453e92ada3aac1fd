/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin fetch: looks up a certificate that an authority issued, or the list
 * of those it revoked.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <burin/names.h>

#include "../../csr/internal.h"
#include "service.h"
#include "verbs.h"
#include "work.h"

#define DEFAULT_PROTOCOL "cmc"
#define MAX_SERIAL 64  /* bytes; RFC 5280 has 20 */
#define FETCH_SKEW 300 /* seconds that clocks may differ */

static const struct opt opts[] = {
	{ "cert", 0, OPT_VALUE, "FILE",
	    "a certificate of this issuer: its certificate, or its name" },
	{ "serial", 0, OPT_VALUE, "HEX", "the serial number of it" },
	{ "crl", 0, OPT_VALUE, "FILE",
	    "the revocation list of this issuer: the same" },
	{ "key", 0, OPT_VALUE, "URI", "a key that signs the request" },
	{ "out", 0, OPT_VALUE, "FILE",
	    "where it goes; - is standard output; NAME.pem makes PEM" },
	{ "pem", 0, OPT_FLAG, NULL, "PEM whatever the name" },
	{ "request-file", 0, OPT_VALUE, "FILE",
	    "protocol file: where the request goes" },
	{ "mime", 0, OPT_FLAG, NULL, "protocol file: the request as a mail" },
	{ "response-file", 0, OPT_VALUE, "FILE",
	    "protocol file: where the answer is" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_authority, opts_wait,
	opts_dry_run, opts_common, NULL };

/* What is looked up; one of cert and crl is found in the end. */
struct fetch {
	struct service s;
	const char *path;
	X509_NAME *issuer;
	ASN1_INTEGER *serial;
	STACK_OF(X509) * known; /* out of the issuer's file */
	struct transport_found found;
	X509 *cert;    /* in found */
	X509_CRL *crl; /* in found */
};

/* --- options ---------------------------------------------------------------
 */

static int
name_of_file(const char *path, struct fetch *f, struct burin_error *e)
{
	if (work_certs(path, &f->known, e) != 0)
		return -1;
	if (sk_X509_num(f->known) != 1)
		return burin_fail(e, BURIN_EUSAGE, "issuer-certificate",
		    "%s holds %d certificates: which one is the issuer?", path,
		    sk_X509_num(f->known));
	f->issuer =
	    X509_NAME_dup(X509_get_subject_name(sk_X509_value(f->known, 0)));
	return f->issuer != NULL ? 0 : burin_fail_memory(e);
}

/* A file, or a name: a name has "=" in it, and no file is called so. */
static int
read_issuer(const char *text, struct fetch *f, struct burin_error *e)
{
	if (strchr(text, '=') == NULL || access(text, F_OK) == 0)
		return name_of_file(text, f, e);
	return csr_dn_parse(text, &f->issuer, e);
}

static int
read_serial(const char *hex, struct fetch *f, struct burin_error *e)
{
	unsigned char bytes[MAX_SERIAL];
	BIGNUM *bn;
	size_t len;

	if (burin_unhex(hex, bytes, sizeof(bytes), &len) != 0 || len == 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "serial-malformed",
		    "\"%.100s\" is no serial number in hexadecimal", hex);
		return burin_error_advice(
		    e, "whole bytes, colons allowed: 01:ab:cd");
	}
	bn = BN_bin2bn(bytes, (int)len, NULL);
	f->serial = bn != NULL ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	BN_free(bn);
	return f->serial != NULL ? 0 : burin_fail_memory(e);
}

static int
read_wish(struct cli *c, struct fetch *f, struct burin_error *e)
{
	const char *cert = arg_value(c->args, "cert");
	const char *crl = arg_value(c->args, "crl");
	const char *serial = arg_value(c->args, "serial");

	if ((cert == NULL) == (crl == NULL)) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-missing",
		    cert == NULL ? "neither --cert nor --crl is given"
				 : "both --cert and --crl are given");
		return burin_error_advice(e,
		    "--cert ISSUER --serial HEX asks for a certificate, "
		    "--crl ISSUER for the revocation list");
	}
	if (crl != NULL && serial != NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--serial is for --cert");
	if (cert != NULL &&
	    (work_required(c, "serial", &serial, e) != 0 ||
		read_serial(serial, f, e) != 0))
		return -1;
	return read_issuer(cert != NULL ? cert : crl, f, e);
}

static int
read_options(struct cli *c, struct fetch *f, struct burin_error *e)
{
	const struct transport_config *config = &f->s.config;

	if (read_wish(c, f, e) != 0)
		return burin_error_step(e, "options");
	if (service_options(
		c, &f->s, DEFAULT_PROTOCOL, TRANSPORT_RETRIEVAL, e) != 0)
		return -1;
	/* Who only writes a request has nothing to write out yet. */
	if (strcmp(config->protocol, "file") == 0 &&
	    config->response_file == NULL)
		return 0;
	return work_out(c, &f->path, e) == 0 ? 0
					     : burin_error_step(e, "options");
}

/* --- what came -------------------------------------------------------------
 */

static STACK_OF(X509) * anchors(const struct fetch *f)
{
	const struct transport_config *config = &f->s.config;

	return config->anchors != NULL ? config->anchors : config->tls_anchors;
}

static int
find_cert(struct fetch *f, struct burin_error *e)
{
	X509 *x;
	int i;

	for (i = 0; i < sk_X509_num(f->found.certs) && f->cert == NULL; i++) {
		x = sk_X509_value(f->found.certs, i);
		if (X509_NAME_cmp(X509_get_issuer_name(x), f->issuer) == 0 &&
		    ASN1_INTEGER_cmp(X509_get0_serialNumber(x), f->serial) == 0)
			f->cert = x;
	}
	if (f->cert != NULL)
		return 0;
	(void)burin_fail(e, BURIN_ECHECK, "fetched-other",
	    "the certificate that was asked for is not in the answer");
	return burin_error_rule(e, "RFC 10002 section 6.9");
}

/*
 * Its signature and path must hold. What else there is to say of it is said:
 * it may be looked up just because it expired.
 */
static int
check_cert(struct cli *c, struct fetch *f, struct burin_error *e)
{
	struct burin_check_input in;
	struct burin_checks checks;
	size_t i;

	memset(&in, 0, sizeof(in));
	in.cert = f->cert;
	in.bag = f->found.certs;
	in.anchors = anchors(f);
	in.now = time(NULL);
	in.skew = FETCH_SKEW;
	if (burin_check_cert(&in, &checks, NULL, e) != 0)
		return -1;
	for (i = 0; i < checks.n; i++) {
		struct burin_check *one = &checks.list[i];

		if (one->level != BURIN_FAIL || strcmp(one->id, "G2") == 0)
			continue;
		out_note(c, "note: %s: %s", one->title, one->detail);
		one->level = BURIN_WARN;
	}
	out_json(c, "checks", json_checks(&checks));
	return burin_checks_verdict(&checks, BURIN_ECHECK, e);
}

/* The newest of those by the issuer. */
static int
find_crl(struct fetch *f, struct burin_error *e)
{
	X509_CRL *crl;
	int i;

	for (i = 0; i < sk_X509_CRL_num(f->found.crls); i++) {
		crl = sk_X509_CRL_value(f->found.crls, i);
		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), f->issuer) == 0 &&
		    (f->crl == NULL ||
			ASN1_TIME_compare(X509_CRL_get0_lastUpdate(crl),
			    X509_CRL_get0_lastUpdate(f->crl)) > 0))
			f->crl = crl;
	}
	if (f->crl != NULL)
		return 0;
	(void)burin_fail(e, BURIN_ECHECK, "fetched-other",
	    "there is no revocation list of this issuer in the answer");
	return burin_error_rule(e, "RFC 10002 section 6.10");
}

static int
check_crl(struct fetch *f, struct burin_error *e)
{
	struct burin_crl_input in;

	/* The issuer's certificate, if it was given, is a help as well. */
	if (f->known != NULL &&
	    X509_add_certs(f->found.certs, f->known,
		X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1)
		return burin_fail_memory(e);
	memset(&in, 0, sizeof(in));
	in.crl = f->crl;
	in.issuer = f->issuer;
	in.bag = f->found.certs;
	in.anchors = anchors(f);
	in.now = time(NULL);
	in.skew = FETCH_SKEW;
	return burin_check_crl(&in, e);
}

static int
check(struct cli *c, struct fetch *f, struct burin_error *e)
{
	if (f->serial != NULL ? find_cert(f, e) != 0 || check_cert(c, f, e) != 0
			      : find_crl(f, e) != 0 || check_crl(f, e) != 0)
		return burin_error_step(e, "check");
	return 0;
}

/* --- said and written ------------------------------------------------------
 */

/* cRLNumber in hexadecimal, NULL: none. RFC 5280 section 5.2.3. */
static char *
crl_number(X509_CRL *crl)
{
	ASN1_INTEGER *n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	char *text = n != NULL ? burin_serial_text(n) : NULL;

	ASN1_INTEGER_free(n);
	return text;
}

static void
put_text(json_t *o, const char *key, const char *text)
{
	if (o != NULL && text != NULL)
		(void)json_object_set_new(o, key, json_text(text));
}

static void
tell_crl(struct cli *c, X509_CRL *crl)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	int n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
	char *issuer = burin_dn_text(X509_CRL_get_issuer(crl));
	char *from = burin_time_text(X509_CRL_get0_lastUpdate(crl));
	char *to = next != NULL ? burin_time_text(next) : NULL;
	char *number = crl_number(crl);
	json_t *o = json_object();

	out_text(c, "list of      %s", issuer != NULL ? issuer : "?");
	out_text(c, "number       %s", number != NULL ? number : "none");
	out_text(c, "valid        %s to %s", from != NULL ? from : "?",
	    to != NULL ? to : "(it does not say)");
	out_text(c, "revoked      %d", n > 0 ? n : 0);
	put_text(o, "issuer", issuer);
	put_text(o, "number", number);
	put_text(o, "this_update", from);
	put_text(o, "next_update", to);
	if (o != NULL)
		(void)json_object_set_new(
		    o, "revoked", json_integer(n > 0 ? n : 0));
	out_json(c, "crl", o);
	free(issuer);
	free(from);
	free(to);
	free(number);
}

static void
tell(struct cli *c, const struct fetch *f)
{
	out_text(c, "answered by  %s",
	    f->found.signer[0] != '\0' ? f->found.signer
				       : "nobody: it proves itself");
	out_json(c, "signer",
	    f->found.signer[0] != '\0' ? json_text(f->found.signer)
				       : json_null());
	if (f->crl != NULL) {
		tell_crl(c, f->crl);
		return;
	}
	work_say_identity(c, NULL, f->cert);
	out_json(c, "certificate", json_cert(f->cert));
}

static int
encode(const struct fetch *f, int pem, BIO *bio)
{
	if (f->cert != NULL)
		return pem ? PEM_write_bio_X509(bio, f->cert)
			   : i2d_X509_bio(bio, f->cert);
	return pem ? PEM_write_bio_X509_CRL(bio, f->crl)
		   : i2d_X509_CRL_bio(bio, f->crl);
}

static int
write_out(struct cli *c, const struct fetch *f, struct burin_error *e)
{
	size_t n = strlen(f->path);
	int pem = arg_flag(c->args, "pem") ||
	    (n > 4 && strcmp(f->path + n - 4, ".pem") == 0);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;
	int rc;

	if (bio == NULL || encode(f, pem, bio) != 1) {
		rc = burin_fail_openssl(e, BURIN_EINTERNAL, "encode",
		    "what was fetched cannot be encoded");
	} else {
		len = BIO_get_mem_data(bio, &data);
		rc = file_write(f->path, data, (size_t)len, 0644, e);
	}
	BIO_free(bio);
	if (rc != 0)
		return burin_error_step(e, "write-file");
	if (strcmp(f->path, "-") != 0)
		out_text(c, "written to   %s", f->path);
	out_json(c, "out", json_text(f->path));
	return 0;
}

/* --- all of it -------------------------------------------------------------
 */

static void
tell_plan(struct cli *c, const struct fetch *f)
{
	const struct transport_config *config = &f->s.config;
	char *dn = burin_dn_text(f->issuer);
	char *serial = f->serial != NULL ? burin_serial_text(f->serial) : NULL;

	out_text(c, "would ask %s (%s), %s, for %s%s of %s",
	    config->url != NULL		       ? config->url
		: config->request_file != NULL ? config->request_file
					       : config->response_file,
	    config->protocol, service_voice(&f->s),
	    f->serial != NULL ? "certificate " : "the revocation list",
	    serial != NULL ? serial : "", dn != NULL ? dn : "?");
	free(dn);
	free(serial);
}

static int
ask(struct fetch *f, struct burin_error *e)
{
	const struct transport_wanted wanted = { f->issuer, f->serial };

	if (service_speak(&f->s, e) != 0)
		return -1;
	work_catch_signals();
	if (transport_fetch(&f->s.config, &wanted, &f->found, e) != 0)
		return service_failed(&f->s, "fetch", e);
	return 0;
}

static int
carry_out(struct cli *c, struct fetch *f, struct burin_error *e)
{
	if (read_options(c, f, e) != 0)
		return -1;
	if (service_has_key(c) && service_key(c, &f->s, e) != 0)
		return -1;
	out_json(c, "protocol", json_text(f->s.config.protocol));
	if (c->dry_run) {
		tell_plan(c, f);
		return 0;
	}
	if (ask(f, e) != 0 || check(c, f, e) != 0)
		return -1;
	/* "-" has standard output for itself. */
	if (strcmp(f->path, "-") != 0)
		tell(c, f);
	return write_out(c, f, e);
}

static int
run(struct cli *c, struct burin_error *e)
{
	struct timespec start;
	struct fetch f;
	int rc;

	memset(&f, 0, sizeof(f));
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if ((rc = carry_out(c, &f, e)) == 0)
		work_cost(c, &start);
	X509_NAME_free(f.issuer);
	ASN1_INTEGER_free(f.serial);
	sk_X509_pop_free(f.known, X509_free);
	transport_found_clear(&f.found);
	return service_close(&f.s, rc, e);
}

const struct verb verb_fetch = {
	.name = "fetch",
	.usage = "--cert ISSUER --serial HEX | --crl ISSUER --ca URL "
		 "--trust FILE --out FILE",
	.help = "look up a certificate or a revocation list",
	.opts = groups,
	.run = run,
};
