"""The Job's command, run as the process that it is: what it writes, says and ends with."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from vibethinker_server import names
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError, HeldError
from vibethinker_server.checkpoint.output import held
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.preparation.page import ProgressServer, Standing
from vibethinker_server.preparation.run import find_source, is_worth_another_try
from vibethinker_server.preparation.task import parse_task
from vibethinker_server.start_error import StartError

from tests.support.checkpoints import write_checkpoint

TOKEN = "the-fleets-token"  # noqa: S105 (of this test)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Job:
    """The command with a fleet's files, in a directory of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.source = write_checkpoint(place / "source")
        self.out = place / "prepared" / "int8"
        self.words = place / "termination-log"
        (place / "files" / "fleet").mkdir(parents=True)
        (place / "files" / names.FLEET_TOKEN_FILE).write_text(TOKEN)

    def run(self, **task: Any) -> subprocess.CompletedProcess[str]:
        told = {
            "model": str(self.source),
            "format": "W8A8",
            "out": str(self.out),
            "opsPort": free_port(),
        } | task
        environment = os.environ | {
            names.ENV_PREPARE: json.dumps(told),
            names.ENV_FILES: str(self.place / "files"),
            names.ENV_HOST: "127.0.0.1",
            names.ENV_TERMINATION_LOG: str(self.words),
            "PYTHONPATH": os.pathsep.join(("server", ".")),
        }
        return subprocess.run(
            [sys.executable, "-m", "vibethinker_server", "prepare"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_it_writes_the_weights_once_and_then_says_that_they_are_there(job):
    first, again = job.run(), job.run()
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert "is written" in first.stdout
    assert "was there already" in again.stdout
    assert (job.out / "config.json").exists()
    assert not job.words.exists()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"format": "Int3"}, "format"),
        ({"nobody": "knows"}, "nobody"),
        ({"model": "/does/not/exist"}, "/does/not/exist: there is no such directory"),
        ({"out": "/proc/int8"}, "/proc"),
    ],
)
def test_bad_input_is_final_and_its_reason_goes_into_the_pods_status(job, task, said):
    ended = job.run(**task)
    assert ended.returncode == 2
    assert said in job.words.read_text()
    assert said in ended.stderr
    assert not job.out.exists()
    assert "Traceback" not in ended.stderr


def test_two_jobs_for_one_place_the_second_tries_again_later(job):
    with held(job.out):
        ended = job.run()
    assert ended.returncode == 1
    assert f"pid {os.getpid()}" in job.words.read_text()
    assert job.run().returncode == 0


def test_a_hub_that_does_not_answer_is_worth_another_try_and_a_bad_checkpoint_is_not():
    assert is_worth_another_try(StartError("the hub"))
    assert is_worth_another_try(HeldError("somebody"))
    assert not is_worth_another_try(CheckpointError("other architecture"))


def test_a_repository_is_brought_from_the_hub_and_a_directory_is_not(tmp_path):
    asked: list[Any] = []

    def download(*what: object) -> Path:
        asked.append(what[:2])
        return Path(tmp_path)

    repository = {"model": "org/model", "revision": "v2", "format": "F16", "out": "/x.gguf"}
    assert find_source(parse_task(json.dumps(repository)), download) == tmp_path
    local = {"model": "/model/a", "format": "F16", "out": "/x.gguf"}
    assert find_source(parse_task(json.dumps(local)), download) == Path("/model/a")
    assert asked == [("org/model", "v2")]


@pytest.fixture
def page():
    standing = Standing()
    standing.report(Progress("quantizing", 1, 4))
    server = ProgressServer(("127.0.0.1", 0), standing, TOKEN.encode)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def ask(url: str, token: str | None = TOKEN, body: bytes = b"{}") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(url, data=body, headers=headers), timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_the_operator_is_told_how_far_it_is(page):
    status, text = ask(f"{page}/-/fleet")
    assert status == 200
    assert "vibethinker_prepared_ratio 0.25" in text


@pytest.mark.parametrize("token", [None, "another", ""])
def test_nobody_else_is(page, token):
    status, text = ask(f"{page}/-/fleet", token)
    assert status == 401
    assert "ratio" not in text


def test_there_is_nothing_else_to_ask_for(page):
    assert ask(f"{page}/-/drain")[0] == 404
    assert ask(f"{page}/metrics")[0] == 404
