/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The return values of PKCS#11 2.40 (section 3.6 of its base specification,
 * OASIS 2015, and pkcs11t.h), each in words for a helpdesk.
 */

#include <stddef.h>

#include "p11.h"

#define ADVICE_PAD                                                   \
	"give the PIN on the reader and confirm it there, then try " \
	"again"
#define ADVICE_AGAIN                                                    \
	"try again; if it comes back, run with -vv and ask the vendor " \
	"of the module"
#define ADVICE_TOKENS "run burin tokens to see which slots hold tokens"
#define ADVICE_BUG                                                  \
	"report this with the output of -vv; it is a fault of the " \
	"module or of burin"
#define ADVICE_MODULE                                                 \
	"check that the module's library, its configuration and its " \
	"service (pcscd, TPM) are in order"
#define ADVICE_TEMPLATE                                                 \
	"another key type or fewer options may be accepted; -vv shows " \
	"what was asked"
#define ADVICE_LIMITS                                                 \
	"the token or its module cannot do this; burin tokens shows " \
	"what it can do"
#define ADVICE_RESUME                                                 \
	"put the token back, wait until it is ready, then run burin " \
	"resume with the id of the enrolment"
#define ADVICE_FREE                                                    \
	"remove objects that are no longer needed from the token, or " \
	"use another one"
#define ADVICE_KEYS                                                     \
	"the key was made for another purpose; use one with the right " \
	"usage"
#define ADVICE_LOGIN                                                    \
	"log in again; if it comes back, pull the token and put it in " \
	"again"
#define ADVICE_PIN                                                     \
	"check the PIN and give it once more; burin tokens shows how " \
	"many tries the token admits to"
#define ADVICE_CHANGE "change the PIN with burin pin change, then try again"
#define ADVICE_UNBLOCK                                                  \
	"unblock it with the SO PIN or the PUK: burin pin unblock, or " \
	"the tool of the token's vendor"
#define ADVICE_SESSIONS \
	"close other programs that use the token, then try again"
#define ADVICE_OTHER "use another token, or the module that its vendor supplies"
#define ADVICE_INIT                                                    \
	"set it with burin init, or with the SO PIN and the vendor's " \
	"tool"
#define ADVICE_WEAK "choose a longer PIN with other characters"

#define ROW(rv) rv, #rv

struct ckr {
	CK_RV rv;
	const char *name;
	enum burin_status status;
	const char *code, *sentence, *advice;
};

