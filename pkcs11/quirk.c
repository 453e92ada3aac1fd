/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of module families. Each row names where its facts come from;
 * docs/tokens.md tells them to users (tests/docs/check-families) and
 * tests/tokens/test_quirk.c holds them. Versions: those of Debian 12, where
 * nothing else is said.
 */

#include <string.h>

#include "quirk.h"

/* --- places ------------------------------------------------------------ */

#define RETIRED(name, id)                                               \
	{                                                               \
		name, id, 0, "retired key management, free for any use" \
	}

/*
 * NIST SP 800-73-4 part 1, table 4b, with the CKA_ID that ykcs11 gives each
 * (ykcs11/README, "Key alias per slot and object type"). F9, the attestation
 * key, is CKA_ID 25 and no place for anything.
 */
static const struct burin_place piv[] = {
	{ "9a", 1, BURIN_USE_SIGN, "PIV authentication" },
	{ "9c", 2, 0, "digital signature, PIN for each" },
	{ "9d", 3, BURIN_USE_DECRYPT | BURIN_USE_DERIVE, "key management" },
	{ "9e", 4, 0, "card authentication, never a PIN" },
	RETIRED("82", 5),
	RETIRED("83", 6),
	RETIRED("84", 7),
	RETIRED("85", 8),
	RETIRED("86", 9),
	RETIRED("87", 10),
	RETIRED("88", 11),
	RETIRED("89", 12),
	RETIRED("8a", 13),
	RETIRED("8b", 14),
	RETIRED("8c", 15),
	RETIRED("8d", 16),
	RETIRED("8e", 17),
	RETIRED("8f", 18),
	RETIRED("90", 19),
	RETIRED("91", 20),
	RETIRED("92", 21),
	RETIRED("93", 22),
	RETIRED("94", 23),
	RETIRED("95", 24),
	{ NULL, 0, 0, NULL },
};

/* --- what people are told ---------------------------------------------- */

static const char *const softhsm_says[] = {
	"keys live in files of this machine: for tests and laboratories",
	"the PIN never locks",
	NULL,
};
static const char *const nss_says[] = {
	"keys live in the database of an NSS program, such as a browser",
	"a login for each use of a key is not enforced",
	"no Ed25519, Ed448 or X25519 keys",
	NULL,
};
static const char *const ykcs11_says[] = {
	"keys have slots: 9a, 9c (PIN for each signature), 9d, 9e (no PIN), "
	"82 to 95; --slot names one",
	"a new key takes the place of the one in its slot, at once and for "
	"good: that needs --replace",
	"keys and certificates are written with the management key "
	"(--so-pin-source, 48 hex digits), everything else with the PIN",
	"a certificate has room for about 3 kB, without its chain",
	"a key cannot be deleted, only replaced",
	"an AES management key is refused as wrong by ykcs11 before 2.3",
	NULL,
};
static const char *const opensc_piv_says[] = {
	"this module reads PIV cards only: no new keys, no certificates",
	"a key is seen when its slot has a certificate",
	"the label is the name in the certificate of slot 9a and changes with "
	"it: name the token by its slot-id",
	NULL,
};
static const char *const opensc_says[] = {
	"whether keys are protected is not told by OpenSC before 0.24; such "
	"cards have no way to give a private key out",
	"one certificate for each key: with --replace the old one goes first",
	"a key that wants the PIN for each use would block all later writing",
	"a locked PIN is for the tool of the card's vendor",
	NULL,
};
static const char *const tpm2_says[] = {
	"keys are bound to the TPM of this machine",
	"wrong PINs count in the lock-out of the whole TPM",
	"no Ed25519, Ed448 or X25519 keys, no key agreement; no EC P-521 "
	"keys, whose public half the module writes down wrong",
	NULL,
};
static const char *const opencryptoki_says[] = {
	"a login for each use of a key does not work with this module",
	NULL,
};
static const char *const p11_kit_says[] = {
	"the token is behind p11-kit, here or on another machine: RSA and EC "
	"signatures pass, key agreement, Ed25519 and PSS with a hash do not",
	NULL,
};
static const char *const unknown_says[] = {
	"nothing is known of this kind of token: burin goes by what it says "
	"and reads back whatever it writes",
	NULL,
};

/* --- the rows ---------------------------------------------------------- */

/*
 * The first row that matches counts; those that need the module's own words
 * (one C_GetInfo more) stand behind the others.
 */
