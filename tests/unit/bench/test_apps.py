from pathlib import Path
from typing import Any

import pytest

from tests.bench.middleware.apps import (
    BARE,
    BASE,
    OURS,
    build_app,
    build_server_runtime,
    write_files,
)
from tests.bench.middleware.in_process import time_calls
from tests.bench.middleware.stub_app import LAST_CHUNKS, STEP_SECONDS
from tests.bench.middleware.traffic import KEY, build_body
from tests.support.hostile_requests import Hostile
from tests.support.recording_engine import Answer, ask

CONTESTANTS = (BARE, OURS, BASE)
BODY = build_body(2048, max_tokens=64)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_files(tmp_path)
    return tmp_path


async def chat(app: Any, body: bytes = BODY, key: str = KEY, ticket: str | None = None) -> Answer:
    headers = [("Authorization", f"Bearer {key}")]
    headers += [("X-Session-Ticket", ticket)] if ticket else []
    return await ask(app, Hostile(what="chat", status=200, body=body, headers=tuple(headers)))


@pytest.mark.parametrize("name", CONTESTANTS)
async def test_each_answers_whole_and_in_as_many_chunks_as_asked(name: str, files: Path):
    app = build_app(name, files)
    assert (await chat(app)).status == 200
    stream = await chat(app, build_body(1024, max_tokens=8, stream=True))
    assert stream.body.count(b"data: ") == 8 + LAST_CHUNKS


@pytest.mark.parametrize("name", [OURS, BASE])
async def test_those_that_check_keys_turn_away_others(name: str, files: Path):
    assert (await chat(build_app(name, files), key="sk-none")).status == 401


@pytest.mark.parametrize("name", CONTESTANTS)
async def test_a_full_one_refuses_newcomers_alone_and_closes(name: str, files: Path):
    ticket = (await chat(build_app(OURS, files))).headers["x-session-ticket"]
    app = build_app(name, files, saturated=True)
    refused = await chat(app)
    assert (refused.status, refused.headers["connection"]) == (429, "close")
    assert "retry-after" in refused.headers
    assert (await chat(app, ticket=ticket)).status == 200


async def test_the_floor_of_kept_connections_keeps_them(files: Path):
    refused = await chat(build_app(BARE, files, saturated=True, close=False))
    assert refused.status == 429
    assert "connection" not in refused.headers


async def test_a_wrong_status_is_an_error_and_not_a_figure(files: Path):
    with pytest.raises(RuntimeError, match="with 200, not 429"):
        await time_calls(build_app(BARE, files), BODY, status=429, calls=1)


def test_the_pod_that_is_measured_has_been_busy(files: Path):
    runtime = build_server_runtime(files, saturated=False)
    rate = runtime.stats.finished_per_second(runtime.clock.monotonic())
    assert rate == pytest.approx(1 / STEP_SECONDS, rel=0.1)
