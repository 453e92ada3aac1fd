/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens and objects as files, so that processes share them: one file per
 * token, one per object, replaced as a whole, under one lock.
 */

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mock.h"

#define MAX_PATH 512

static int lock_fd = -1;
static struct object *memory[MAX_OBJECTS]; /* session objects */

static void
path_of(
    char path[MAX_PATH], const char *fmt, CK_SLOT_ID slot, CK_OBJECT_HANDLE h)
{
	int n = snprintf(path, MAX_PATH, "%s/", mock_conf->dir);

	if (n < 0 || n > MAX_PATH - 64)
		abort();
	(void)snprintf(path + n, 64, "%s-%lu-%08lx", fmt, slot, h);
}

static int
replace(const char *path, const char *tmp, FILE *f)
{
	int bad = ferror(f);

	return fclose(f) == 0 && !bad && rename(tmp, path) == 0;
}

/* For people and scripts; the mock never reads it. */
static int
tell_tries(CK_SLOT_ID slot, const struct token *t)
{
	char path[MAX_PATH], tmp[MAX_PATH];
	FILE *f;

	path_of(path, "tries", slot, 0);
	path_of(tmp, "new", slot, 0);
	if ((f = fopen(tmp, "we")) == NULL)
		return 0;
	(void)fprintf(f, "user %lu\nso %lu\n", t->wrong, t->so_wrong);
	return replace(path, tmp, f);
}

int
store_token_save(CK_SLOT_ID slot, const struct token *t)
{
	char path[MAX_PATH], tmp[MAX_PATH];
	FILE *f;

	path_of(path, "token", slot, 0);
	path_of(tmp, "new", slot, 0);
	if ((f = fopen(tmp, "we")) == NULL)
		return 0;
	(void)fwrite(t, sizeof(*t), 1, f);
	return replace(path, tmp, f) && tell_tries(slot, t);
}

int
store_token(CK_SLOT_ID slot, struct token *t)
{
	char path[MAX_PATH];
	FILE *f;
	int rc;

	path_of(path, "token", slot, 0);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	rc = fread(t, sizeof(*t), 1, f) == 1;
	(void)fclose(f);
	return rc;
}

/* Tokens of the configuration that are not there yet. */
static int
make_tokens(void)
{
	struct token t;
	CK_SLOT_ID i;

	for (i = 0; i < mock_conf->slots; i++) {
		if (store_token(i, &t))
			continue;
		memset(&t, 0, sizeof(t));
		t.next = 1;
		(void)snprintf(
		    t.serial, sizeof(t.serial), "%016lx", 0xb1a0000 + i);
		if (i < mock_conf->n_tokens) {
			t.initialized = t.user_pin_set = 1;
			memcpy(t.label, mock_conf->tokens[i].label, 33);
			memcpy(t.serial, mock_conf->tokens[i].serial, 17);
			memcpy(t.pin, mock_conf->pin, sizeof(t.pin));
			memcpy(t.so_pin, mock_conf->so_pin, sizeof(t.so_pin));
		}
		if (!store_token_save(i, &t))
			return 0;
	}
	return 1;
}

int
store_lock(int on)
{
	return lock_fd == -1 || flock(lock_fd, on ? LOCK_EX : LOCK_UN) == 0;
}

int
store_open(void)
{
	char path[MAX_PATH];
	int rc;

	if (mock_conf->dir[0] == '\0') {
		(void)fprintf(stderr, "BURIN_MOCK or its dir= is not set\n");
		return 0;
	}
	(void)mkdir(mock_conf->dir, 0700);
	path_of(path, "lock", 0, 0);
	lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_fd == -1) {
		perror(path);
		return 0;
	}
	rc = store_lock(1) && make_tokens();
	return store_lock(0) && rc;
}

void
store_close(void)
{
	size_t i;

	for (i = 0; i < MAX_OBJECTS; i++)
		if (memory[i] != NULL) {
			object_free(memory[i]);
			free(memory[i]);
			memory[i] = NULL;
		}
	if (lock_fd != -1)
		(void)close(lock_fd);
	lock_fd = -1;
}

