/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A new authority: keys on the token, certificates, profiles, an empty
 * store. authority.cnf is written last: a directory with one is whole.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../enroll/profile_dir.h"
#include "init.h"

#define MAX_DAYS 36500 /* of the CA certificate */
#define DEFAULT_PROFILE "default"
#define MAX_PROFILES 1000 /* files in the profile directory */

static const char *const default_hosts[] = { "localhost", "127.0.0.1", "::1",
	NULL };

static int
check_type(enum burin_key_type type, const char *what, struct burin_error *e)
{
	switch (type) {
	case BURIN_RSA_2048:
	case BURIN_RSA_3072:
	case BURIN_RSA_4096:
	case BURIN_EC_P256:
	case BURIN_EC_P384:
	case BURIN_EC_P521:
		return 0;
	default:
		return burin_fail(e, BURIN_EUSAGE, "key-type-refused",
		    "a key that signs %s is RSA or EC, not %s", what,
		    burin_key_type_name(type));
	}
}

static int
check_input(const struct authority_init *in, struct burin_error *e)
{
	if (check_type(in->key_type, "certificates", e) != 0 ||
	    check_type(in->cmc_key_type, "CMC", e) != 0)
		return -1;
	if (in->days == 0 || in->days > MAX_DAYS)
		return burin_fail(e, BURIN_EUSAGE, "days-refused",
		    "a CA certificate lives 1 to %d days", MAX_DAYS);
	if (in->url != NULL && burin_url_check(in->url, e) != 0)
		return -1;
	if (!burin_token_can_generate(in->token, BURIN_EC_P256)) {
		(void)burin_fail(e, BURIN_EUSAGE, "token-unfit",
		    "the token makes no EC P-256 keys, which POP and the HTTPS "
		    "server need");
		return burin_error_token(e, "%s", burin_token_name(in->token));
	}
	return 0;
}

static int
make_dir(struct build *b, struct burin_error *e)
{
	const char *dir = b->in->dir;
	char *path = NULL;
	int rc = -1;

	if (ca_path(dir, "authority.db", &path, e) != 0)
		goto out;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		(void)burin_fail(e, BURIN_EUSAGE, "dir-refused",
		    "cannot make %s: %s", dir, strerror(errno));
		goto out;
	}
	if (access(path, F_OK) == 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "authority-exists",
		    "%s holds an authority already", dir);
		(void)burin_error_advice(e, "name another directory");
		goto out;
	}
	if (chmod(dir, 0700) != 0) {
		(void)burin_fail(e, BURIN_EUSAGE, "dir-refused",
		    "cannot set the mode of %s: %s", dir, strerror(errno));
		goto out;
	}
	if (store_open(dir, 1, &b->store, e) != 0)
		goto out;
	b->dir_ours = 1;
	rc = 0;
out:
	free(path);
	return rc;
}

static int
first_line(struct build *b, struct burin_error *e)
{
	int rc;

	if (store_begin(b->store, e) != 0)
		return -1;
	rc = store_audit(b->store, e, "initialized", "%s on %s", b->in->name,
	    burin_token_name(b->in->token));
	return store_end(b->store, rc == 0, e) != 0 ? -1 : rc;
}

static int
make_key(struct build *b, enum burin_key_type type, unsigned usage,
    const char *label, struct burin_key **out, struct burin_error *e)
{
	struct burin_key_spec spec = {
		.type = type, .usage = usage, .label = label
	};

	return burin_keygen(b->in->token, &spec, out, e);
}

static int
make_keys(struct build *b, struct burin_error *e)
{
	if (make_key(b, b->in->key_type, BURIN_USE_SIGN, "burin CA", &b->ca_key,
		e) != 0 ||
	    make_key(b, b->in->cmc_key_type, BURIN_USE_SIGN, "burin CMC",
		&b->cmc_key, e) != 0 ||
	    make_key(b, BURIN_EC_P256, BURIN_USE_SIGN, "burin TLS server",
		&b->tls_key, e) != 0)
		return -1;
	return make_key(
	    b, BURIN_EC_P256, BURIN_USE_DERIVE, "burin POP", &b->pop_key, e);
}

