/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libcurl under its own names, and what we use of the libssl that it uses.
 * late_curl_load comes first. The type checks of setopt and getinfo, which are
 * macros, get lost.
 */

#ifndef BURIN_LATE_CURL_H
#define BURIN_LATE_CURL_H

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "late.h"

/* Of the process, as the dynamic linker's own tables are. */
extern struct late_curl {
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_perform) *easy_perform;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_url) *url;
	__typeof__(curl_url_set) *url_set;
	__typeof__(curl_url_get) *url_get;
	__typeof__(curl_url_cleanup) *url_cleanup;
	__typeof__(curl_free) *free;
	__typeof__(SSL_CTX_use_certificate) *ssl_use_certificate;
	__typeof__(SSL_CTX_use_PrivateKey) *ssl_use_private_key;
	__typeof__(SSL_CTX_ctrl) *ssl_ctrl;
} late_curl;

int late_curl_load(struct burin_error *e);

#undef curl_easy_setopt
#undef curl_easy_getinfo
#define curl_easy_init late_curl.easy_init
#define curl_easy_setopt late_curl.easy_setopt
#define curl_easy_perform late_curl.easy_perform
#define curl_easy_getinfo late_curl.easy_getinfo
#define curl_easy_strerror late_curl.easy_strerror
#define curl_easy_cleanup late_curl.easy_cleanup
#define curl_slist_append late_curl.slist_append
#define curl_slist_free_all late_curl.slist_free_all
#define curl_url late_curl.url
#define curl_url_set late_curl.url_set
#define curl_url_get late_curl.url_get
#define curl_url_cleanup late_curl.url_cleanup
#define curl_free late_curl.free
#define SSL_CTX_use_certificate late_curl.ssl_use_certificate
#define SSL_CTX_use_PrivateKey late_curl.ssl_use_private_key
#define SSL_CTX_ctrl late_curl.ssl_ctrl

#endif
