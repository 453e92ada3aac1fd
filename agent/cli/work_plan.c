/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From options to the plan of an enrolment.
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../enroll/profile_dir.h"
#include "../transport/transport.h"
#include "work.h"

#define MAX_TIMEOUT (24 * 3600) /* seconds */

static int
set(struct cli *c, const char *option, char **field, struct burin_error *e)
{
	const char *value = arg_value(c->args, option);

	if (value == NULL)
		return 0;
	if ((*field = strdup(value)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

static int
set_list(struct cli *c, const char *option, struct texts *field,
    struct burin_error *e)
{
	const char *const *list;
	size_t i, n = arg_list(c->args, option, &list);

	for (i = 0; i < n; i++)
		if (texts_add(field, list[i], e) != 0)
			return -1;
	return 0;
}

/* Files are named from the root: resume runs in another directory. */
static int
set_path(struct cli *c, const char *option, char **field, struct burin_error *e)
{
	const char *value = arg_value(c->args, option);
	char cwd[PATH_MAX];

	if (value == NULL || value[0] == '/' || strcmp(value, "-") == 0)
		return set(c, option, field, e);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return burin_fail(e, BURIN_EINTERNAL, "file-name",
		    "the current directory has no name");
	if (asprintf(field, "%s/%s", cwd, value) < 0) {
		*field = NULL;
		return burin_fail_memory(e);
	}
	return 0;
}

static int
set_secret_source(struct cli *c, struct plan *p, struct burin_error *e)
{
	const char *src = arg_value(c->args, "secret");
	char cwd[PATH_MAX];

	/* Asked for only if the authority wants it. */
	if (src == NULL)
		src = "prompt";
	if (source_check(src, e) != 0)
		return burin_error_step(e, "secret");
	if (strncmp(src, "file:", 5) == 0 && src[5] != '/' &&
	    getcwd(cwd, sizeof(cwd)) != NULL) {
		if (asprintf(&p->secret_source, "file:%s/%s", cwd, src + 5) <
		    0) {
			p->secret_source = NULL;
			return burin_fail_memory(e);
		}
		return 0;
	}
	if ((p->secret_source = strdup(src)) == NULL)
		return burin_fail_memory(e);
	return 0;
}

static int
set_attestation(struct cli *c, struct plan *p, struct burin_error *e)
{
	const char *form = arg_value(c->args, "attestation");
	enum burin_attest_form known;

	if (form == NULL)
		return 0;
	if (form[0] == '\0')
		form = burin_attest_form_name(BURIN_ATTEST_YUBICO);
	if ((p->attestation = strdup(form)) == NULL)
		return burin_fail_memory(e);
	return plan_attestation_form(p, &known, e);
}

int
work_plan_subject(struct cli *c, struct plan *p, struct burin_error *e)
{
	size_t len;

	if (set(c, "profile", &p->profile_name, e) != 0 ||
	    set(c, "identity", &p->identity, e) != 0 ||
	    set(c, "subject", &p->dn, e) != 0 ||
	    set_list(c, "san", &p->sans, e) != 0 ||
	    set_list(c, "eku", &p->ekus, e) != 0 ||
	    set_list(c, "ext", &p->exts, e) != 0 ||
	    set_list(c, "prefix", &p->prefixes, e) != 0 ||
	    set_list(c, "attribute", &p->attributes, e) != 0 ||
	    set_attestation(c, p, e) != 0)
		return -1;
	if (p->profile_name != NULL &&
	    profile_load(p->profile_name, &p->profile_text, &len, e) != 0)
		return burin_error_step(e, "profile");
	return 0;
}

int
work_plan_form(struct cli *c, struct plan *p, struct burin_error *e)
{
	const char *path = arg_value(c->args, "pop-cert");

	if (set(c, "format", &p->format, e) != 0 ||
	    set(c, "inner", &p->inner, e) != 0 ||
	    set(c, "pop", &p->pop, e) != 0 ||
	    set(c, "reg-info", &p->reg_info, e) != 0)
		return -1;
	p->legacy = arg_flag(c->args, "legacy") > 0;
	if (path != NULL && work_certs_pem(path, &p->pop_cert, e) != 0)
		return -1;
	if ((path = arg_value(c->args, "encrypt-to")) != NULL &&
	    work_certs_pem(path, &p->encrypt_to, e) != 0)
		return -1;
	return plan_check_form(p, e);
}

/* What only messages of CMC can carry. */
static int
check_form(const struct plan *p, struct burin_error *e)
{
	if (p->format != NULL && strcmp(p->format, "pkcs10") != 0 &&
	    strcmp(p->format, "cmc") != 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "format-unknown",
		    "--format is pkcs10 or cmc here, not \"%s\"", p->format);
		return burin_error_advice(e,
		    "--format cmc --inner crmf asks in CRMF; burin request "
		    "writes other forms to a file");
	}
	if (plan_speaks_cmc(p)) {
		if (transport_carries(p->protocol) != TRANSPORT_PKCS10)
			return 0;
		(void)burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "the protocol %s takes PKCS#10 requests, not CMC",
		    p->protocol);
		return burin_error_advice(e,
		    "--protocol cmc, or est-cmc where the authority speaks "
		    "EST");
	}
	/* In EST for a change of names: the encoding of RFC 6402. */
	if (p->inner == NULL && p->reg_info == NULL && p->encrypt_to == NULL &&
	    (!p->legacy ||
		(p->reenroll_key != NULL &&
		    transport_keeps_names(p->protocol))))
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "option-conflict",
	    "--inner, --reg-info, --encrypt-to and --legacy are for CMC, and "
	    "this request is a PKCS#10 alone");
}

