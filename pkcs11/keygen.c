/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a key pair on a token (PKCS#11 2.40 section 5.13,
 * C_GenerateKeyPair): the portable template first, then with fewer
 * attributes that the token need not be told; what it made is read back.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include <burin/names.h>

#include "object.h"
#include "quirk.h"

#define RANDOM_ID 20 /* bytes of a CKA_ID when the caller has none */

/* --- what the token says it can ---------------------------------------- */

static const CK_MECHANISM_TYPE mechanisms[P11_N_KEYGEN] = {
	CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN,
	CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_MONTGOMERY_KEY_PAIR_GEN
};

static CK_RV
mechanism_info(
    struct burin_token *t, CK_MECHANISM_TYPE mech, CK_MECHANISM_INFO *info)
{
	CK_RV rv;
	size_t i;

	for (i = 0; i < P11_N_KEYGEN && mechanisms[i] != mech; i++)
		continue;
	if (i == P11_N_KEYGEN)
		return CKR_MECHANISM_INVALID;
	if (!t->keygen[i].asked) {
		rv = p11_GetMechanismInfo(
		    t->m, t->slot, mech, &t->keygen[i].info);
		t->keygen[i].rv = rv;
		/* Other answers speak of the moment, not of the token. */
		t->keygen[i].asked =
		    rv == CKR_OK || rv == CKR_MECHANISM_INVALID;
		if (!t->keygen[i].asked)
			p11_note_rv(t, rv);
	}
	*info = t->keygen[i].info;
	return t->keygen[i].rv;
}

CK_RV
p11_can_go(struct burin_token *t, const struct key_type *type,
    const struct key_way *way)
{
	CK_MECHANISM_INFO info;
	CK_RV rv;

	rv = mechanism_info(t, way->mech, &info);
	if (rv != CKR_OK)
		return rv;
	/* 0: the module does not say. */
	if ((info.ulMaxKeySize != 0 && info.ulMaxKeySize < type->at_least) ||
	    info.ulMinKeySize > type->at_most)
		return CKR_KEY_SIZE_RANGE;
	return CKR_OK;
}

/* RSA has one way, without parameters; each way of a curve has them. */
static int
is_way(const struct key_type *type, size_t i)
{
	return i == 0 || (i < P11_MAX_WAYS && type->ways[i].params != NULL);
}

/* The token said that it does not make such keys. */
static int
is_no(CK_RV rv)
{
	return rv == CKR_MECHANISM_INVALID || rv == CKR_KEY_SIZE_RANGE;
}

static int
fail_type(struct burin_token *t, const struct key_type *type,
    const char *function, CK_RV rv, struct burin_error *e)
{
	if (!is_no(rv))
		return p11_failed(t, function, rv, e);
	burin_fail(e, BURIN_EREFUSED, "type-not-offered",
	    "the token cannot make %s keys (%s)", type->name, p11_ckr_name(rv));
	if (e != NULL)
		e->ckr = rv;
	burin_error_token(e, "%s", t->name);
	return burin_error_advice(
	    e, "burin tokens shows the key types that it makes");
}

int
burin_token_check_generate(
    struct burin_token *t, enum burin_key_type type, struct burin_error *e)
{
	const struct key_type *kt = p11_key_type(type);
	CK_RV rv = CKR_MECHANISM_INVALID;
	size_t i;

	if (kt == NULL)
		return burin_fail(e, BURIN_EUSAGE, "key-type-unknown",
		    "this is no type of a key that can be made");
	p11_lock(t->m);
	if ((p11_quirk(t)->broken & QUIRK_TYPE(type)) == 0)
		for (i = 0; is_no(rv) && is_way(kt, i); i++)
			rv = p11_can_go(t, kt, &kt->ways[i]);
	p11_unlock(t->m);
	if (rv == CKR_OK)
		return 0;
	fail_type(t, kt, "C_GetMechanismInfo", rv, e);
	return burin_error_step(e, "keygen");
}

int
burin_token_can_generate(struct burin_token *t, enum burin_key_type type)
{
	return burin_token_check_generate(t, type, NULL) == 0;
}

/* --- templates --------------------------------------------------------- */

