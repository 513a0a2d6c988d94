"""What is particular to real llama-server behind our proxy: two processes, its memory, its end."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.engine_process import EngineProcess, free_port
from tests.e2e.real_engine import CAP, READY_SECONDS, SEATS, page, start_phases
from tests.e2e.real_llama import (
    BYTES_PER_TOKEN,
    LIMIT_BYTES,
    POOL_BYTES,
    llama_server_process,
    running_llama,
    running_proxy_alone,
    settings,
)
from tests.e2e.streams import Stream, streams

GONE_SECONDS = 20.0
IN_FLIGHT = "vibethinker_requests_in_flight"
RAW = "vibethinker_device_memory_used_ratio"
RUNNING = "vibethinker_requests_running"


def kind(name: str) -> str:
    return f'vibethinker_memory_bytes{{kind="{name}"}}'


def test_the_pool_is_resident_and_the_kinds_sum_to_the_processs_memory(llama: EngineProcess):
    now = page(llama)
    kinds = {name: now[kind(name)] for name in ("weights", "kv_used", "kv_idle", "other")}
    print(*(f"{name} {value / 2**20:.1f} MiB;" for name, value in kinds.items()))
    tokens = POOL_BYTES // BYTES_PER_TOKEN // 256 * 256
    assert kinds["kv_used"] + kinds["kv_idle"] == tokens * BYTES_PER_TOKEN
    assert sum(kinds.values()) == pytest.approx(now[RAW] * LIMIT_BYTES, rel=0.01)
    # Were the pool or the weights mapped and not read in, "other" would be below zero: no series.
    assert 0 <= kinds["other"] < LIMIT_BYTES / 2


def test_llama_servers_own_series_stand_beside_ours(llama: EngineProcess):
    text = llama.client.get(llama.ops("/metrics")).text
    for name in ("llamacpp:prompt_tokens_total", "llamacpp:n_decode_total", "llamacpp:requests_"):
        assert f"\n{name}" in text


def test_more_answers_than_slots_come_one_after_the_other_and_none_is_cut(llama: EngineProcess):
    with streams(llama, SEATS * 3, tokens=60) as begun:
        reasons = [stream.end().finish_reason for stream in begun]
    assert reasons == ["length"] * SEATS * 3


def test_answers_that_would_outgrow_the_pool_wait_and_none_is_failed(tmp_path: Path):
    # Together they hold twice the pool at their ends, and llama-server would fail all of them.
    pool = 1536 * BYTES_PER_TOKEN
    with running_llama(tmp_path, maxModelLen=1024, kvCacheMemoryBytes=pool) as engine:
        start_phases(engine)
        page(engine, overload={"policy": "ScaleOut", "maxQueuedRequests": 64})  # all come in
        with streams(engine, 6, tokens=300, prompt="?" * 200) as begun:  # a token each
            reasons = [stream.end().finish_reason for stream in begun]
    assert reasons == ["length"] * 6
    log = (tmp_path / "llama-server.log").read_text(errors="replace")
    assert "Context size has been exceeded" not in log


def test_sigterm_while_llama_server_is_not_there_ends_the_proxy_at_once(tmp_path: Path):
    with running_proxy_alone(tmp_path) as engine:
        engine.wait_for(lambda: engine.phase() == "StartingEngine", READY_SECONDS)
        began = time.monotonic()
        os.kill(engine.process.pid, signal.SIGTERM)
        engine.process.wait(timeout=GONE_SECONDS)
        print(f"gone {time.monotonic() - began:.2f} s after SIGTERM")


def test_sigterm_without_a_drain_finishes_what_runs_and_ends_cleanly(tmp_path: Path):
    with running_llama(tmp_path) as engine:
        start_phases(engine)
        stream = Stream(engine, tokens=CAP)
        engine.wait_for(lambda: stream.first_at is not None, 60)
        os.kill(engine.process.pid, signal.SIGTERM)
        assert stream.end().finish_reason == "length"
        assert engine.process.wait(timeout=90) == 0
    assert "Traceback" not in engine.log.read_text(errors="replace")


def test_a_llama_server_that_dies_is_waited_for_and_served_again(tmp_path: Path):
    port = free_port()
    log = tmp_path / "llama-server.log"
    with running_proxy_alone(tmp_path, port) as engine:
        with llama_server_process(log, port, settings()):
            assert start_phases(engine)[-1] == "Serving"
            stream = Stream(engine, tokens=CAP)
            engine.wait_for(lambda: stream.first_at is not None, 60)
        assert stream.end().finish_reason is None  # it was cut, and does not look whole
        engine.wait_for(lambda: engine.phase() == "StartingEngine", 60)
        refused = httpx.post(engine.url("/v1/completions"), json={"prompt": "a"})
        assert (refused.status_code, refused.headers["x-rejected-reason"]) == (503, "not_ready")
        assert RUNNING not in page(engine)
        with llama_server_process(log, port, settings()):
            assert start_phases(engine)[-1] == "Serving"
            assert Stream(engine, tokens=5).end().finish_reason == "length"
        assert page(engine)[IN_FLIGHT] == 0


def test_the_settings_shown_are_the_flags_that_llama_server_took(llama: EngineProcess):
    props = httpx.get(f"http://{llama.behind}/props").json()
    assert props["total_slots"] == SEATS
    assert props["model_path"] == settings()["model"]
    slots = httpx.get(f"http://{llama.behind}/slots").json()
    assert {slot["n_ctx"] for slot in slots} == {4096}