static const struct ckr table[] = {
	{ ROW(CKR_CANCEL), BURIN_EINTERRUPTED, "cancelled",
	    "it was cancelled on the token or its reader", ADVICE_PAD },
	{ ROW(CKR_HOST_MEMORY), BURIN_EINTERNAL, "no-memory",
	    "the module ran out of memory", ADVICE_AGAIN },
	{ ROW(CKR_SLOT_ID_INVALID), BURIN_ETOKEN, "slot-missing",
	    "the slot does not exist (any more)", ADVICE_TOKENS },
	{ ROW(CKR_GENERAL_ERROR), BURIN_EREFUSED, "general-error",
	    "the module failed without saying why", ADVICE_AGAIN },
	{ ROW(CKR_FUNCTION_FAILED), BURIN_EREFUSED, "function-failed",
	    "the token could not do it", ADVICE_AGAIN },
	{ ROW(CKR_ARGUMENTS_BAD), BURIN_EREFUSED, "arguments-refused",
	    "the module refused the arguments", ADVICE_BUG },
	{ ROW(CKR_NO_EVENT), BURIN_EINTERNAL, "no-event", "no slot has changed",
	    NULL },
	{ ROW(CKR_NEED_TO_CREATE_THREADS), BURIN_EINTERNAL, "module-threads",
	    "the module wants threads of its own", ADVICE_MODULE },
	{ ROW(CKR_CANT_LOCK), BURIN_EINTERNAL, "module-locking",
	    "the module cannot lock as asked", ADVICE_MODULE },
	{ ROW(CKR_ATTRIBUTE_READ_ONLY), BURIN_EREFUSED, "attribute-read-only",
	    "the token does not let this attribute be changed",
	    ADVICE_TEMPLATE },
	{ ROW(CKR_ATTRIBUTE_SENSITIVE), BURIN_EREFUSED, "attribute-sensitive",
	    "the token does not show this attribute", ADVICE_LIMITS },
	{ ROW(CKR_ATTRIBUTE_TYPE_INVALID), BURIN_EREFUSED, "attribute-unknown",
	    "the token does not know one of the attributes", ADVICE_TEMPLATE },
	{ ROW(CKR_ATTRIBUTE_VALUE_INVALID), BURIN_EREFUSED, "attribute-refused",
	    "the token refuses the value of an attribute", ADVICE_TEMPLATE },
	{ ROW(CKR_ACTION_PROHIBITED), BURIN_EREFUSED, "action-prohibited",
	    "the token forbids this for the object", ADVICE_LIMITS },
	{ ROW(CKR_DATA_INVALID), BURIN_EREFUSED, "data-refused",
	    "the token refuses the data", ADVICE_LIMITS },
	{ ROW(CKR_DATA_LEN_RANGE), BURIN_EREFUSED, "data-too-long",
	    "the data is too long or too short for the token", ADVICE_LIMITS },
	{ ROW(CKR_DEVICE_ERROR), BURIN_EINTERRUPTED, "device-error",
	    "the token or its reader failed", ADVICE_RESUME },
	{ ROW(CKR_DEVICE_MEMORY), BURIN_EREFUSED, "token-full",
	    "the token has no room left", ADVICE_FREE },
	{ ROW(CKR_DEVICE_REMOVED), BURIN_EINTERRUPTED, "token-removed",
	    "the token was removed", ADVICE_RESUME },
	{ ROW(CKR_ENCRYPTED_DATA_INVALID), BURIN_EREFUSED, "ciphertext-refused",
	    "the token cannot decrypt this: it is malformed or for another key",
	    ADVICE_LIMITS },
	{ ROW(CKR_ENCRYPTED_DATA_LEN_RANGE), BURIN_EREFUSED,
	    "ciphertext-length",
	    "the encrypted data has the wrong length for the key",
	    ADVICE_LIMITS },
	{ ROW(CKR_FUNCTION_CANCELED), BURIN_EINTERRUPTED, "cancelled",
	    "it was cancelled on the token or its reader", ADVICE_PAD },
	{ ROW(CKR_FUNCTION_NOT_PARALLEL), BURIN_EINTERNAL, "not-parallel",
	    "the module answered an obsolete parallel call", ADVICE_BUG },
	{ ROW(CKR_FUNCTION_NOT_SUPPORTED), BURIN_EREFUSED, "not-supported",
	    "the module cannot do this", ADVICE_LIMITS },
	{ ROW(CKR_KEY_HANDLE_INVALID), BURIN_EINTERRUPTED, "key-lost",
	    "the key is no longer where it was", ADVICE_RESUME },
	{ ROW(CKR_KEY_SIZE_RANGE), BURIN_EREFUSED, "key-size",
	    "the token does not take keys of this size", ADVICE_LIMITS },
	{ ROW(CKR_KEY_TYPE_INCONSISTENT), BURIN_EREFUSED, "key-type",
	    "the key is of the wrong type for this", ADVICE_KEYS },
	{ ROW(CKR_KEY_NOT_NEEDED), BURIN_EREFUSED, "key-not-needed",
	    "the module wants no key here", ADVICE_BUG },
	{ ROW(CKR_KEY_CHANGED), BURIN_EREFUSED, "key-changed",
	    "the key is not the one used before", ADVICE_BUG },
	{ ROW(CKR_KEY_NEEDED), BURIN_EREFUSED, "key-needed",
	    "the module wants a key here", ADVICE_BUG },
	{ ROW(CKR_KEY_INDIGESTIBLE), BURIN_EREFUSED, "key-indigestible",
	    "the token cannot hash this key", ADVICE_LIMITS },
	{ ROW(CKR_KEY_FUNCTION_NOT_PERMITTED), BURIN_EREFUSED, "key-usage",
	    "the key may not be used for this", ADVICE_KEYS },
	{ ROW(CKR_KEY_NOT_WRAPPABLE), BURIN_EREFUSED, "key-not-wrappable",
	    "the key cannot be wrapped", ADVICE_LIMITS },
	{ ROW(CKR_KEY_UNEXTRACTABLE), BURIN_EREFUSED, "key-unextractable",
	    "the key must not leave the token", ADVICE_LIMITS },
	{ ROW(CKR_MECHANISM_INVALID), BURIN_EREFUSED, "mechanism-missing",
	    "the token does not have this mechanism", ADVICE_LIMITS },
	{ ROW(CKR_MECHANISM_PARAM_INVALID), BURIN_EREFUSED,
	    "mechanism-parameter",
	    "the token refuses the parameters of the mechanism",
	    ADVICE_LIMITS },
	{ ROW(CKR_OBJECT_HANDLE_INVALID), BURIN_EINTERRUPTED, "object-lost",
	    "the object is no longer where it was", ADVICE_RESUME },
	{ ROW(CKR_OPERATION_ACTIVE), BURIN_EINTERNAL, "operation-active",
	    "another operation is still open in this session", ADVICE_BUG },
	{ ROW(CKR_OPERATION_NOT_INITIALIZED), BURIN_EINTERNAL, "operation-lost",
	    "the token has forgotten the operation", ADVICE_LOGIN },
	{ ROW(CKR_PIN_INCORRECT), BURIN_EPIN, "pin-incorrect",
	    "the PIN is wrong", ADVICE_PIN },
	{ ROW(CKR_PIN_INVALID), BURIN_EPIN, "pin-invalid",
	    "the PIN has characters that the token does not take", ADVICE_PIN },
	{ ROW(CKR_PIN_LEN_RANGE), BURIN_EPIN, "pin-length",
	    "the PIN is too long or too short for the token", ADVICE_PIN },
	{ ROW(CKR_PIN_EXPIRED), BURIN_EPIN, "pin-expired",
	    "the PIN has expired and must be changed first", ADVICE_CHANGE },
	{ ROW(CKR_PIN_LOCKED), BURIN_EPIN, "pin-locked", "the PIN is locked",
	    ADVICE_UNBLOCK },
	{ ROW(CKR_SESSION_CLOSED), BURIN_EINTERRUPTED, "token-removed",
	    "the session was closed; the token was probably removed",
	    ADVICE_RESUME },
	{ ROW(CKR_SESSION_COUNT), BURIN_EREFUSED, "too-many-sessions",
	    "the token has no session left", ADVICE_SESSIONS },
	{ ROW(CKR_SESSION_HANDLE_INVALID), BURIN_EINTERRUPTED, "token-removed",
	    "the session is gone; the token was probably removed",
	    ADVICE_RESUME },
	{ ROW(CKR_SESSION_PARALLEL_NOT_SUPPORTED), BURIN_EINTERNAL,
	    "session-flags", "the module refuses the kind of session",
	    ADVICE_BUG },
	{ ROW(CKR_SESSION_READ_ONLY), BURIN_EREFUSED, "session-read-only",
	    "the session may only read", ADVICE_LIMITS },
	{ ROW(CKR_SESSION_EXISTS), BURIN_EREFUSED, "session-exists",
	    "a session with the token is still open", ADVICE_SESSIONS },
	{ ROW(CKR_SESSION_READ_ONLY_EXISTS), BURIN_EREFUSED,
	    "session-read-only-exists",
	    "a read-only session with the token is still open",
	    ADVICE_SESSIONS },
	{ ROW(CKR_SESSION_READ_WRITE_SO_EXISTS), BURIN_EREFUSED,
	    "session-so-exists", "the security officer is logged in",
	    ADVICE_SESSIONS },
	{ ROW(CKR_SIGNATURE_INVALID), BURIN_EREFUSED, "signature-invalid",
	    "the signature is wrong", NULL },
	{ ROW(CKR_SIGNATURE_LEN_RANGE), BURIN_EREFUSED, "signature-length",
	    "the signature has the wrong length", NULL },
	{ ROW(CKR_TEMPLATE_INCOMPLETE), BURIN_EREFUSED, "template-incomplete",
	    "the token wants more attributes", ADVICE_TEMPLATE },
	{ ROW(CKR_TEMPLATE_INCONSISTENT), BURIN_EREFUSED, "template-refused",
	    "the token refuses this combination of attributes",
	    ADVICE_TEMPLATE },
	{ ROW(CKR_TOKEN_NOT_PRESENT), BURIN_EINTERRUPTED, "token-removed",
	    "there is no token in the slot", ADVICE_RESUME },
	{ ROW(CKR_TOKEN_NOT_RECOGNIZED), BURIN_ETOKEN, "token-not-recognized",
	    "the module does not know this kind of token", ADVICE_OTHER },
	{ ROW(CKR_TOKEN_WRITE_PROTECTED), BURIN_EREFUSED, "write-protected",
	    "the token is write-protected", ADVICE_LIMITS },
	{ ROW(CKR_UNWRAPPING_KEY_HANDLE_INVALID), BURIN_EINTERRUPTED,
	    "key-lost", "the unwrapping key is no longer where it was",
	    ADVICE_RESUME },
	{ ROW(CKR_UNWRAPPING_KEY_SIZE_RANGE), BURIN_EREFUSED, "key-size",
	    "the unwrapping key has a wrong size", ADVICE_LIMITS },
	{ ROW(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT), BURIN_EREFUSED, "key-type",
	    "the unwrapping key is of the wrong type", ADVICE_KEYS },
	{ ROW(CKR_USER_ALREADY_LOGGED_IN), BURIN_EPIN, "login-exists",
	    "somebody is logged in already", ADVICE_LOGIN },
	{ ROW(CKR_USER_NOT_LOGGED_IN), BURIN_EPIN, "login-needed",
	    "the token wants a login first", ADVICE_LOGIN },
	{ ROW(CKR_USER_PIN_NOT_INITIALIZED), BURIN_EPIN, "pin-not-set",
	    "the user PIN of the token was never set", ADVICE_INIT },
	{ ROW(CKR_USER_TYPE_INVALID), BURIN_EPIN, "login-kind",
	    "the token does not take this kind of login here", ADVICE_LIMITS },
	{ ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN), BURIN_EPIN, "login-other",
	    "another user is logged in", ADVICE_SESSIONS },
	{ ROW(CKR_USER_TOO_MANY_TYPES), BURIN_EPIN, "login-too-many",
	    "too many kinds of users are logged in", ADVICE_SESSIONS },
	{ ROW(CKR_WRAPPED_KEY_INVALID), BURIN_EREFUSED, "wrapped-key",
	    "the wrapped key is malformed", ADVICE_LIMITS },
	{ ROW(CKR_WRAPPED_KEY_LEN_RANGE), BURIN_EREFUSED, "wrapped-key-length",
	    "the wrapped key has the wrong length", ADVICE_LIMITS },
	{ ROW(CKR_WRAPPING_KEY_HANDLE_INVALID), BURIN_EINTERRUPTED, "key-lost",
	    "the wrapping key is no longer where it was", ADVICE_RESUME },
	{ ROW(CKR_WRAPPING_KEY_SIZE_RANGE), BURIN_EREFUSED, "key-size",
	    "the wrapping key has a wrong size", ADVICE_LIMITS },
	{ ROW(CKR_WRAPPING_KEY_TYPE_INCONSISTENT), BURIN_EREFUSED, "key-type",
	    "the wrapping key is of the wrong type", ADVICE_KEYS },
	{ ROW(CKR_RANDOM_SEED_NOT_SUPPORTED), BURIN_EREFUSED, "random-seed",
	    "the random generator of the token takes no seed", ADVICE_LIMITS },
	{ ROW(CKR_RANDOM_NO_RNG), BURIN_EREFUSED, "random-missing",
	    "the token has no random generator", ADVICE_LIMITS },
	{ ROW(CKR_DOMAIN_PARAMS_INVALID), BURIN_EREFUSED, "curve-refused",
	    "the token refuses the curve or domain parameters", ADVICE_LIMITS },
	{ ROW(CKR_CURVE_NOT_SUPPORTED), BURIN_EREFUSED, "curve-refused",
	    "the token does not have this curve", ADVICE_LIMITS },
	{ ROW(CKR_BUFFER_TOO_SMALL), BURIN_EINTERNAL, "buffer-too-small",
	    "the module's answer is larger than the room for it", ADVICE_BUG },
	{ ROW(CKR_SAVED_STATE_INVALID), BURIN_EINTERNAL, "state-invalid",
	    "the saved state is not usable", ADVICE_BUG },
	{ ROW(CKR_INFORMATION_SENSITIVE), BURIN_EREFUSED, "sensitive",
	    "the token does not show this", ADVICE_LIMITS },
	{ ROW(CKR_STATE_UNSAVEABLE), BURIN_EINTERNAL, "state-unsaveable",
	    "the state cannot be saved", ADVICE_BUG },
	{ ROW(CKR_CRYPTOKI_NOT_INITIALIZED), BURIN_EINTERNAL,
	    "module-finalized",
	    "the module was shut down, perhaps by another part of the program",
	    ADVICE_BUG },
	{ ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED), BURIN_EINTERNAL,
	    "module-initialized", "the module was started before", ADVICE_BUG },
	{ ROW(CKR_MUTEX_BAD), BURIN_EINTERNAL, "mutex-bad",
	    "the module met a bad lock", ADVICE_BUG },
	{ ROW(CKR_MUTEX_NOT_LOCKED), BURIN_EINTERNAL, "mutex-not-locked",
	    "the module met a lock that was not held", ADVICE_BUG },
	{ ROW(CKR_NEW_PIN_MODE), BURIN_EPIN, "pin-new-mode",
	    "the token wants a new PIN to be set", ADVICE_CHANGE },
	{ ROW(CKR_NEXT_OTP), BURIN_EPIN, "otp-next",
	    "the token wants the next one-time password", ADVICE_PIN },
	{ ROW(CKR_EXCEEDED_MAX_ITERATIONS), BURIN_EREFUSED,
	    "too-many-iterations",
	    "the token gave up: too many attempts to make domain parameters",
	    ADVICE_AGAIN },
	{ ROW(CKR_FIPS_SELF_TEST_FAILED), BURIN_EREFUSED, "self-test-failed",
	    "the token failed its self test", ADVICE_OTHER },
	{ ROW(CKR_LIBRARY_LOAD_FAILED), BURIN_EINTERNAL, "module-library",
	    "the module could not load a library it needs", ADVICE_MODULE },
	{ ROW(CKR_PIN_TOO_WEAK), BURIN_EPIN, "pin-weak",
	    "the token finds the new PIN too weak", ADVICE_WEAK },
	{ ROW(CKR_PUBLIC_KEY_INVALID), BURIN_EREFUSED, "public-key-refused",
	    "the token refuses the public key", ADVICE_LIMITS },
	{ ROW(CKR_FUNCTION_REJECTED), BURIN_EREFUSED, "rejected",
	    "it was rejected on the token or its reader", ADVICE_PAD },
};