static const struct quirk rows[] = {
	/* Measured: 2.6.1. Takes the whole template. */
	{
	    .family = "SoftHSM",
	    .manufacturer = "SoftHSM project",
	    .remarks = softhsm_says,
	},
	/* Measured: 3.87. A second equal certificate is GENERAL_ERROR. */
	{
	    .family = "NSS softokn",
	    .manufacturer = "Mozilla Foundation",
	    .remarks = nss_says,
	},
	/*
	 * Measured: 2.2.0 and 2.7.2. Writes need an SO login with the
	 * management key (user: USER_TYPE_INVALID). Only the first byte of
	 * CKA_ID counts. EXTRACTABLE and LABEL in a template:
	 * ATTRIBUTE_TYPE_INVALID, or ignored. Handles name slot and kind of
	 * object, whoever is logged in.
	 */
	{
	    .family = "YubiKey PIV (ykcs11)",
	    .manufacturer = "Yubico",
	    .model = "YubiKey",
	    .writer = WRITER_SO,
	    .is_yubikey = 1,
	    .user_pin_max = 8, /* SP 800-73-4 part 2 section 2.4.3 */
	    .so_name = "management key",
	    .so_is_hex = 1,
	    .so_wrong_is_any = 1,
	    .places = piv,
	    .rung = 3,
	    .handles_stay = 1,
	    .keeps_keys = 1,
	    .renewal = RENEWAL_OVER,
	    .max_cert = 3000,
	    .may_want_touch = 1,
	    .remarks = ykcs11_says,
	},
	/*
	 * Measured: OpenSC 0.23 and 0.27. C_GenerateKeyPair and
	 * C_CreateObject: FUNCTION_NOT_SUPPORTED; an SO login would count a
	 * try of the PUK.
	 */
	{
	    .family = "PIV card (OpenSC)",
	    .manufacturer = "piv_II",
	    .model = "PKCS#15 emulated",
	    .writer = WRITER_NOBODY,
	    .way_out = "use the module of the card's maker; for a YubiKey: "
		       "--module with the path of libykcs11.so.2 (package "
		       "ykcs11)",
	    .may_want_touch = 1,
	    .restart = 1,
	    .remarks = opensc_piv_says,
	},
	/*
	 * Measured: OpenSC 0.23 and 0.27 on IsoApplet and MyEID. SENSITIVE
	 * reads FALSE before 0.24; a second certificate under one CKA_ID is
	 * GENERAL_ERROR; an ALWAYS_AUTHENTICATE key turns the PIN cache off.
	 */
	{
	    .family = "PKCS#15 card (OpenSC)",
	    .model = "PKCS#15",
	    .protection_mute = 1,
	    .always_auth_no = "one key that wants the PIN for each use stops "
			      "all later writing on this kind of token",
	    .renewal = RENEWAL_AFTER,
	    .restart = 1,
	    .remarks = opensc_says,
	},
	/*
	 * Measured: 1.9.0 on swtpm. A use that is FALSE in a template is
	 * GENERAL_ERROR, and where nobody manages the TPM's three places for
	 * objects it keeps one of them. The OCTET STRING around a P-521 point
	 * has the length 85, not 81 85. The last wrong PIN is PIN_LOCKED
	 * without the flag; the TPM forgives one every so often (TPM 2.0 part
	 * 1, "Dictionary Attack Protection").
	 */
	{
	    .family = "TPM 2.0 (tpm2-pkcs11)",
	    .library = "tpm2-software",
	    .rung = 1,
	    .broken = QUIRK_TYPE(BURIN_EC_P521),
	    .unblock = "it is the lock-out of the TPM: wait until that is "
		       "over, or end it with tpm2_dictionarylockout "
		       "--clear-lockout; tpm2_ptool changes a forgotten PIN",
	    .remarks = tpm2_says,
	},
	/* Measured: 3.8.1, swtok. Context login: USER_TYPE_INVALID. */
	{
	    .family = "openCryptoki",
	    .library = "IBM",
	    .always_auth_no = "the module cannot do a login for each use: a "
			      "key that wants one would never sign",
	    .remarks = opencryptoki_says,
	},
	/* Measured: 0.24.1 client and proxy; 36 of 70 mechanisms pass. */
	{
	    .family = "behind p11-kit",
	    .library = "p11-kit",
	    .remarks = p11_kit_says,
	},
	{
	    .family = "behind p11-kit",
	    .library = "PKCS#11 Kit",
	    .remarks = p11_kit_says,
	},
	/* Of any other OpenSC card only this much is known. */
	{
	    .family = "other card (OpenSC)",
	    .library = "OpenSC",
	    .protection_mute = 1,
	    .renewal = RENEWAL_AFTER,
	    .restart = 1,
	    .remarks = opensc_says,
	},
	{
	    .family = "unknown",
	    .may_want_touch = 1,
	    .remarks = unknown_says,
	},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* --- finding a row ----------------------------------------------------- */

static int
begins(const char *text, const char *with)
{
	return with == NULL || strncmp(text, with, strlen(with)) == 0;
}

/* What the module calls its maker, asked once. */
static const char *
library_of(struct p11_module *m)
{
	CK_INFO info;

	if (m->asked_library)
		return m->library;
	m->asked_library = 1;
	memset(&info, 0, sizeof(info));
	if (p11_GetInfo(m, &info) == CKR_OK)
		p11_text(m->library, sizeof(m->library), info.manufacturerID,
		    sizeof(info.manufacturerID));
	return m->library;
}

const struct quirk *
p11_quirk(struct burin_token *t)
{
	size_t i;

	for (i = 0; t->quirk == NULL && i < N_ROWS; i++)
		if (begins(t->manufacturer, rows[i].manufacturer) &&
		    begins(t->model, rows[i].model) &&
		    (rows[i].library == NULL ||
			begins(library_of(t->m), rows[i].library)))
			t->quirk = &rows[i];
	return t->quirk;
}

const struct quirk *
p11_module_quirk(struct p11_module *m)
{
	size_t i;

	for (i = 0; i < N_ROWS - 1; i++)
		if (rows[i].library != NULL &&
		    begins(library_of(m), rows[i].library))
			return &rows[i];
	return &rows[N_ROWS - 1];
}

/* --- for others -------------------------------------------------------- */

const char *
burin_token_family(struct burin_token *t)
{
	const struct quirk *q;

	p11_lock(t->m);
	q = p11_quirk(t);
	p11_unlock(t->m);
	return q->family;
}

const char *const *
burin_token_remarks(struct burin_token *t)
{
	const struct quirk *q;

	p11_lock(t->m);
	q = p11_quirk(t);
	p11_unlock(t->m);
	return q->remarks;
}

const char *
burin_token_so_name(const struct burin_token *t)
{
	return t->quirk != NULL && t->quirk->so_name != NULL ? t->quirk->so_name
							     : "SO PIN";
}
