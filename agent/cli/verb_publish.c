/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin publish, burin unpublish: what others are to find where they look
 * certificates up, and what no longer.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <burin/names.h>

#include "service.h"
#include "verbs.h"
#include "work.h"

#define MAX_FILES 16

static const struct opt opts[] = {
	{ "key", 0, OPT_VALUE, "URI",
	    "signs the request; without FILE its certificate is meant" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt opts_place[] = {
	{ "method", 0, OPT_VALUE, "NAME",
	    "where: dontCare, x500, web or ldap (default: dontCare)" },
	{ "location", 0, OPT_VALUE, "URI", "the address there" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const groups[] = { opts, opts_place, opts_authority,
	opts_wait, opts_dry_run, opts_common, NULL };
static const struct opt *const groups_undo[] = { opts, opts_authority,
	opts_wait, opts_dry_run, opts_common, NULL };

/* RFC 4211 section 6.3: pubMethod */
static const char *const methods[] = {
	[BURIN_CMC_ANYWHERE] = "dontCare",
	[BURIN_CMC_X500] = "x500",
	[BURIN_CMC_WEB] = "web",
	[BURIN_CMC_LDAP] = "ldap",
};
#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

static int
read_place(
    struct cli *c, struct transport_publication *p, struct burin_error *e)
{
	const char *name = arg_value(c->args, "method");
	size_t i;

	p->uri = arg_value(c->args, "location");
	if (name == NULL)
		return 0;
	for (i = 0; i < N_METHODS; i++) {
		if (strcasecmp(name, methods[i]) == 0) {
			p->place = (enum burin_cmc_place)i;
			return 0;
		}
	}
	(void)burin_fail(e, BURIN_EUSAGE, "method-unknown",
	    "there is no way to publish called \"%.100s\"", name);
	(void)burin_error_rule(e, "RFC 4211 section 6.3");
	return burin_error_advice(e, "one of dontCare, x500, web, ldap");
}

/* --- which certificates ----------------------------------------------------
 */

/* Out of a file; the same one twice is one. */
static int
add_file(STACK_OF(X509) * certs, const char *path, struct burin_error *e)
{
	STACK_OF(X509) *more = NULL;
	int rc = 0;

	if (work_certs(path, &more, e) != 0)
		return -1;
	if (X509_add_certs(
		certs, more, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1)
		rc = burin_fail_memory(e);
	sk_X509_pop_free(more, X509_free);
	return rc;
}

static int
collect(struct cli *c, struct service *s, STACK_OF(X509) * certs,
    struct burin_error *e)
{
	const char *const *files;
	size_t i, n = arg_words(c->args, &files);

	for (i = 0; i < n; i++)
		if (add_file(certs, files[i], e) != 0)
			return -1;
	if (service_has_key(c) && service_key(c, s, e) != 0)
		return -1;
	if (n > 0)
		return 0;
	if (X509_add_cert(certs, s->cert, X509_ADD_FLAG_UP_REF) != 1)
		return burin_fail_memory(e);
	return 0;
}

/* Nothing is published in nobody's name. */
static int
check_options(struct cli *c, struct burin_error *e)
{
	const char *const *files;
	const char *protocol;
	size_t n = arg_words(c->args, &files);

	if (work_required(c, "protocol", &protocol, e) != 0)
		return -1;
	if (service_has_key(c) || (n > 0 && arg_value(c->args, "user") != NULL))
		return 0;
	(void)burin_fail(e, BURIN_EUSAGE, "option-missing",
	    n > 0 ? "nothing says who asks" : "--key is needed, or a FILE");
	return burin_error_advice(e,
	    "--key URI signs the request, --user NAME --secret SRC protects "
	    "it with a secret; certificates in files may be others than the "
	    "key's");
}

/* --- said ------------------------------------------------------------------
 */

static void
tell(struct cli *c, const struct service *s,
    const struct transport_publication *p)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < sk_X509_num(p->certs); i++) {
		X509 *cert = sk_X509_value(p->certs, i);

		work_say_identity(c, i == 0 ? s->key : NULL, cert);
		if (list != NULL)
			(void)json_array_append_new(list, json_cert(cert));
	}
	out_json(c, "certificates", list);
	out_json(c, "protocol", json_text(s->config.protocol));
	if (!p->unpublish)
		out_json(c, "method", json_text(methods[p->place]));
	if (c->dry_run)
		out_text(c, "would ask %s (%s), %s, to %s %d %s", s->config.url,
		    s->config.protocol, service_voice(s),
		    p->unpublish ? "no longer publish" : "publish", i,
		    i == 1 ? "certificate" : "certificates");
}

/* --- all of it -------------------------------------------------------------
 */

static int
ask(struct cli *c, struct service *s, const struct transport_publication *p,
    struct burin_error *e)
{
	if (service_speak(s, e) != 0)
		return -1;
	work_catch_signals();
	if (transport_publish(&s->config, p, e) != 0)
		return service_failed(s, "publish", e);
	out_text(c, p->unpublish ? "no longer published" : "published");
	return 0;
}

static int
carry_out(struct cli *c, struct service *s, struct transport_publication *p,
    struct burin_error *e)
{
	if (check_options(c, e) != 0 || read_place(c, p, e) != 0)
		return burin_error_step(e, "options");
	if (service_options(c, s, NULL, TRANSPORT_PUBLICATION, e) != 0)
		return -1;
	if (collect(c, s, p->certs, e) != 0)
		return -1;
	tell(c, s, p);
	if (!c->dry_run && ask(c, s, p, e) != 0)
		return -1;
	out_json(c, p->unpublish ? "unpublished" : "published",
	    json_boolean(!c->dry_run));
	return 0;
}

static int
publish(struct cli *c, int undo, struct burin_error *e)
{
	struct transport_publication p;
	struct timespec start;
	struct service s;
	int rc = -1;

	memset(&s, 0, sizeof(s));
	memset(&p, 0, sizeof(p));
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	p.unpublish = undo;
	if ((p.certs = sk_X509_new_null()) == NULL)
		(void)burin_fail_memory(e);
	else if ((rc = carry_out(c, &s, &p, e)) == 0)
		work_cost(c, &start);
	sk_X509_pop_free(p.certs, X509_free);
	return service_close(&s, rc, e);
}

static int
run(struct cli *c, struct burin_error *e)
{
	return publish(c, 0, e);
}

static int
run_undo(struct cli *c, struct burin_error *e)
{
	return publish(c, 1, e);
}

const struct verb verb_publish = {
	.name = "publish",
	.usage = "--key URI [FILE...] --protocol cmc --ca URL --trust FILE",
	.help = "have the authority publish certificates",
	.opts = groups,
	.max_words = MAX_FILES,
	.run = run,
};

const struct verb verb_unpublish = {
	.name = "unpublish",
	.usage = "--key URI [FILE...] --protocol cmc --ca URL --trust FILE",
	.help = "have the authority publish certificates no longer",
	.opts = groups_undo,
	.max_words = MAX_FILES,
	.run = run_undo,
};
