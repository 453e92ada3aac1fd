/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How tokens differ: one row per family of modules, read everywhere else as
 * fields. No other file of the project knows a module by its name.
 */

#ifndef BURIN_QUIRK_H
#define BURIN_QUIRK_H

#include "p11.h"

/* Who may make keys and write certificates. */
enum writer {
	WRITER_USER,
	WRITER_SO,    /* the security officer, for the write alone */
	WRITER_NOBODY /* the module only reads */
};

/* How a certificate takes the place of another under one CKA_ID. */
enum renewal {
	RENEWAL_BESIDE, /* written beside it, which then goes */
	RENEWAL_OVER,	/* the token writes over it */
	RENEWAL_AFTER	/* the old one must go first */
};

/* Of enum burin_key_type, in struct quirk. */
#define QUIRK_TYPE(type) (1u << (type))

struct quirk {
	const char *family; /* for people: "YubiKey PIV (ykcs11)" */
	/*
	 * Beginnings of what the token says of itself (CK_TOKEN_INFO) and
	 * the module (CK_INFO.manufacturerID); NULL: anything.
	 */
	const char *manufacturer, *model, *library;

	enum writer writer;
	const char *way_out;   /* WRITER_NOBODY: what to use instead */
	int is_yubikey;	       /* ykpiv.c can do what PKCS#11 has no word for */
	unsigned user_pin_max; /* bytes, where the token tells another limit */
	const char *so_name;   /* of the SO PIN, where it is no PIN */
	int so_is_hex;	       /* written as hex digits */
	int so_wrong_is_any;   /* PIN_INCORRECT means any failure */
	/*
	 * Keys have places with names; CKA_ID is the place, one byte, and a
	 * new key takes the place of the old one. NULL: CKA_ID is free.
	 */
	const struct burin_place *places;
	unsigned rung;	     /* of keygen.c: where the ladder begins */
	int handles_stay;    /* object handles outlive a logout */
	int protection_mute; /* SENSITIVE of a sound key reads FALSE */
	int keeps_keys;	     /* C_DestroyObject leaves the key there */
	/* Why no key may want a login for each use; NULL: it may. */
	const char *always_auth_no;
	unsigned broken; /* QUIRK_TYPE: offered, and made wrong */
	/* What to do about a locked PIN, where it is not the usual. */
	const char *unblock;
	enum renewal renewal;
	unsigned max_sessions; /* 0: as the token says */
	unsigned max_cert;     /* bytes that fit, about; 0: not known */
	int may_want_touch;    /* a signature may wait for a finger */
	int restart; /* a lost service comes back with C_Initialize only */
	/* Sentences for people: what it can do and what not. NULL-ended. */
	const char *const *remarks;
};

/* The row of t, found once. Lock held. */
const struct quirk *p11_quirk(struct burin_token *t);
/* The row that speaks for a module itself (restart). Lock held. */
const struct quirk *p11_module_quirk(struct p11_module *m);

#endif