static int
record_certs(struct build *b, time_t now, struct burin_error *e)
{
	int rc;

	if (store_begin(b->store, e) != 0)
		return -1;
	rc = own_record(b->store, b->cmc_cert, "to sign CMC", now, e);
	if (rc == 0)
		rc = own_record(
		    b->store, b->pop_cert, "to agree on keys", now, e);
	return store_end(b->store, rc == 0, e) != 0 ? -1 : rc;
}

static int
make_certs(struct build *b, struct burin_error *e)
{
	struct own_ca in = { .name = b->in->name,
		.resources = b->in->resources,
		.days = b->in->days,
		.now = time(NULL) };

	if (make_keys(b, e) != 0 ||
	    (in.key = burin_key_evp(b->ca_key, e)) == NULL)
		return -1;
	in.pub = burin_key_public(b->ca_key);
	if (own_ca_make(&in, &b->ca.cert, e) != 0)
		return -1;
	issuer_of_key(&b->ca, in.key, b->ca.cert);
	if (own_cmc_make(&b->ca, burin_key_public(b->cmc_key), in.now,
		&b->cmc_cert, e) != 0 ||
	    own_pop_make(&b->ca, burin_key_public(b->pop_key), in.now,
		&b->pop_cert, e) != 0 ||
	    record_certs(b, in.now, e) != 0)
		return -1;
	return own_tls_issue(b->store, &b->ca, burin_key_public(b->tls_key),
	    b->hosts, in.now, &b->tls_cert, e);
}

static int
copy_profile(
    const char *from, const char *to, const char *file, struct burin_error *e)
{
	struct burin_profile *p = NULL;
	char *text = NULL, *name;
	size_t len;
	int rc = -1;

	if ((name = strndup(file, strlen(file) - strlen(".cnf"))) == NULL)
		return burin_fail_memory(e);
	if (profile_load_from(from, name, &text, &len, e) != 0 ||
	    burin_profile_parse(text, len, &p, e) != 0 ||
	    ca_text_write(to, file, text, len, e) != 0)
		goto out;
	rc = 0;
out:
	burin_profile_free(&p);
	free(text);
	free(name);
	return rc;
}

static int
copy_profiles(struct build *b, struct burin_error *e)
{
	char *from = NULL, *to = NULL;
	struct dirent *entry;
	size_t len, n = 0;
	DIR *d = NULL;
	int rc = -1;

	if (profile_dir(&from, e) != 0 ||
	    ca_path(b->in->dir, "profiles", &to, e) != 0)
		goto out;
	if ((mkdir(to, 0755) != 0 && errno != EEXIST) ||
	    (d = opendir(from)) == NULL) {
		(void)burin_fail(e, BURIN_EINTERNAL, "profiles-copy",
		    "cannot copy the profiles of %s: %s", from,
		    strerror(errno));
		goto out;
	}
	while ((entry = readdir(d)) != NULL) {
		len = strlen(entry->d_name);
		if (entry->d_name[0] == '.' || len <= 4 ||
		    strcmp(entry->d_name + len - 4, ".cnf") != 0)
			continue;
		if (++n > MAX_PROFILES) {
			(void)burin_fail(e, BURIN_EUSAGE, "profile-limit",
			    "%s holds more than %d profiles", from,
			    MAX_PROFILES);
			goto out;
		}
		if (copy_profile(from, to, entry->d_name, e) != 0)
			goto out;
		if (strcmp(entry->d_name, DEFAULT_PROFILE ".cnf") == 0)
			b->has_default = 1;
	}
	rc = 0;
out:
	if (d != NULL)
		(void)closedir(d);
	free(from);
	free(to);
	return rc;
}

