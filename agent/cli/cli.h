/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line: a row per verb, a row per option. Parsing, --help,
 * completion and the check of the man pages all read these tables.
 */

#ifndef BURIN_CLI_H
#define BURIN_CLI_H

#include <signal.h>
#include <stdio.h>

#include <jansson.h>

#include <burin/error.h>
#include <burin/secret.h>
#include <burin/token.h>

#include "../enroll/engine.h"
#include "../enroll/journal.h"
#include "../enroll/plan.h"

enum opt_kind {
	OPT_FLAG,  /* --json */
	OPT_VALUE, /* --token URI: the last one counts */
	OPT_LIST   /* --san NAME: repeatable */
};

/* One option of a verb; tables end with a row whose name is NULL. */
struct opt {
	const char *name; /* "token", without dashes */
	char letter;	  /* 'v', or 0 */
	enum opt_kind kind;
	const char *arg;  /* "URI", NULL for flags; "=ARG" optional */
	const char *help; /* one line */
};

struct args; /* what was typed, parsed: args.c */

int arg_flag(const struct args *a, const char *name);	       /* times given */
const char *arg_value(const struct args *a, const char *name); /* or NULL */
size_t arg_list(
    const struct args *a, const char *name, const char *const **list);
/* Words that are not options. */
size_t arg_words(const struct args *a, const char *const **words);

/* The run of one verb. */
struct cli {
	const struct verb *verb;
	const struct args *args;
	json_t *json; /* object to be printed with --json, or NULL */
	int want_json, dry_run, verbose, quiet;
	struct journal *journal; /* cli_journal() */
	struct burin_p11 *p11;	 /* cli_p11() */
	struct pin_memory pins;
	/* Given once, used for the whole run: the user's and the SO's. */
	struct cli_pin {
		struct burin_secret *pin;
		char *token; /* the token a typed PIN is for; NULL: any */
	} pin, so_pin;
	char *pin_uri, *pin_uri_source; /* cli_pin_uri */
	/*
	 * PINs to be set, made or read before they are asked for. The one that
	 * reads_new names is read together with the present one, before a
	 * login begins: nobody waits for its lock while somebody types.
	 */
	struct burin_secret *new_pin, *new_so_pin, *new_puk;
	enum burin_login reads_new; /* BURIN_LOGIN_USER (0): none */
	int progress_json, on_bar;  /* progress.c */
	int worker; /* the worker tells what it does here, -1: worker.c */
	/* --wait[=SERIAL]: wait.c. Zero where the verb cannot wait. */
	struct cli_wait {
		int asked, over;    /* over: the limit was reached */
		const char *serial; /* NULL: any that is named otherwise */
		char *uri;	    /* of serial */
		long limit;	    /* seconds, 0: none */
	} wait;
};

struct verb {
	const char *name;  /* "enroll" */
	const char *sub;   /* "init" for "authority init", or NULL */
	const char *usage; /* "--token URI --profile P --ca URL" */
	const char *help;  /* one line */
	const struct opt *const *opts; /* groups of tables, NULL-ended */
	size_t min_words, max_words;
	int alone; /* loads no module: no worker */
	/* what the shell is told instead; of its own result the same */
	int (*exit_status)(int status);
	/* 0, or -1 with e set: the exit status is e->status. */
	int (*run)(struct cli *c, struct burin_error *e);
};

extern const struct verb *const cli_verbs[]; /* NULL-ended, in verbs.c */

/* Option groups shared by verbs. */
extern const struct opt opts_common[];	  /* module, pin-source, json, ... */
extern const struct opt opts_subject[];	  /* subject, san, identity, ... */
extern const struct opt opts_form[];	  /* format, inner, pop, ... */
extern const struct opt opts_authority[]; /* ca, trust, user, ... */
extern const struct opt opts_transport[]; /* those of an enrolment */
extern const struct opt opts_dry_run[];	  /* verbs that write */
extern const struct opt opts_wait[];	  /* wait, wait-limit */

/* The whole program but for main(): the exit status. */
int cli_main(int argc, char **argv);
/* Set by SIGINT or SIGTERM: stop after the step at hand. */
extern volatile sig_atomic_t cli_stop;

/* The modules and the journal as the common options ask for; made once. */
int cli_p11(struct cli *c, struct burin_error *e);
int cli_journal(struct cli *c, struct burin_error *e);
/*
 * Remembers the URI the user named a token or key by: its pin-source, if it
 * has one, gives the PIN of that token. Refuses a pin-value. NULL forgets.
 */
int cli_pin_uri(struct cli *c, const char *uri, struct burin_error *e);
/* Lets everything of c go, logins first. */
void cli_clear(struct cli *c);

/* --- secrets from SRC (source.c) --------------------------------------- */

/*
 * prompt | file:PATH | fd:N | env:NAME | askpass | credential:NAME. what
 * names the secret for a prompt: "PIN of token 'r7'". confirm: a prompt asks
 * twice (new PINs). One trailing newline is taken off a file.
 */
int source_read(const char *src, const char *what, int confirm,
    struct burin_secret **out, struct burin_error *e);
/* BURIN_EUSAGE when src is none of these (or a |command). */
int source_check(const char *src, struct burin_error *e);

/* --- output (out.c) ---------------------------------------------------- */

/* Text for people on stdout (nothing with --json or -q). */
void out_text(struct cli *c, const char *fmt, ...) BURIN_PRINTF(2, 3);
/* A note on stderr (nothing with -q). */
void out_note(struct cli *c, const char *fmt, ...) BURIN_PRINTF(2, 3);
void out_error(struct cli *c, const struct burin_error *e);
/* Puts value (taken over, may be NULL) under key when there is --json. */
void out_json(struct cli *c, const char *key, json_t *value);
/* A JSON string whatever the bytes: what is no UTF-8 becomes '?'. */
json_t *json_text(const char *text);
json_t *json_error(const struct burin_error *e);
json_t *json_token(const struct burin_token *t);
json_t *json_key(const struct burin_key *k);
json_t *json_usage(unsigned usage); /* ["sign"] */
json_t *json_cert(X509 *cert);
json_t *json_checks(const struct burin_checks *checks);
json_t *json_report(const struct engine_report *r);

/* --- files (file.c) ---------------------------------------------------- */

/* Whole file, "-" is stdin; more than max bytes is refused. free(). */
int file_read(const char *path, size_t max, unsigned char **data, size_t *len,
    struct burin_error *e);
/* Written beside, fsync'ed, renamed over; mode in octal. "-" is stdout. */
int file_write(const char *path, const void *data, size_t len, int mode,
    struct burin_error *e);

#endif