static int
read_attribute(FILE *f, struct object *o)
{
	unsigned long head[2];
	unsigned char *value;
	int rc;

	if (fread(head, sizeof(head), 1, f) != 1)
		return 0;
	if (head[1] > MAX_VALUE || (value = malloc(head[1] + 1)) == NULL)
		return 0;
	rc = fread(value, 1, head[1], f) == head[1] &&
	    object_set(o, head[0], value, head[1]);
	free(value);
	return rc;
}

int
store_load(CK_SLOT_ID slot, CK_OBJECT_HANDLE h, struct object *o)
{
	char path[MAX_PATH];
	const struct object *m;
	FILE *f;

	memset(o, 0, sizeof(*o));
	o->handle = h;
	if (h & IN_MEMORY) {
		h &= ~IN_MEMORY;
		m = h < MAX_OBJECTS ? memory[h] : NULL;
		return m != NULL && object_fill(o, m->a, m->n);
	}
	path_of(path, "object", slot, h);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (read_attribute(f, o))
		continue;
	(void)fclose(f);
	return o->n > 0;
}

static int
save_in_memory(struct object *o)
{
	CK_OBJECT_HANDLE h = o->handle & ~IN_MEMORY;

	if (o->handle == 0)
		for (h = 1; h < MAX_OBJECTS && memory[h] != NULL; h++)
			continue;
	if (h >= MAX_OBJECTS)
		return 0;
	if (memory[h] == NULL &&
	    (memory[h] = calloc(1, sizeof(*memory[h]))) == NULL)
		return 0;
	o->handle = memory[h]->handle = h | IN_MEMORY;
	return object_fill(memory[h], o->a, o->n);
}

int
store_save_file(CK_SLOT_ID slot, struct object *o)
{
	char path[MAX_PATH], tmp[MAX_PATH];
	unsigned long head[2];
	struct token t;
	CK_ULONG i;
	FILE *f;

	if (o->handle == 0) {
		if (!store_token(slot, &t))
			return 0;
		o->handle = t.next++;
		if (!store_token_save(slot, &t))
			return 0;
	}
	path_of(path, "object", slot, o->handle);
	path_of(tmp, "new", slot, o->handle);
	if ((f = fopen(tmp, "we")) == NULL)
		return 0;
	for (i = 0; i < o->n; i++) {
		head[0] = o->a[i].type;
		head[1] = o->a[i].ulValueLen;
		(void)fwrite(head, sizeof(head), 1, f);
		(void)fwrite(o->a[i].pValue, 1, head[1], f);
	}
	return replace(path, tmp, f);
}

int
store_save(CK_SLOT_ID slot, struct object *o)
{
	return object_bool(o, CKA_TOKEN, 0) ? store_save_file(slot, o)
					    : save_in_memory(o);
}

void
store_remove(CK_SLOT_ID slot, CK_OBJECT_HANDLE h)
{
	char path[MAX_PATH];

	if (h & IN_MEMORY) {
		h &= ~IN_MEMORY;
		object_free(memory[h]);
		free(memory[h]);
		memory[h] = NULL;
		return;
	}
	path_of(path, "object", slot, h);
	(void)unlink(path);
}

static int
order(const void *a, const void *b)
{
	CK_OBJECT_HANDLE x = *(const CK_OBJECT_HANDLE *)a;
	CK_OBJECT_HANDLE y = *(const CK_OBJECT_HANDLE *)b;

	return (x > y) - (x < y);
}

size_t
store_list(CK_SLOT_ID slot, CK_OBJECT_HANDLE *list, size_t max)
{
	struct dirent *entry;
	unsigned long s, h;
	size_t i, n = 0;
	DIR *dir;

	if ((dir = opendir(mock_conf->dir)) == NULL)
		return 0;
	while (n < max && (entry = readdir(dir)) != NULL)
		if (sscanf(entry->d_name, "object-%lu-%lx", &s, &h) == 2 &&
		    s == slot)
			list[n++] = h;
	(void)closedir(dir);
	for (i = 0; i < MAX_OBJECTS && n < max; i++)
		if (memory[i] != NULL)
			list[n++] = i | IN_MEMORY;
	qsort(list, n, sizeof(*list), order);
	return n;
}
