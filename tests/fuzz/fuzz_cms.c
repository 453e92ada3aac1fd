/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A CMS message, and all that may be asked of it: signers, signature, MAC,
 * decryption. The keys are those of the golden messages, which are the corpus.
 */

#include <openssl/pem.h>

#include <burin/cms.h>

#include "csr/cms/internal.h"

#include "fuzz.h"

#define KEYS TEST_DIR "/golden/data/cms/"
#define MAX_ROUNDS 2000 /* of PBKDF2: more only take time */

static EVP_PKEY *
load(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key;

	DEMAND(f != NULL);
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	DEMAND(key != NULL);
	(void)fclose(f);
	ERR_clear_error();
	return key;
}

static void
signers(struct burin_cms *cms, EVP_PKEY *key)
{
	struct burin_cms_signer_info info;
	size_t i;

	DEMAND(burin_cms_n_signers(cms) <= BURIN_MAX_SIGNERS);
	for (i = 0; i < burin_cms_n_signers(cms); i++) {
		struct burin_error e = BURIN_ERROR_INIT;

		burin_cms_signer(cms, i, &info);
		DEMAND((info.issuer == NULL) == (info.key_id != NULL));
		DEMAND(info.key_id_len <= BURIN_MAX_KEY_ID);
		DEMAND(info.signature[0] != '\0');
		(void)burin_cms_signer_cert(cms, i);
		demand_clean(burin_cms_verify(cms, i, key, 1, &e), &e);
	}
}

static void
mac(struct burin_cms *cms)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *s;
	const CSR_PWRI *pwri;

	if (cms->ad == NULL || (pwri = csr_pwri_of(cms->ad)) == NULL ||
	    csr_pwri_rounds(pwri) > MAX_ROUNDS)
		return;
	DEMAND(burin_secret_new(&s, "golden secret", 13, &e) == 0);
	demand_clean(burin_cms_verify_mac(cms, "alice", s, 1, &e), &e);
	burin_secret_free(&s);
}

static void
decrypt(struct burin_cms *cms, EVP_PKEY *key)
{
	static const unsigned char ski[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct burin_cms_recipient to = {
		.key_id = ski, .key_id_len = sizeof(ski), .serial = 7
	};
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_secret *out;
	int rc;

	rc = burin_cms_decrypt(cms, &to, key, key, &out, &e);
	demand_clean(rc, &e);
	DEMAND((rc == 0) == (out != NULL));
	burin_secret_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static EVP_PKEY *keys[3];
	struct burin_error e = BURIN_ERROR_INIT;
	struct burin_cms *cms;
	size_t i, n;
	int rc;

	if (keys[0] == NULL) {
		keys[0] = load(KEYS "rsa.pem");
		keys[1] = load(KEYS "ec.pem");
		keys[2] = load(KEYS "x25519.pem");
	}
	rc = burin_cms_parse(data, len, BURIN_ECHECK, &cms, &e);
	demand_clean(rc, &e);
	DEMAND((rc == 0) == (cms != NULL));
	if (rc == -1)
		return 0;
	DEMAND(burin_cms_content_type(cms)[0] != '\0');
	(void)burin_cms_content(cms, &n);
	DEMAND(n <= len);
	signers(cms, keys[1]);
	mac(cms);
	for (i = 0; i < 3; i++)
		decrypt(cms, keys[i]);
	burin_cms_free(&cms);
	return 0;
}
