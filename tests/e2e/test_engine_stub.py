"""The server as a process around the stub engine: what the operator's tests run in their pods."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.engine_process import POLICY, EngineProcess, values
from tests.e2e.stub_control import Stub, running_stub, serving_stub, wait_until_serving


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[EngineProcess]:
    with running_stub(tmp_path) as engine:
        yield engine


@pytest.fixture
def controlled(tmp_path: Path) -> Iterator[Stub]:
    with serving_stub(tmp_path) as stub:
        yield stub


def chat(engine: EngineProcess, tokens: int, words: int = 1, **more: Any) -> Any:
    body = {"messages": [{"role": "user", "content": "word " * words}], "max_tokens": tokens}
    return engine.client.post(engine.url("/v1/chat/completions"), json=body | more)


def test_it_serves_and_its_page_tells_of_live_memory(stub: EngineProcess):
    wait_until_serving(stub)
    page = values(stub.sweep())
    assert page["vibethinker_device_memory_used_ratio"] == pytest.approx(0.8)
    assert page["vibethinker_memory_used_ratio"] == pytest.approx(0.3)
    assert page["vibethinker_policy_generation"] == POLICY["generation"]
    answer = chat(stub, tokens=5)
    assert answer.json()["choices"][0]["finish_reason"] == "length"
    assert answer.headers["x-served-by"] == "pod-under-test"
    assert chat(stub, tokens=500).json()["choices"][0]["finish_reason"] == "stop"
    page = values(stub.sweep())
    assert page["vibethinker_requests_finished_total"] == 3  # the server's own first one too
    assert page["vibethinker_requests_in_flight"] == 0


def test_a_stream_arrives_in_pieces(stub: EngineProcess):
    wait_until_serving(stub)
    body = {"prompt": "x", "max_tokens": 5, "stream": True}
    with stub.client.stream("POST", stub.url("/v1/completions"), json=body) as answer:
        events = [line for line in answer.iter_lines() if line]
    assert len(events) == 7
    assert events[-1] == "data: [DONE]"
    assert json.loads(events[-2][6:])["choices"][0]["finish_reason"] == "length"
    named = "/metrics?name[]=vibethinker_time_to_first_token_seconds_count"
    assert values(stub.client.get(stub.ops(named)).text) == {
        'vibethinker_time_to_first_token_seconds_count{profile="webui",task="qa"}': 1.0
    }


def test_kv_use_can_be_set_from_outside(controlled: Stub):
    engine = controlled.engine
    controlled.fill_memory(0.96)
    assert values(engine.sweep())["vibethinker_memory_used_ratio"] == pytest.approx(0.78)
    assert chat(engine, tokens=1).headers["x-rejected-reason"] == "hard_line"
    controlled.fill_memory(None)
    assert chat(engine, tokens=1).status_code == 200


def test_a_crowd_that_meets_an_idle_pod_is_let_in_though_the_fleet_cannot_grow(stub: EngineProcess):
    wait_until_serving(stub)
    stub.sweep(growth="CannotGrow")
    assert chat(stub, tokens=1).status_code == 200
    time.sleep(3)
    assert chat(stub, tokens=1).status_code == 200
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: chat(stub, tokens=1), range(8)))
    refusals = [answer.headers.get("x-rejected-reason") for answer in answers]
    assert refusals == [None] * 8


def test_a_queue_forms_beyond_the_seats(stub: EngineProcess):
    wait_until_serving(stub)
    threads = [threading.Thread(target=chat, args=(stub, 60)) for _ in range(10)]
    for thread in threads:
        thread.start()

    def queue_stands() -> bool:
        # Both at once: before the engine's first report who is in counts as on its way to a seat.
        page = values(stub.sweep())
        names = ("vibethinker_request_queue_length", "vibethinker_requests_running")
        return [page[name] for name in names] == [6, 4]

    try:
        stub.wait_for(queue_stands, 10)
    finally:
        for thread in threads:
            thread.join()


def test_sigterm_in_the_second_second_of_the_start_ends_it(tmp_path: Path):
    with running_stub(tmp_path, STUB_START_SECONDS="60") as engine:
        engine.wait_for(lambda: engine.phase() is not None, 30)
        os.kill(engine.process.pid, signal.SIGTERM)
        engine.process.wait(timeout=30)
        assert engine.children() == []


def test_sigterm_under_load_lets_the_stream_end_and_exits_with_0(stub: EngineProcess):
    wait_until_serving(stub)
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(chat(stub, tokens=60)))
    thread.start()
    stub.wait_for(lambda: values(stub.sweep())["vibethinker_requests_in_flight"] == 1, 10)
    os.kill(stub.process.pid, signal.SIGTERM)
    stub.wait_for(lambda: stub.phase() == "Draining", 10)
    thread.join()
    assert answers[0].json()["choices"][0]["finish_reason"] == "length"
    assert stub.process.wait(timeout=30) == 0


def test_the_prestop_command_waits_for_the_grace_and_marks_the_drain(tmp_path: Path):
    with running_stub(tmp_path) as engine:
        wait_until_serving(engine)
        environment = dict(line.split("=", 1) for line in environ_of(engine.process.pid))
        began = time.monotonic()
        command = [sys.executable, "-m", "vibethinker_server", "drain"]
        subprocess.run(command, env=environment, check=True, timeout=60)
        assert time.monotonic() - began >= 9
        assert engine.phase() == "Draining"
        assert chat(engine, tokens=1).headers["x-rejected-reason"] == "draining"


def environ_of(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/environ").read_text().rstrip("\0")
    return text.split("\0")
