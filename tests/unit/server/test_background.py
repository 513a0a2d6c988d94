import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from vibethinker_server.one_click.background import (
    pid_file,
    prepare_log,
    running_server,
    stop_server,
)
from vibethinker_server.start_error import StartError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "api.log"


@pytest.fixture
def server(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like ours by its command line, and its id beside the log."""
    prepare_log(log)
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
    with subprocess.Popen([*command, "vibethinker_server"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        pid_file(log).write_text(f"{process.pid}\n")
        yield process
        process.kill()


def test_the_log_before_stays_beside_the_new_one(log: Path):
    prepare_log(log)
    log.write_text("first")
    prepare_log(log)
    assert log.read_text() == ""
    assert log.with_name("api.log.1").read_text() == "first"


def test_a_log_that_a_server_writes_is_not_taken_from_it(
    log: Path, server: subprocess.Popen[bytes]
):
    with pytest.raises(StartError, match=rf"process {server.pid} writes .* already"):
        prepare_log(log)


def test_a_log_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="name another file with --log"):
        prepare_log(tmp_path / "file" / "api.log")


def test_stop_ends_the_server_and_only_it(log: Path, server: subprocess.Popen[bytes]):
    said: list[str] = []
    stop_server(log, said.append)
    assert said == [f"ending process {server.pid}"]
    assert server.wait(timeout=30) < 0
    assert not pid_file(log).exists()


def test_a_number_that_became_another_programs_is_left_alone(log: Path):
    prepare_log(log)
    pid_file(log).write_text("1\n")  # no server of ours
    assert running_server(log) is None
    with pytest.raises(StartError, match="no server runs that writes"):
        stop_server(log, print)


@pytest.mark.parametrize("text", [None, "", "word", str(2**22 + 1)])
def test_without_a_process_there_is_no_server(log: Path, text: str | None):
    prepare_log(log)
    if text is not None:
        pid_file(log).write_text(text)
    assert running_server(log) is None
