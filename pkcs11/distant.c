/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys whose token is somewhere else, and the other end: mechanisms of
 * PKCS#11 as something that can be carried, and back.
 */

#include <stdlib.h>
#include <string.h>

#include "p11.h"

#define MAX_SALT 1024 /* bytes of a PSS salt; the modulus says less */

struct p11_distant {
	burin_key_run_fn run;
	void *arg;
	pthread_mutex_t lock;
	struct p11_provider *_Atomic provider;
};

/* What mechanism asks for what, of which kind of key. */
static const struct row {
	enum burin_key_mech mech;
	enum p11_op op;
	CK_MECHANISM_TYPE type;
	const char *key; /* of EVP_PKEY_is_a; NULL: several */
} rows[] = {
	{ BURIN_SIGN_ECDSA, P11_SIGN, CKM_ECDSA, "EC" },
	{ BURIN_SIGN_EDDSA, P11_SIGN, CKM_EDDSA, NULL },
	{ BURIN_SIGN_RSA_PKCS1, P11_SIGN, CKM_RSA_PKCS, "RSA" },
	{ BURIN_SIGN_RSA_PSS, P11_SIGN, CKM_RSA_PKCS_PSS, "RSA" },
	{ BURIN_SIGN_RSA_RAW, P11_SIGN, CKM_RSA_X_509, "RSA" },
	{ BURIN_DECRYPT_RSA_PKCS1, P11_DECRYPT, CKM_RSA_PKCS, "RSA" },
	{ BURIN_DECRYPT_RSA_OAEP, P11_DECRYPT, CKM_RSA_PKCS_OAEP, "RSA" },
	{ BURIN_DECRYPT_RSA_RAW, P11_DECRYPT, CKM_RSA_X_509, "RSA" },
	{ BURIN_DERIVE_ECDH, P11_DERIVE, CKM_ECDH1_DERIVE, NULL },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

void
p11_key_lock(struct burin_key *k)
{
	if (k->distant != NULL)
		(void)pthread_mutex_lock(&k->distant->lock);
	else
		p11_lock(k->t->m);
}

void
p11_key_unlock(struct burin_key *k)
{
	if (k->distant != NULL)
		(void)pthread_mutex_unlock(&k->distant->lock);
	else
		p11_unlock(k->t->m);
}

struct p11_provider *_Atomic *
p11_key_provider(struct burin_key *k)
{
	return k->distant != NULL ? &k->distant->provider
				  : &k->t->m->owner->provider;
}

void
p11_distant_free(struct p11_distant *d)
{
	if (d == NULL)
		return;
	p11_provider_free(&d->provider);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

int
burin_key_distant_new(EVP_PKEY *pub, unsigned usage, burin_key_run_fn run,
    void *arg, struct burin_key **out, struct burin_error *e)
{
	struct burin_key *k;
	struct p11_distant *d;

	*out = NULL;
	if ((k = calloc(1, sizeof(*k))) == NULL ||
	    (d = calloc(1, sizeof(*d))) == NULL) {
		free(k);
		return burin_fail_memory(e);
	}
	if (pthread_mutex_init(&d->lock, NULL) != 0) {
		free(d);
		free(k);
		return burin_fail_memory(e);
	}
	atomic_init(&d->provider, NULL);
	atomic_init(&k->refs, 1);
	d->run = run;
	d->arg = arg;
	k->distant = d;
	k->usage = usage;
	if (!EVP_PKEY_up_ref(pub)) {
		burin_key_free(&k);
		return burin_fail_memory(e);
	}
	k->public_key = pub;
	k->type = burin_key_type_of(pub);
	*out = k;
	return 0;
}

/* --- a mechanism, carried ------------------------------------------------ */

static void
take_params(struct burin_key_operation *o, const CK_MECHANISM *mech)
{
	const CK_RSA_PKCS_PSS_PARAMS *pss = mech->pParameter;
	const CK_RSA_PKCS_OAEP_PARAMS *oaep = mech->pParameter;
	const CK_ECDH1_DERIVE_PARAMS *ecdh = mech->pParameter;

	switch (o->mech) {
	case BURIN_SIGN_RSA_PSS:
		o->hash = pss->hashAlg;
		o->mgf = pss->mgf;
		o->salt = pss->sLen;
		break;
	case BURIN_DECRYPT_RSA_OAEP:
		o->hash = oaep->hashAlg;
		o->mgf = oaep->mgf;
		break;
	case BURIN_DERIVE_ECDH:
		o->in = ecdh->pPublicData;
		o->in_len = ecdh->ulPublicDataLen;
		break;
	default:
		/* EdDSA's follows from the key. */
		break;
	}
}

CK_RV
p11_distant_do(struct burin_key *k, CK_MECHANISM *mech, enum p11_op op,
    const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len)
{
	struct burin_key_operation o = {
		.in = in, .in_len = in_len, .out = out, .room = *out_len
	};
	size_t i;

	burin_error_clear(&k->last);
	for (i = 0; i < N_ROWS; i++)
		if (rows[i].op == op && rows[i].type == mech->mechanism)
			break;
	if (i == N_ROWS)
		return CKR_MECHANISM_INVALID;
	o.mech = rows[i].mech;
	take_params(&o, mech);
	if (k->distant->run(k->distant->arg, &o, &k->last) != 0)
		return k->last.ckr != 0 ? k->last.ckr : CKR_FUNCTION_FAILED;
	if (o.out_len > o.room) {
		burin_fail(&k->last, BURIN_EINTERNAL, "answer-length",
		    "the answer is longer than there is room for it");
		return CKR_BUFFER_TOO_SMALL;
	}
	*out_len = o.out_len;
	return CKR_OK;
}

/* --- and back ------------------------------------------------------------ */

union params {
	CK_RSA_PKCS_PSS_PARAMS pss;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
	CK_ECDH1_DERIVE_PARAMS ecdh;
	struct { /* CK_EDDSA_PARAMS of PKCS#11 3.0 section 2.3.14 */
		CK_BBOOL prehash;
		CK_ULONG context_len;
		CK_BYTE *context;
	} eddsa;
};

static void
set_params(const struct burin_key *k, const struct burin_key_operation *o,
    unsigned char *point, union params *p, CK_MECHANISM *mech)
{
	memset(p, 0, sizeof(*p));
	mech->pParameter = p;
	switch (o->mech) {
	case BURIN_SIGN_RSA_PSS:
		p->pss.hashAlg = o->hash;
		p->pss.mgf = o->mgf;
		p->pss.sLen = o->salt;
		mech->ulParameterLen = sizeof(p->pss);
		break;
	case BURIN_DECRYPT_RSA_OAEP:
		p->oaep.hashAlg = o->hash;
		p->oaep.mgf = o->mgf;
		p->oaep.source = CKZ_DATA_SPECIFIED;
		mech->ulParameterLen = sizeof(p->oaep);
		break;
	case BURIN_DERIVE_ECDH:
		memcpy(point, o->in, o->in_len);
		p->ecdh.kdf = CKD_NULL;
		p->ecdh.pPublicData = point;
		p->ecdh.ulPublicDataLen = o->in_len;
		mech->ulParameterLen = sizeof(p->ecdh);
		break;
	default:
		/* Ed25519 without parameter is pure; Ed448 must say so. */
		mech->ulParameterLen = sizeof(p->eddsa);
		if (o->mech != BURIN_SIGN_EDDSA ||
		    !EVP_PKEY_is_a(k->public_key, "ED448")) {
			mech->pParameter = NULL;
			mech->ulParameterLen = 0;
		}
		break;
	}
}

/* What the key's type has no use for does not reach the token. */
static int
fits(const struct burin_key *k, const struct row *r)
{
	const EVP_PKEY *pub = k->public_key;

	if (pub == NULL)
		return 0;
	if (r->key != NULL)
		return EVP_PKEY_is_a(pub, r->key);
	if (r->mech == BURIN_SIGN_EDDSA)
		return EVP_PKEY_is_a(pub, "ED25519") ||
		    EVP_PKEY_is_a(pub, "ED448");
	return EVP_PKEY_is_a(pub, "EC") || EVP_PKEY_is_a(pub, "X25519");
}

int
burin_key_run(
    struct burin_key *k, struct burin_key_operation *o, struct burin_error *e)
{
	unsigned char point[2 * BURIN_MAX_ID];
	const struct row *r = NULL;
	CK_MECHANISM mech = { 0, NULL, 0 };
	union params params;
	size_t i;
	CK_RV rv;

	o->out_len = 0;
	for (i = 0; i < N_ROWS; i++)
		if (rows[i].mech == o->mech)
			r = &rows[i];
	if (r == NULL || !fits(k, r))
		return burin_fail(e, BURIN_EUSAGE, "operation-unfit",
		    "a key of type %s has no use for this operation",
		    burin_key_type_name(k->type));
	if (o->in_len > BURIN_MAX_OPERATION || o->salt > MAX_SALT ||
	    (r->op == P11_DERIVE && o->in_len > sizeof(point)))
		return burin_fail(e, BURIN_EUSAGE, "operation-length",
		    "the operation takes more than a key can use");
	mech.mechanism = r->type;
	set_params(k, o, point, &params, &mech);
	p11_key_lock(k);
	o->out_len = o->room;
	rv = p11_do(k, r->op, &mech, r->op == P11_DERIVE ? NULL : o->in,
	    r->op == P11_DERIVE ? 0 : o->in_len, o->out, &o->out_len);
	if (rv != CKR_OK) {
		o->out_len = 0;
		if (e != NULL)
			*e = k->last;
	}
	p11_key_unlock(k);
	if (rv == CKR_OK)
		return 0;
	if (e != NULL && e->status == BURIN_OK)
		burin_fail(e, BURIN_EREFUSED, "operation-failed",
		    "the key did not do it (%s)", p11_ckr_name(rv));
	if (e != NULL && e->ckr == 0)
		e->ckr = rv;
	return -1;
}
