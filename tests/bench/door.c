/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the door of a serving authority costs: signatures each second with a
 * token in this process, and with the same token behind the door. SoftHSM.
 *
 *	door [seconds]
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "agent/authority/keeper.h"
#include "tests/pki.h"
#include "tests/tokens/softhsm.h"

static struct softhsm h;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static X509 *
leaf(const struct issuer *ca, EVP_PKEY *user)
{
	static const char *const exts[] = { "subjectKeyIdentifier=hash",
		"authorityKeyIdentifier=keyid:always", NULL };
	const struct pki_spec spec = { .cn = "door.example",
		.exts = exts,
		.key = user,
		.issuer = ca->cert,
		.issuer_key = user };

	return pki_cert(&spec);
}

static double
certificates(const struct issuer *ca, EVP_PKEY *user, double seconds)
{
	struct burin_error e = BURIN_ERROR_INIT;
	X509 *cert = leaf(ca, user);
	double from = now(), to;
	unsigned n = 0;

	do {
		must(ca->sign_cert(ca->arg, cert, &e), &e);
		n++;
		to = now();
	} while (to - from < seconds);
	X509_free(cert);
	return n / (to - from);
}

static double
signatures(struct burin_key *k, double seconds)
{
	EVP_PKEY *key = softhsm_evp(k);
	unsigned char hash[32] = { 1 }, sig[160];
	double from = now(), to;
	EVP_PKEY_CTX *ctx;
	unsigned n = 0;
	size_t len;

	do {
		ctx = EVP_PKEY_CTX_new(key, NULL);
		len = sizeof(sig);
		assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
		assert_int_equal(
		    EVP_PKEY_sign(ctx, sig, &len, hash, sizeof(hash)), 1);
		EVP_PKEY_CTX_free(ctx);
		n++;
		to = now();
	} while (to - from < seconds);
	return n / (to - from);
}

/* The front's process: what it measures goes back through the pipe. */
static void
front(int fd, EVP_PKEY *user, double seconds, double out[2])
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct issuer ca = { .sign_cert = door_sign_cert };
	struct burin_key *k;
	struct door *d;

	must(door_new(fd, &d, &e), &e);
	ca.cert = door_ca(d);
	ca.arg = d;
	must(door_key(d, DOOR_TLS, &k, &e), &e);
	out[0] = certificates(&ca, user, seconds);
	out[1] = signatures(k, seconds);
	burin_key_free(&k);
	door_free(&d);
}

static void
keep(struct authority *a, int fd)
{
	struct burin_error e = BURIN_ERROR_INIT;
	struct keeper k = { .a = a, .line = { .fd = fd } };
	struct door_head head;
	unsigned char *body;

	must(keeper_hello(&k, &e), &e);
	while (door_receive(&k.line, &head, &body, &e) == 0) {
		must(keeper_order(&k, &head, body, &e), &e);
		OPENSSL_free(body);
	}
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3, here[2],
	       there[2];
	EVP_PKEY *user = pki_key("P-256");
	struct burin_key *k[4];
	struct authority a = { 0 };
	int i, doors[2], pipes[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, doors), 0);
	assert_int_equal(pipe(pipes), 0);
	if ((pid = fork()) == 0) {
		(void)close(doors[0]);
		front(doors[1], user, seconds, there);
		_exit(write(pipes[1], there, sizeof(there)) !=
		    (ssize_t)sizeof(there));
	}
	(void)close(doors[1]);
	softhsm_start(&h);
	for (i = 0; i < 4; i++)
		k[i] = softhsm_key(&h, BURIN_EC_P256, BURIN_USE_SIGN, 0);
	a.ca_key = k[0];
	a.cmc_key = k[1];
	a.tls_key = k[2];
	a.pop_key = k[3];
	issuer_of_key(
	    &a.ca, softhsm_evp(k[0]), pki_ca("Bench CA", softhsm_evp(k[0])));
	a.cmc_cert = pki_ca("cmc", softhsm_evp(k[1]));
	a.tls_cert = pki_ca("tls", softhsm_evp(k[2]));
	a.pop_cert = pki_ca("pop", softhsm_evp(k[3]));
	here[0] = certificates(&a.ca, user, seconds);
	here[1] = signatures(k[2], seconds);
	keep(&a, doors[0]);
	assert_int_equal(read(pipes[0], there, sizeof(there)), sizeof(there));
	(void)waitpid(pid, NULL, 0);
	(void)printf("certificates a second: %.0f here, %.0f through the door\n"
		     "signatures a second: %.0f here, %.0f through the door\n",
	    here[0], there[0], here[1], there[1]);
	X509_free(a.ca.cert);
	X509_free(a.cmc_cert);
	X509_free(a.tls_cert);
	X509_free(a.pop_cert);
	authority_keys_close(&a);
	EVP_PKEY_free(user);
	softhsm_stop(&h);
	return 0;
}
