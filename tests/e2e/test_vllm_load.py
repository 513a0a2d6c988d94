"""Real engines under load: memory that means something, seats, queues, and readings that fail."""

import re
from pathlib import Path

import pytest
from vibethinker_operator.fit import assess_fit, read_figures
from vibethinker_operator.samples import Sample, parse_fleet_page
from vibethinker_operator.signals import fold_signals
from vibethinker_operator.windows import Windows

from tests.cluster.model import toy_model
from tests.demo.prompts import build_document
from tests.e2e.engine_process import EngineProcess
from tests.e2e.real_engine import (
    CAP,
    SEATS,
    SMALL_POLICY,
    broken,
    idle_page,
    page,
    settings,
)
from tests.e2e.real_llama import LLAMA
from tests.e2e.streams import Stream, streams
from tests.unit.deciding.builders import START, make_observed, make_pod
from tests.unit.operator_api.resource import VOLUME_SPEC, make_resource

LIVE = "vibethinker_memory_used_ratio"
RAW = "vibethinker_device_memory_used_ratio"
KV = 'vibethinker_memory_bytes{kind="kv_used"}'
IN_FLIGHT = "vibethinker_requests_in_flight"
RUNNING = "vibethinker_requests_running"
QUEUE = "vibethinker_request_queue_length"
ERRORS = "vibethinker_load_errors_total"
LONG = 1200


def long_prompt(seed: int) -> str:
    """Returns about LONG tokens that share no block with another seed's: shared ones count once."""
    return build_document(seed, characters=round(LONG * 1.36))


def kv_share(engine: EngineProcess) -> float:
    """Returns the KV in use over the pool, from vLLM's own page; llama-server has it not on its."""
    if engine.backend is LLAMA:
        return page(engine)[KV] / engine.backend.pool_bytes
    text = engine.client.get(engine.ops("/metrics?name[]=vllm:kv_cache_usage_perc")).text
    return float(text.rstrip().rsplit(" ", 1)[1])


def test_what_fits_is_what_vllm_itself_says_of_its_cache(vllm: EngineProcess):
    text = vllm.client.get(vllm.ops("/metrics?name[]=vllm:cache_config_info")).text
    labels = dict(re.findall(r'(\w+)="([^"]*)"', text))
    logged = re.search(r"KV cache size: ([\d,]+) tokens", vllm.log.read_text())
    assert logged is not None
    told = page(vllm)
    pool = told["vibethinker_kv_pool_tokens"]
    assert pool == int(labels["num_gpu_blocks"]) * int(labels["block_size"])
    assert pool == int(logged[1].replace(",", ""))
    assert told["vibethinker_kv_token_bytes"] == vllm.backend.bytes_per_token
    assert told["vibethinker_weights_bytes"] == served_bytes(toy_model())


def test_the_operator_tells_the_fit_that_vllm_has(vllm: EngineProcess):
    sample = parse_fleet_page(vllm.sweep(SMALL_POLICY).encode(), pod_uid="a", time=START)
    assert isinstance(sample, Sample)
    windows = Windows().record([sample], {"a"}, START)
    told = read_figures(fold_signals(windows, make_observed(make_pod("a")), START))
    engine = settings()
    size = engine["kvCacheMemoryBytes"]
    spec = {"engine": {"device": "CPU", "dtype": engine["dtype"], "kvCacheMemoryBytes": size}}
    limits = {"resources": {"limits": {"memory": str(vllm.backend.limit_bytes)}}}
    resource = make_resource(spec | limits | VOLUME_SPEC)
    fit = assess_fit(resource.spec, told)
    assert (fit.source, fit.obstacle) == ("Measured", None)
    assert fit.tokens == page(vllm)["vibethinker_kv_pool_tokens"]
    # As vLLM logs it: "Maximum concurrency for 4,096 tokens per request: 2.28x".
    logged = re.search(r"for 4,096 tokens per request: ([\d.]+)x", vllm.log.read_text())
    assert logged is not None
    assert fit.sequences == int(float(logged[1]))


def served_bytes(model: Path) -> int:
    """Returns what a checkpoint's numbers of two bytes take in Float32, by the size of its data."""
    (file,) = model.glob("*.safetensors")
    content = file.read_bytes()
    header = int.from_bytes(content[:8], "little")
    return 2 * (len(content) - 8 - header)


