"""A secret in a mounted file, read again now and then: a Secret may be written anew."""

from pathlib import Path

REREAD_SECONDS = 10.0


class KeyFile:
    """The text of one file without surrounding white space."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: float | None = None
        self._key: bytes | None = None

    def read(self, now: float) -> bytes | None:
        """Returns the secret as of the last REREAD_SECONDS, None if there is none."""
        if self._read_at is None or now - self._read_at >= REREAD_SECONDS:
            try:
                self._key = self._path.read_bytes().strip() or None
            except OSError:
                self._key = None
            # Last: another thread that comes meanwhile must not find the time without the key.
            self._read_at = now
        return self._key