static int
write_settings(struct build *b, struct burin_error *e)
{
	struct settings s = { .retry_after = CA_RETRY_AFTER,
		.rate = CA_RATE,
		.crl_days = CA_CRL_DAYS,
		.publish_anchors = 1 };
	size_t i;
	int rc = -1;

	s.name = strdup(b->in->name);
	s.token = burin_token_uri(b->in->token);
	s.ra = b->in->ra != NULL;
	if (s.ra)
		s.upstream = strdup(b->in->ra->upstream);
	else
		s.ca_key = burin_key_uri(b->ca_key);
	s.cmc_key = burin_key_uri(b->cmc_key);
	s.tls_key = burin_key_uri(b->tls_key);
	s.pop_key = burin_key_uri(b->pop_key);
	for (i = 0; b->hosts[i] != NULL; i++) {
		if (i == CA_MAX_HOSTS) {
			(void)burin_fail(e, BURIN_EUSAGE, "host-limit",
			    "more than %d host names", CA_MAX_HOSTS);
			goto out;
		}
		if ((s.hosts[i] = strdup(b->hosts[i])) == NULL) {
			(void)burin_fail_memory(e);
			goto out;
		}
	}
	if (b->has_default)
		s.profile = strdup(DEFAULT_PROFILE);
	if (b->in->url != NULL && (s.url = strdup(b->in->url)) == NULL) {
		(void)burin_fail_memory(e);
		goto out;
	}
	if (s.name == NULL || s.token == NULL ||
	    (s.ra ? s.upstream : s.ca_key) == NULL || s.cmc_key == NULL ||
	    s.tls_key == NULL || s.pop_key == NULL ||
	    (b->has_default && s.profile == NULL)) {
		(void)burin_fail_memory(e);
		goto out;
	}
	rc = settings_write(b->in->dir, &s, e);
out:
	settings_clear(&s);
	return rc;
}

static int
build(struct build *b, struct burin_error *e)
{
	const char *dir = b->in->dir;

	if (make_dir(b, e) != 0 || first_line(b, e) != 0 ||
	    copy_profiles(b, e) != 0)
		return -1;
	if ((b->in->ra != NULL ? init_ra_find : make_certs)(b, e) != 0 ||
	    ca_cert_write(dir, "ca.pem", b->ca.cert, e) != 0 ||
	    ca_cert_write(dir, "cmc.pem", b->cmc_cert, e) != 0 ||
	    ca_cert_write(dir, "pop.pem", b->pop_cert, e) != 0 ||
	    ca_cert_write(dir, "tls.pem", b->tls_cert, e) != 0)
		return -1;
	return write_settings(b, e);
}

/* Takes back what was made, so that the same command can be tried again. */
static void
undo(struct build *b)
{
	static const char *const files[] = { "authority.db", "authority.db-wal",
		"authority.db-shm", "secrets.key", "ca.pem", "cmc.pem",
		"tls.pem", "pop.pem" };
	struct burin_key *const keys[] = { b->ca_key, b->cmc_key, b->tls_key,
		b->pop_key };
	char *path;
	size_t i;

	/* Those of an RA were there before. */
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] != NULL && b->in->ra == NULL)
			(void)burin_key_destroy(keys[i], NULL);
	store_close(&b->store);
	for (i = 0; b->dir_ours && i < sizeof(files) / sizeof(files[0]); i++) {
		if (ca_path(b->in->dir, files[i], &path, NULL) == 0)
			(void)unlink(path);
		free(path);
	}
}

int
authority_init(const struct authority_init *in, struct burin_error *e)
{
	struct build b = { .in = in };
	size_t i;
	int rc = -1;

	b.hosts = in->hosts != NULL && in->hosts[0] != NULL ? in->hosts
	    : in->ra != NULL				    ? NULL
							    : default_hosts;
	if ((in->ra != NULL ? init_ra_check : check_input)(in, e) != 0)
		goto out;
	rc = build(&b, e);
	if (rc != 0)
		undo(&b);
out:
	store_close(&b.store);
	X509_free(b.ca.cert);
	X509_free(b.cmc_cert);
	X509_free(b.tls_cert);
	X509_free(b.pop_cert);
	for (i = 0; b.found[i] != NULL; i++)
		free(b.found[i]);
	burin_key_free(&b.ca_key);
	burin_key_free(&b.cmc_key);
	burin_key_free(&b.tls_key);
	burin_key_free(&b.pop_key);
	if (rc != 0)
		(void)burin_error_step(e, "authority-init");
	return rc;
}
