"""Who may use the client port: API keys in the files of a mounted Secret.

A file's name is the key's name, which metrics and profiles know; its content is the key, which
nothing here keeps: only its SHA-256.
"""

import hmac
import logging
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from vibethinker_server.openai_errors import OpenAIError

REREAD_SECONDS = 10.0
MAX_KEYS = 1024
MAX_KEY_BYTES = 4096
SCHEME = b"bearer"

log = logging.getLogger(__name__)


class ApiKeys:
    """The digests of the keys in one directory, by name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read_at: float | None = None
        self._digests: Mapping[str, bytes] = {}

    def read(self, now: float) -> Mapping[str, bytes]:
        """Returns the digests as of the last REREAD_SECONDS: a key may come or go at any time.

        Raises:
            OpenAIError: 503, there is not one key: nobody gets in until there is.
        """
        if self._read_at is None or now - self._read_at >= REREAD_SECONDS:
            self._read_at = now
            self._digests = _read_digests(self._directory)
        if not self._digests:
            raise OpenAIError(
                503, "This server cannot read its API keys; nobody gets in.", "keys_unreadable"
            )
        return self._digests

    def names(self, now: float) -> list[str]:
        """Returns the names of the keys, of none where there are none."""
        try:
            return list(self.read(now))
        except OpenAIError:
            return []


def authenticate(digests: Mapping[str, bytes], headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Returns the name of the key in the one Authorization header, in time that tells nothing.

    Raises:
        OpenAIError: 401; there is no such header, there are several, or the key is none of ours.
    """
    sent = [value for name, value in headers if name.lower() == b"authorization"]
    scheme, _, key = sent[0].partition(b" ") if len(sent) == 1 else (b"", b"", b"")
    if scheme.lower() != SCHEME or not key.strip():
        message = "Send one header `Authorization: Bearer <your API key>`."
        raise OpenAIError(401, message, "missing_api_key")
    digest = sha256(key.strip()).digest()
    found = None
    # Every key is compared, the right one too, so that the time is the same for all.
    for name, known in digests.items():
        if hmac.compare_digest(digest, known):
            found = name
    if found is None:
        raise OpenAIError(401, "This API key is not known here.", "invalid_api_key")
    return found


def _read_digests(directory: Path) -> Mapping[str, bytes]:
    try:
        # A mounted Secret has links to its files beside directories that begin with two dots.
        names = sorted(path.name for path in directory.iterdir() if path.name[0] != ".")
    except OSError as error:
        log.error("API keys cannot be read, nobody gets in: %s", error)  # noqa: TRY400 (no bug)
        return {}
    if len(names) > MAX_KEYS:
        log.error("%s holds %d keys; only the first %d count", directory, len(names), MAX_KEYS)
    found = {name: _read_key(directory / name) for name in names[:MAX_KEYS]}
    return {name: sha256(key).digest() for name, key in found.items() if key}


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        log.error("API key %s cannot be read: %s", path.name, error)  # noqa: TRY400 (no bug)
        return b""
    # An empty key would let everybody in who sends none.
    return key if len(key) <= MAX_KEY_BYTES else b""
