/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who asks (RFC 7030 sections 3.2.3 and 3.3.2): an enrolment secret by HTTP
 * Basic (RFC 7617) or Digest with SHA-256 (RFC 7616), or the certificate to
 * be renewed by TLS client authentication.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <burin/names.h>
#include <burin/response.h>

#include "http.h"

#define NONCE_SECONDS 300  /* life of a Digest nonce */
#define MAX_STALE 4	   /* fresh nonces that a connection gets */
#define PAUSE_NS 50000000L /* longest pause before the first of them */

const struct sockaddr *
http_peer(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	return info != NULL ? info->client_addr : NULL;
}

static int
challenge(struct answer *r, int stale, const char *text)
{
	answer_text(r, MHD_HTTP_UNAUTHORIZED, "%s", text);
	r->challenge = stale ? 2 : 1;
	return 0;
}

/* The invite of a name; one that matches nothing when there is none. */
static int
find_invite(struct server *s, const char *name, struct invite *in, int *found,
    struct answer *r)
{
	struct burin_error e = BURIN_ERROR_INIT;
	int rc;

	*found = 0;
	rc = store_begin(s->a->store, &e);
	if (rc == 0) {
		rc = store_invite_get(s->a->store, name, in, found, &e);
		(void)store_end(s->a->store, 0, NULL);
	}
	if (rc != 0)
		answer_error(r, &e);
	return rc;
}

static int
wrong(struct server *s, struct MHD_Connection *c, struct answer *r)
{
	peers_failed(s->peers, http_peer(c), time(NULL));
	return challenge(r, 0,
	    "no invite has this name and secret; ask the authority's operator "
	    "for an invite");
}

static int
by_basic(struct server *s, struct MHD_Connection *c, const char *name,
    const char *secret, struct invite *in, struct answer *r)
{
	int found;

	if (find_invite(s, name, in, &found, r) != 0)
		return 0;
	if (secret_check(in, secret, strlen(secret)) && found)
		return 1;
	return wrong(s, c, r);
}

/*
 * libmicrohttpd 0.9.75 gives clients that come within one second the same
 * nonce, and then says of the second one what it says of a wrong secret. So
 * the first failures of a connection get a fresh nonce instead of a refusal
 * (RFC 7616 section 3.3, stale), after a random pause that grows, or the
 * same clients would meet again. It slows down those who guess as well.
 */
static int
may_be_stale(struct MHD_Connection *c)
{
	struct timespec pause = { 0, 0 };
	struct conn *conn = http_conn(c);
	unsigned short random;

	if (conn == NULL || conn->stale >= MAX_STALE ||
	    RAND_bytes((unsigned char *)&random, sizeof(random)) != 1)
		return 0;
	pause.tv_nsec = (long)random * (PAUSE_NS / 65536) << conn->stale;
	conn->stale++;
	(void)nanosleep(&pause, NULL);
	return 1;
}

static int
by_digest(struct server *s, struct MHD_Connection *c, const char *name,
    struct invite *in, struct answer *r)
{
	int found, rv;

	if (find_invite(s, name, in, &found, r) != 0)
		return 0;
	rv = MHD_digest_auth_check_digest2(c, CA_REALM, name, in->ha1,
	    sizeof(in->ha1), NONCE_SECONDS, MHD_DIGEST_ALG_SHA256);
	if (rv == MHD_YES && found)
		return 1;
	if (rv == MHD_INVALID_NONCE || (found && may_be_stale(c)))
		return challenge(r, 1,
		    "the nonce or the secret is wrong; here is another nonce");
	return wrong(s, c, r);
}

int
auth_invite(struct server *s, struct MHD_Connection *c, struct invite *in,
    struct answer *r)
{
	char *name, *secret = NULL;
	int ok;