/*
 * What is asked for, from the portable template of most tokens down to what
 * ykcs11 takes. Whatever is left out is proved by reading it back.
 */
static const struct rung {
	int not_extractable; /* EXTRACTABLE and uses it is not for */
	int uses;	     /* SENSITIVE, PRIVATE, uses it is for */
	int label;
} rungs[] = {
	{ 1, 1, 1 },
	{ 0, 1, 1 },
	{ 0, 0, 1 },
	{ 0, 0, 0 },
};

#define N_RUNGS (sizeof(rungs) / sizeof(rungs[0]))

/* One generation under way. */
struct gen {
	struct burin_key *k; /* id, label and usage are set */
	const struct key_type *type;
	const struct burin_key_spec *spec;
	CK_OBJECT_HANDLE pub, priv;
};

static void
add_use(
    struct attrs *a, CK_ATTRIBUTE_TYPE type, int use, const struct rung *rung)
{
	if (use ? rung->uses : rung->not_extractable)
		attrs_add_bool(a, type, use);
}

static void
add_names(const struct gen *g, const struct rung *rung, struct attrs *a)
{
	attrs_add_bool(a, CKA_TOKEN, 1);
	attrs_add(a, CKA_ID, g->k->id, g->k->id_len);
	if (rung->label && g->k->label[0] != '\0')
		attrs_add(a, CKA_LABEL, g->k->label, strlen(g->k->label));
}

static void
private_template(const struct gen *g, const struct rung *rung, struct attrs *a)
{
	unsigned usage = g->k->usage;

	add_names(g, rung, a);
	if (rung->uses) {
		attrs_add_bool(a, CKA_PRIVATE, 1);
		attrs_add_bool(a, CKA_SENSITIVE, 1);
	}
	if (rung->not_extractable)
		attrs_add_bool(a, CKA_EXTRACTABLE, 0);
	add_use(a, CKA_SIGN, (usage & BURIN_USE_SIGN) != 0, rung);
	add_use(a, CKA_DECRYPT, (usage & BURIN_USE_DECRYPT) != 0, rung);
	add_use(a, CKA_DERIVE, (usage & BURIN_USE_DERIVE) != 0, rung);
	if (g->spec->always_authenticate && rung->uses)
		attrs_add_bool(a, CKA_ALWAYS_AUTHENTICATE, 1);
}

