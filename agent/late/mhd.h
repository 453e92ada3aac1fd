/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libmicrohttpd and the GnuTLS that it uses, under their own names.
 * late_mhd_load comes first.
 */

#ifndef BURIN_LATE_MHD_H
#define BURIN_LATE_MHD_H

#include <gnutls/abstract.h>
#include <microhttpd.h>

#include "late.h"

/* Of the process, as the dynamic linker's own tables are. */
extern struct late_mhd {
	__typeof__(MHD_add_response_header) *add_response_header;
	__typeof__(MHD_basic_auth_get_username_password)
	    *basic_auth_get_username_password;
	__typeof__(MHD_create_response_from_buffer)
	    *create_response_from_buffer;
	__typeof__(MHD_destroy_response) *destroy_response;
	__typeof__(MHD_digest_auth_check_digest2) *digest_auth_check_digest2;
	__typeof__(MHD_digest_auth_get_username) *digest_auth_get_username;
	__typeof__(MHD_free) *free;
	__typeof__(MHD_get_connection_info) *get_connection_info;
	__typeof__(MHD_lookup_connection_value) *lookup_connection_value;
	__typeof__(MHD_queue_auth_fail_response2) *queue_auth_fail_response2;
	__typeof__(MHD_queue_response) *queue_response;
	__typeof__(MHD_quiesce_daemon) *quiesce_daemon;
	__typeof__(MHD_start_daemon) *start_daemon;
	__typeof__(MHD_stop_daemon) *stop_daemon;
	__typeof__(gnutls_certificate_get_peers) *certificate_get_peers;
	gnutls_alloc_function *allocate; /* gnutls_malloc, a variable */
	__typeof__(gnutls_pcert_deinit) *pcert_deinit;
	__typeof__(gnutls_pcert_import_x509_raw) *pcert_import_x509_raw;
	__typeof__(gnutls_privkey_deinit) *privkey_deinit;
	__typeof__(gnutls_privkey_import_ext4) *privkey_import_ext4;
	__typeof__(gnutls_privkey_init) *privkey_init;
	__typeof__(gnutls_strerror) *strerror;
} late_mhd;

int late_mhd_load(struct burin_error *e);

#define MHD_add_response_header late_mhd.add_response_header
#define MHD_basic_auth_get_username_password \
	late_mhd.basic_auth_get_username_password
#define MHD_create_response_from_buffer late_mhd.create_response_from_buffer
#define MHD_destroy_response late_mhd.destroy_response
#define MHD_digest_auth_check_digest2 late_mhd.digest_auth_check_digest2
#define MHD_digest_auth_get_username late_mhd.digest_auth_get_username
#define MHD_free late_mhd.free
#define MHD_get_connection_info late_mhd.get_connection_info
#define MHD_lookup_connection_value late_mhd.lookup_connection_value
#define MHD_queue_auth_fail_response2 late_mhd.queue_auth_fail_response2
#define MHD_queue_response late_mhd.queue_response
#define MHD_quiesce_daemon late_mhd.quiesce_daemon
#define MHD_start_daemon late_mhd.start_daemon
#define MHD_stop_daemon late_mhd.stop_daemon
#define gnutls_certificate_get_peers late_mhd.certificate_get_peers
#define gnutls_malloc (*late_mhd.allocate)
#define gnutls_pcert_deinit late_mhd.pcert_deinit
#define gnutls_pcert_import_x509_raw late_mhd.pcert_import_x509_raw
#define gnutls_privkey_deinit late_mhd.privkey_deinit
#define gnutls_privkey_import_ext4 late_mhd.privkey_import_ext4
#define gnutls_privkey_init late_mhd.privkey_init
#define gnutls_strerror late_mhd.strerror

#endif
