/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the server counts of its answers since it started, in Prometheus' text
 * format.
 */

#include <pthread.h>
#include <stdlib.h>

#include <openssl/bio.h>

#include "http.h"

/* Statuses that are told apart; the last one is for all others. */
static const unsigned statuses[] = { 200, 202, 400, 401, 403, 404, 405, 413,
	415, 429, 500, 503, 0 };
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))
/* Upper ends in seconds; what is longer is in the last one. */
static const double ends[] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
	5, 10 };
#define BUCKETS (sizeof(ends) / sizeof(ends[0]) + 1)

struct row {
	unsigned long long answers[STATUSES];
	unsigned long long buckets[BUCKETS];
	double seconds; /* of all */
};

struct metrics {
	pthread_mutex_t lock;
	time_t started;
	struct row rows[ROUTES + 1];
};

int
metrics_new(struct metrics **out, struct burin_error *e)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return burin_fail_memory(e);
	if (pthread_mutex_init(&(*out)->lock, NULL) == 0) {
		(*out)->started = time(NULL);
		return 0;
	}
	free(*out);
	*out = NULL;
	return burin_fail_memory(e);
}

void
metrics_free(struct metrics **m)
{
	if (m == NULL || *m == NULL)
		return;
	(void)pthread_mutex_destroy(&(*m)->lock);
	free(*m);
	*m = NULL;
}

void
metrics_answer(struct metrics *m, const struct route *route, unsigned status,
    double seconds)
{
	struct row *row = &m->rows[route_number(route)];
	size_t at = 0, bucket = 0;

	while (statuses[at] != 0 && statuses[at] != status)
		at++;
	while (bucket < BUCKETS - 1 && seconds > ends[bucket])
		bucket++;
	(void)pthread_mutex_lock(&m->lock);
	row->answers[at]++;
	row->buckets[bucket]++;
	row->seconds += seconds;
	(void)pthread_mutex_unlock(&m->lock);
}

static void
head(BIO *out, const char *name, const char *type, const char *help)
{
	(void)BIO_printf(
	    out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
print_answers(BIO *out, const struct metrics *m)
{
	size_t i, j;

	head(out, "burin_http_answers_total", "counter",
	    "Answers by operation and HTTP status.");
	for (i = 0; i <= ROUTES; i++)
		for (j = 0; j < STATUSES; j++) {
			if (m->rows[i].answers[j] == 0)
				continue;
			(void)BIO_printf(out,
			    "burin_http_answers_total{operation=\"%s\","
			    "status=\"",
			    route_name(i));
			if (statuses[j] != 0)
				(void)BIO_printf(out, "%u", statuses[j]);
			else
				(void)BIO_printf(out, "other");
			(void)BIO_printf(
			    out, "\"} %llu\n", m->rows[i].answers[j]);
		}
}

static void
print_durations(BIO *out, const struct metrics *m)
{
	static const char name[] = "burin_http_answer_seconds";
	unsigned long long n;
	size_t i, j;

	head(out, name, "histogram",
	    "From the head of a request to its answer, by operation.");
	for (i = 0; i <= ROUTES; i++) {
		const char *op = route_name(i);

		for (n = 0, j = 0; j < BUCKETS - 1; j++) {
			n += m->rows[i].buckets[j];
			(void)BIO_printf(out,
			    "%s_bucket{operation=\"%s\",le=\"%g\"} %llu\n",
			    name, op, ends[j], n);
		}
		n += m->rows[i].buckets[j];
		(void)BIO_printf(out,
		    "%s_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n"
		    "%s_sum{operation=\"%s\"} %.6f\n"
		    "%s_count{operation=\"%s\"} %llu\n",
		    name, op, n, name, op, m->rows[i].seconds, name, op, n);
	}
}

void
metrics_print(struct server *s, BIO *out)
{
	struct metrics *m = s->metrics;

	(void)pthread_mutex_lock(&m->lock);
	print_answers(out, m);
	print_durations(out, m);
	(void)pthread_mutex_unlock(&m->lock);
	head(out, "burin_http_under_way", "gauge",
	    "Requests that are not answered yet.");
	(void)BIO_printf(
	    out, "burin_http_under_way %d\n", atomic_load(&s->busy));
	head(out, "burin_start_time_seconds", "gauge",
	    "When the server was started.");
	(void)BIO_printf(
	    out, "burin_start_time_seconds %lld\n", (long long)m->started);
}
