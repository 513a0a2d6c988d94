"""Signed session tickets: the proof that a caller had an admitted request. Pure.

A ticket is base64url of version (1 byte), session id (16), expiry (8, unix seconds, big endian)
and HMAC-SHA256 over these and the purpose. Every pod of one fleet has the same key, so any pod
accepts any pod's ticket, and nothing has to be stored.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

PURPOSE = b"vibethinker session ticket\x00"
VERSION = b"\x01"
SESSION_ID_BYTES = 16
EXPIRY_BYTES = 8
MAC_BYTES = 32
TICKET_BYTES = 1 + SESSION_ID_BYTES + EXPIRY_BYTES + MAC_BYTES
TICKET_LENGTH = TICKET_BYTES // 3 * 4
# How long a session stays known after its last admitted request.
TTL_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Session:
    """A session that a valid ticket names; `expires` is in unix seconds."""

    id: bytes
    expires: int


def issue_ticket(key: bytes, session_id: bytes, now: float) -> bytes:
    """Returns a ticket for the session of 16 bytes `session_id`, good for TTL_SECONDS from now."""
    expiry = int(now) + TTL_SECONDS
    payload = VERSION + session_id + expiry.to_bytes(EXPIRY_BYTES, "big")
    return urlsafe_b64encode(payload + _sign(key, payload))


def read_ticket(key: bytes, ticket: bytes, now: float) -> Session | None:
    """Returns the session that `ticket` proves at `now`; None if forged, expired or no ticket."""
    if len(ticket) != TICKET_LENGTH:
        return None
    try:
        raw = urlsafe_b64decode(ticket)
    except (Base64Error, ValueError):
        return None
    payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    genuine = hmac.compare_digest(mac, _sign(key, payload))
    # base64 decoders pass over what is no base64: only the one spelling that was issued counts.
    if not genuine or urlsafe_b64encode(raw) != ticket or payload[:1] != VERSION:
        return None
    expires = int.from_bytes(payload[1 + SESSION_ID_BYTES :], "big")
    # A ticket from a clock far ahead of ours would outlive its session.
    if not now < expires <= now + 2 * TTL_SECONDS:
        return None
    return Session(payload[1 : 1 + SESSION_ID_BYTES], expires)


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, PURPOSE + payload, "sha256")
