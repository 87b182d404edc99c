"""Random ids and tokens: unguessable, so that knowing one row says nothing of another."""

import hashlib
import secrets

CONVERSATION = "cnv_"
MESSAGE = "msg_"
TURN = "trn_"
KEY = "key_"
ACCOUNT = "acc_"
ENTRY = "aud_"
SUGGESTION = "sug_"
ENDPOINT = "whe_"
DELIVERY = "whd_"
CUSTOMER_TOKEN = "pdc_"
PERSON_TOKEN = "pdp_"
STAFF_KEY = "pdk_"
STAFF_SESSION = "pds_"


def new_id(prefix: str) -> str:
    """`prefix` and 128 random bits."""
    return prefix + secrets.token_urlsafe(16)


def new_secret(prefix: str) -> str:
    """`prefix` and 256 random bits: a credential, of which only `digest` is stored."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 in hex. Enough for secrets of 256 random bits, which no dictionary holds."""
    return hashlib.sha256(secret.encode()).hexdigest()
