"""Built things on disk, each in a directory named for the hash of what it was built from."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Another checkout may still use an older build: it goes when unused for this long beside a newer.
KEEP_UNUSED_SECONDS = 24 * 3600


def cache_root() -> Path:
    """Return the directory that holds everything built here, which exists afterwards."""
    base = os.environ.get("VIBETHINKER_CACHE") or os.environ.get("XDG_CACHE_HOME")
    root = (Path(base) if base else Path.home() / ".cache") / "vibethinker"
    root.mkdir(parents=True, exist_ok=True)
    return root


def key_of(*inputs: Path | str) -> str:
    """Return 12 hex digits that change with any input.

    Args:
        inputs: strings, files (their names and bytes), or directories (all files below them).
    """
    digest = hashlib.sha256()
    for item in inputs:
        for part in [item.encode()] if isinstance(item, str) else _parts(item):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]


def _parts(path: Path) -> Iterator[bytes]:
    if path.is_file():
        yield path.name.encode()
        yield path.read_bytes()
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(path).as_posix().encode()
            yield file.read_bytes()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes on `path`, which is made where missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def cached(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the directory `name-key` of the cache, built on first use.

    Args:
        name: what the directory holds; older keys of the same name are removed after a day.
        key: hash of everything the content depends on (see `key_of`).
        build: fills the empty directory it is given; what it raises leaves the cache unchanged.
    """
    target = cache_root() / f"{name}-{key}"
    with locked(cache_root() / "locks" / name):
        if not target.exists():
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            build(partial)
            partial.rename(target)
        target.touch()
        _collect(name, target)
    return target


def _collect(name: str, newest: Path) -> None:
    now = newest.stat().st_mtime
    # A key is 12 hex digits: "base-…" must not match "base-image-…".
    for old in cache_root().glob(f"{name}-" + "[0-9a-f]" * 12):
        if now - old.stat().st_mtime > KEEP_UNUSED_SECONDS:
            shutil.rmtree(old)
