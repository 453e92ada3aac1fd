/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The symbols of libmicrohttpd and GnuTLS.
 */

#include "mhd.h"

struct late_mhd late_mhd;

#define SYMBOL(field, name)           \
	{                             \
		name, &late_mhd.field \
	}

int
late_mhd_load(struct burin_error *e)
{
	static const struct late_symbol symbols[] = {
		SYMBOL(add_response_header, "MHD_add_response_header"),
		SYMBOL(basic_auth_get_username_password,
		    "MHD_basic_auth_get_username_password"),
		SYMBOL(create_response_from_buffer,
		    "MHD_create_response_from_buffer"),
		SYMBOL(destroy_response, "MHD_destroy_response"),
		SYMBOL(
		    digest_auth_check_digest2, "MHD_digest_auth_check_digest2"),
		SYMBOL(
		    digest_auth_get_username, "MHD_digest_auth_get_username"),
		SYMBOL(free, "MHD_free"),
		SYMBOL(get_connection_info, "MHD_get_connection_info"),
		SYMBOL(lookup_connection_value, "MHD_lookup_connection_value"),
		SYMBOL(
		    queue_auth_fail_response2, "MHD_queue_auth_fail_response2"),
		SYMBOL(queue_response, "MHD_queue_response"),
		SYMBOL(quiesce_daemon, "MHD_quiesce_daemon"),
		SYMBOL(start_daemon, "MHD_start_daemon"),
		SYMBOL(stop_daemon, "MHD_stop_daemon"),
		SYMBOL(certificate_get_peers, "gnutls_certificate_get_peers"),
		SYMBOL(allocate, "gnutls_malloc"),
		SYMBOL(pcert_deinit, "gnutls_pcert_deinit"),
		SYMBOL(pcert_import_x509_raw, "gnutls_pcert_import_x509_raw"),
		SYMBOL(privkey_deinit, "gnutls_privkey_deinit"),
		SYMBOL(privkey_import_ext4, "gnutls_privkey_import_ext4"),
		SYMBOL(privkey_init, "gnutls_privkey_init"),
		SYMBOL(strerror, "gnutls_strerror"),
	};

	return late_load("libmicrohttpd.so.12", symbols,
	    sizeof(symbols) / sizeof(symbols[0]), e);
}
