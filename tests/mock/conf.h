/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the mock and the shim are told to do: the file that BURIN_MOCK names,
 * lines of key=value. README.md explains every key.
 */

#ifndef MOCK_CONF_H
#define MOCK_CONF_H

#include <stddef.h>

#include <p11-kit/pkcs11.h>

#define MAX_FAULTS 32
#define MAX_REFUSED 32
#define MAX_TOKENS 64
#define MAX_WORD 64

/* The nth call of a function, 0: every call. */
struct fault {
	char function[MAX_WORD];
	unsigned long nth;
	CK_RV rv;
};

enum pad {
	PAD_NONE,
	PAD_RIGHT,
	PAD_WRONG,
	PAD_CANCEL
};

struct conf {
	/* both */
	char calls_file[256], present_file[256];
	unsigned long kill, kill_after, kill_parent, remove_at, delay;
	CK_RV removed;
	struct fault fail[MAX_FAULTS], hang[MAX_FAULTS], crash[MAX_FAULTS];
	size_t n_fail, n_hang, n_crash;
	enum unload {
		UNLOAD_WELL,
		UNLOAD_HANG,
		UNLOAD_CRASH
	} unload;
	CK_ATTRIBUTE_TYPE refused[MAX_REFUSED];
	size_t n_refused;
	enum pad pad;
	char pin[MAX_WORD], so_pin[MAX_WORD], new_pin[MAX_WORD];
	/* the mock only */
	char dir[256];
	struct {
		char label[33], serial[17];
	} tokens[MAX_TOKENS];
	unsigned long n_tokens, slots, tries, max_sessions;
	int silent, extractable, blank;
	char manufacturer[33], model[17], library[33];
	int mute, one_cert, cert_renames_key, auth_key_blocks, full, places;
	enum writes {
		WRITES_USER,
		WRITES_SO,
		WRITES_NOBODY
	} writer;
	enum cert_fate {
		CERT_KEPT,
		CERT_DAMAGED,
		CERT_LOST
	} cert_fate;
	enum attest {
		ATTEST_NONE,
		ATTEST_NEW,
		ATTEST_OLD
	} attest;
};

/* 1, or 0 with the reason on stderr. No file named: everything default. */
int conf_read(struct conf *c);

/* "CKR_OK"; a number in hex for those that have no name here. */
const char *ckr_name(CK_RV rv, char buf[MAX_WORD]);
/* A name or a number; 0 when it is neither. */
int ckr_parse(const char *text, CK_RV *rv);

#endif
