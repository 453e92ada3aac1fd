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
	free(s->cmc_key);
	free(s->tls_key);
	free(s->pop_key);
	free(s->upstream);
	free(s->url);
	free(s->http_url);
	free(s->profile);
	for (i = 0; s->hosts[i] != NULL; i++)
		free(s->hosts[i]);
	memset(s, 0, sizeof(*s));
}

static const char *const reuse[] = { [REUSE_SAME_NAME] = "same-name",
	[REUSE_REFUSE] = "refuse",
	[REUSE_ALLOW] = "allow" };

static void
write_policy(BIO *out, const struct settings *s)
{
	(void)BIO_printf(out,
	    "# Where others reach this authority: {base} in the profiles. "
	    "Without it no\n# certificate says where its CRL is.\n");
	if (s->url != NULL)
		settings_put(out, "url", s->url);
	else
		(void)BIO_printf(out, "#url = https://ca.example.org:8443\n");
	(void)BIO_printf(out,
	    "# Where they fetch CRL and CA certificate over plain HTTP "
	    "(--http-listen):\n# {base} instead.\n");
	if (s->http_url != NULL)
		settings_put(out, "http_url", s->http_url);
	else
		(void)BIO_printf(
		    out, "#http_url = http://ca.example.org:8080\n");
	(void)BIO_printf(out,
	    "# Days from one CRL's date to the next one's.\n"
	    "crl_days = %u\n",
	    s->crl_days);
	(void)BIO_printf(out,
	    "# A key that has a certificate: same-name, refuse or allow.\n"
	    "key_reuse = %s\n",
	    reuse[s->key_reuse]);
	(void)BIO_printf(out,
	    "# A renewal with the same key: yes or no.\n"
	    "renew_same_key = %s\n",
	    s->no_renew_same_key ? "no" : "yes");
	(void)BIO_printf(out,
	    "# changeSubjectName at once (yes), or by the operator (no).\n"
	    "rename = %s\n",
	    s->rename ? "yes" : "no");
	(void)BIO_printf(out,
	    "# Who gets a certificate by CMC has to accept it: yes or no.\n"
	    "confirm = %s\n",
	    s->confirm ? "yes" : "no");
	(void)BIO_printf(out,
	    "# Answers of CMC bring the trust anchors, ca.pem and those of "
	    "anchors.pem:\n# yes or no.\n"
	    "publish_anchors = %s\n",
	    s->publish_anchors ? "yes" : "no");
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
	settings_put(out, "name", s->name);
	settings_put(out, "token", s->token);
	settings_role_write(out, s);
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
	    "# Requests of one sender that may wait for the operator.\n"
	    "waiting = %u\n",
	    s->waiting > 0 ? s->waiting : CA_WAITING);
	(void)BIO_printf(out,
	    "# HTTP Digest beside Basic: yes or no. Clients that come in the "
	    "same second\n# may be refused with it.\ndigest = %s\n",
	    s->digest ? "yes" : "no");
	settings_http_write(out, s);
	(void)BIO_printf(out,
	    "# Profile of a request that names none and "
	    "whose invite names none.\n");
	if (s->profile != NULL)
		settings_put(out, "profile", s->profile);
	else
		(void)BIO_printf(out, "#profile = NAME\n");
	write_policy(out, s);
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
read_number(unsigned *out, const CONF_VALUE *v, unsigned long max,
    struct burin_error *e)
{
	unsigned long n;

	/* Six digits at most, so that nothing overflows. */
	if (*v->value == '\0' || strlen(v->value) > 6 ||
	    strspn(v->value, "0123456789") != strlen(v->value) ||
	    (n = strtoul(v->value, NULL, 10)) == 0 || n > max)
		return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
		    "authority.cnf: %s is 1 to %lu", v->name, max);
	*out = (unsigned)n;
	return 0;
}

static int
read_url(char **out, const char *value, struct burin_error *e)
{
	size_t len;

	if (burin_url_check(value, e) != 0)
		return burin_error_cause(e, "in authority.cnf");
	if (copy(out, value, e) != 0)
		return -1;
	for (len = strlen(*out); len > 0 && (*out)[len - 1] == '/';)
		(*out)[--len] = '\0';
	return 0;
}

