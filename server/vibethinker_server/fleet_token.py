"""Whether a request to the ops port carries the fleet's token. Pure."""

import hmac
from hashlib import sha256


def carries_token(header: str | None, token: bytes | None) -> bool:
    """Returns whether the header Authorization carries `token`, in time that tells nothing.

    Args:
        header: as it was sent; None: there was none.
        token: the fleet's; None: it is not known, and nobody is let in.
    """
    if token is None or header is None:
        return False
    sent = sha256(header.encode("utf-8", "surrogateescape")).digest()
    return hmac.compare_digest(sent, sha256(b"Bearer " + token).digest())