def test_live_memory_follows_the_kv_in_use_and_raw_memory_does_not(server: EngineProcess):
    idle = idle_page(server)
    begun = [Stream(server, tokens=CAP, prompt=long_prompt(seed)) for seed in range(5)]
    server.wait_for(lambda: all(stream.first_at for stream in begun), 120)
    busy, share = page(server), kv_share(server)
    for stream in begun:
        stream.leave()
    sizes = server.backend
    assert share == pytest.approx(5 * LONG * sizes.bytes_per_token / sizes.pool_bytes, abs=0.3)
    after = idle_page(server)
    for stream in begun:
        stream.end()
    assert kv_share(server) == 0
    assert (after[IN_FLIGHT], after[RUNNING], after[QUEUE]) == (0, 0, 0)
    if LIVE not in idle:
        pytest.skip("no cgroup with a memory limit can be made here: memory is rightly unknown")
    print(*(f"{name}: {idle[name]:.3f} idle, {busy[name]:.3f} busy;" for name in (LIVE, RAW)))
    expected = share * sizes.pool_bytes / sizes.limit_bytes
    assert busy[LIVE] - idle[LIVE] == pytest.approx(expected, rel=0.25)
    assert abs(busy[RAW] - idle[RAW]) < expected / 3
    assert (idle[KV], after[KV]) == (0, 0)
    assert abs(after[LIVE] - idle[LIVE]) < expected / 3


def failed(begun: list[Stream]) -> list[Stream]:
    return [stream for stream in begun if stream.status not in (None, 200)]


def test_a_client_that_leaves_gives_back_its_memory_and_its_place(server: EngineProcess):
    stream = Stream(server, tokens=CAP, prompt=long_prompt(99))
    server.wait_for(lambda: stream.first_at is not None, 60)
    assert page(server)[IN_FLIGHT] == 1
    assert kv_share(server) > 0.05
    stream.leave()
    stream.end()
    after = idle_page(server)
    assert kv_share(server) == 0
    assert after[IN_FLIGHT] == 0
    assert stream.finish_reason is None
    assert len(stream.chunks) < CAP


def test_a_reading_that_fails_makes_load_unknown_and_harms_no_stream(server: EngineProcess):
    before = page(server)
    stream = Stream(server, tokens=200)
    server.wait_for(lambda: len(stream.chunks) > 5, 60)
    with broken(server, "readings"):
        server.wait_for(lambda: page(server)[ERRORS] > before[ERRORS], 30)
        during = page(server)
        assert stream.end().finish_reason == "length"
    assert not {QUEUE, RUNNING, LIVE} & during.keys()
    assert during[IN_FLIGHT] == 1
    # The engine lives on, and its next step is a reading again.
    assert Stream(server, tokens=5).end().finish_reason == "length"
    assert idle_page(server)[RUNNING] == 0
    assert "EngineDeadError" not in Path(server.log).read_text()


def test_past_seats_and_queue_newcomers_are_refused_and_told_when_to_return(server: EngineProcess):
    waiting = 4
    page(server, overload={"policy": "ScaleOutThenReject", "maxQueuedRequests": waiting})
    with streams(server, 20, tokens=CAP) as begun:
        # A stream that waits for a seat has a status from vLLM, and none yet from llama-server.
        server.wait_for(lambda: len(failed(begun)) == 20 - SEATS - waiting, 60)
        refused = failed(begun)
        assert page(server)[IN_FLIGHT] == SEATS + waiting
    assert len(refused) == 20 - SEATS - waiting
    assert {stream.status for stream in refused} == {429}
    for stream in refused:
        assert 1 <= int(stream.headers["retry-after"]) <= 60
        assert stream.headers["x-rejected-reason"] == "queue_full"
        assert stream.headers["connection"] == "close"
    assert idle_page(server)[QUEUE] == 0


def test_a_known_session_gets_the_next_seat_before_those_who_came_earlier(server: EngineProcess):
    ticket = Stream(server, tokens=1).end().headers["x-session-ticket"]
    # Seats become free one after the other.
    seated = [Stream(server, tokens=200 + 40 * number) for number in range(SEATS)]
    server.wait_for(lambda: page(server)[RUNNING] == SEATS, 60)
    newcomers = [Stream(server, tokens=CAP) for _ in range(3)]
    server.wait_for(lambda: page(server)[QUEUE] == 3, 30)
    known = Stream(server, tokens=5, ticket=ticket)
    server.wait_for(lambda: known.first_at is not None, 120)
    overtaken = [stream for stream in newcomers if stream.first_at is None]
    for stream in (*seated, *newcomers):
        stream.leave()
    assert known.end().finish_reason == "length"
    assert len(overtaken) == 3
    for stream in (*seated, *newcomers):
        stream.end()
