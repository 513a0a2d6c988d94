"""Brings a model from the hub into its cache, with the hub's own library and its progress bars.

vLLM would do it too, but in the middle of its start: without a word about the disk, and with a
traceback where the model has another name.
"""

import errno
import importlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vibethinker_server.engine_settings import Source
from vibethinker_server.one_click.model_source import locate_model, suggest
from vibethinker_server.start_error import StartError

# The same weights in other formats, which the engine does not read beside safetensors.
IGNORED = ("*.bin", "*.pt", "*.pth", "*.gguf", "*.onnx", "*.msgpack", "*.h5", "original/*")
# Bytes that a disk is left with.
SPARE_BYTES = 200 * 10**6

Say = Callable[[str], None]


def bring_model(text: str, revision: str | None, say: Say) -> Path:
    """Returns the directory of the model that a person calls `text`, downloaded where it is remote.

    Raises:
        StartError: it is neither a directory with a model in it nor a repository that can be had.
    """
    located = locate_model(text)
    if located.source is Source.VOLUME:
        return Path(located.model)
    return download_model(located.model, revision or "main", say)


def download_model(repository: str, revision: str, say: Say) -> Path:
    """Returns the directory in the hub's cache that holds the model, whole.

    Without a network, a copy that is whole is taken as it is.

    Raises:
        StartError: the model is not there, cannot be reached, or has no room.
    """
    try:
        hub: Any = importlib.import_module("huggingface_hub")
        errors: Any = importlib.import_module("huggingface_hub.errors")
        constants: Any = importlib.import_module("huggingface_hub.constants")
        utils: Any = importlib.import_module("huggingface_hub.utils")
    except ImportError as error:
        raise StartError(f"the hub's library is missing, which vLLM brings: {error}") from error
    cache = Path(constants.HF_HUB_CACHE)
    asked = {"repo_id": repository, "revision": revision, "ignore_patterns": list(IGNORED)}
    try:
        check_room(_missing_bytes(hub, utils, errors, asked), cache, say)
        return _check_weights(repository, Path(hub.snapshot_download(**asked)))
    except errors.GatedRepoError as error:
        raise StartError(
            f"model {repository} asks for an account that may read it: accept its terms on the"
            " hub, then set HF_TOKEN to a token of that account"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise StartError(
            f"there is no model {repository} on the hub at {constants.ENDPOINT}"
            f"{suggest(repository)} A private one needs HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise StartError(
            f"model {repository} has no revision {revision}: see --revision"
        ) from error
    # Its HTTP client's errors are no OSError, and its transfers in Rust know RuntimeError alone.
    except (OSError, RuntimeError, getattr(errors, "HTTPError", OSError)) as error:
        raise StartError(_explain(error, repository, constants.ENDPOINT, cache)) from error


def check_room(needed_bytes: int | None, cache: Path, say: Say) -> None:
    """Lets the download begin where the cache's disk has room for it; None: nobody knows.

    Raises:
        StartError: it has not.
    """
    if not needed_bytes:
        return
    place = next(path for path in (cache, *cache.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < needed_bytes + SPARE_BYTES:
        raise StartError(
            f"the disk of {cache} is too full: the model takes {_text(needed_bytes)} and"
            f" {_text(free)} are free. Make room, or set HF_HOME to a directory on another disk"
        )
    say(f"downloading {_text(needed_bytes)} to {cache}")


def _missing_bytes(hub: Any, utils: Any, errors: Any, asked: dict[str, Any]) -> int | None:
    try:
        with _without_bars(utils):
            files = hub.snapshot_download(**asked, dry_run=True)
    except errors.DryRunError:  # the hub does not answer; the download itself says how
        return None
    return sum(file.file_size or 0 for file in files if file.will_download)


def _check_weights(repository: str, snapshot: Path) -> Path:
    if not [*snapshot.glob("*.safetensors")]:
        raise StartError(f"model {repository} has no weights as *.safetensors, which are needed")
    return snapshot


@contextmanager
def _without_bars(utils: Any) -> Iterator[None]:
    if utils.are_progress_bars_disabled():
        yield
        return
    utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.enable_progress_bars()


def _explain(error: Exception, repository: str, endpoint: str, cache: Path) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
        return (
            f"the disk of {cache} is full: make room, or set HF_HOME to a directory on another"
            " disk. The next start goes on where this one ended"
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{cache} cannot be written to ({error}): set HF_HOME to another directory"
    first = (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]
    return (
        f"model {repository} could not be brought from the hub at {endpoint} ({first}): check the"
        " network, set HF_ENDPOINT to a mirror, or name a directory with --model PATH"
    )


def _text(count: int) -> str:
    return f"{count / 10**9:.2f} GB"
