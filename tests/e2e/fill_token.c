/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * fill_token MODULE LABEL PINFILE [ec|rsa [INIT]]: one key pair on the token
 * for each line of standard input, which becomes its label. INIT is the
 * module's string at C_Initialize. For tests of what a full token costs.
 */

#include <stddef.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <string.h>

static CK_FUNCTION_LIST *f;

static int
find(const char *label, CK_SLOT_ID *slot)
{
	CK_SLOT_ID slots[1024];
	CK_ULONG i, n = 1024;
	CK_TOKEN_INFO info;
	size_t len = strlen(label);

	if (f->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
		return 0;
	for (i = 0; i < n; i++)
		if (f->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    memcmp(info.label, label, len) == 0 &&
		    info.label[len] == ' ') {
			*slot = slots[i];
			return 1;
		}
	return 0;
}

static CK_RV
pair(CK_SESSION_HANDLE s, int rsa, char *label)
{
	static CK_BYTE p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x03, 0x01, 0x07 };
	static CK_BYTE f4[] = { 0x01, 0x00, 0x01 };
	CK_ULONG bits = 2048;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_MECHANISM mech = {
		rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0
	};
	CK_ATTRIBUTE pub[] = { { CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_ID, label, strlen(label) },
		{ CKA_LABEL, label, strlen(label) },
		{ CKA_EC_PARAMS, p256, sizeof(p256) },
		{ CKA_MODULUS_BITS, &bits, sizeof(bits) },
		{ CKA_PUBLIC_EXPONENT, f4, sizeof(f4) } };
	CK_ATTRIBUTE priv[] = { { CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &no, sizeof(no) },
		{ CKA_SIGN, &yes, sizeof(yes) },
		{ CKA_ID, label, strlen(label) },
		{ CKA_LABEL, label, strlen(label) } };
	CK_OBJECT_HANDLE a, b;

	/* The parameters of an EC key, or those of an RSA key. */
	if (rsa)
		pub[3] = pub[5];
	return f->C_GenerateKeyPair(s, &mech, pub, rsa ? 5 : 4, priv,
	    sizeof(priv) / sizeof(priv[0]), &a, &b);
}

int
main(int argc, char **argv)
{
	CK_C_INITIALIZE_ARGS init = { 0 };
	char pin[64] = "", line[64];
	CK_SESSION_HANDLE s;
	CK_SLOT_ID slot;
	FILE *in;
	int rc = 1, rsa;

	if (argc < 4 || argc > 6 || (in = fopen(argv[3], "r")) == NULL)
		return 2;
	if (fgets(pin, sizeof(pin), in) == NULL)
		pin[0] = '\0';
	(void)fclose(in);
	pin[strcspn(pin, "\n")] = '\0';
	rsa = argc > 4 && strcmp(argv[4], "rsa") == 0;
	/* Where PKCS#11 wants NULL, NSS wants its string. */
	if (argc > 5 && argv[5][0] != '\0') {
		init.flags = CKF_OS_LOCKING_OK;
		init.pReserved = argv[5];
	}
	f = p11_kit_module_load(argv[1], P11_KIT_MODULE_UNMANAGED);
	if (f == NULL ||
	    f->C_Initialize(init.pReserved != NULL ? &init : NULL) != CKR_OK)
		return 1;
	if (!find(argv[2], &slot) ||
	    f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
		NULL, &s) != CKR_OK ||
	    f->C_Login(s, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)) != CKR_OK)
		goto out;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (pair(s, rsa, line) != CKR_OK)
			goto out;
	}
	rc = 0;
out:
	(void)f->C_Finalize(NULL);
	p11_kit_module_release(f);
	return rc;
}
