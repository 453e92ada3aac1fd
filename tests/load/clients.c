/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * load-clients URL ANCHOR SECRETS RESULTS CERTS THREADS: enrols everybody of
 * SECRETS, THREADS at once. RESULTS has a line for each as it ends, of its
 * name, "ok", serial number, kind, milliseconds and tries, or its name,
 * "failed" and why; CERTS what they got. Standard output says how it went
 * in one line of JSON.
 */

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <openssl/pem.h>

#include "load.h"

#define MAX_THREADS 250
#define PER_ADDRESS 10 /* threads; each has two connections at most */

struct crowd {
	struct load load;
	atomic_size_t next;
	pthread_mutex_t lock; /* of results */
	FILE *results;
};
struct member {
	struct crowd *crowd;
	pthread_t thread;
	char address[32];
};

void
load_die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("load-clients: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(2);
}

static void
tell(struct crowd *c, const struct job *j)
{
	(void)pthread_mutex_lock(&c->lock);
	if (j->cert != NULL)
		(void)fprintf(c->results, "%s ok %s %s %.1f %u\n", j->name,
		    j->serial, load_kind(j->kind), j->ms, j->tries);
	else
		(void)fprintf(c->results, "%s failed %s: %s\n", j->name,
		    load_kind(j->kind), j->why);
	(void)fflush(c->results);
	(void)pthread_mutex_unlock(&c->lock);
}

static void *
enrol_some(void *arg)
{
	struct member *m = arg;
	struct load *l = &m->crowd->load;
	CURL *h = curl_easy_init();
	size_t i;

	if (h == NULL)
		load_die("no memory");
	while ((i = atomic_fetch_add(&m->crowd->next, 1)) < l->n) {
		load_enrol(l, &l->jobs[i], m->address, h);
		tell(m->crowd, &l->jobs[i]);
	}
	curl_easy_cleanup(h);
	return NULL;
}

static double
run(struct crowd *c, size_t threads)
{
	static struct member list[MAX_THREADS];
	double begun = load_now();
	size_t i;

	for (i = 0; i < threads; i++) {
		list[i].crowd = c;
		(void)snprintf(list[i].address, sizeof(list[i].address),
		    "host!127.0.0.%zu", 2 + i / PER_ADDRESS);
		if (pthread_create(
			&list[i].thread, NULL, enrol_some, &list[i]) != 0)
			load_die("no thread");
	}
	for (i = 0; i < threads; i++)
		(void)pthread_join(list[i].thread, NULL);
	return load_now() - begun;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 0: everybody has a certificate. */
static int
summary(const struct load *l, double ms)
{
	double *took = calloc(l->n, sizeof(*took));
	size_t i, n = 0, again = 0;

	if (took == NULL)
		load_die("no memory");
	for (i = 0; i < l->n; i++) {
		again += l->jobs[i].tries > 1;
		if (l->jobs[i].cert != NULL)
			took[n++] = l->jobs[i].ms;
	}
	qsort(took, n, sizeof(*took), by_size);
	(void)printf("{\"asked\":%zu,\"got\":%zu,\"retried\":%zu,"
		     "\"p50\":%.0f,\"p99\":%.0f,\"max\":%.0f,"
		     "\"seconds\":%.1f,\"per_second\":%.0f}\n",
	    l->n, n, again, n > 0 ? took[n / 2] : 0,
	    n > 0 ? took[n * 99 / 100] : 0, n > 0 ? took[n - 1] : 0, ms / 1e3,
	    (double)n / ms * 1e3);
	free(took);
	return n == l->n ? 0 : 1;
}

static void
write_certs(const struct load *l, const char *path)
{
	FILE *f = fopen(path, "w");
	size_t i;

	if (f == NULL)
		load_die("cannot write %s", path);
	for (i = 0; i < l->n; i++)
		if (l->jobs[i].cert != NULL &&
		    !PEM_write_X509(f, l->jobs[i].cert))
			load_die("cannot write %s", path);
	if (fclose(f) != 0)
		load_die("cannot write %s", path);
}

int
main(int argc, char **argv)
{
	struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER };
	long threads;
	double ms;
	int rc;

	if (argc != 7 || (threads = strtol(argv[6], NULL, 10)) < 1 ||
	    threads > MAX_THREADS)
		load_die("URL ANCHOR SECRETS RESULTS CERTS THREADS");
	c.load.url = argv[1];
	c.load.ca_path = argv[2];
	load_prepare(&c.load, argv[3]);
	if ((c.results = fopen(argv[4], "w")) == NULL)
		load_die("cannot write %s", argv[4]);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		load_die("no libcurl");
	ms = run(&c, (size_t)threads);
	rc = summary(&c.load, ms);
	write_certs(&c.load, argv[5]);
	(void)fclose(c.results);
	load_clear(&c.load);
	curl_global_cleanup();
	return rc;
}