static void
public_template(const struct gen *g, const struct key_way *way,
    const struct rung *rung, struct attrs *a)
{
	static const unsigned char f4[] = { 0x01, 0x00, 0x01 };
	unsigned usage = g->k->usage;

	add_names(g, rung, a);
	if (rung->not_extractable)
		attrs_add_bool(a, CKA_PRIVATE, 0);
	add_use(a, CKA_VERIFY, (usage & BURIN_USE_SIGN) != 0, rung);
	add_use(a, CKA_ENCRYPT, (usage & BURIN_USE_DECRYPT) != 0, rung);
	if (way->params != NULL) {
		attrs_add(a, CKA_EC_PARAMS, way->params, way->params_len);
		return;
	}
	attrs_add_number(a, CKA_MODULUS_BITS, (CK_ULONG)g->type->bits);
	attrs_add(a, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
}

/* --- the ladder -------------------------------------------------------- */

/* Answers of tokens that do not know or want one of the attributes. */
static int
fewer_may_do(CK_RV rv)
{
	return rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	    rv == CKR_ATTRIBUTE_VALUE_INVALID ||
	    rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_GENERAL_ERROR;
}

/* Answers of tokens that want another mechanism or other parameters. */
static int
other_way_may_do(CK_RV rv)
{
	return fewer_may_do(rv) || rv == CKR_MECHANISM_INVALID ||
	    rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_KEY_SIZE_RANGE ||
	    rv == CKR_CURVE_NOT_SUPPORTED || rv == CKR_DOMAIN_PARAMS_INVALID;
}

/* *rv is the module's answer; -1 when it was not even asked. */
static int
generate_once(struct gen *g, const struct key_way *way, const struct rung *rung,
    CK_RV *rv, struct burin_error *e)
{
	struct burin_token *t = g->k->t;
	CK_MECHANISM mech = { way->mech, NULL, 0 };
	struct attrs pub = { 0 }, priv = { 0 };
	CK_SESSION_HANDLE s;
	int rc = -1;

	private_template(g, rung, &priv);
	public_template(g, way, rung, &pub);
	if (attrs_ok(&priv, e) == -1 || attrs_ok(&pub, e) == -1 ||
	    p11_write_session(t, &s, e) == -1)
		goto out;
	*rv = p11_GenerateKeyPair(
	    t->m, s, &mech, pub.a, pub.n, priv.a, priv.n, &g->pub, &g->priv);
	if (*rv != CKR_OK)
		p11_drop_work(t);
	rc = 0;
out:
	attrs_clear(&pub);
	attrs_clear(&priv);
	return rc;
}

static int
climb(
    struct gen *g, const struct key_way *way, CK_RV *rv, struct burin_error *e)
{
	size_t i, first = p11_quirk(g->k->t)->rung;

	for (i = first; i < N_RUNGS; i++) {
		if (i > first)
			p11_note(g->k->t->m->owner,
			    "key generation: %s, again with fewer attributes",
			    p11_ckr_name(*rv));
		if (generate_once(g, way, &rungs[i], rv, e) == -1)
			return -1;
		if (!fewer_may_do(*rv))
			return 0;
	}
	return 0;
}

static int
generate(struct gen *g, struct burin_error *e)
{
	const struct key_way *way;
	CK_RV rv = CKR_MECHANISM_INVALID;
	size_t i;

	for (i = 0; is_way(g->type, i); i++) {
		way = &g->type->ways[i];
		rv = p11_can_go(g->k->t, g->type, way);
		if (is_no(rv))
			continue;
		if (climb(g, way, &rv, e) == -1)
			return -1;
		if (rv == CKR_OK)
			return 0;
		if (!other_way_may_do(rv))
			break;
	}
	return fail_type(g->k->t, g->type, "C_GenerateKeyPair", rv, e);
}

/* --- the whole --------------------------------------------------------- */

static int
check_spec(struct burin_token *t, const struct burin_key_spec *spec,
    const struct key_type *kt, struct burin_error *e)
{
	if (kt == NULL)
		return burin_fail(e, BURIN_EUSAGE, "key-type-unknown",
		    "a key type is needed to make a key");
	if ((spec->usage & ~kt->can) != 0) {
		burin_fail(e, BURIN_EUSAGE, "usage-impossible",
		    "%s keys cannot be used that way", kt->name);
		return burin_error_advice(e,
		    "RSA keys sign and decrypt, EC keys sign and derive, "
		    "ed25519 and ed448 sign, x25519 derives");
	}
	if (spec->label != NULL && strlen(spec->label) > BURIN_MAX_LABEL)
		return burin_fail(e, BURIN_EUSAGE, "label-too-long",
		    "the label has more than %d bytes", BURIN_MAX_LABEL);
	if (spec->id != NULL &&
	    (spec->id_len == 0 || spec->id_len > BURIN_MAX_ID))
		return burin_fail(e, BURIN_EUSAGE, "id-length",
		    "a CKA_ID has 1 to %d bytes", BURIN_MAX_ID);
	if (spec->always_authenticate && p11_quirk(t)->always_auth_no != NULL) {
		burin_fail(e, BURIN_EREFUSED, "always-authenticate-harms", "%s",
		    p11_quirk(t)->always_auth_no);
		burin_error_token(e, "%s", t->name);
		return burin_error_advice(e, "leave --always-authenticate out");
	}
	return p11_check_place(
	    t, spec->id, spec->id != NULL ? spec->id_len : 0, e);
}

static int
set_names(struct burin_key *k, const struct burin_key_spec *spec,
    const struct key_type *kt, struct burin_error *e)
{
	k->usage = spec->usage != 0 ? spec->usage : kt->usage;
	if (spec->label != NULL)
		memcpy(k->label, spec->label, strlen(spec->label) + 1);
	k->id_len = spec->id != NULL ? spec->id_len : RANDOM_ID;
	if (spec->id != NULL)
		memcpy(k->id, spec->id, spec->id_len);
	else if (RAND_bytes(k->id, RANDOM_ID) != 1)
		return burin_fail_openssl(e, BURIN_EINTERNAL, "random",
		    "no random numbers to be had");
	return 0;
}

/*
 * A CKA_ID that is to stay must be free before: PIV modules put the new key
 * in the place of the old one without a word.
 */
static int
check_free(struct burin_key *k, struct burin_error *e)
{
	struct id_certs c = { 0 };
	CK_SESSION_HANDLE s;
	int rc;

	if (p11_work_session(k->t, &s, e) == -1 ||
	    p11_id_search(k, s, &c, e) == -1)
		return -1;
	rc = k->alone ? 0 : p11_fail_id_taken(k->t, e);
	p11_id_certs_clear(&c);
	return rc;
}

static int
read_public(struct gen *g, struct burin_error *e)
{
	struct burin_error why = BURIN_ERROR_INIT;
	struct burin_key *k = g->k;
	CK_SESSION_HANDLE s;
	EVP_PKEY *pub;
	CK_KEY_TYPE kt = g->type->ways[0].params != NULL ? CKK_EC : CKK_RSA;

	if (p11_work_session(k->t, &s, e) == -1)
		return -1;
	if (p11_public_read(k->t, s, k->pub, kt, &pub, &why) == -1) {
		/* A pair that is no pair; other failures are resumed. */
		if (why.status == BURIN_EREFUSED)
			p11_key_undo(k, &why);
		if (e != NULL && e->status == BURIN_OK)
			*e = why;
		return -1;
	}
	p11_key_set_public(k, pub);
	if (k->type == g->spec->type)
		return 0;
	burin_fail(e, BURIN_EREFUSED,
	    pub != NULL ? "key-type-wrong" : "public-key-missing",
	    pub != NULL ? "the token made another key than %s"
			: "the token does not show the public half of the "
			  "new %s key",
	    g->type->name);
	burin_error_token(e, "%s", k->t->name);
	burin_error_advice(e, "use another key type, or another token");
	p11_key_undo(k, e);
	return -1;
}

static int
keygen(struct gen *g, struct burin_error *e)
{
	struct burin_key *k = g->k;
	int rc;

	if (set_names(k, g->spec, g->type, e) == -1 ||
	    burin_token_login(k->t, e) == -1)
		return -1;
	k->generation = k->t->generation;
	if (p11_keeps_id(k->t, g->spec) && !g->spec->overwrite &&
	    check_free(k, e) == -1)
		return -1;
	rc = generate(g, e);
	p11_write_done(k->t);
	if (rc == -1)
		return -1;
	k->priv = g->priv;
	k->pub = g->pub;
	/* What was in the place before went with the key that had it. */
	if (p11_quirk(k->t)->renewal == RENEWAL_OVER)
		k->alone = 1;
	/* The first rung that a token takes may have cost sessions. */
	k->generation = k->t->generation;
	return read_public(g, e) == -1 ? -1 : p11_key_finish(k, g->spec, e);
}

int
burin_keygen(struct burin_token *t, const struct burin_key_spec *spec,
    struct burin_key **out, struct burin_error *e)
{
	struct gen g = { NULL, p11_key_type(spec->type), spec, 0, 0 };
	char *hex;
	int rc = -1;

	*out = NULL;
	p11_lock(t->m);
	if (check_spec(t, spec, g.type, e) == -1 ||
	    burin_token_check_write(t, e) == -1 ||
	    (g.k = p11_key_new(t, e)) == NULL || keygen(&g, e) == -1)
		goto out;
	*out = g.k;
	g.k = NULL;
	rc = 0;
out:
	p11_unlock(t->m);
	if (g.k != NULL && g.k->priv != CK_INVALID_HANDLE) {
		hex = burin_hex(g.k->id, g.k->id_len);
		burin_error_cause(e,
		    "the new key stays on the token, CKA_ID %s",
		    hex != NULL ? hex : "unknown");
		free(hex);
	}
	burin_key_free(&g.k);
	return rc == 0 ? 0 : burin_error_step(e, "keygen");
}
