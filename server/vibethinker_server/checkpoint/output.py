"""Writes an output whole or not at all: a file, or a directory.

What is written lies beside its place as `<out>.partial` until it is on disk and complete. Whoever
is killed in between leaves that one behind, and the next run begins anew.
"""

import errno
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.progress import gigabytes

# Bytes that a disk is left with; headers and small files are of no account beside them.
SPARE_BYTES = 16 * 10**6
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def beside(out: Path, ending: str) -> Path:
    """Returns the path of what belongs to `out` and lies beside it."""
    return out.with_name(f"{out.name}.{ending}")


@contextmanager
def held(out: Path, needed_bytes: int = 0) -> Iterator[None]:
    """Holds the right to write `out`, which ends with the process whatever ends it.

    Args:
        out: where the output is to lie.
        needed_bytes: what will be written, for the words of an error; 0: not known.

    Raises:
        CheckpointError: another process holds it, or the place cannot be written to.
    """
    lock = beside(out, "lock")
    if os.path.ismount(out):
        raise CheckpointError(f"{out}: is a volume's root: name a directory below it with --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle = _take(lock)
    except OSError as error:
        raise explain(error, out, needed_bytes) from error
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()  # while it is still ours: who waits for this file finds another one
        os.close(handle)


def _take(lock: Path) -> int:
    """Returns the descriptor of the locked file."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(handle, 200).decode(errors="replace").strip() or "another process"
            os.close(handle)
            raise CheckpointError(
                f"{lock}: held by {holder}, which writes the same output: wait for it, or end it"
            ) from error
        if _is_same(handle, lock):
            break
        os.close(handle)  # whoever held it has removed it since: that was another lock
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{socket.gethostname()} pid {os.getpid()}\n".encode(), 0)
    return handle


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def written_whole(out: Path, needed_bytes: int) -> Iterator[Path]:
    """Gives a path to write to; what lies there afterwards is put in the place of `out`.

    Within `held`. The path does not exist: make it a directory or a file. Where the block raises,
    nothing of it is left and what was at `out` stays.

    Args:
        out: where it is to lie in the end.
        needed_bytes: what will be written, to be seen to have room before it begins.

    Raises:
        CheckpointError: no room, or a place that cannot be written to.
    """
    partial, replaced = beside(out, "partial"), beside(out, "replaced")
    try:
        remove(partial)
        _check_room(out, needed_bytes)
        yield partial
        _flush(partial)
        if out.is_dir() and any(out.iterdir()):
            remove(replaced)
            out.rename(replaced)
        partial.replace(out)
        _flush_one(out.parent)
        remove(replaced)
    except OSError as error:
        remove(partial)
        raise explain(error, out, needed_bytes) from error
    except BaseException:
        remove(partial)
        raise


def remove(path: Path) -> None:
    """Removes a file, or a directory with all in it; nothing there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def explain(error: OSError, out: Path, needed_bytes: int = 0) -> CheckpointError:
    """Returns what a person is told about an error of the disk that `out` lies on."""
    needed = (
        f"; needed are {needed_bytes} bytes ({gigabytes(needed_bytes)})" if needed_bytes else ""
    )
    if error.errno in FULL:
        return CheckpointError(
            f"{out}: its disk is full ({error.strerror}){needed}. Make room, or name another place"
            " with --out"
        )
    if error.errno in REFUSED:
        return CheckpointError(
            f"{out}: cannot be written to ({error.strerror}){needed}. Name another place with"
            " --out, or mount the volume so that this user may write"
        )
    return CheckpointError(f"{error.filename or out}: {error.strerror or error}")


def _check_room(out: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(out.parent).free
    if free < needed_bytes + SPARE_BYTES:
        raise CheckpointError(
            f"{out}: its disk has no room: {needed_bytes} bytes are needed"
            f" ({gigabytes(needed_bytes)}) beside {gigabytes(SPARE_BYTES)} to spare, and {free} are"
            f" free ({gigabytes(free)}). Make room, or name another place with --out"
        )


def _flush(path: Path) -> None:
    """Waits until a file, or a directory with all in it, is on disk."""
    if path.is_dir():
        for child in path.iterdir():
            _flush(child)
    _flush_one(path)


def _flush_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
