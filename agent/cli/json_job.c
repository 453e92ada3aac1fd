/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A job of the journal as JSON.
 */

#include <stdlib.h>

#include <burin/names.h>
#include <burin/response.h>

#include "json_job.h"

static json_t *
json_time(time_t t)
{
	char text[32];
	struct tm tm;

	if (t == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

const char *
job_on_token(const struct job *job)
{
	switch (job->state) {
	case JOB_PLANNED:
		return job->made_id.len == 0
		    ? "nothing of this job"
		    : "maybe a new key, whole or in part, and no certificate "
		      "for it";
	case JOB_CHECKED:
		return "the key, and maybe its certificate";
	case JOB_WRITTEN:
	case JOB_CONFIRMED:
	case JOB_DONE:
		return "the key and its certificate, which was read back";
	case JOB_FAILED:
		return "nothing of this job";
	default:
		return job->key_made_by_us
		    ? "the new key, without its certificate"
		    : "the key as it was; nothing was written";
	}
}

const char *
job_next(const struct job *job, char *buf, size_t size)
{
	if (job->state == JOB_DONE)
		(void)snprintf(buf, size, "nothing");
	else if (job->state == JOB_FAILED && !job->key_made_by_us)
		(void)snprintf(buf, size, "nothing");
	else if (job_state_final(job->state))
		(void)snprintf(buf, size, "burin abandon %s", job->id);
	else
		/* A path: the request went there, somebody has the answer. */
		(void)snprintf(buf, size, "burin resume %s%s", job->id,
		    (job->state == JOB_PENDING ||
			job->confirm == CONFIRM_SAID) &&
			    job->server != NULL && job->server[0] == '/'
			? " --response-file FILE"
			: "");
	return buf;
}

static json_t *
json_job_key(const struct job *job)
{
	json_t *o = json_object();
	char *id;

	if (o == NULL)
		return NULL;
	(void)json_object_set_new(o, "uri", json_text(job->key_uri));
	id = burin_hex(job->key_id.data, job->key_id.len);
	(void)json_object_set_new(o, "id", json_text(id));
	free(id);
	(void)json_object_set_new(
	    o, "made_by_us", json_boolean(job->key_made_by_us));
	return o;
}

static json_t *
json_job_cert(const struct job *job)
{
	X509 *cert = NULL;
	json_t *o;

	if (job->certificate.len == 0 ||
	    burin_cert_parse(job->certificate.data, job->certificate.len,
		BURIN_EINTERNAL, &cert, NULL) != 0)
		return json_null();
	o = json_cert(cert);
	X509_free(cert);
	return o;
}

json_t *
json_job(const struct job *job)
{
	json_t *o = json_object(), *token = json_object();
	char next[96];

	if (o == NULL || token == NULL) {
		json_decref(o);
		json_decref(token);
		return NULL;
	}
	(void)json_object_set_new(o, "id", json_text(job->id));
	(void)json_object_set_new(
	    o, "state", json_text(job_state_name(job->state)));
	(void)json_object_set_new(o, "verb", json_text(job->verb));
	(void)json_object_set_new(o, "created", json_time(job->created));
	(void)json_object_set_new(o, "updated", json_time(job->updated));
	(void)json_object_set_new(token, "label", json_text(job->token_label));
	(void)json_object_set_new(
	    token, "serial", json_text(job->token_serial));
	(void)json_object_set_new(token, "uri", json_text(job->token_uri));
	(void)json_object_set_new(o, "token", token);
	(void)json_object_set_new(
	    o, "key", job->key_uri != NULL ? json_job_key(job) : json_null());
	(void)json_object_set_new(o, "certificate", json_job_cert(job));
	(void)json_object_set_new(o, "server", json_text(job->server));
	(void)json_object_set_new(o, "retry_at", json_time(job->retry_at));
	(void)json_object_set_new(o, "error",
	    job->error.status != BURIN_OK ? json_error(&job->error)
					  : json_null());
	(void)json_object_set_new(
	    o, "calls", json_integer((json_int_t)job->calls));
	(void)json_object_set_new(o, "seconds", json_real(job->seconds));
	(void)json_object_set_new(
	    o, "next", json_text(job_next(job, next, sizeof(next))));
	return o;
}
