/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What several verbs do with their options: find the token or key, read
 * certificates, make a plan, drive the engine.
 */

#ifndef BURIN_WORK_H
#define BURIN_WORK_H

#include <time.h>

#include <burin/response.h>

#include "cli.h"

/* The value of an option that must be there: BURIN_EUSAGE names it. */
int work_required(
    struct cli *c, const char *name, const char **value, struct burin_error *e);
/* --out FILE; "-" and --json would both be standard output. */
int work_out(struct cli *c, const char **path, struct burin_error *e);
/* --token, and --key: found, c->json told. Needs and makes c->p11. */
int work_token(struct cli *c, int want_blank, struct burin_token **t,
    struct burin_error *e);
int work_key(struct cli *c, struct burin_key **k, struct burin_error *e);
/* The same for a verb that takes several: one of them, NULL the only one. */
int work_key_called(struct cli *c, const char *uri, struct burin_key **k,
    struct burin_error *e);
/* The job that the first word names; job_clear, also when it fails. */
int work_job(struct cli *c, struct job *job, struct burin_error *e);

/*
 * --dry-run: which slot a new key would have, what is lost there; refused as
 * the real thing would be. Says nothing on tokens without slots.
 */
int work_say_place(struct cli *c, struct burin_token *t, const char *slot,
    unsigned usage, int replace, struct burin_error *e);
int work_key_type(
    const char *name, enum burin_key_type *type, struct burin_error *e);
/* "sign,decrypt" to BURIN_USE_*. */
int work_usage(const char *text, unsigned *usage, struct burin_error *e);
/* A whole number from min to max, for the option called name. */
int work_number(const char *name, const char *text, long min, long max,
    long *out, struct burin_error *e);

/* --timeout; *seconds stays what it is without it. */
int work_timeout(struct cli *c, long *seconds, struct burin_error *e);

/* The certificates of a file; sk_X509_pop_free. */
int work_certs(const char *path, STACK_OF(X509) * *out, struct burin_error *e);
/* The same, of a file that may be of other kinds: parse takes it apart. */
typedef int work_parse(const unsigned char *data, size_t len, void *arg,
    STACK_OF(X509) * *out, struct burin_error *e);
int work_certs_by(const char *path, work_parse *parse, void *arg,
    STACK_OF(X509) * *out, struct burin_error *e);
/* The same as PEM text: free(). */
int work_certs_pem(const char *path, char **pem, struct burin_error *e);
/* Certificates as PEM blocks: free() data. */
int work_pem(
    STACK_OF(X509) * certs, char **pem, size_t *len, struct burin_error *e);

/* Everything the subject, key and transport options say. */
int work_plan(struct cli *c, struct plan *p, struct burin_error *e);
/* The same for the renewal of key's certificate; token is left open. */
int work_plan_renew(
    struct cli *c, const char *key, struct plan *p, struct burin_error *e);
/* Subject options only, and those of the request's form (request). */
int work_plan_subject(struct cli *c, struct plan *p, struct burin_error *e);
int work_plan_form(struct cli *c, struct plan *p, struct burin_error *e);

/* Checks the plan, then carries it out as a job of this verb. */
int enroll_plan(struct cli *c, const struct plan *plan, const char *verb,
    struct burin_error *e);
/* Makes modules and journal, fills en. */
int work_engine(struct cli *c, struct engine *en, struct burin_error *e);
/* Walks job, tells c->json and the user how it went. */
int work_run(
    struct cli *c, struct engine *en, struct job *job, struct burin_error *e);
/* The first Ctrl-C sets cli_stop, the second one ends the program. */
void work_catch_signals(void);
/* Key, certificate and validity in lines for people. */
void work_say_identity(struct cli *c, struct burin_key *key, X509 *cert);
/* Puts calls and seconds since start (CLOCK_MONOTONIC) into c->json. */
void work_cost(struct cli *c, const struct timespec *start);

/* --- consumer.c -------------------------------------------------------- */

struct consumer_result {
	enum burin_check_level level; /* PASS, WARN or FAIL */
	char text[256];		      /* what was seen */
};
/*
 * Runs burin-consumer-check on key in a child, 30 seconds at most. -1 only
 * when the child cannot be run.
 */
int consumer_run(struct cli *c, struct burin_key *key,
    struct consumer_result *out, struct burin_error *e);
/* The callback of struct engine. A warning is a note, no failure. */
int consumer_check(void *arg, const char *key_uri, struct burin_error *e);

#endif
