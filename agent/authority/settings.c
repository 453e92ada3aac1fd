/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * authority.cnf: what an authority was made with and how it decides, in
 * OpenSSL's configuration syntax.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/conf.h>

#include "ca.h"

#define SECTION "authority"

void
settings_clear(struct settings *s)
{
	size_t i;

	if (s == NULL)
		return;
	free(s->name);
	free(s->token);
	free(s->ca_key);
	free(s->tls_key);
	free(s->profile);
	for (i = 0; s->hosts[i] != NULL; i++)
		free(s->hosts[i]);
	memset(s, 0, sizeof(*s));
}

/* Escapes what config(5) would read as syntax. */
static void
put_value(BIO *out, const char *key, const char *value)
{
	(void)BIO_printf(out, "%s = ", key);
	for (; *value != '\0'; value++)
		(void)BIO_printf(out, "%s%c",
		    strchr("\\$#\"'`", *value) != NULL ? "\\" : "", *value);
	(void)BIO_printf(out, "\n");
}

int
settings_write(const char *dir, const struct settings *s, struct burin_error *e)
{
	BIO *out;
	size_t i;
	char *text;
	long len;
	int rc = -1;

	if ((out = BIO_new(BIO_s_mem())) == NULL)
		return burin_fail_memory(e);
	(void)BIO_printf(out, "# An authority of burin: burin-authority(1).\n");
	(void)BIO_printf(out, "[" SECTION "]\n");
	put_value(out, "name", s->name);
	put_value(out, "token", s->token);
	put_value(out, "ca_key", s->ca_key);
	put_value(out, "tls_key", s->tls_key);
	(void)BIO_printf(out,
	    "# Names and addresses of the HTTPS server; its "
	    "certificate follows at the next start.\n");
	(void)BIO_printf(out, "hosts = ");
	for (i = 0; s->hosts[i] != NULL; i++)
		(void)BIO_printf(out, "%s%s", i > 0 ? ", " : "", s->hosts[i]);
	(void)BIO_printf(out,
	    "\n# auto: issue at once. manual: wait for "
	    "the operator.\napprove = %s\n",
	    s->manual ? "manual" : "auto");
	(void)BIO_printf(out,
	    "# Seconds until a client whose request waits asks again.\n"
	    "retry_after = %u\n",
	    s->retry_after);
	(void)BIO_printf(out,
	    "# HTTP Digest beside Basic: yes or no. Clients that come in the "
	    "same second\n# may be refused with it.\ndigest = %s\n",
	    s->digest ? "yes" : "no");
	settings_http_write(out, s);
	(void)BIO_printf(out,
	    "# Profile of a request that names none and "
	    "whose invite names none.\n");
	if (s->profile != NULL)
		put_value(out, "profile", s->profile);
	else
		(void)BIO_printf(out, "#profile = NAME\n");
	if ((len = BIO_get_mem_data(out, &text)) > 0)
		rc = ca_text_write(dir, "authority.cnf", text, (size_t)len, e);
	else
		(void)burin_fail_memory(e);
	BIO_free(out);
	return rc;
}

static int
copy(char **dst, const char *value, struct burin_error *e)
{
	if (*dst != NULL)
		return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
		    "authority.cnf: a key is there twice");
	return (*dst = strdup(value)) != NULL ? 0 : burin_fail_memory(e);
}

static int
read_hosts(struct settings *s, const char *value, struct burin_error *e)
{
	size_t n = 0, len;

	for (; *(value += strspn(value, ", \t")) != '\0'; value += len) {
		len = strcspn(value, ", \t");
		if (n == CA_MAX_HOSTS)
			return burin_fail(e, BURIN_EUSAGE, "host-limit",
			    "authority.cnf: more than %d hosts", CA_MAX_HOSTS);
		if ((s->hosts[n++] = strndup(value, len)) == NULL)
			return burin_fail_memory(e);
	}
	return 0;
}

static int
read_seconds(unsigned *out, const char *value, struct burin_error *e)
{
	unsigned long n;

	/* Six digits at most, so that nothing overflows. */
	if (*value == '\0' || strlen(value) > 6 ||
	    strspn(value, "0123456789") != strlen(value) ||
	    (n = strtoul(value, NULL, 10)) == 0 || n > CA_MAX_RETRY_AFTER)
		return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
		    "authority.cnf: retry_after is 1 to %d seconds",
		    CA_MAX_RETRY_AFTER);
	*out = (unsigned)n;
	return 0;
}

static int
read_value(struct settings *s, const CONF_VALUE *v, struct burin_error *e)
{
	int known = settings_http_read(s, v->name, v->value, e);

	if (known != 0)
		return known < 0 ? -1 : 0;
	if (strcmp(v->name, "name") == 0)
		return copy(&s->name, v->value, e);
	if (strcmp(v->name, "token") == 0)
		return copy(&s->token, v->value, e);
	if (strcmp(v->name, "ca_key") == 0)
		return copy(&s->ca_key, v->value, e);
	if (strcmp(v->name, "tls_key") == 0)
		return copy(&s->tls_key, v->value, e);
	if (strcmp(v->name, "profile") == 0)
		return copy(&s->profile, v->value, e);
	if (strcmp(v->name, "retry_after") == 0)
		return read_seconds(&s->retry_after, v->value, e);
	if (strcmp(v->name, "hosts") == 0 && s->hosts[0] == NULL)
		return read_hosts(s, v->value, e);
	if (strcmp(v->name, "approve") == 0 &&
	    (strcmp(v->value, "auto") == 0 ||
		strcmp(v->value, "manual") == 0)) {
		s->manual = strcmp(v->value, "manual") == 0;
		return 0;
	}
	if (strcmp(v->name, "digest") == 0 &&
	    (strcmp(v->value, "yes") == 0 || strcmp(v->value, "no") == 0)) {
		s->digest = strcmp(v->value, "yes") == 0;
		return 0;
	}
	return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
	    "authority.cnf: '%s = %s' is not understood", v->name, v->value);
}

static int
read_section(const CONF *conf, struct settings *s, struct burin_error *e)
{
	const STACK_OF(CONF_VALUE) * values;
	int i;

	if ((values = NCONF_get_section(conf, SECTION)) == NULL)
		return burin_fail_openssl(e, BURIN_EUSAGE, "settings-malformed",
		    "authority.cnf has no section [" SECTION "]");
	for (i = 0; i < sk_CONF_VALUE_num(values); i++)
		if (read_value(s, sk_CONF_VALUE_value(values, i), e) != 0)
			return -1;
	if (s->name == NULL || s->token == NULL || s->ca_key == NULL ||
	    s->tls_key == NULL || s->hosts[0] == NULL)
		return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
		    "authority.cnf lacks name, token, ca_key, tls_key or "
		    "hosts");
	return 0;
}

int
settings_read(const char *dir, struct settings *s, struct burin_error *e)
{
	char *path = NULL;
	CONF *conf = NULL;
	long line = 0;
	int rc = -1;

	memset(s, 0, sizeof(*s));
	s->retry_after = CA_RETRY_AFTER;
	s->rate = CA_RATE;
	if (ca_path(dir, "authority.cnf", &path, e) != 0)
		goto out;
	if ((conf = NCONF_new(NULL)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (NCONF_load(conf, path, &line) <= 0) {
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "settings-unreadable",
		    "cannot read %s, line %ld", path, line);
		goto out;
	}
	rc = read_section(conf, s, e);
out:
	if (rc != 0)
		settings_clear(s);
	NCONF_free(conf);
	free(path);
	return rc;
}
