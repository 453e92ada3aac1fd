/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * burin authority serve: in two processes, the worker that has the token and
 * its child that answers requests (docs/decisions/0014-keeper-and-front.md).
 */

#include <unistd.h>

#include "../authority/authority.h"
#include "front.h"
#include "verbs.h"
#include "worker.h"

static const struct opt serve_opts[] = {
	{ "listen", 0, OPT_VALUE, "HOST:PORT",
	    "where it answers (127.0.0.1:8443); port 0: any" },
	{ "http-listen", 0, OPT_VALUE, "HOST:PORT",
	    "where CRL and CA certificate are without TLS (nowhere)" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
static const struct opt *const serve_groups[] = { serve_opts, opts_common,
	NULL };

/* --- the front ---------------------------------------------------------------
 */

/* The one ready line; with --json it is the one object of this verb. */
static void
ready(void *arg, const struct authority_ready *r)
{
	struct cli *c = arg;

	if (c->json != NULL) {
		out_json(c, "status", json_string("ready"));
		out_json(c, "url", json_text(r->url));
		if (r->http_url != NULL)
			out_json(c, "http_url", json_text(r->http_url));
		out_json(c, "landlock", json_integer(r->landlock));
		(void)json_dumpf(c->json, stdout, JSON_COMPACT);
		(void)fputc('\n', stdout);
		json_decref(c->json);
		c->json = NULL;
	} else {
		(void)printf("ready %s%s%s\n", r->url,
		    r->http_url != NULL ? " " : "",
		    r->http_url != NULL ? r->http_url : "");
	}
	(void)fflush(stdout);
}

/* What it has to say of itself goes to the keeper, which tells the user. */
static void
be_front(struct cli *c, const char *dir, int fd)
{
	struct authority_serving in = { .listen = arg_value(c->args, "listen"),
		.http_listen = arg_value(c->args, "http-listen"),
		.ready = ready,
		.arg = c };
	int rc;

	front_begins(c);
	if (in.listen == NULL)
		in.listen = "127.0.0.1:8443";
	rc = authority_front(dir, fd, &in);
	front_ends(c, rc);
}

/* --- the keeper --------------------------------------------------------------
 */

/* The front has written the object. */
static void
front_is_ready(void *arg)
{
	struct cli *c = arg;

	worker_answers(c);
	json_decref(c->json);
	c->json = NULL;
}

static int
run_serve(struct cli *c, struct burin_error *e)
{
	struct authority_front f = { .ready = front_is_ready, .arg = c };
	const char *const *words;

	(void)arg_words(c->args, &words);
	/* Before there is a module, a PIN, a journal or a thread. */
	if (authority_fork(getppid(), &f, e) != 0)
		return -1;
	if (f.pid == 0)
		be_front(c, words[0], f.fd);
	return front_keep(c, words[0], &f, e);
}

const struct verb verb_authority_serve = {
	.name = "authority",
	.sub = "serve",
	.usage = "DIR",
	.help = "answer enrolments (EST over HTTPS) until stopped",
	.opts = serve_groups,
	.min_words = 1,
	.max_words = 1,
	.run = run_serve,
};