	memset(in, 0, sizeof(*in));
	r->digest = s->a->cnf.digest;
	if (peers_blocked(s->peers, http_peer(c), time(NULL))) {
		answer_text(r, MHD_HTTP_TOO_MANY_REQUESTS,
		    "too many wrong secrets from this address; wait a minute");
		r->retry_after = 60;
		return 0;
	}
	if ((name = MHD_basic_auth_get_username_password(c, &secret)) != NULL)
		ok = by_basic(s, c, name, secret != NULL ? secret : "", in, r);
	else if (r->digest && (name = MHD_digest_auth_get_username(c)) != NULL)
		ok = by_digest(s, c, name, in, r);
	else
		ok = challenge(r, 0,
		    "an enrolment needs the name and the secret of an invite");
	if (secret != NULL)
		OPENSSL_cleanse(secret, strlen(secret));
	MHD_free(secret);
	MHD_free(name);
	if (!ok)
		invite_clear(in);
	return ok;
}

/* The certificate that the TLS client proved to have the key of, or NULL. */
static X509 *
client_cert(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;
	const gnutls_datum_t *chain;
	unsigned n = 0;
	X509 *cert;

	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info == NULL || info->tls_session == NULL)
		return NULL;
	chain = gnutls_certificate_get_peers(info->tls_session, &n);
	if (chain == NULL || n == 0 ||
	    burin_cert_parse(chain[0].data, chain[0].size, BURIN_EAUTHORITY,
		&cert, NULL) != 0)
		return NULL;
	return cert;
}

int
auth_shown(struct MHD_Connection *c)
{
	X509 *shown = client_cert(c);

	X509_free(shown);
	return shown != NULL;
}

/* One of ours, in the store, not revoked. */
static int
check_issued(
    struct server *s, X509 *cert, struct issued *out, struct burin_error *e)
{
	int found;

	if (store_cert_look_up(
		s->a->store, X509_get0_serialNumber(cert), out, &found, e) != 0)
		return -1;
	if (!found || X509_cmp(out->cert, cert) != 0)
		return burin_fail(e, BURIN_EAUTHORITY, "certificate-unknown",
		    s->ra != NULL
			? "the client certificate did not come through this "
			  "registration authority"
			: "this authority did not issue the client "
			  "certificate");
	if (out->revoked)
		return burin_fail(e, BURIN_EAUTHORITY, "certificate-revoked",
		    "the client certificate was revoked");
	return 0;
}

int
auth_cert(struct server *s, struct MHD_Connection *c, struct issued *cert,
    struct answer *r)
{
	struct burin_error e = BURIN_ERROR_INIT;
	X509 *shown;
	int ok;

	memset(cert, 0, sizeof(*cert));
	if ((shown = client_cert(c)) == NULL) {
		answer_text(r, MHD_HTTP_FORBIDDEN,
		    "a renewal needs the certificate that is renewed as TLS "
		    "client certificate (RFC 7030 section 3.3.2)");
		return 0;
	}
	ok = own_check(&s->a->ca, shown, time(NULL), &e) == 0 &&
	    check_issued(s, shown, cert, &e) == 0;
	if (!ok) {
		(void)burin_error_advice(&e, "enrol anew with an invite");
		answer_error(r, &e);
		issued_clear(cert);
	}
	X509_free(shown);
	return ok;
}

/*
 * An RA passes on what was linked to its own session with the requester, and
 * it looked at that (RFC 7030 section 3.7).
 */
int
auth_ra(struct call *k)
{
	struct issued found;
	X509 *shown;
	int ok;

	if ((shown = client_cert(k->c)) == NULL)
		return 0;
	memset(&found, 0, sizeof(found));
	ok = burin_cert_has_purpose(shown, NID_cmcRA) &&
	    own_check(&k->s->a->ca, shown, time(NULL), NULL) == 0 &&
	    check_issued(k->s, shown, &found, NULL) == 0;
	issued_clear(&found);
	X509_free(shown);
	return ok;
}

static int
is_loopback(const struct sockaddr *sa)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (sa != NULL && sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (sa != NULL && sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) ||
		    (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) &&
			in6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
	}
	return 0;
}

int
auth_page(struct call *k)
{
	switch (k->s->a->cnf.page) {
	case PAGE_ALL:
		return 1;
	case PAGE_LOCAL:
		if (is_loopback(http_peer(k->c)))
			return 1;
		answer_text(k->r, MHD_HTTP_FORBIDDEN,
		    "this page is shown on the authority's own machine only");
		return 0;
	case PAGE_OFF:
	default:
		answer_text(
		    k->r, MHD_HTTP_NOT_FOUND, "this page is switched off");
		return 0;
	}
}
