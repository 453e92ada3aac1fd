/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Modules: loaded by path or from p11-kit's registry, started, ended
 * (PKCS#11 2.40 section 5.4).
 */

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>

#include "p11.h"

#define MAX_MODULES 256

void
p11_note(struct burin_p11 *p11, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (p11->log == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	p11->log(p11->log_arg, line);
}

static int
lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int r;

	if (pthread_mutexattr_init(&attr) != 0)
		return -1;
	r = pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	if (r == 0)
		r = pthread_mutex_init(lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	return r == 0 ? 0 : -1;
}

/* A module that is loaded but not started; takes name. */
static struct p11_module *
module_add(struct burin_p11 *p11, CK_FUNCTION_LIST *f, char *name, int managed,
    struct burin_error *e)
{
	struct p11_module *m;

	if (name == NULL || (m = calloc(1, sizeof(*m))) == NULL) {
		free(name);
		(void)burin_fail_memory(e);
		return NULL;
	}
	if (lock_init(&m->lock) == -1) {
		free(name);
		free(m);
		(void)burin_fail_memory(e);
		return NULL;
	}
	m->owner = p11;
	m->f = f;
	m->name = name;
	m->managed = managed;
	p11->modules[p11->n_modules++] = m;
	return m;
}

/*
 * C_Initialize. No flags: every call is made under the module's lock, and
 * OpenSC 0.23 can wait for itself for ever when it locks as well.
 */
static CK_RV
module_start(struct p11_module *m, char *init)
{
	CK_C_INITIALIZE_ARGS args;
	CK_RV rv;

	memset(&args, 0, sizeof(args));
	args.pReserved = init;
	p11_lock(m);
	rv = p11_Initialize(m, init != NULL ? &args : NULL);
	p11_unlock(m);
	if (rv == CKR_OK)
		m->initialized_by_us = 1;
	/* Somebody else in this process owns it: used, never finalized. */
	if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		rv = CKR_OK;
	return rv;
}

void
p11_module_restart(struct p11_module *m)
{
	CK_RV rv;

	if (m->initialized_by_us)
		(void)p11_Finalize(m);
	m->initialized_by_us = 0;
	m->restarted = 1;
	rv = module_start(m, m->init);
	if (rv != CKR_OK)
		p11_note(m->owner, "module %s did not start again (%s)",
		    m->name, p11_ckr_name(rv));
}

/* p11-kit takes a relative path as one below its module directory. */
static char *
module_path(const char *path)
{
	char full[PATH_MAX];

	if (path[0] != '/' && strchr(path, '/') != NULL &&
	    realpath(path, full) != NULL)
		return strdup(full);
	return strdup(path);
}

static int
is_loaded(const struct burin_p11 *p11, const CK_FUNCTION_LIST *f)
{
	size_t i;

	for (i = 0; i < p11->n_modules; i++)
		if (p11->modules[i]->f == f)
			return 1;
	return 0;
}

static int
load_named(struct burin_p11 *p11, const struct burin_module_spec *spec,
    struct burin_error *e)
{
	struct p11_module *m;
	CK_FUNCTION_LIST *f;
	char *path = NULL, *init = NULL;
	const char *why;
	CK_RV rv;
	int rc = -1;

	path = module_path(spec->path);
	if (path == NULL ||
	    (spec->init != NULL && (init = strdup(spec->init)) == NULL)) {
		burin_fail_memory(e);
		goto out;
	}
	p11_watch_load(p11, path, 1);
	f = p11_kit_module_load(
	    path, P11_KIT_MODULE_UNMANAGED | P11_KIT_MODULE_CRITICAL);
	p11_watch_load(p11, path, 0);
	if (f == NULL) {
		why = p11_kit_message();
		burin_fail(e, BURIN_ETOKEN, "module-missing",
		    "module %s cannot be loaded: %s", spec->path,
		    why != NULL ? why : "no PKCS#11 module");
		burin_error_advice(e,
		    "give the path of a PKCS#11 library with --module, or "
		    "none to use those that p11-kit knows");
		goto out;
	}
	if (is_loaded(p11, f)) {
		p11_kit_module_release(f);
		rc = 0;
		goto out;
	}
	m = module_add(p11, f, path, 0, e);
	path = NULL;
	if (m == NULL) {
		p11_kit_module_release(f);
		goto out;
	}
	m->init = init;
	init = NULL;
	rv = module_start(m, m->init);
	if (rv != CKR_OK) {
		burin_fail(e, BURIN_ETOKEN, "module-start",
		    "module %s did not start (C_Initialize: %s 0x%lx)",
		    spec->path, p11_ckr_name(rv), rv);
		if (e != NULL && e->ckr == 0)
			e->ckr = rv;
		burin_error_advice(e,
		    "check the module's configuration and its service (pcscd, "
		    "TPM), and what it wants to be started with");
		goto out;
	}
	rc = 0;
out:
	free(path);
	free(init);
	return rc;
}

static int
load_registry(struct burin_p11 *p11, struct burin_error *e)
{
	struct p11_module *m;
	const char *why;
	size_t i, n;
	CK_RV rv;

	p11_watch_load(p11, "of p11-kit's registry", 1);
	p11->registry = p11_kit_modules_load(NULL, 0);
	p11_watch_load(p11, "of p11-kit's registry", 0);
	if (p11->registry == NULL) {
		why = p11_kit_message();
		return burin_fail(e, BURIN_ETOKEN, "registry-failed",
		    "p11-kit's registry of modules cannot be loaded: %s",
		    why != NULL ? why : "no reason given");
	}
	for (n = 0; p11->registry[n] != NULL; n++)
		if (n == MAX_MODULES)
			return burin_fail(e, BURIN_ETOKEN, "too-many-modules",
			    "p11-kit's registry has more than %d modules",
			    MAX_MODULES);
	p11->modules = calloc(n + 1, sizeof(*p11->modules));
	if (p11->modules == NULL)
		return burin_fail_memory(e);
	for (i = 0; i < n; i++) {
		char *name = p11_kit_module_get_name(p11->registry[i]);

		/* Stores of anchors: nobody's identity is on them. */
		if (p11_kit_module_get_flags(p11->registry[i]) &
		    P11_KIT_MODULE_TRUSTED) {
			free(name);
			continue;
		}
		m = module_add(p11, p11->registry[i], name, 1, e);
		if (m == NULL)
			return -1;
		rv = module_start(m, NULL);
		if (rv == CKR_OK)
			continue;
		p11_note(p11, "module %s did not start (%s), left out", m->name,
		    p11_ckr_name(rv));
		m->listed = 1; /* without tokens */
	}
	return 0;
}

int
burin_p11_new(struct burin_p11 **out, const struct burin_p11_config *config,
    struct burin_error *e)
{
	struct burin_p11 *p11;
	size_t i;
	int rc = -1;

	*out = NULL;
	if (config->n_modules > MAX_MODULES)
		return burin_fail(e, BURIN_EUSAGE, "too-many-modules",
		    "more than %d modules are named", MAX_MODULES);
	p11 = calloc(1, sizeof(*p11));
	if (p11 == NULL)
		return burin_fail_memory(e);
	p11->log = config->log;
	p11->log_arg = config->log_arg;
	p11->watch = config->watch;
	p11->watch_arg = config->watch_arg;
	/* Its failures reach the user through p11_kit_message. */
	p11_kit_be_quiet();
	if (config->n_modules == 0) {
		if (load_registry(p11, e) == -1)
			goto out;
	} else {
		p11->modules = calloc(config->n_modules, sizeof(*p11->modules));
		if (p11->modules == NULL) {
			burin_fail_memory(e);
			goto out;
		}
		for (i = 0; i < config->n_modules; i++)
			if (load_named(p11, &config->modules[i], e) == -1)
				goto out;
	}
	*out = p11;
	p11 = NULL;
	rc = 0;
out:
	burin_p11_free(&p11);
	return rc == 0 ? 0 : burin_error_step(e, "module");
}

/*
 * C_Finalize ends sessions and logins by itself; a module that others use,
 * in this process or through p11-kit, has only ours ended.
 */
static void
module_end(struct p11_module *m)
{
	size_t i;

	p11_lock(m);
	if (!m->initialized_by_us || m->managed)
		for (i = 0; i < m->n_tokens; i++)
			burin_token_logout(m->tokens[i]);
	if (m->initialized_by_us)
		(void)p11_Finalize(m);
	p11_forget_tokens(m);
	p11_unlock(m);
	if (!m->managed)
		p11_kit_module_release(m->f);
	(void)pthread_mutex_destroy(&m->lock);
	free(m->init);
	free(m->name);
	free(m);
}

void
burin_p11_free(struct burin_p11 **pp)
{
	struct burin_p11 *p11;
	size_t i;

	if (pp == NULL || (p11 = *pp) == NULL)
		return;
	*pp = NULL;
	p11_provider_free(&p11->provider);
	for (i = 0; i < p11->n_modules; i++)
		module_end(p11->modules[i]);
	if (p11->registry != NULL)
		p11_kit_modules_release(p11->registry);
	free(p11->modules);
	free(p11->all);
	free(p11);
}

void
burin_p11_refresh(struct burin_p11 *p11)
{
	size_t i, j;

	for (i = 0; i < p11->n_modules; i++) {
		struct p11_module *m = p11->modules[i];

		p11_lock(m);
		for (j = 0; j < m->n_tokens; j++)
			p11_close_token(m->tokens[j]);
		if (m->tokens != NULL || m->silent_rv != CKR_OK)
			p11_forget_tokens(m);
		p11_unlock(m);
	}
	free(p11->all);
	p11->all = NULL;
	p11->n_all = 0;
}

void
burin_p11_set_policy(
    struct burin_p11 *p11, const struct burin_login_policy *policy)
{
	p11->policy = *policy;
}
