/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON of certificates, checks and the report of an enrolment.
 */

#include <stdlib.h>

#include <burin/names.h>

#include "cli.h"

/* As json_text, and frees text. */
static json_t *
take(char *text)
{
	json_t *s = json_text(text);

	free(text);
	return s;
}

static json_t *
take_list(char **texts)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; list != NULL && texts != NULL && texts[i] != NULL; i++)
		(void)json_array_append_new(list, json_text(texts[i]));
	burin_texts_free(&texts);
	return list;
}

json_t *
json_cert(X509 *cert)
{
	json_t *o = json_object();
	char sha256[65];

	if (o == NULL)
		return NULL;
	(void)json_object_set_new(
	    o, "subject", take(burin_dn_text(X509_get_subject_name(cert))));
	(void)json_object_set_new(
	    o, "issuer", take(burin_dn_text(X509_get_issuer_name(cert))));
	(void)json_object_set_new(
	    o, "serial", take(burin_serial_text(X509_get0_serialNumber(cert))));
	(void)json_object_set_new(
	    o, "not_before", take(burin_time_text(X509_get0_notBefore(cert))));
	(void)json_object_set_new(
	    o, "not_after", take(burin_time_text(X509_get0_notAfter(cert))));
	if (burin_cert_sha256(cert, sha256, NULL) == 0)
		(void)json_object_set_new(o, "sha256", json_string(sha256));
	(void)json_object_set_new(o, "sans", take_list(burin_cert_sans(cert)));
	(void)json_object_set_new(o, "ekus", take_list(burin_cert_ekus(cert)));
	return o;
}

json_t *
json_checks(const struct burin_checks *checks)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; list != NULL && i < checks->n; i++) {
		const struct burin_check *ch = &checks->list[i];

		if ((o = json_object()) == NULL)
			break;
		(void)json_object_set_new(o, "id", json_text(ch->id));
		(void)json_object_set_new(o, "title", json_text(ch->title));
		(void)json_object_set_new(o, "rule", json_text(ch->rule));
		(void)json_object_set_new(
		    o, "level", json_text(burin_check_level_name(ch->level)));
		(void)json_object_set_new(o, "detail", json_text(ch->detail));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_steps(const struct engine_report *r)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; list != NULL && i < r->n_steps; i++) {
		const struct engine_step *s = &r->steps[i];

		if ((o = json_object()) == NULL)
			break;
		(void)json_object_set_new(o, "state", json_text(s->state));
		(void)json_object_set_new(o, "text", json_text(s->text));
		(void)json_object_set_new(o, "seconds", json_real(s->seconds));
		(void)json_object_set_new(
		    o, "calls", json_integer((json_int_t)s->calls));
		(void)json_array_append_new(list, o);
	}
	return list;
}

json_t *
json_report(const struct engine_report *r)
{
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	if (r->key != NULL) {
		(void)json_object_set_new(
		    o, "token", json_token(burin_key_token(r->key)));
		(void)json_object_set_new(o, "key", json_key(r->key));
	}
	if (r->cert != NULL)
		(void)json_object_set_new(o, "certificate", json_cert(r->cert));
	(void)json_object_set_new(o, "checks", json_checks(&r->checks));
	(void)json_object_set_new(o, "steps", json_steps(r));
	(void)json_object_set_new(
	    o, "calls", json_integer((json_int_t)r->calls));
	(void)json_object_set_new(o, "seconds", json_real(r->seconds));
	return o;
}
