/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The floor that burin is measured against: the least that makes a key pair
 * on a token, requests a certificate for it, installs that and reads it
 * back. No check, no journal, no care; the request is put together by hand.
 *
 *	floor one     MODULE LABEL PINFILE TYPE TRANSPORT...
 *	floor request MODULE LABEL PINFILE TYPE REQUEST
 *	floor install MODULE LABEL PINFILE TYPE CERTIFICATE
 *	floor piv     MODULE LABEL PINFILE TYPE KEYFILE REQUEST CERTIFICATE
 *
 * piv: "one" on slot 9a of a PIV card behind ykcs11, where the management key
 * (KEYFILE) writes and the PIN signs.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>
#include <p11-kit/pkcs11.h>

#include "floor.h"

#define MAX_SLOTS 4096
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* subject CN= (RFC 5280 section 4.1.2.6), its value comes behind */
static const unsigned char cn[] = { 0x06, 0x03, 0x55, 0x04, 0x03 };
/* ecdsa-with-SHA256 (RFC 5758), sha256WithRSAEncryption (RFC 4055) */
static const unsigned char ec_alg[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const unsigned char rsa_alg[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
/* id-ecPublicKey with prime256v1 (RFC 5480), rsaEncryption (RFC 3279) */
static const unsigned char ec_spki[] = { 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
	0x03, 0x01, 0x07 };
static const unsigned char rsa_spki[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
/* DigestInfo of SHA-256 (RFC 8017 section 9.2) */
static const unsigned char digest_info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09,
	0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
	0x20 };
/* extensionRequest (RFC 2985): rfc822Name bench@example.org, clientAuth */
static const unsigned char attributes[] = { 0xa0, 0x44, 0x30, 0x42, 0x06, 0x09,
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e, 0x31, 0x35, 0x30,
	0x33, 0x30, 0x1c, 0x06, 0x03, 0x55, 0x1d, 0x11, 0x04, 0x15, 0x30, 0x13,
	0x81, 0x11, 'b', 'e', 'n', 'c', 'h', '@', 'e', 'x', 'a', 'm', 'p', 'l',
	'e', '.', 'o', 'r', 'g', 0x30, 0x13, 0x06, 0x03, 0x55, 0x1d, 0x25, 0x04,
	0x0c, 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03,
	0x02 };

static CK_FUNCTION_LIST *f;
static CK_SESSION_HANDLE s;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static unsigned char label[] = "floor", slot_9a[] = { 1 };
static CK_ATTRIBUTE id = { CKA_ID, label, sizeof(label) };
static int rsa, piv;
static const char *pin_file, *key_file;

void
floor_die(const char *what)
{
	(void)fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static void
ok(CK_RV rv, const char *what)
{
	if (rv != CKR_OK)
		floor_die(what);
}

void
floor_read(const char *path, struct bytes *b)
{
	FILE *in = fopen(path, "r");

	if (in == NULL)
		floor_die(path);
	b->n = fread(b->p, 1, sizeof(b->p), in);
	(void)fclose(in);
}

/* DER is written from its end: what is inside is there before its header. */
static void
prepend(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > sizeof(b->p))
		floor_die("too long");
	memmove(b->p + n, b->p, b->n);
	memcpy(b->p, p, n);
	b->n += n;
}

static void
header(struct bytes *b, unsigned char tag, size_t inside)
{
	unsigned char h[4] = { tag, (unsigned char)inside };
	size_t n = 2;

	/* DER: the shortest form of a length */
	if (inside > 255) {
		h[1] = 0x82;
		h[2] = (unsigned char)(inside >> 8);
		h[3] = (unsigned char)inside;
		n = 4;
	} else if (inside > 127) {
		h[1] = 0x81;
		h[2] = (unsigned char)inside;
		n = 3;
	}
	prepend(b, h, n);
}

static void
integer(struct bytes *b, const unsigned char *p, size_t n)
{
	static const unsigned char zero = 0;

	for (; n > 1 && p[0] == 0; n--)
		p++;
	prepend(b, p, n);
	if (p[0] & 0x80)
		prepend(b, &zero, 1);
	header(b, 0x02, n + (p[0] & 0x80 ? 1 : 0));
}

static void
login(CK_USER_TYPE who)
{
	struct bytes pin;

	floor_read(who == CKU_SO ? key_file : pin_file, &pin);
	while (pin.n > 0 && pin.p[pin.n - 1] == '\n')
		pin.n--;
	ok(f->C_Login(s, who, pin.p, pin.n), "C_Login");
}

static void
change_to(CK_USER_TYPE who)
{
	ok(f->C_Logout(s), "C_Logout");
	login(who);
}

static void
open_token(const char *module, const char *name)
{
	CK_SLOT_ID slots[MAX_SLOTS];
	CK_ULONG i, n = MAX_SLOTS;
	CK_C_GetFunctionList get;
	CK_TOKEN_INFO info;
	void *so;
	char want[33];

	if ((so = dlopen(module, RTLD_LAZY | RTLD_LOCAL)) == NULL)
		floor_die(module);
	/* POSIX: a pointer to void converts to one to a function. */
	*(void **)&get = dlsym(so, "C_GetFunctionList");
	if (get == NULL)
		floor_die(module);
	ok(get(&f), "C_GetFunctionList");
	ok(f->C_Initialize(NULL), "C_Initialize");
	ok(f->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
	(void)snprintf(want, sizeof(want), "%-32s", name);
	for (i = 0; i < n; i++) {
		ok(f->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
		if (memcmp(info.label, want, 32) == 0)
			break;
	}
	if (i == n)
		floor_die("no such token");
	ok(f->C_OpenSession(
	       slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s),
	    "C_OpenSession");
	login(piv ? CKU_SO : CKU_USER);
}

static void
close_token(void)
{
	ok(f->C_Logout(s), "C_Logout");
	ok(f->C_CloseSession(s), "C_CloseSession");
	ok(f->C_Finalize(NULL), "C_Finalize");
}

static CK_OBJECT_HANDLE
generate(CK_OBJECT_HANDLE *pub)
{
	static unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x03, 0x01, 0x07 };
	static unsigned char e[] = { 1, 0, 1 };
	CK_ULONG bits = 2048;
	CK_MECHANISM mech = {
		rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0
	};
	/* The first ones are not for ykcs11. */
	CK_ATTRIBUTE common[] = { { CKA_LABEL, label, sizeof(label) },
		{ CKA_TOKEN, &yes, 1 }, id, { CKA_VERIFY, &yes, 1 },
		{ CKA_EC_PARAMS, p256, sizeof(p256) },
		{ CKA_PUBLIC_EXPONENT, e, sizeof(e) } };
	CK_ATTRIBUTE priv[] = { { CKA_LABEL, label, sizeof(label) },
		{ CKA_EXTRACTABLE, &no, 1 }, { CKA_TOKEN, &yes, 1 },
		{ CKA_PRIVATE, &yes, 1 }, { CKA_SENSITIVE, &yes, 1 },
		{ CKA_SIGN, &yes, 1 }, id };
	CK_ULONG skip = piv ? 1 : 0;
	CK_OBJECT_HANDLE key;

	if (rsa)
		common[4] =
		    (CK_ATTRIBUTE) { CKA_MODULUS_BITS, &bits, sizeof(bits) };
	ok(f->C_GenerateKeyPair(s, &mech, common + skip, (rsa ? 6 : 5) - skip,
	       priv + 2 * skip, LEN(priv) - 2 * skip, pub, &key),
	    "C_GenerateKeyPair");
	return key;
}

/* SubjectPublicKeyInfo in front of b. */
static void
public_key(struct bytes *b, CK_OBJECT_HANDLE pub)
{
	unsigned char first[512], second[16];
	CK_ATTRIBUTE a[] = { { rsa ? CKA_MODULUS : CKA_EC_POINT, first,
				 sizeof(first) },
		{ CKA_PUBLIC_EXPONENT, second, sizeof(second) } };
	size_t end = b->n;

	ok(f->C_GetAttributeValue(s, pub, a, rsa ? 2 : 1), "public key");
	if (rsa) {
		integer(b, second, a[1].ulValueLen);
		integer(b, first, a[0].ulValueLen);
		header(b, 0x30, b->n - end);
	} else {
		/* CKA_EC_POINT is an OCTET STRING of the point */
		prepend(b, first + 2, a[0].ulValueLen - 2);
	}
	prepend(b, "", 1); /* no unused bits */
	header(b, 0x03, b->n - end);
	if (rsa)
		prepend(b, rsa_spki, sizeof(rsa_spki));
	else
		prepend(b, ec_spki, sizeof(ec_spki));
	header(b, 0x30, b->n - end);
}

static void
name(struct bytes *b, const char *who)
{
	size_t end = b->n;

	prepend(b, who, strlen(who));
	header(b, 0x0c, strlen(who));
	prepend(b, cn, sizeof(cn));
	header(b, 0x30, b->n - end);
	header(b, 0x31, b->n - end);
	header(b, 0x30, b->n - end);
}

/* A BIT STRING of the signature over tbs, as X.509 wants it. */
static void
sign(CK_OBJECT_HANDLE key, const struct bytes *tbs, struct bytes *out)
{
	unsigned char in[sizeof(digest_info) + 32], raw[512];
	CK_MECHANISM mech = { rsa ? CKM_RSA_PKCS : CKM_ECDSA, NULL, 0 };
	size_t start = rsa ? 0 : sizeof(digest_info);
	CK_ULONG n = sizeof(raw);

	memcpy(in, digest_info, sizeof(digest_info));
	(void)SHA256(tbs->p, tbs->n, in + sizeof(digest_info));
	ok(f->C_SignInit(s, &mech, key), "C_SignInit");
	ok(f->C_Sign(s, in + start, sizeof(in) - start, raw, &n), "C_Sign");
	out->n = 0;
	if (rsa) {
		prepend(out, raw, n);
	} else {
		integer(out, raw + n / 2, n / 2);
		integer(out, raw, n / 2);
		header(out, 0x30, out->n);
	}
	prepend(out, "", 1);
	header(out, 0x03, out->n);
}

/* CertificationRequest, RFC 2986 section 4.2. */
static void
request(const char *who, struct bytes *out)
{
	static const unsigned char v1[] = { 0x02, 0x01, 0x00 };
	struct bytes tbs = { .n = 0 };
	CK_OBJECT_HANDLE pub, key = generate(&pub);

	prepend(&tbs, attributes, sizeof(attributes));
	public_key(&tbs, pub);
	name(&tbs, who);
	prepend(&tbs, v1, sizeof(v1));
	header(&tbs, 0x30, tbs.n);
	if (piv)
		change_to(CKU_USER);
	sign(key, &tbs, out);
	if (rsa)
		prepend(out, rsa_alg, sizeof(rsa_alg));
	else
		prepend(out, ec_alg, sizeof(ec_alg));
	prepend(out, tbs.p, tbs.n);
	header(out, 0x30, out->n);
}

static void
install(const char *who, struct bytes *cert)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	struct bytes subject = { .n = 0 }, back;
	CK_ATTRIBUTE a[] = { { CKA_LABEL, label, sizeof(label) },
		{ CKA_SUBJECT, subject.p, 0 },
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_CERTIFICATE_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &no, 1 }, id,
		{ CKA_VALUE, cert->p, cert->n } };
	CK_ATTRIBUTE value = { CKA_VALUE, back.p, sizeof(back.p) };
	CK_OBJECT_HANDLE object;
	CK_ULONG skip = piv ? 1 : 0;

	if (piv)
		change_to(CKU_SO);
	name(&subject, who);
	a[1].ulValueLen = subject.n;
	ok(f->C_CreateObject(s, a + skip, LEN(a) - skip, &object),
	    "C_CreateObject");
	ok(f->C_GetAttributeValue(s, object, &value, 1), "read back");
	if (value.ulValueLen != cert->n || memcmp(back.p, cert->p, cert->n))
		floor_die("another certificate came back");
}

int
main(int argc, char **argv)
{
	static struct bytes req, cert;
	FILE *out;

	if (argc < 7)
		floor_die("usage: see the source");
	rsa = strcmp(argv[5], "rsa:2048") == 0;
	piv = strcmp(argv[1], "piv") == 0;
	pin_file = argv[4];
	if (piv) {
		key_file = argv[6];
		id.pValue = slot_9a;
		id.ulValueLen = sizeof(slot_9a);
	}
	open_token(argv[2], argv[3]);
	if (strcmp(argv[1], "install") != 0)
		request(argv[3], &req);
	if (piv || strcmp(argv[1], "one") == 0) {
		floor_exchange(argv + 6 + piv, &req, &cert);
	} else if (strcmp(argv[1], "install") == 0) {
		floor_read(argv[6], &cert);
	} else {
		if ((out = fopen(argv[6], "w")) == NULL ||
		    fwrite(req.p, 1, req.n, out) != req.n || fclose(out) != 0)
			floor_die(argv[6]);
	}
	if (cert.n > 0)
		install(argv[3], &cert);
	close_token();
	return 0;
}
