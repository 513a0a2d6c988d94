"""Which session a request belongs to, and which cache it may share. Pure.

A session is (API key, id). The id comes from a ticket; else from X-Session-ID or the trusted header
of a caller with a key; else from the conversation itself: its beginning up to the first answer,
which only whoever got that answer can send back. What a header or a conversation says is a name and
proves nothing: it counts once a request under it was let in.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from vibethinker_server import names
from vibethinker_server.control_tokens import neutralize
from vibethinker_server.conversation import Conversation
from vibethinker_server.policy import SessionLimits
from vibethinker_server.profiles import Isolation
from vibethinker_server.ticket import SESSION_ID_BYTES, read_ticket

Headers = Iterable[tuple[bytes, bytes]]

LONGEST_HEADER = 256
# Of the first answer: clients cut or trim the end of what they got, hardly ever its beginning.
ANSWER_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Opening:
    """A conversation that has no answer yet: with the first one it has a name."""

    digest: "hmac.HMAC"

    def name(self, answer: str) -> bytes | None:
        """Returns the session's name (16 bytes) once `answer` is known; None for an empty one."""
        # As it is read when it comes back.
        text = neutralize(answer).strip()[:ANSWER_CHARACTERS]
        if not text:
            return None
        digest = self.digest.copy()
        _update(digest, text)
        return digest.digest()[:SESSION_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a request says of its session.

    Attributes:
        key: name of the caller's API key, None: the fleet has none.
        proven: the session id of a valid ticket.
        name: 16 bytes that a header or the conversation gives the session.
        opening: a conversation's beginning that the answer to come will name.
    """

    key: str | None
    proven: bytes | None = None
    name: bytes | None = None
    opening: Opening | None = None


def identify(
    secret: bytes,
    key: str | None,
    headers: Headers,
    conversation: Conversation | None,
    *,
    limits: SessionLimits,
    now: float,
) -> Identity:
    """Returns what one request says of its session.

    Args:
        secret: what the fleet's pods sign with.
        key: name of the caller's API key.
        headers: of the request, names in lower case.
        conversation: what it says, None: a raw prompt.
        limits: how long sessions live, and the header that names them.
        now: in unix seconds.
    """
    tickets: list[bytes] = []
    ids: list[bytes] = []
    for name, value in headers:
        if name == names.HEADER_TICKET:
            tickets.append(value)
        elif name in (names.HEADER_SESSION_ID, limits.trusted_header):
            ids.append(value)
    # Of several tickets, or several ids, none counts.
    if len(tickets) == 1:
        proven = read_ticket(secret, tickets[0], key, now, limits.ttl_seconds)
        if proven is not None:
            return Identity(key, proven=proven)
    if key is not None and len(ids) == 1 and 0 < len(ids[0].strip()) <= LONGEST_HEADER:
        digest = _begin(secret, b"header", key)
        _update(digest, ids[0].strip())
        return Identity(key, name=digest.digest()[:SESSION_ID_BYTES])
    return Identity(key) if conversation is None else _by_words(secret, key, conversation)


def cache_salt(
    secret: bytes, isolation: Isolation, key: str | None, session_id: bytes
) -> str | None:
    """Returns the salt under which vLLM caches a request's prefixes, None: the common one."""
    if isolation is Isolation.NONE:
        return None
    digest = _begin(secret, b"cache salt", key)
    if isolation is Isolation.SESSION:
        _update(digest, session_id)
    return digest.hexdigest()


def _by_words(secret: bytes, key: str | None, conversation: Conversation) -> Identity:
    digest = _begin(secret, b"conversation", key)
    for system in conversation.system:
        _update(digest, system.text)
    asked = False
    for turn in conversation.turns:
        if asked and turn.role == "assistant":
            return Identity(key, name=Opening(digest).name(turn.text))
        asked = asked or turn.role == "user"
        _update(digest, turn.role)
        _update(digest, turn.text)
    return Identity(key, opening=Opening(digest))


def _begin(secret: bytes, purpose: bytes, key: str | None) -> "hmac.HMAC":
    return _seed(secret, purpose, key).copy()


@lru_cache(maxsize=1024)
def _seed(secret: bytes, purpose: bytes, key: str | None) -> "hmac.HMAC":
    digest = hmac.new(secret, b"vibethinker " + purpose + b"\x00", "sha256")
    _update(digest, "no key" if key is None else f"key {key}")
    return digest


def _update(digest: "hmac.HMAC", part: str | bytes) -> None:
    raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
    # The length first, so that no two lists of parts read the same.
    digest.update(len(raw).to_bytes(8, "big"))
    digest.update(raw)
