"""Real engines behind our door: what a client gets, and what the operator reads."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from vibethinker_operator.samples import (
    FLEET_SERIES,
    VLLM_SERIES,
    Sample,
    parse_fleet_page,
    parse_vllm_page,
)
from vibethinker_server.known_models import VIBETHINKER_1_5B
from vibethinker_server.names import SERIES_PREPARED

from tests.e2e.arrivals import read_arrivals
from tests.e2e.engine_process import ROOT, EngineProcess, values
from tests.e2e.real_engine import CAP, SMALL_POLICY, broken, page
from tests.e2e.real_llama import LLAMA

CAPTURED = ROOT / "tests" / "unit" / "deciding" / "data" / "vllm-0.32.0-metrics.txt"
MESSAGES = [{"role": "user", "content": "the sum of two numbers"}]
REQUESTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "two"},
}
RESPONSES = "/v1/responses"
ALL_REQUESTS = {**REQUESTS, RESPONSES: {"input": "the sum of two numbers"}}
# 2 is the token that ends an answer.
ENDS_AT_ONCE, NEVER_ENDS = {"2": 100}, {"2": -100}
# A GPU's; and a refusal of memory needs a limit, which not every machine gives.
# Of a card, and of the pod that prepares weights.
NOT_ON_A_CPU = {"vibethinker_gpu_util", SERIES_PREPARED}
# It tells the tokens of an answer once that has ended.
NOT_OF_LLAMA = {"vibethinker_prompt_tokens_total", "vibethinker_generation_tokens_total"}
NEED_A_LIMIT = {
    "vibethinker_memory_used_ratio",
    "vibethinker_device_memory_used_ratio",
    "vibethinker_device_memory_bytes",
    "vibethinker_memory_bytes",
}


def ask(engine: EngineProcess, path: str, **more: Any) -> Any:
    return engine.client.post(engine.url(path), json={**ALL_REQUESTS[path], **more})


def names_on(text: str) -> set[str]:
    return {series.partition("{")[0] for series in values(text)}


def test_the_start_is_told_from_its_beginning_to_its_end(
    started_server: tuple[EngineProcess, list[str]],
):
    _, phases = started_server
    assert phases[0] == "StartingEngine"
    assert phases[-1] == "Serving"
    assert set(phases[1:-1]) <= {"WarmingUp"}


@pytest.mark.parametrize("path", REQUESTS)
def test_an_answer_in_json_has_its_ticket_and_its_pod(server: EngineProcess, path: str):
    answer = ask(server, path, max_tokens=8, ignore_eos=True)
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["completion_tokens"] == 8
    assert answer.json()["choices"][0]["finish_reason"] == "length"
    assert answer.headers["x-served-by"] == "pod-under-test"
    assert len(answer.headers["x-session-ticket"]) == 76


@pytest.mark.parametrize("path", REQUESTS)
def test_a_streamed_answer_comes_in_pieces_and_ends_whole(server: EngineProcess, path: str):
    body = {**REQUESTS[path], "max_tokens": 8, "ignore_eos": True, "stream": True}
    with server.client.stream("POST", server.url(path), json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-served-by"] == "pod-under-test"
        assert answer.headers["x-session-ticket"]
        events = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    # llama-server holds back what may become a stop's text, and sends it with the next piece.
    assert len(events) >= (6 if server.backend is LLAMA else 9)
    assert events[-1] == "[DONE]"
    assert json.loads(events[-2])["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("path", ALL_REQUESTS)
def test_a_request_that_chooses_nothing_is_sampled_as_the_known_model_wants_it(
    vllm: EngineProcess, path: str
):
    shortest = {"max_output_tokens": 1} if path == RESPONSES else {"max_tokens": 1}
    advised = VIBETHINKER_1_5B.sampling
    whole = {"temperaturePercentage": 60, "topPPercentage": 95, "topK": -1}
    page(vllm, profiles=[{"name": "webui", "kind": "WebUI", "sampling": whole}])
    answers = [ask(vllm, path, **shortest, **choice) for choice in ({}, {"top_p": 0.5})]
    assert [answer.status_code for answer in answers] == [200, 200]
    unchosen, chosen = (arrival.sampling for arrival in read_arrivals(vllm)[-2:])
    # To vLLM, 0 and -1 are both every token.
    assert unchosen[:2] == [advised.temperature, advised.top_p]
    assert unchosen[2] <= 0
    # The client's own choice is vLLM's defaults but for what it says.
    assert chosen[:2] == [1.0, 0.5]


def test_an_answer_that_ends_by_itself_says_so(server: EngineProcess):
    answer = ask(server, "/v1/completions", max_tokens=50, logit_bias=ENDS_AT_ONCE)
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize("asked", [4095, 10_000])
def test_more_tokens_than_the_largest_cap_are_cut_to_it(
    server: EngineProcess, path: str, asked: int
):
    page(server, tokenLimits={"math": 16, "qa": 24})
    answer = ask(server, path, max_tokens=asked, ignore_eos=True)
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["completion_tokens"] == 24
    assert answer.json()["choices"][0]["finish_reason"] == "length"


def test_a_cap_that_rose_since_the_start_waits_for_the_next_start(server: EngineProcess):
    page(server, tokenLimits={"math": 100_000})
    answer = ask(server, "/v1/completions", max_tokens=3000, logit_bias=ENDS_AT_ONCE)
    assert answer.headers["x-token-limit"] == str(CAP)


def test_where_our_door_caps_nothing_the_engine_has_a_cap_of_its_own(server: EngineProcess):
    def longest(path: str) -> tuple[str, int]:
        length = "max_output_tokens" if path == RESPONSES else "max_tokens"
        answer = ask(server, path, **{length: 3000, "logit_bias": NEVER_ENDS})
        assert answer.status_code == 200, answer.text
        used = answer.json()["usage"]
        return answer.headers["x-token-limit"], used.get(
            "completion_tokens", used.get("output_tokens")
        )

    with broken(server, "caps"), ThreadPoolExecutor() as pool:
        answers = list(pool.map(longest, ALL_REQUESTS))
    # The header tells what our door wrote: it really stood open.
    assert answers == [("3000", CAP)] * 3


def test_the_responses_api_is_answered_and_capped_as_well(server: EngineProcess):
    page(server, tokenLimits={"math": 16, "qa": 24})
    answer = ask(server, RESPONSES, max_output_tokens=10_000, logit_bias=NEVER_ENDS)
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["output_tokens"] == 24
    assert answer.json()["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer.headers["x-session-ticket"]


def test_a_streamed_response_ends_whole(server: EngineProcess):
    answer = ask(server, RESPONSES, max_output_tokens=8, stream=True, logit_bias=NEVER_ENDS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data:")]
    assert events[0]["type"] == "response.created"
    assert sum(event["type"] == "response.output_text.delta" for event in events) > 1
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["usage"]["output_tokens"] == 8


@pytest.mark.parametrize("source", ["the page of the running engine", "the captured page"])
def test_every_name_that_is_read_of_vllm_is_on_its_page(vllm: EngineProcess, source: str):
    text = CAPTURED.read_text()
    if source == "the page of the running engine":
        text = vllm.client.get(vllm.ops("/metrics")).text
    assert names_on(text) >= VLLM_SERIES
    sample = parse_vllm_page(text.encode(), pod_uid="uid", time=1.0)
    assert isinstance(sample, Sample)
    read = (sample.running, sample.queue_length, sample.kv_used_ratio, sample.finished_total)
    assert None not in read


def test_every_name_that_is_read_of_ours_is_on_the_small_page(server: EngineProcess):
    ask(server, "/v1/completions", max_tokens=1)
    text = server.sweep(SMALL_POLICY)
    missing = FLEET_SERIES - names_on(text)
    uncounted = NOT_OF_LLAMA if server.backend is LLAMA else set()
    assert missing - NEED_A_LIMIT == NOT_ON_A_CPU | uncounted
    sample = parse_fleet_page(text.encode(), pod_uid="uid", time=1.0)
    assert isinstance(sample, Sample)
    assert sample.start_phase == "Serving"
    assert (sample.prefill_backlog_tokens, sample.load_errors_total) == (0, 0)
