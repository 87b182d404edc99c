"""The cache salt of a site: what keeps one site's prefixes invisible to another's requests on the same replica."""

import base64
import hashlib
import hmac


def cache_salt(secret: bytes, site_key: str, epoch: int) -> str:
    """43 characters, stable for (secret, site, epoch); a new epoch makes the site's cached prefixes unreachable.

    The parts are length-prefixed, so that no two different pairs give the same bytes.
    """
    site = site_key.encode()
    message = b"pindesk cache salt\0" + len(site).to_bytes(4, "big") + site + epoch.to_bytes(8, "big")
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
