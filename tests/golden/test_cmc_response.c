/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Golden answers of CMC, made by the authority of tests/cmc, which shares no
 * code with us: each is read by the strict readers, every layer encodes to
 * the same bytes again, and the signature or MAC holds over what was received
 * (BER as well). cmc.sh beside has pyasn1 read the same files;
 * regenerate-answers has them made.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <burin/cmc.h>

#include "../../csr/cmc/parse.h"
#include "../../csr/cms/asn1.h"
#include "pki.h"

#define DATA TEST_DIR "/golden/data/"
#define MAX_FILE 65536
#define NAME "r7"
#define SECRET "correct horse battery staple"

static unsigned char file[MAX_FILE];
static size_t file_len;

static void
load(const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), DATA "%s.der", name);
	assert_non_null(f = fopen(path, "rb"));
	file_len = fread(file, 1, sizeof(file), f);
	(void)fclose(f);
	assert_in_range(file_len, 1, sizeof(file) - 1);
}

static void
must(int rc, const struct burin_error *e)
{
	if (rc != 0)
		fail_msg("%s: %s (%s)", e->code, e->reason, e->cause);
}

/* value was read from der; it encodes to these bytes, and they are all. */
static void
same_again(ASN1_VALUE *value, const ASN1_ITEM *it, const unsigned char *der,
    size_t len)
{
	unsigned char *again = NULL;
	int n;

	assert_non_null(value);
	n = ASN1_item_i2d(value, &again, it);
	assert_int_equal(n, len);
	assert_memory_equal(again, der, len);
	OPENSSL_free(again);
	ASN1_item_free(value, it);
}

static void
reencodes(const unsigned char *der, size_t len, const ASN1_ITEM *it)
{
	const unsigned char *p = der;
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &p, (long)len, it);

	assert_ptr_equal(p, der + len);
	same_again(value, it, der, len);
}

/* The envelope, inside its ContentInfo. */
static void
envelope_reencodes(enum burin_cms_type type)
{
	const unsigned char *p = file;
	CSR_CONTENT_INFO *info = d2i_CSR_CONTENT_INFO(NULL, &p, (long)file_len);

	assert_non_null(info);
	assert_ptr_equal(p, file + file_len);
	reencodes(ASN1_STRING_get0_data(info->content->value.sequence),
	    (size_t)ASN1_STRING_length(info->content->value.sequence),
	    type == BURIN_CMS_SIGNED ? ASN1_ITEM_rptr(CSR_SIGNED)
				     : ASN1_ITEM_rptr(CSR_AUTHENTICATED));
	CSR_CONTENT_INFO_free(info);
}

/* Every control, by the type of its row. */
static void
controls_are(const struct burin_cms *cms, const enum cmc_control *want)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct cmc_body *body;
	size_t len, i;
	const unsigned char *data = burin_cms_content(cms, &len);

	assert_string_equal(
	    burin_cms_content_type(cms), BURIN_CMC_PKI_RESPONSE);
	reencodes(data, len, ASN1_ITEM_rptr(CMC_PKI_RESPONSE));
	must(cmc_body_parse(CMC_RESPONSE, data, len, BURIN_ECHECK, &body, &e),
	    &e);
	for (i = 0; want[i] != 0; i++) {
		size_t at = 0;

		if (cmc_body_next(body, want[i], &at) == NULL)
			fail_msg("no %s", cmc_control_row(want[i])->name);
	}
	cmc_body_free(&body);
}

static void
is_authentic(struct burin_cms *cms)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *secret;
	X509 *signer;

	if (burin_cms_get_type(cms) == BURIN_CMS_SIGNED) {
		assert_int_equal(burin_cms_n_signers(cms), 1);
		assert_non_null(signer = burin_cms_signer_cert(cms, 0));
		must(burin_cms_verify(cms, 0, X509_get0_pubkey(signer), 0, &e),
		    &e);
		return;
	}
	must(burin_secret_new(&secret, SECRET, strlen(SECRET), &e), &e);
	must(burin_cms_verify_mac(cms, NAME, secret, 0, &e), &e);
	burin_secret_free(&secret);
}

#define MAX_CONTROLS 5
static const struct {
	const char *name;
	enum burin_cms_type type;
	int ber; /* the envelope is no DER */
	enum cmc_control controls[MAX_CONTROLS];
} answers[] = {
	{ "cmc-response-success", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2, CMC_RECIPIENT_NONCE, CMC_DATA_RETURN,
		CMC_RESPONSE_INFO } },
	{ "cmc-response-failed", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2, CMC_TRANSACTION_ID, CMC_SENDER_NONCE } },
	{ "cmc-response-pending", BURIN_CMS_SIGNED, 0, { CMC_STATUS_INFO_V2 } },
	{ "cmc-response-confirm", BURIN_CMS_SIGNED, 0, { CMC_STATUS_INFO_V2 } },
	{ "cmc-response-challenge-rsa", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2, CMC_ENCRYPTED_POP_CONTROL } },
	{ "cmc-response-challenge-ec", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2, CMC_ENCRYPTED_POP_CONTROL } },
	{ "cmc-response-mac", BURIN_CMS_AUTHENTICATED, 0,
	    { CMC_STATUS_INFO_V2 } },
	{ "cmc-response-anchors", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2, CMC_TRUSTED_ANCHORS } },
	{ "cmc-response-auth-anchors", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2, CMC_AUTH_DATA } },
	{ "cmc-response-status-v1", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2, CMC_STATUS_INFO } },
	{ "cmc-response-ext-fail", BURIN_CMS_SIGNED, 0,
	    { CMC_STATUS_INFO_V2 } },
	{ "ber-response", BURIN_CMS_SIGNED, 1, { CMC_STATUS_INFO_V2 } },
};

static void
test_full(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		print_message("%s\n", answers[i].name);
		load(answers[i].name);
		must(burin_cms_parse(file, file_len, BURIN_ECHECK, &cms, &e),
		    &e);
		assert_int_equal(burin_cms_get_type(cms), answers[i].type);
		if (!answers[i].ber)
			envelope_reencodes(answers[i].type);
		controls_are(cms, answers[i].controls);
		is_authentic(cms);
		burin_cms_free(&cms);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

/* RFC 10002 section 4.1: certificates, and nothing else. */
static void
test_simple(void **state)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	size_t len;

	(void)state;
	load("cmc-response-simple");
	must(burin_cms_parse(file, file_len, BURIN_ECHECK, &cms, &e), &e);
	assert_int_equal(burin_cms_n_signers(cms), 0);
	assert_null(burin_cms_content(cms, &len));
	assert_true(sk_X509_num(burin_cms_certs(cms)) > 0);
	envelope_reencodes(BURIN_CMS_SIGNED);
	burin_cms_free(&cms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_simple),
	};

	return cmocka_run_group_tests_name("cmc-response", tests, NULL, NULL);
}
