/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking an authority for something without a job: the options, the key or
 * the secret that says who asks.
 */

#include <stdlib.h>
#include <string.h>

#include "service.h"
#include "work.h"

/* --- as whom -------------------------------------------------------------- */

static int
give_secret(void *arg, struct burin_secret **out, struct burin_error *e)
{
	const struct service *s = arg;

	if (source_read(s->secret, "enrolment secret", 0, out, e) != 0)
		return burin_error_step(e, "secret");
	return 0;
}

/* Who has a name and a secret uses them; else the key speaks for itself. */
static int
set_identity(struct cli *c, struct service *s, struct burin_error *e)
{
	struct transport_config *config = &s->config;

	config->user = arg_value(c->args, "user");
	s->secret = arg_value(c->args, "secret");
	config->reenroll = config->user == NULL;
	if (config->user == NULL && s->secret != NULL)
		return burin_fail(e, BURIN_EUSAGE, "option-missing",
		    "--secret needs --user, which says whose it is");
	if (config->user == NULL)
		return 0;
	if (s->secret == NULL)
		s->secret = "prompt";
	if (source_check(s->secret, e) != 0)
		return burin_error_step(e, "secret");
	config->secret = give_secret;
	config->arg = s;
	return 0;
}

static int
set_trust(struct cli *c, struct service *s, struct burin_error *e)
{
	const char *path = arg_value(c->args, "tls-trust");
	const char *trust = arg_value(c->args, "trust");

	if (path == NULL && work_required(c, "trust", &path, e) != 0)
		return -1;
	if (work_certs(path, &s->config.tls_anchors, e) != 0)
		return -1;
	return trust != NULL ? work_certs(trust, &s->config.anchors, e) : 0;
}

/* --- how ------------------------------------------------------------------ */

/* Files are for the protocol that is of them, and for verbs that take it. */
static int
set_files(struct cli *c, struct service *s, struct burin_error *e)
{
	struct transport_config *config = &s->config;

	config->request_file = arg_value(c->args, "request-file");
	config->response_file = arg_value(c->args, "response-file");
	config->mime = arg_flag(c->args, "mime") > 0;
	if (config->protocol == NULL &&
	    (config->request_file != NULL || config->response_file != NULL))
		config->protocol = "file";
	if (config->protocol != NULL && strcmp(config->protocol, "file") == 0)
		return 0;
	if (config->request_file == NULL && config->response_file == NULL &&
	    !config->mime)
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "option-conflict",
	    "--request-file, --response-file and --mime are for --protocol "
	    "file");
}

static int
set_way(struct cli *c, struct service *s, const char *protocol,
    struct burin_error *e)
{
	struct transport_config *config = &s->config;

	config->protocol = arg_value(c->args, "protocol");
	config->proxy = arg_value(c->args, "proxy");
	config->stop = &cli_stop;
	if (set_files(c, s, e) != 0)
		return -1;
	if (config->protocol == NULL)
		config->protocol = protocol;
	if (strcmp(config->protocol, "file") != 0)
		return work_required(c, "ca", &config->url, e);
	return 0;
}

int
service_options(struct cli *c, struct service *s, const char *protocol,
    enum transport_service what, struct burin_error *e)
{
	struct transport_config *config = &s->config;

	if (set_way(c, s, protocol, e) != 0 || set_identity(c, s, e) != 0 ||
	    set_trust(c, s, e) != 0 ||
	    work_timeout(c, &config->timeout, e) != 0)
		return burin_error_step(e, "options");
	return transport_offers(config, what, e) == 0 &&
		transport_check(config, e) == 0
	    ? 0
	    : burin_error_step(e, "transport");
}

/* --- the key -------------------------------------------------------------- */

int
service_has_key(struct cli *c)
{
	return arg_value(c->args, "key") != NULL || c->wait.uri != NULL;
}

int
service_key(struct cli *c, struct service *s, struct burin_error *e)
{
	if (work_key(c, &s->key, e) != 0)
		return -1;
	if (burin_cert_read(s->key, &s->certs, e) != 0)
		return burin_error_step(e, "read-certificate");
	s->cert = burin_certs_for_key(s->certs, burin_key_public(s->key));
	if (s->cert != NULL)
		return 0;
	return burin_fail(e, BURIN_ETOKEN, "certificate-missing",
	    "the key has no certificate on its token");
}

int
service_speak(struct service *s, struct burin_error *e)
{
	struct transport_config *config = &s->config;

	if (config->user != NULL || s->key == NULL)
		return 0;
	if ((config->client_key = burin_key_evp(s->key, e)) == NULL)
		return burin_error_step(e, "find-key");
	config->client_cert = s->cert;
	return 0;
}

const char *
service_voice(const struct service *s)
{
	if (s->config.user != NULL)
		return "with a secret";
	return s->key != NULL ? "signed by the key" : "signed by nobody";
}

int
service_failed(struct service *s, const char *step, struct burin_error *e)
{
	if (s->key != NULL)
		(void)burin_key_last_error(s->key, e);
	return burin_error_step(e, step);
}

int
service_close(struct service *s, int rc, struct burin_error *e)
{
	if (rc != 0 && s->key != NULL)
		(void)burin_error_token(
		    e, "%s", burin_token_name(burin_key_token(s->key)));
	sk_X509_pop_free(s->config.tls_anchors, X509_free);
	sk_X509_pop_free(s->config.anchors, X509_free);
	sk_X509_pop_free(s->certs, X509_free);
	burin_key_free(&s->key);
	return rc;
}
