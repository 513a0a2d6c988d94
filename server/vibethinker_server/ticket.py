"""Signed session tickets: the proof that a caller had an admitted request. Pure.

A ticket is base64url of version (1 byte), session id (16), expiry (8, unix seconds, big endian)
and HMAC-SHA256 over these, the purpose and the name of the caller's API key. Every pod of one fleet
has the same secret, so any pod accepts any pod's ticket, and nothing has to be stored.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

PURPOSE = b"vibethinker session ticket\x00"
VERSION = b"\x02"
SESSION_ID_BYTES = 16
EXPIRY_BYTES = 8
MAC_BYTES = 32
TICKET_BYTES = 1 + SESSION_ID_BYTES + EXPIRY_BYTES + MAC_BYTES
TICKET_LENGTH = TICKET_BYTES // 3 * 4


def issue_ticket(secret: bytes, session_id: bytes, key: str | None, expires: float) -> bytes:
    """Returns a ticket for the session of 16 bytes `session_id`.

    Args:
        secret: what the fleet's pods sign with.
        session_id: the session.
        key: name of the API key it belongs to, None: the fleet has none.
        expires: in unix seconds.
    """
    payload = VERSION + session_id + int(expires).to_bytes(EXPIRY_BYTES, "big")
    return urlsafe_b64encode(payload + _sign(secret, payload, key))


def read_ticket(
    secret: bytes, ticket: bytes, key: str | None, now: float, ttl_seconds: float
) -> bytes | None:
    """Returns the session id that `ticket` proves at `now` (unix seconds) to the caller with `key`.

    None: it is forged, another key's, expired, or no ticket. One that is good for more than twice
    `ttl_seconds` comes from a clock far ahead of ours and would outlive its session.
    """
    if len(ticket) != TICKET_LENGTH:
        return None
    try:
        raw = urlsafe_b64decode(ticket)
    except (Base64Error, ValueError):
        return None
    payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    genuine = hmac.compare_digest(mac, _sign(secret, payload, key))
    # base64 decoders pass over what is no base64: only the one spelling that was issued counts.
    if not genuine or urlsafe_b64encode(raw) != ticket or payload[:1] != VERSION:
        return None
    expires = int.from_bytes(payload[1 + SESSION_ID_BYTES :], "big")
    if not now < expires <= now + 2 * ttl_seconds:
        return None
    return payload[1 : 1 + SESSION_ID_BYTES]


def _sign(secret: bytes, payload: bytes, key: str | None) -> bytes:
    # The payload has one length, so what follows it cannot be read as part of it.
    owner = b"" if key is None else b"key " + key.encode()
    return hmac.digest(secret, PURPOSE + payload + owner, "sha256")
