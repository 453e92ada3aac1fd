/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * pivcard: an emulated PIV card in a vpcd reader, for tests.
 *
 *	pivcard DIR [name=value...]
 *
 * DIR keeps the card; the settings are read when the card is made. README.md
 * has the settings and the control channel.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control.h"
#include "state.h"

struct settings {
	struct card_conf conf;
	uint16_t port;
	int absent;
};

static int
number(const char *text, unsigned long max, unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
	    *n <= max;
}

static int
byte(const char *text, uint8_t *out)
{
	unsigned long n;

	if (!number(text, 255, &n))
		return 0;
	*out = (uint8_t)n;
	return 1;
}

static int
pin(const char *text, char out[9])
{
	if (strlen(text) > PIN_LEN)
		return 0;
	memset(out, 0, 9);
	memcpy(out, text, strlen(text));
	return 1;
}

static int
mgm(const char *text, struct card_conf *conf)
{
	size_t i, len = strlen(text);
	unsigned b;

	if (len % 2 != 0 || len / 2 > sizeof(conf->mgm))
		return 0;
	for (i = 0; i < len / 2; i++) {
		if (sscanf(text + 2 * i, "%2x", &b) != 1)
			return 0;
		conf->mgm[i] = (uint8_t)b;
	}
	conf->mgm_len = len / 2;
	return 1;
}

static int
mgm_alg(const char *text, uint8_t *alg)
{
	static const struct {
		const char *name;
		uint8_t alg;
	} names[] = { { "3des", ALG_3DES }, { "aes128", ALG_AES128 },
		{ "aes192", ALG_AES192 }, { "aes256", ALG_AES256 } };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, text) == 0) {
			*alg = names[i].alg;
			return 1;
		}
	return 0;
}

static int
firmware(const char *text, uint8_t out[3])
{
	unsigned a, b, c;
	char rest;

	if (sscanf(text, "%3u.%3u.%3u%c", &a, &b, &c, &rest) != 3 || a > 255 ||
	    b > 255 || c > 255)
		return 0;
	out[0] = (uint8_t)a;
	out[1] = (uint8_t)b;
	out[2] = (uint8_t)c;
	return 1;
}

static int
setting(struct settings *s, const char *name, const char *value)
{
	struct card_conf *conf = &s->conf;
	unsigned long n;

	if (strcmp(name, "port") == 0 && number(value, 65535, &n)) {
		s->port = (uint16_t)n;
		return 1;
	}
	if (strcmp(name, "serial") == 0 && number(value, UINT32_MAX, &n)) {
		conf->serial = (uint32_t)n;
		return 1;
	}
	if (strcmp(name, "root") == 0) {
		conf->root = value;
		return 1;
	}
	if (strcmp(name, "absent") == 0) {
		s->absent = strcmp(value, "1") == 0;
		return 1;
	}
	if (strcmp(name, "firmware") == 0)
		return firmware(value, conf->firmware);
	if (strcmp(name, "form-factor") == 0)
		return byte(value, &conf->form_factor);
	if (strcmp(name, "pin") == 0)
		return pin(value, conf->pin);
	if (strcmp(name, "puk") == 0)
		return pin(value, conf->puk);
	if (strcmp(name, "pin-tries") == 0)
		return byte(value, &conf->pin_tries);
	if (strcmp(name, "puk-tries") == 0)
		return byte(value, &conf->puk_tries);
	if (strcmp(name, "mgm-alg") == 0)
		return mgm_alg(value, &conf->mgm_alg);
	if (strcmp(name, "mgm") == 0)
		return mgm(value, conf);
	return 0;
}

static int
settings_read(struct settings *s, int argc, char **argv)
{
	char *value;
	int i;

	card_defaults(&s->conf);
	s->port = 35963;
	s->absent = 0;
	if (argc < 2) {
		(void)fprintf(stderr, "usage: pivcard DIR [name=value...]\n");
		return 0;
	}
	s->conf.dir = argv[1];
	for (i = 2; i < argc; i++) {
		value = strchr(argv[i], '=');
		if (value != NULL)
			*value++ = '\0';
		if (value == NULL || !setting(s, argv[i], value)) {
			(void)fprintf(
			    stderr, "pivcard: no such setting: %s\n", argv[i]);
			return 0;
		}
	}
	return 1;
}

static int
soonest(int a, int b)
{
	if (a == -1 || b == -1)
		return a == -1 ? b : a;
	return a < b ? a : b;
}

static void
serve(struct reader *r, struct control *ctl)
{
	struct pollfd fds[N_CLIENTS + 2];
	int timeout, fd;

	while (!ctl->quit) {
		fd = r->fd;
		fds[0] =
		    (struct pollfd) { .fd = fd, .events = reader_events(r) };
		control_poll(ctl, fds + 1);
		timeout = soonest(reader_timeout(r), control_timeout(ctl));
		if (poll(fds, N_CLIENTS + 2, timeout) == -1 && errno != EINTR)
			break;
		reader_work(r, fds[0].revents);
		control_work(ctl, r, fds + 1);
	}
}

int
main(int argc, char **argv)
{
	static struct reader r;
	struct settings s;
	struct control ctl;
	char socket_path[4096], log_path[4096], why[512] = "out of memory";
	struct card *card;

	if (!settings_read(&s, argc, argv))
		return 2;
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (mkdir(s.conf.dir, 0700) != 0 && errno != EEXIST) {
		perror(s.conf.dir);
		return 1;
	}
	card = card_open(&s.conf, why, sizeof(why));
	if (card == NULL) {
		(void)fprintf(stderr, "pivcard: %s\n", why);
		return 1;
	}
	(void)snprintf(
	    socket_path, sizeof(socket_path), "%s/control", s.conf.dir);
	(void)snprintf(log_path, sizeof(log_path), "%s/apdu.log", s.conf.dir);
	if (!control_open(&ctl, socket_path, log_path)) {
		perror(socket_path);
		card_free(card);
		return 1;
	}
	reader_init(&r, card, s.port);
	if (!s.absent)
		reader_insert(&r);
	serve(&r, &ctl);
	reader_remove(&r);
	if (r.log != NULL)
		(void)fclose(r.log);
	control_close(&ctl);
	card_free(card);
	return 0;
}
