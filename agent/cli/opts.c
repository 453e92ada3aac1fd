/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Options that several verbs share. The word for the argument says what
 * shell completion offers: FILE, DIR, TYPE (of a key), PROFILE, SRC.
 */

#include "cli.h"

const struct opt opts_common[] = {
	{ "module", 0, OPT_LIST, "FILE",
	    "PKCS#11 module (default: those p11-kit knows)" },
	{ "module-init", 0, OPT_LIST, "STRING",
	    "start the --module before it with this (NSS)" },
	{ "pin-source", 0, OPT_VALUE, "SRC",
	    "prompt, file:PATH, fd:N, env:NAME, askpass, credential:NAME" },
	{ "so-pin-source", 0, OPT_VALUE, "SRC",
	    "the same for the SO PIN, or a PIV token's management key" },
	{ "last-try", 0, OPT_FLAG, NULL,
	    "a PIN may be tried even when it is the last try" },
	{ "retry-pin", 0, OPT_FLAG, NULL,
	    "send a PIN again that this token refused before" },
	{ "state", 0, OPT_VALUE, "DIR", "where the journal is kept" },
	{ "config", 0, OPT_VALUE, "FILE", "defaults for options" },
	{ "json", 0, OPT_FLAG, NULL, "one JSON object on standard output" },
	{ "progress", 0, OPT_VALUE, "=json",
	    "progress as JSON lines on standard error" },
	{ "verbose", 'v', OPT_FLAG, NULL, "say more; twice: every call" },
	{ "quiet", 'q', OPT_FLAG, NULL, "errors only" },
	{ "help", 'h', OPT_FLAG, NULL, "this text" },
	{ "version", 0, OPT_FLAG, NULL, "the version of burin" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

const struct opt opts_dry_run[] = {
	{ "dry-run", 'n', OPT_FLAG, NULL,
	    "say what would be done, and do nothing" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

const struct opt opts_subject[] = {
	{ "profile", 0, OPT_VALUE, "PROFILE",
	    "kind of identity: a name, or the path of a file" },
	{ "subject", 0, OPT_VALUE, "DN", "\"CN=Alice,O=Example\"" },
	{ "san", 0, OPT_LIST, "TYPE:VALUE",
	    "email:, dns:, uri:, xmpp: or ip: and the name" },
	{ "identity", 0, OPT_VALUE, "ADDRESS",
	    "address that the profile makes names of" },
	{ "prefix", 0, OPT_LIST, "IPV6/LEN",
	    "address block (SEND), or \"inherit\"" },
	{ "eku", 0, OPT_LIST, "NAME", "extended key usage, name or OID" },
	{ "ext", 0, OPT_LIST, "LINE",
	    "extension as in openssl.cnf: \"name = value\"" },
	{ "attribute", 0, OPT_LIST, "NAME=TEXT",
	    "PKCS#9 attribute of the request" },
	{ "attestation", 0, OPT_VALUE, "=FORM",
	    "with the device's word for the key: yubico (default) or draft" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

const struct opt opts_form[] = {
	{ "format", 0, OPT_VALUE, "NAME",
	    "form of the request: pkcs10 or cmc; for a file crmf, too" },
	{ "inner", 0, OPT_VALUE, "NAME",
	    "inside CMC: pkcs10 or crmf (default: as its key needs)" },
	{ "pop", 0, OPT_VALUE, "NAME",
	    "proof of possession: signature, challenge or agreement (default: "
	    "as the key can)" },
	{ "pop-cert", 0, OPT_VALUE, "FILE",
	    "for agreement: the authority's certificate for it" },
	{ "reg-info", 0, OPT_VALUE, "TEXT",
	    "CMC: what the authority asks to be told" },
	{ "encrypt-to", 0, OPT_VALUE, "FILE",
	    "CMC: encrypt messages for this certificate of the authority" },
	{ "legacy", 0, OPT_FLAG, NULL, "CMC: for peers that have only SHA-1" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

const struct opt opts_authority[] = {
	{ "ca", 0, OPT_VALUE, "URL", "the authority" },
	{ "protocol", 0, OPT_VALUE, "NAME", "est, cmc, est-cmc, cmp or file" },
	{ "trust", 0, OPT_VALUE, "FILE",
	    "anchors of the certificate, and of the server" },
	{ "tls-trust", 0, OPT_VALUE, "FILE", "other anchors of the server" },
	{ "user", 0, OPT_VALUE, "NAME", "user name for the authority" },
	{ "secret", 0, OPT_VALUE, "SRC",
	    "where the enrolment secret comes from" },
	{ "proxy", 0, OPT_VALUE, "URL", "HTTP proxy; \"\" for none" },
	{ "timeout", 0, OPT_VALUE, "SECONDS", "for one exchange" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

const struct opt opts_transport[] = {
	{ "ca-fingerprint", 0, OPT_VALUE, "HEX",
	    "SHA-256 of the CA certificate, for the first contact" },
	{ "cmp-command", 0, OPT_VALUE, "NAME",
	    "protocol cmp: ir, cr, kur or p10cr" },
	{ "request-file", 0, OPT_VALUE, "FILE",
	    "protocol file: where the request goes" },
	{ "mime", 0, OPT_FLAG, NULL, "protocol file: the request as a mail" },
	{ "response-file", 0, OPT_VALUE, "FILE",
	    "protocol file: where the answer is" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};

const struct opt opts_wait[] = {
	{ "wait", 0, OPT_VALUE, "=SERIAL",
	    "wait for what is missing: the token, the authority's answer" },
	{ "wait-limit", 0, OPT_VALUE, "SECONDS",
	    "for the token (default: 300; 0: none)" },
	{ NULL, 0, OPT_FLAG, NULL, NULL },
};
