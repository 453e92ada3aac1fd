/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The symbols of libcurl; its interface has had the number 4 since 2006.
 */

#include "curl.h"

struct late_curl late_curl;

#define SYMBOL(field, name)            \
	{                              \
		name, &late_curl.field \
	}

int
late_curl_load(struct burin_error *e)
{
	static const struct late_symbol symbols[] = {
		SYMBOL(easy_init, "curl_easy_init"),
		SYMBOL(easy_setopt, "curl_easy_setopt"),
		SYMBOL(easy_perform, "curl_easy_perform"),
		SYMBOL(easy_getinfo, "curl_easy_getinfo"),
		SYMBOL(easy_strerror, "curl_easy_strerror"),
		SYMBOL(easy_cleanup, "curl_easy_cleanup"),
		SYMBOL(slist_append, "curl_slist_append"),
		SYMBOL(slist_free_all, "curl_slist_free_all"),
		SYMBOL(url, "curl_url"),
		SYMBOL(url_set, "curl_url_set"),
		SYMBOL(url_get, "curl_url_get"),
		SYMBOL(url_cleanup, "curl_url_cleanup"),
		SYMBOL(free, "curl_free"),
		SYMBOL(ssl_use_certificate, "SSL_CTX_use_certificate"),
		SYMBOL(ssl_use_private_key, "SSL_CTX_use_PrivateKey"),
		SYMBOL(ssl_ctrl, "SSL_CTX_ctrl"),
	};

	if (late_curl.easy_init != NULL)
		return 0;
	return late_load(
	    "libcurl.so.4", symbols, sizeof(symbols) / sizeof(symbols[0]), e);
}
