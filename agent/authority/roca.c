/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The fingerprint of CVE-2017-15361: Nemec, Sys, Svenda, Klinec, Matyas, "The
 * Return of Coppersmith's Attack" (ACM CCS 2017), section 2. The library at
 * fault made primes k * M + (65537^a mod M), M the product of the first
 * primes; so a modulus is a power of 65537 modulo M as well, which a sound one
 * is once in 2^154.
 */

#include <openssl/bn.h>

#include "ca.h"

#define GENERATOR 65537

/* The odd ones of the first 39 primes: in M whatever the size of the key. */
static const unsigned primes[] = { 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41,
	43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
	127, 131, 137, 139, 149, 151, 157, 163, 167 };
#define N_PRIMES (sizeof(primes) / sizeof(primes[0]))

/* Exponent c modulo the order of the generator: n is its power c mod p. */
struct dlog {
	unsigned c, order;
};

/* 1 when n is a power of the generator modulo p. */
static int
dlog(unsigned n, unsigned p, struct dlog *out)
{
	unsigned power = 1, i = 0, found = 0;

	do {
		if (power == n) {
			out->c = i;
			found = 1;
		}
		power = power * (GENERATOR % p) % p;
		i++;
	} while (power != 1);
	out->order = i;
	return found != 0;
}

static unsigned
gcd(unsigned a, unsigned b)
{
	unsigned t;

	while (b != 0) {
		t = a % b;
		a = b;
		b = t;
	}
	return a;
}

int
policy_is_roca(const BIGNUM *n, struct burin_error *e)
{
	struct dlog logs[N_PRIMES];
	BN_ULONG rest;
	unsigned g;
	size_t i, j;

	for (i = 0; i < N_PRIMES; i++) {
		if ((rest = BN_mod_word(n, primes[i])) == (BN_ULONG)-1)
			return burin_fail_openssl(e, BURIN_EINTERNAL,
			    "digest-failed", "cannot divide a modulus");
		if (!dlog((unsigned)rest, primes[i], &logs[i]))
			return 0;
		/* One exponent for all: pair by pair, by the Chinese
		 * remainder theorem for moduli that share factors. */
		for (j = 0; j < i; j++) {
			g = gcd(logs[i].order, logs[j].order);
			if (logs[i].c % g != logs[j].c % g)
				return 0;
		}
	}
	return 1;
}
