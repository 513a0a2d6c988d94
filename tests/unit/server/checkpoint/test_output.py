"""Outputs that are whole or not there: killed, refused, held, full."""

import errno
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.int8_layout import Method
from vibethinker_server.checkpoint.output import SPARE_BYTES, beside, explain, held, written_whole
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.checkpoint.quantization import quantize

from tests.support.checkpoints import CONFIG, content, write_checkpoint

KILLED_RUN = Path(__file__).parent / "killed_run.py"
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
LARGE = CONFIG | {"vocab_size": 60_000}  # 8 MB


def ignore(progress: Progress) -> None:
    pass


def break_off(out: Path) -> None:
    with written_whole(out, 3) as partial:
        partial.write_text("half")
        raise CheckpointError("something else went wrong")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("place", ["1", "2", "9", "30", "rename"])
def test_a_run_that_was_killed_leaves_nothing_that_the_next_one_minds(tmp_path: Path, place: str):
    source, out = write_checkpoint(tmp_path / "model"), tmp_path / "killed"
    undisturbed = tmp_path / "undisturbed"
    quantize(source, undisturbed, Method.W8A8, ignore, shard_bytes=30_000)
    killed = subprocess.run(
        [sys.executable, KILLED_RUN, source, out, place], env=ENVIRONMENT, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    # The first report comes before anything is written.
    assert beside(out, "partial").exists() is (place != "1")
    result = quantize(source, out, Method.W8A8, ignore, shard_bytes=30_000)
    assert result.was_there is False
    assert content(out) == content(undisturbed)
    assert names(tmp_path) == ["killed", "model", "undisturbed"]


def test_a_run_that_is_asked_to_end_leaves_nothing(tmp_path: Path):
    source, out = write_checkpoint(tmp_path / "model", LARGE), tmp_path / "int8"
    code = (
        "import sys, time; from pathlib import Path;"
        "from vibethinker_server.checkpoint import shard_writing;"
        "from vibethinker_server import __main__ as command;"
        "write = shard_writing._write;"
        "shard_writing._write = lambda *a: (write(*a), print('writing', flush=True),"
        " time.sleep(60));"
        f"sys.exit(command.main(['quantize', '--model', {str(source)!r}, '--out', {str(out)!r}]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    assert beside(out, "partial").exists()
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    process.stdout.close()
    assert names(tmp_path) == ["model"]


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the right to write tmp_path/out."""
    code = (
        "import sys, time; from pathlib import Path;"
        "from vibethinker_server.checkpoint.output import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "out"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_of_two_runs_is_told_who_holds_the_output(
    tmp_path: Path, holder: subprocess.Popen[str]
):
    who = rf"out\.lock: held by {socket.gethostname()} pid {holder.pid}, .* wait for it"
    source = write_checkpoint(tmp_path / "model")
    with pytest.raises(CheckpointError, match=who):
        quantize(source, tmp_path / "out", Method.W8A8, ignore)
    holder.kill()
    holder.wait()
    assert beside(tmp_path / "out", "lock").exists()
    quantize(source, tmp_path / "out", Method.W8A8, ignore)
    assert names(tmp_path) == ["model", "out"]


def test_a_lock_that_its_holder_removed_meanwhile_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out, real = tmp_path / "out", os.open
    taken: list[Path] = []

    def open_and_lose(path: Path, *how: int) -> int:
        handle = real(path, *how)
        if not taken:
            taken.append(path)
            beside(out, "lock").unlink()
        return handle

    monkeypatch.setattr(os, "open", open_and_lose)
    with held(out):
        assert beside(out, "lock").exists()
    assert taken


def test_a_volumes_root_is_no_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(os.path, "ismount", lambda path: path == tmp_path)
    message = "a volume's root: name a directory below"
    with pytest.raises(CheckpointError, match=message), held(tmp_path):
        pass


def test_a_disk_without_room_is_told_of_before_a_byte_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = write_checkpoint(tmp_path / "model")
    needed = quantize(source, tmp_path / "first", Method.W8A8, ignore).after_bytes + 20
    free = needed + SPARE_BYTES - 1
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    message = rf"{tmp_path}/out: its disk has no room: {needed} bytes .* and {free} are free"
    with pytest.raises(CheckpointError, match=message):
        quantize(source, tmp_path / "out", Method.W8A8, ignore)
    assert names(tmp_path) == ["first", "model"]


def test_a_file_that_may_not_grow_further_is_named_and_left_clean(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model", LARGE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
    try:
        with pytest.raises(CheckpointError, match=r"/out: its disk is full \(File too large\)"):
            quantize(source, tmp_path / "out", Method.W8A8, ignore)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_place_that_refuses_says_what_to_do(number: int, tmp_path: Path):
    text = str(explain(OSError(number, os.strerror(number)), tmp_path / "out", 1234))
    assert f"{tmp_path}/out: cannot be written to" in text
    assert "1234 bytes" in text
    assert "--out" in text


def test_another_fault_of_the_disk_keeps_its_own_words(tmp_path: Path):
    assert str(explain(OSError(errno.EIO, "Input/output error"), tmp_path)) == (
        f"{tmp_path}: Input/output error"
    )


def test_a_file_is_written_whole_too(tmp_path: Path):
    out = tmp_path / "model.gguf"
    with written_whole(out, 3) as partial:
        partial.write_text("new")
        assert not out.exists()
    assert out.read_text() == "new"
    with pytest.raises(CheckpointError, match="something else"):
        break_off(out)
    assert content(tmp_path) == {"model.gguf": b"new"}


def test_what_an_overwriting_run_left_when_it_was_killed_goes_with_the_next(tmp_path: Path):
    out = tmp_path / "out"
    beside(out, "replaced").mkdir()
    out.mkdir()
    (out / "old").touch()
    with written_whole(out, 0) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert names(tmp_path) == ["out"]
    assert names(out) == ["new"]