static const struct ckr other = { CKR_VENDOR_DEFINED, "CKR_VENDOR_DEFINED",
	BURIN_EREFUSED, "vendor-error",
	"the module answered with a code of its own", ADVICE_AGAIN };

static const struct ckr *
find(CK_RV rv)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].rv == rv)
			return &table[i];
	return NULL;
}

const char *
p11_ckr_name(CK_RV rv)
{
	const struct ckr *c = find(rv);

	if (rv == CKR_OK)
		return "CKR_OK";
	if (c != NULL)
		return c->name;
	return rv >= CKR_VENDOR_DEFINED ? "CKR_VENDOR_DEFINED" : "CKR_UNKNOWN";
}

int
p11_fail(struct burin_error *e, const struct burin_token *t,
    const char *function, CK_RV rv)
{
	const struct ckr *c = find(rv);

	if (e == NULL)
		return -1;
	if (e->status == BURIN_OK)
		e->ckr = rv;
	if (c != NULL)
		burin_fail_at(e, function, c->status, c->code, "%s (%s: %s)",
		    c->sentence, function, c->name);
	else
		burin_fail_at(e, function, other.status, other.code,
		    "%s (%s: %s 0x%lx)", other.sentence, function,
		    p11_ckr_name(rv), rv);
	if (t != NULL)
		burin_error_token(e, "%s", burin_token_name(t));
	if (c == NULL || c->advice != NULL)
		burin_error_advice(
		    e, "%s", c != NULL ? c->advice : other.advice);
	return -1;
}
