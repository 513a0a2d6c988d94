"""Real vLLM that serves, and is ill: what the doctor beside it says first, and whether it helps."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.doctor.beside import codes, examine
from tests.e2e.doctor.staged import started
from tests.e2e.engine_process import EngineProcess, values
from tests.e2e.real_engine import READY_SECONDS, wait_until_idle
from tests.e2e.streams import Stream, streams
from tests.support.hostile_requests import SERVED_NAME

pytestmark = pytest.mark.thorough

MIB = 2**20
# 1,170 tokens of 57,344 bytes: two sequences of 512, and eight are let run.
STORMY = {"kvCacheMemoryBytes": 64 * MIB, "maxModelLen": 512, "maxNumBatchedTokens": 512}
ENTRY = "[vllm.general_plugins]\nbroken = tests_broken_engine:install\n"
HERE = Path(__file__).parent


@contextmanager
def serving(
    directory: Path, changes: dict[str, Any], **environment: str
) -> Iterator[EngineProcess]:
    plugin = directory / "plugin"
    (plugin / "broken-1.dist-info").mkdir(parents=True)
    (plugin / "broken-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\n")
    (plugin / "broken-1.dist-info" / "entry_points.txt").write_text(ENTRY)
    (plugin / "tests_broken_engine.py").symlink_to(HERE / "broken_engine.py")
    (directory / "break").mkdir()
    variables = {"BREAK": str(directory / "break")} | environment
    with started(directory, changes, environment=variables, first_on_path=plugin) as engine:
        engine.wait_for(lambda: engine.phase() == "Serving", READY_SECONDS)
        yield engine


def ask(engine: EngineProcess, count: int, tokens: int = 1) -> None:
    for number in range(count):
        body = {"model": SERVED_NAME, "prompt": f"{number} and", "max_tokens": tokens}
        engine.client.post(engine.url("/v1/completions"), json=body).raise_for_status()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with serving(tmp_path_factory.mktemp("serving"), {}) as running:
        yield running


def test_a_healthy_engine_answers_all_four_after_many_requests(engine: EngineProcess):
    ask(engine, 300)
    wait_until_idle(engine)
    time.sleep(1)
    document = examine(engine)
    print(json.dumps(document, indent=1))
    assert codes(document) == []
    assert [answer["verdict"] for answer in document["path"]] == ["Ok"] * 4


def test_more_requests_than_seats(engine: EngineProcess):
    with streams(engine, 14, tokens=512) as begun:
        engine.wait_for(lambda: sum(one.first_at is not None for one in begun) >= 8, 60)
        document = examine(engine)
    assert codes(document)[0] == "RequestsAboveMaxNumSeqs"
    (finding,) = document["findings"]
    print(finding)
    assert finding["field"] == "engine.maxNumSeqs"
    assert finding["value"] > 8
    wait_until_idle(engine)


def test_clients_that_do_not_read(engine: EngineProcess):
    held = [unread(engine) for _ in range(3)]
    try:
        engine.wait_for(lambda: stands_still(engine), 120)
        document = examine(engine)
    finally:
        for one in held:
            one.close()
    print(document["findings"])
    assert codes(document) == ["SessionsNotReleased"]
    wait_until_idle(engine)
    assert codes(examine(engine)) == []


def test_kv_blocks_that_are_not_given_back(engine: EngineProcess):
    switch = engine.log.parent / "break" / "blocks"
    switch.touch()
    try:
        ask(engine, 1, tokens=40)
    finally:
        switch.unlink()
    wait_until_idle(engine)
    document = examine(engine)
    print(document["findings"])
    assert codes(document) == ["KvNotReleased"]


def test_processes_that_grow_with_every_request(tmp_path: Path):
    with serving(tmp_path / "grows", {}) as engine:
        (tmp_path / "grows" / "break" / "memory").touch()
        ask(engine, 220)
        wait_until_idle(engine)
        document = examine(engine)
    print(document["findings"])
    assert codes(document) == ["ProcessMemoryGrows"]


def test_a_storm_of_preemptions_and_its_end_under_the_named_value(tmp_path: Path):
    with serving(tmp_path / "storm", STORMY) as engine:
        stormy = storm(engine)
        document = examine(engine)
    print(stormy, document["findings"])
    assert codes(document)[0] == "PreemptionStorm"
    finding = document["findings"][0]
    assert finding["field"] == "engine.maxNumSeqs"
    with serving(tmp_path / "calm", STORMY | {"maxNumSeqs": finding["value"]}) as engine:
        calm = storm(engine)
        document = examine(engine)
    print(calm)
    assert codes(document) == []
    assert calm < stormy / 10


def storm(engine: EngineProcess) -> float:
    """Three crowds of eight, each with long answers; returns preemptions in the end."""
    for _ in range(3):
        crowd = [Stream(engine, tokens=420, prompt=f"{n} of eight") for n in range(8)]
        for one in crowd:
            one.end()
        wait_until_idle(engine)
    return values(engine.client.get(engine.ops("/metrics")).text).get(
        next(n for n in names_of(engine) if n.startswith("vllm:num_preemptions_total")), 0.0
    )


def names_of(engine: EngineProcess) -> list[str]:
    return list(values(engine.client.get(engine.ops("/metrics")).text))


def unread(engine: EngineProcess) -> socket.socket:
    """A client that asks for a long answer with much in it, and reads none of it."""
    body = json.dumps(
        {
            "messages": [{"role": "user", "content": "all"}],
            "max_tokens": 512,
            "stream": True,
            "ignore_eos": True,
            "logprobs": True,
            "top_logprobs": 20,
        }
    )
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", engine.port))
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"X-Task: math\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    one.sendall(head.encode() + body.encode())
    return one


def stands_still(engine: EngineProcess) -> bool:
    page = values(engine.client.get(engine.ops("/metrics")).text)
    flights = page["vibethinker_requests_in_flight"]
    return flights == 3 and page["vibethinker_requests_running"] == 0
