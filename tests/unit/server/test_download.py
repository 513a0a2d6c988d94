import errno
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vibethinker_server.one_click import download
from vibethinker_server.one_click.download import SPARE_BYTES, check_room, download_model
from vibethinker_server.start_error import StartError

MODEL = "WeiboAI/VibeThinker-1.5B"


class RepositoryNotFoundError(OSError): ...


class GatedRepoError(RepositoryNotFoundError): ...


class RevisionNotFoundError(OSError): ...


class DryRunError(OSError): ...


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The hub's library: one file that lacks 5 bytes, and whatever `fails` raises."""
    errors = (RepositoryNotFoundError, GatedRepoError, RevisionNotFoundError, DryRunError)
    hub = SimpleNamespace(fails=None, dry_fails=None)

    def snapshot_download(dry_run: bool = False, **_asked: Any) -> Any:
        failure = hub.dry_fails if dry_run else hub.fails
        if failure is not None:
            raise failure
        if dry_run:
            return [
                SimpleNamespace(will_download=True, file_size=5),
                SimpleNamespace(will_download=True, file_size=None),
                SimpleNamespace(will_download=False, file_size=10**15),
            ]
        return str(tmp_path / "snapshot")

    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "model.safetensors").touch()
    hub.snapshot_download = snapshot_download
    utils = SimpleNamespace(
        are_progress_bars_disabled=lambda: False,
        disable_progress_bars=lambda: None,
        enable_progress_bars=lambda: None,
    )
    constants = SimpleNamespace(HF_HUB_CACHE=str(tmp_path / "hub"), ENDPOINT="http://hub")
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    named = SimpleNamespace(**{error.__name__: error for error in errors})
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", named)
    monkeypatch.setitem(sys.modules, "huggingface_hub.constants", constants)
    monkeypatch.setitem(sys.modules, "huggingface_hub.utils", utils)
    return hub


def test_the_model_comes_and_its_size_is_said(hub: SimpleNamespace, tmp_path: Path):
    said: list[str] = []
    assert download_model(MODEL, "main", said.append) == tmp_path / "snapshot"
    assert said == [f"downloading 0.00 GB to {tmp_path / 'hub'}"]


def test_weights_in_another_format_are_none(hub: SimpleNamespace, tmp_path: Path):
    (tmp_path / "snapshot" / "model.safetensors").rename(tmp_path / "snapshot" / "model.bin")
    with pytest.raises(StartError, match=f"model {MODEL} has no weights"):
        download_model(MODEL, "main", print)


def test_a_hub_that_does_not_answer_is_no_fault_where_the_model_is_there(hub: SimpleNamespace):
    hub.dry_fails = DryRunError("no network")
    assert download_model(MODEL, "main", print).name == "snapshot"


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (RepositoryNotFoundError("404"), r"no model a/b on the hub at http://hub\. A private one"),
        (GatedRepoError("403"), "set HF_TOKEN to a token of that account"),
        (RevisionNotFoundError("404"), "has no revision main: see --revision"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full: make room"),
        (RuntimeError("IO Error: No space left on device (os error 28)"), "is full: make room"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written to"),
        (
            RuntimeError("connection refused\nand more"),
            r"\(connection refused\): check the network",
        ),
        (RuntimeError(), r"\(RuntimeError\)"),
    ],
)
def test_each_failure_says_what_to_do(hub: SimpleNamespace, failure: Exception, message: str):
    hub.fails = failure
    with pytest.raises(StartError, match=message):
        download_model("a/b", "main", print)


def test_a_name_that_the_hub_does_not_know_is_compared_with_the_right_one(hub: SimpleNamespace):
    hub.fails = RepositoryNotFoundError("404")
    with pytest.raises(StartError, match=rf"did you mean {MODEL}\?"):
        download_model("WeiboAI/VibeThinker-1.5", "main", print)


def test_a_disk_that_is_too_full_is_told_of_before_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    free: Callable[[Path], Any] = lambda path: SimpleNamespace(free=SPARE_BYTES + 99)  # noqa: E731
    monkeypatch.setattr(shutil, "disk_usage", free)
    check_room(99, tmp_path / "not" / "yet", print)
    check_room(None, tmp_path, print)
    with pytest.raises(StartError, match=r"too full: .* HF_HOME"):
        check_room(100, tmp_path / "not" / "yet", print)


def test_without_the_hubs_library_the_message_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(StartError, match="hub's library is missing"):
        download.download_model(MODEL, "main", print)
