"""Keys of one fleet, derived from the operator's root key. Pure.

Nothing is ever read back from a fleet's Secret: a restarted operator computes the same keys again.
The uid is part of each, so a resource made anew under an old name shares nothing with it.
"""

import hashlib
import hmac


def derive_ticket_key(root: bytes, uid: str) -> str:
    """Returns the key that signs session tickets in every pod of the fleet `uid`, as hex."""
    return _derive(root, "session-ticket", uid)


def derive_fleet_token(root: bytes, uid: str) -> str:
    """Returns the token that opens the ops port of every pod of the fleet `uid`, as hex."""
    return _derive(root, "fleet-token", uid)


def _derive(root: bytes, purpose: str, uid: str) -> str:
    return hmac.new(root, f"{purpose}/{uid}".encode(), hashlib.sha256).hexdigest()
