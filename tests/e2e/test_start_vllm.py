"""One click with real vLLM on this machine's CPU, from a hub on loopback that has the toy model."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.cluster.images import engine_site
from tests.cluster.model import toy_model
from tests.e2e.engine_process import package_site
from tests.e2e.start_process import (
    Person,
    Terminal,
    make_person,
    session_of,
    try_it,
    wait_until_gone,
)
from tests.support.stub_hub import StubHub, serving_hub

MODEL = "WeiboAI/VibeThinker-1.5B"
# Others use this machine too: a small pool, and nothing compiled.
SMALL = (
    *("--set", "kvCacheMemoryBytes=268435456"),
    *("--set", "maxNumSeqs=4"),
    *("--set", "maxNumBatchedTokens=1024"),
    *("--set", "flags.enforceEager=true"),
)


@dataclass
class FirstRun:
    """A person's first start, in the foreground, which serves."""

    person: Person
    hub: StubHub
    terminal: Terminal

    def seconds_to_first_token(self) -> float:
        """Asks one question as a stream and returns how long its first token took."""
        began = time.monotonic()
        body = {"messages": [{"role": "user", "content": "1 + 1"}], "stream": True, "max_tokens": 5}
        url = f"http://127.0.0.1:{self.person.port}/v1/chat/completions"
        with httpx.stream("POST", url, json=body, timeout=60) as stream:
            next(line for line in stream.iter_lines() if '"content":"' in line)
        return time.monotonic() - began

    def end(self) -> None:
        """Presses Ctrl-C, unless somebody has."""
        if self.terminal.process.poll() is None:
            self.terminal.end(signal.SIGINT)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstRun]:
    directory = tmp_path_factory.mktemp("person")
    (directory / "site").mkdir()
    paths = [package_site(directory / "site"), engine_site()]
    with serving_hub(MODEL, toy_model()) as hub:
        person = make_person(directory, paths, HF_ENDPOINT=hub.url, VIBETHINKER_CPUS="2")
        began = time.monotonic()
        with person.starting(*SMALL) as terminal:
            terminal.wait_until_announced()
            run = FirstRun(person, hub, terminal)
            served = time.monotonic() - began
            print(f"first run: serves after {served:.1f} s, download included;", end=" ")
            print(f"first token {run.seconds_to_first_token():.2f} s after being asked")
            yield run


def test_the_first_run_brings_the_model_and_what_it_shows_to_try_answers(first_run: FirstRun):
    shown = first_run.terminal.text()
    assert re.search(r"downloading 0\.0\d GB to ", shown)
    assert any(path.endswith("/model.safetensors") for path in first_run.hub.asked)
    assert f"http://127.0.0.1:{first_run.person.port}/v1" in shown
    answer = try_it(shown)
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "vibethinker-1.5b"
    assert answer.json()["choices"][0]["message"]["content"]


def test_the_command_that_is_shown_is_the_one_that_runs(first_run: FirstRun):
    shown = first_run.person.start(*SMALL, "--print-args").stdout
    (line,) = (
        line for line in first_run.terminal.text().splitlines() if "serve: starting vllm" in line
    )
    words = line.split("starting ", 1)[1].split()
    said = shown.replace(" \\\n", " ").split("python3 -m ", 1)[1].replace("'", "").split()
    assert said == words


def test_a_second_start_is_told_who_has_the_port(first_run: FirstRun):
    second = first_run.person.start(*SMALL)
    print(second.stderr)
    assert second.returncode == 2
    assert f"is taken by process {first_run.terminal.server()} " in second.stderr
    assert first_run.terminal.process.poll() is None


def test_a_model_that_the_hub_does_not_have_is_named_and_nothing_starts(first_run: FirstRun):
    person = Person(first_run.person.directory, first_run.person.environment, 1, 2)
    for name, message in {
        "WeiboAI/VibeThinker-1.5": f"did you mean {MODEL}?",
        "somebody/else": "there is no model somebody/else on the hub at",
    }.items():
        refused = person.run("start", "--port", "18080", *SMALL, "--model", name)
        print(refused.stderr)
        assert refused.returncode == 2
        assert message in refused.stderr
        assert "Traceback" not in refused.stderr


def test_ctrl_c_finishes_what_runs_and_leaves_nothing(first_run: FirstRun):
    terminal, person = first_run.terminal, first_run.person
    if terminal.process.poll() is not None:
        pytest.fail(terminal.text()[-3000:])
    server = terminal.server()
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(try_it(terminal.text())))
    asking.start()
    metrics = f"http://127.0.0.1:{person.ops_port}/metrics?name[]=vibethinker_requests_in_flight"
    terminal.wait_for(lambda: "in_flight 1" in httpx.get(metrics).text)
    began = time.monotonic()
    assert terminal.end(signal.SIGINT) == 0
    asking.join()
    print(f"ended {time.monotonic() - began:.1f} s after Ctrl-C, one answer finished meanwhile")
    assert answers[0].json()["choices"][0]["finish_reason"] in {"length", "stop"}
    assert terminal.text().rstrip().endswith("ended")
    assert "Traceback" not in terminal.text()
    wait_until_gone(server)


def test_the_next_run_needs_no_hub_and_runs_in_the_background_until_it_is_stopped(
    first_run: FirstRun,
):
    first_run.end()
    person = first_run.person
    person.environment["HF_ENDPOINT"] = "http://127.0.0.1:1"
    pid_file = person.directory / "logs/api.pid"
    try:
        began = time.monotonic()
        begun = person.start(*SMALL, "--background")
        print(f"next run: returns after {time.monotonic() - began:.1f} s, without a hub")
        print(begun.stdout)
        assert begun.returncode == 0, begun.stderr
        assert try_it(begun.stdout).status_code == 200
        pid = int(pid_file.read_text())
        assert session_of(pid)
        began = time.monotonic()
        stopped = person.run("stop")
        print(f"stopped after {time.monotonic() - began:.1f} s")
        assert stopped.returncode == 0, stopped.stderr
        wait_until_gone(pid)
    finally:
        end_left_over(pid_file)


def end_left_over(pid_file: Path) -> None:
    """Ends what a failed test has left running."""
    if pid_file.exists():
        for pid in session_of(int(pid_file.read_text())):
            os.kill(pid, signal.SIGKILL)
