# SPDX-License-Identifier: BSD-2-Clause
"""Numbers of RFC 10002, RFC 5652 and their kin, written down once more."""

SIGNED = "1.2.840.113549.1.7.2"
ENVELOPED = "1.2.840.113549.1.7.3"
DATA = "1.2.840.113549.1.7.1"
AUTHENTICATED = "1.2.840.113549.1.9.16.1.2"
AUTH_ENVELOPED = "1.2.840.113549.1.9.16.1.23"
PKI_DATA = "1.3.6.1.5.5.7.12.2"
PKI_RESPONSE = "1.3.6.1.5.5.7.12.3"

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"

SKI = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SAN = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
CRL_REASON = "2.5.29.21"
AKI = "2.5.29.35"
EKU = "2.5.29.37"
KP_CMC_CA = "1.3.6.1.5.5.7.3.27"
KP_SERVER = "1.3.6.1.5.5.7.3.1"

CMC = "1.3.6.1.5.5.7.7."
CONTROLS = {
    1: "statusInfo", 2: "identification", 3: "identityProof",
    4: "dataReturn", 5: "transactionId", 6: "senderNonce",
    7: "recipientNonce", 8: "addExtensions", 9: "encryptedPOP",
    10: "decryptedPOP", 11: "lraPOPWitness", 15: "getCert", 16: "getCRL",
    17: "revokeRequest", 18: "regInfo", 19: "responseInfo",
    21: "queryPending", 22: "popLinkRandom", 23: "popLinkWitness",
    24: "confirmCertAcceptance", 25: "statusInfoV2", 26: "trustedAnchors",
    27: "authData", 28: "batchRequests", 29: "batchResponses",
    30: "publishCert", 31: "modCertTemplate", 32: "controlProcessed",
    33: "popLinkWitnessV2", 34: "identityProofV2", 35: "raIdentityWitness",
    36: "changeSubjectName", 37: "responseBody",
}
OIDS = {name: CMC + str(number) for number, name in CONTROLS.items()}

SUCCESS, FAILED, PENDING, NO_SUPPORT = 0, 2, 3, 4
CONFIRM_REQUIRED, POP_REQUIRED, PARTIAL = 5, 6, 7
STATUS = {0: "success", 2: "failed", 3: "pending", 4: "noSupport",
          5: "confirmRequired", 6: "popRequired", 7: "partial"}
FAIL = {"badAlg": 0, "badMessageCheck": 1, "badRequest": 2, "badTime": 3,
        "badCertId": 4, "unsupportedExt": 5, "mustArchiveKeys": 6,
        "badIdentity": 7, "popRequired": 8, "popFailed": 9, "noKeyReuse": 10,
        "internalCAError": 11, "tryLater": 12, "authDataFail": 13}

NO_SIGNATURE = "1.3.6.1.5.5.7.6.2"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSA_OAEP = "1.2.840.113549.1.1.7"
MGF1 = "1.2.840.113549.1.1.8"
RSA_PSS = "1.2.840.113549.1.1.10"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"
ED25519, ED448 = "1.3.101.112", "1.3.101.113"
X25519, X448 = "1.3.101.110", "1.3.101.111"
PBKDF2 = "1.2.840.113549.1.5.12"
AES256_CBC = "2.16.840.1.101.3.4.1.42"
AES256_GCM = "2.16.840.1.101.3.4.1.46"
ECDH_X963_SHA256 = "1.3.132.1.11.1"

HASHES = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.4": "sha224",
          "2.16.840.1.101.3.4.2.1": "sha256",
          "2.16.840.1.101.3.4.2.2": "sha384",
          "2.16.840.1.101.3.4.2.3": "sha512"}
SHAKE256_LEN = "2.16.840.1.101.3.4.2.18"
HASH_OIDS = {name: oid for oid, name in HASHES.items()}
MACS = {"1.3.6.1.5.5.8.1.2": "sha1", "1.2.840.113549.2.7": "sha1",
        "1.2.840.113549.2.8": "sha224", "1.2.840.113549.2.9": "sha256",
        "1.2.840.113549.2.10": "sha384", "1.2.840.113549.2.11": "sha512"}
MAC_OIDS = {"sha1": "1.3.6.1.5.5.8.1.2", "sha256": "1.2.840.113549.2.9",
            "sha384": "1.2.840.113549.2.10", "sha512": "1.2.840.113549.2.11"}
RSA_SIGNATURES = {"1.2.840.113549.1.1.5": "sha1",
                  "1.2.840.113549.1.1.14": "sha224",
                  "1.2.840.113549.1.1.11": "sha256",
                  "1.2.840.113549.1.1.12": "sha384",
                  "1.2.840.113549.1.1.13": "sha512"}
ECDSA_SIGNATURES = {"1.2.840.10045.4.1": "sha1",
                    "1.2.840.10045.4.3.1": "sha224",
                    "1.2.840.10045.4.3.2": "sha256",
                    "1.2.840.10045.4.3.3": "sha384",
                    "1.2.840.10045.4.3.4": "sha512"}
# RFC 6955 section 6: static ECDH
ECDH_POP = {"1.3.6.1.5.5.7.6.25": "sha224", "1.3.6.1.5.5.7.6.26": "sha256",
            "1.3.6.1.5.5.7.6.27": "sha384", "1.3.6.1.5.5.7.6.28": "sha512"}
# key sizes
AES_WRAPS = {"2.16.840.1.101.3.4.1.5": 16, "2.16.840.1.101.3.4.1.25": 24,
             "2.16.840.1.101.3.4.1.45": 32}
AES_CBC = {"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24,
           "2.16.840.1.101.3.4.1.42": 32}
AES_GCM = {"2.16.840.1.101.3.4.1.6": 16, "2.16.840.1.101.3.4.1.26": 24,
           "2.16.840.1.101.3.4.1.46": 32}
X963_KDFS = {"1.3.133.16.840.63.0.2": "sha1", "1.3.132.1.11.0": "sha224",
             "1.3.132.1.11.1": "sha256", "1.3.132.1.11.2": "sha384",
             "1.3.132.1.11.3": "sha512"}


def control_name(oid: str) -> str:
    if oid.startswith(CMC) and oid[len(CMC):].isdigit():
        return CONTROLS.get(int(oid[len(CMC):]), oid)
    return oid