static int
set_reenroll(struct cli *c, struct plan *p, struct burin_error *e)
{
	const char *uri = arg_value(c->args, "reenroll");

	if (uri == NULL)
		return 0;
	if (uri[0] == '\0')
		uri = p->key;
	if (uri == NULL) {
		(void)burin_fail(e, BURIN_EUSAGE, "reenroll-key",
		    "--reenroll needs the key whose certificate is renewed");
		return burin_error_advice(e,
		    "--key URI --reenroll renews for the same key, "
		    "--token URI --reenroll=URI makes a new one");
	}
	if ((p->reenroll_key = strdup(uri)) == NULL)
		return burin_fail_memory(e);
	/* The renewed certificate takes the place of the old one. */
	if (p->key != NULL && strcmp(uri, p->key) == 0)
		p->replace = 1;
	return 0;
}

static int
set_key(struct cli *c, struct plan *p, struct burin_error *e)
{
	const char *usage = arg_value(c->args, "usage");
	enum burin_key_type type;

	if (set(c, "token", &p->token, e) != 0 ||
	    set(c, "key", &p->key, e) != 0 ||
	    set(c, "slot", &p->slot, e) != 0 ||
	    set(c, "type", &p->key_type, e) != 0 ||
	    set(c, "label", &p->label, e) != 0)
		return -1;
	if (p->token == NULL && p->key == NULL && c->wait.uri != NULL &&
	    (p->token = strdup(c->wait.uri)) == NULL)
		return burin_fail_memory(e);
	if ((p->token == NULL) == (p->key == NULL)) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-missing",
		    p->token == NULL ? "neither --token nor --key is given"
				     : "both --token and --key are given");
		return burin_error_advice(e,
		    "--token URI makes a new key there, --key URI uses one "
		    "that is there");
	}
	if (p->key != NULL &&
	    (p->key_type != NULL || usage != NULL || p->slot != NULL ||
		arg_flag(c->args, "always-authenticate")))
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--type, --usage, --slot and --always-authenticate are for "
		    "a new key, and --key names one that is there");
	if (p->key_type != NULL && work_key_type(p->key_type, &type, e) != 0)
		return -1;
	if (usage != NULL && work_usage(usage, &p->usage, e) != 0)
		return -1;
	p->always_authenticate = arg_flag(c->args, "always-authenticate") > 0;
	return 0;
}

int
work_timeout(struct cli *c, long *seconds, struct burin_error *e)
{
	const char *text = arg_value(c->args, "timeout");

	if (text == NULL)
		return 0;
	return work_number("timeout", text, 1, MAX_TIMEOUT, seconds, e);
}

static int
set_transport(struct cli *c, struct plan *p, struct burin_error *e)
{
	const char *path;

	if (set(c, "protocol", &p->protocol, e) != 0 ||
	    set(c, "cmp-command", &p->cmp_command, e) != 0 ||
	    set(c, "ca", &p->url, e) != 0 || set(c, "user", &p->user, e) != 0 ||
	    set(c, "ca-fingerprint", &p->ca_fingerprint, e) != 0 ||
	    set(c, "proxy", &p->proxy, e) != 0 ||
	    set_path(c, "request-file", &p->request_file, e) != 0 ||
	    set_secret_source(c, p, e) != 0)
		return -1;
	p->mime = arg_flag(c->args, "mime") > 0;
	if (p->protocol == NULL &&
	    (p->protocol = strdup(p->request_file != NULL ? "file" : "est")) ==
		NULL)
		return burin_fail_memory(e);
	if (p->mime && strcmp(p->protocol, "file") != 0)
		return burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--mime is for --protocol file");
	if ((path = arg_value(c->args, "trust")) != NULL &&
	    work_certs_pem(path, &p->trust, e) != 0)
		return -1;
	if ((path = arg_value(c->args, "tls-trust")) != NULL &&
	    work_certs_pem(path, &p->tls_trust, e) != 0)
		return -1;
	return work_timeout(c, &p->timeout, e);
}

static int
set_words(struct cli *c, struct plan *p, struct burin_error *e)
{
	if (work_plan_subject(c, p, e) != 0 || work_plan_form(c, p, e) != 0 ||
	    set_transport(c, p, e) != 0)
		return -1;
	p->consumer_check = arg_flag(c->args, "consumer-check") > 0;
	return check_form(p, e);
}

int
work_plan_renew(
    struct cli *c, const char *key, struct plan *p, struct burin_error *e)
{
	int rekey = arg_flag(c->args, "rekey") > 0;

	if ((p->reenroll_key = strdup(key)) == NULL)
		return burin_fail_memory(e);
	if (set(c, "type", &p->key_type, e) != 0 ||
	    set(c, "slot", &p->slot, e) != 0 ||
	    set(c, "label", &p->label, e) != 0 || set_words(c, p, e) != 0)
		return burin_error_step(e, "plan");
	if (!rekey &&
	    (p->key_type != NULL || p->slot != NULL || p->label != NULL)) {
		(void)burin_fail(e, BURIN_EUSAGE, "option-conflict",
		    "--type, --slot and --label are for a new key");
		(void)burin_error_advice(e, "add --rekey");
		return burin_error_step(e, "plan");
	}
	if (!rekey && (p->key = strdup(key)) == NULL)
		return burin_fail_memory(e);
	/* The renewed certificate takes the place of the old one. */
	p->replace = !rekey || arg_flag(c->args, "replace") > 0;
	return 0;
}

int
work_plan(struct cli *c, struct plan *p, struct burin_error *e)
{
	if (set_key(c, p, e) != 0 || set_words(c, p, e) != 0)
		return burin_error_step(e, "plan");
	p->replace = arg_flag(c->args, "replace") > 0;
	if (set_reenroll(c, p, e) != 0)
		return burin_error_step(e, "plan");
	return 0;
}