static int
not_understood(const CONF_VALUE *v, struct burin_error *e)
{
	return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
	    "authority.cnf: '%s = %s' is not understood", v->name, v->value);
}

/* "yes" is 1, "no" is 0. */
static int
read_switch(int *out, const CONF_VALUE *v, struct burin_error *e)
{
	if (strcmp(v->value, "yes") != 0 && strcmp(v->value, "no") != 0)
		return not_understood(v, e);
	*out = strcmp(v->value, "yes") == 0;
	return 0;
}

static int
read_reuse(enum key_reuse *out, const CONF_VALUE *v, struct burin_error *e)
{
	size_t i;

	for (i = 0; i < sizeof(reuse) / sizeof(reuse[0]); i++) {
		if (strcmp(v->value, reuse[i]) == 0) {
			*out = (enum key_reuse)i;
			return 0;
		}
	}
	return not_understood(v, e);
}

static int
read_policy(struct settings *s, const CONF_VALUE *v, struct burin_error *e)
{
	int same = 1;

	if (strcmp(v->name, "url") == 0)
		return read_url(&s->url, v->value, e);
	if (strcmp(v->name, "http_url") == 0)
		return strncmp(v->value, "http://", 7) == 0
		    ? read_url(&s->http_url, v->value, e)
		    : not_understood(v, e);
	if (strcmp(v->name, "crl_days") == 0)
		return read_number(&s->crl_days, v, CA_MAX_CRL_DAYS, e);
	if (strcmp(v->name, "waiting") == 0)
		return read_number(&s->waiting, v, CA_MAX_WAITING, e);
	if (strcmp(v->name, "key_reuse") == 0)
		return read_reuse(&s->key_reuse, v, e);
	if (strcmp(v->name, "rename") == 0)
		return read_switch(&s->rename, v, e);
	if (strcmp(v->name, "confirm") == 0)
		return read_switch(&s->confirm, v, e);
	if (strcmp(v->name, "publish_anchors") == 0)
		return read_switch(&s->publish_anchors, v, e);
	if (strcmp(v->name, "renew_same_key") == 0) {
		if (read_switch(&same, v, e) != 0)
			return -1;
		s->no_renew_same_key = !same;
		return 0;
	}
	return not_understood(v, e);
}

static int
read_value(struct settings *s, const CONF_VALUE *v, struct burin_error *e)
{
	const struct {
		const char *name;
		char **at;
	} texts[] = { { "name", &s->name }, { "token", &s->token },
		{ "profile", &s->profile } };
	size_t i;
	int known = settings_http_read(s, v->name, v->value, e);

	if (known == 0)
		known = settings_role_read(s, v->name, v->value, e);
	if (known != 0)
		return known < 0 ? -1 : 0;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(v->name, texts[i].name) == 0)
			return copy(texts[i].at, v->value, e);
	if (strcmp(v->name, "retry_after") == 0)
		return read_number(&s->retry_after, v, CA_MAX_RETRY_AFTER, e);
	if (strcmp(v->name, "hosts") == 0 && s->hosts[0] == NULL)
		return read_hosts(s, v->value, e);
	if (strcmp(v->name, "approve") == 0 &&
	    (strcmp(v->value, "auto") == 0 ||
		strcmp(v->value, "manual") == 0)) {
		s->manual = strcmp(v->value, "manual") == 0;
		return 0;
	}
	if (strcmp(v->name, "digest") == 0)
		return read_switch(&s->digest, v, e);
	return read_policy(s, v, e);
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
	if (s->name == NULL || s->token == NULL || s->hosts[0] == NULL)
		return burin_fail(e, BURIN_EUSAGE, "settings-malformed",
		    "authority.cnf lacks name, token or hosts");
	return settings_role_check(s, e);
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
	s->crl_days = CA_CRL_DAYS;
	s->publish_anchors = 1;
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
