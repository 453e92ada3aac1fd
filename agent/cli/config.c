/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * --config FILE: defaults for options, in OpenSSL's configuration syntax.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/conf.h>

#include "config.h"
#include "help.h"

#define MAX_CONFIG 65536 /* bytes */

/* "2.san" is san: a section holds each name once. */
static const char *
option_name(const char *key)
{
	const char *p = key;

	while (isdigit((unsigned char)*p))
		p++;
	return p != key && *p == '.' ? p + 1 : key;
}

static int
known_anywhere(const char *name)
{
	size_t i;

	for (i = 0; cli_verbs[i] != NULL; i++)
		if (args_option(cli_verbs[i]->opts, name) != NULL)
			return 1;
	return 0;
}

static int
apply_value(const CONF_VALUE *cv, const char *section, const struct verb *v,
    int own, struct args *a, struct burin_error *e)
{
	const char *name = option_name(cv->name);
	const struct opt *o = args_option(v->opts, name);

	if (o == NULL && !own && known_anywhere(name))
		return 0; /* [burin] is for every verb */
	if (o == NULL || strcmp(name, "config") == 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "config-unknown",
		    "[%s] has \"%s\", which is no option%s", section, cv->name,
		    own ? " of this verb" : "");
		return burin_error_advice(e, "keys are long option names");
	}
	/* Such as wait: yes and no as for a flag, or the value. */
	if (o->kind != OPT_FLAG &&
	    (o->arg[0] != '=' ||
		(strcmp(cv->value, "yes") != 0 &&
		    strcmp(cv->value, "no") != 0)))
		return args_default(a, o, cv->value, e);
	if (strcmp(cv->value, "yes") == 0)
		return args_default(a, o, "", e);
	if (strcmp(cv->value, "no") == 0)
		return 0;
	return burin_fail(e, BURIN_EUSAGE, "config-flag",
	    "[%s] %s is neither \"yes\" nor \"no\"", section, cv->name);
}

static int
is_among(const STACK_OF(CONF_VALUE) * values, const char *name)
{
	int i;

	for (i = 0; i < sk_CONF_VALUE_num(values); i++)
		if (strcmp(option_name(sk_CONF_VALUE_value(values, i)->name),
			option_name(name)) == 0)
			return 1;
	return 0;
}

/*
 * The verb's own section, then what [burin] says of the other options: one
 * that the verb's section names, "no" too, is settled by it.
 */
static int
apply(const CONF *conf, const char *section, const struct verb *v,
    struct args *a, struct burin_error *e)
{
	STACK_OF(CONF_VALUE) *own = NCONF_get_section(conf, section);
	STACK_OF(CONF_VALUE) *all = NCONF_get_section(conf, "burin");
	const CONF_VALUE *cv;
	int i;

	for (i = 0; i < sk_CONF_VALUE_num(own); i++)
		if (apply_value(
			sk_CONF_VALUE_value(own, i), section, v, 1, a, e) != 0)
			return -1;
	for (i = 0; i < sk_CONF_VALUE_num(all); i++) {
		cv = sk_CONF_VALUE_value(all, i);
		if (!is_among(own, cv->name) &&
		    apply_value(cv, "burin", v, 0, a, e) != 0)
			return -1;
	}
	return 0;
}

int
config_apply(const char *path, const struct verb *v, struct args *a,
    struct burin_error *e)
{
	unsigned char *data = NULL;
	char name[64];
	CONF *conf = NULL;
	BIO *bio = NULL;
	size_t len;
	long line = 0;
	int rc = -1;

	if (file_read(path, MAX_CONFIG, &data, &len, e) != 0)
		return burin_error_step(e, "config");
	if ((bio = BIO_new_mem_buf(data, (int)len)) == NULL ||
	    (conf = NCONF_new(NULL)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (NCONF_load_bio(conf, bio, &line) <= 0) {
		(void)burin_fail_openssl(e, BURIN_EUSAGE, "config-malformed",
		    "%s does not parse, line %ld", path, line);
		goto out;
	}
	rc = apply(conf, help_name(v, name, sizeof(name)), v, a, e);
out:
	(void)burin_error_step(e, "config");
	NCONF_free(conf);
	BIO_free(bio);
	free(data);
	return rc;
}
