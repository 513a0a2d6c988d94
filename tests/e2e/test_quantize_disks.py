"""INT8 checkpoints on real disks that are too small, or not to be written to."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.int8_layout import Method
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.checkpoint.quantization import quantize

from tests.e2e.small_disk import small_disk
from tests.support.checkpoints import CONFIG, write_checkpoint

LARGE = CONFIG | {"vocab_size": 60_000}  # 8 MB


def ignore(progress: Progress) -> None:
    pass


@pytest.fixture(name="small_disk")
def make_small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    with small_disk(tmp_path / "disk", 4):
        yield tmp_path / "disk"


def test_a_disk_that_becomes_full_midway_is_named_and_left_clean(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
):
    source = write_checkpoint(tmp_path / "model", LARGE)
    with pytest.raises(CheckpointError, match="disk has no room"):
        quantize(source, small_disk / "out", Method.W8A8, ignore)
    # Others fill it once the run has begun.
    monkeypatch.setattr("vibethinker_server.checkpoint.output.SPARE_BYTES", -(10**9))
    with pytest.raises(
        CheckpointError, match=rf"{small_disk}/out: its disk is full .*needed are 7\d+"
    ):
        quantize(source, small_disk / "out", Method.W8A8, ignore)
    assert list(small_disk.iterdir()) == []


def test_a_volume_that_is_read_only_is_named(tmp_path: Path, small_disk: Path):
    source = write_checkpoint(tmp_path / "model")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    refused = r"cannot be written to \(Read-only file system\); needed are [0-9]+ bytes"
    with pytest.raises(CheckpointError, match=rf"{small_disk}/out: {refused}"):
        quantize(source, small_disk / "out", Method.W8A8, ignore)
