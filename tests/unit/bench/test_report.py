from typing import Any

import pytest

from tests.bench.middleware import peer
from tests.bench.middleware.apps import AGAIN, BARE, BASE, OURS
from tests.bench.middleware.document import KEYS
from tests.bench.middleware.load import Offered
from tests.bench.middleware.report import build_report, build_run
from tests.bench.middleware.rounds import Cost
from tests.bench.middleware.scenarios import KEEP_ALIVE, LONG, SHORT, Measured, Memory

WHO = (BARE, OURS, BASE, AGAIN, peer.NAME, KEEP_ALIVE)


def costs(cpu_us: dict[str, float]) -> dict[str, list[Cost]]:
    """Three rounds for each of WHO, which all cost 50 us but those named."""
    offered = Offered(seconds=1.0, latencies=[[0.001] * 500, [0.002] * 500])
    return {
        name: [Cost(cpu_us.get(name, 50.0) / 1e6, 0.5, offered) for _ in range(3)] for name in WHO
    }


def seconds(**by_name: float) -> dict[str, list[float]]:
    names = (BARE, OURS, BASE, AGAIN, "json_alone")
    return {name: [by_name.get(name, 10e-6)] * 3 for name in names}


@pytest.fixture
def measured() -> Measured:
    return Measured(
        generator={"kept": costs({})[BARE], "closed": costs({})[BARE]},
        requests={
            "1k": costs({OURS: 70, AGAIN: 51, peer.NAME: 33}),
            "16k": costs({OURS: 120}),
        },
        alone=costs({}),
        chunks={
            name: list(zip(costs({})[name], long, strict=True))
            for name, long in costs({OURS: 50 + 2 * (LONG - SHORT)}).items()
        },
        refusals=costs({OURS: 100, BARE: 80}),
        mixed=costs({}),
        memory={
            name: Memory(idle_bytes=40_000_000, open_bytes=90_000_000)
            for name in (BARE, OURS, BASE)
        }
        | {peer.NAME: Memory(idle_bytes=9_000_000, reason="only 4999 of 5000 were open")},
        in_process={
            what: seconds(**{OURS: 30e-6, BASE: 100e-6})
            for what in ("1k", "16k", "8 chunks", "264 chunks", "reject")
        },
    )


def test_there_is_one_object_a_contestant_with_every_key(measured: Measured):
    report = build_report(measured, None)
    assert list(report) == [BARE, OURS, BASE, peer.NAME]
    for document in report.values():
        assert set(KEYS) <= set(document)
        for key in (key for key, value in document.items() if value is None):
            assert document[f"{key}_reason"]


def test_what_is_added_is_what_it_costs_beside_the_bare_one(measured: Measured):
    report = build_report(measured, None)
    assert report[OURS]["added_us_per_request_1k"] == pytest.approx(20)
    assert report[OURS]["added_us_per_request_1k_in_process"] == pytest.approx(20)
    assert report[OURS]["added_us_per_chunk"] == pytest.approx(2)
    assert report[BARE]["added_us_per_request_1k"] == pytest.approx(1)  # the second bare one
    assert report[peer.NAME]["added_us_per_request_1k"] == pytest.approx(33)  # all of it


def test_aims_are_judged_by_the_figures_beside_them(measured: Measured):
    aims = build_report(measured, None)[OURS]["aims"]
    held: dict[str, Any] = {key: aim["held"] for key, aim in aims.items()}
    assert held == {
        "added_us_per_request_1k": True,
        "added_us_per_request_16k": False,
        "rejects_per_second": False,
        "added_us_per_chunk": False,
    }


def test_a_refusal_of_ours_is_split_by_who_spends_it(measured: Measured):
    spent = build_report(measured, None)[OURS]["reject_us"]
    assert spent == {"web_server_and_one_request": 50, "new_connection": 30, "middleware": 20}


def test_a_peer_that_is_not_there_is_null_throughout_and_says_why(measured: Measured):
    document = build_report(measured, "no such package")[peer.NAME]
    for key in KEYS:
        assert document[key] is None
        assert document[f"{key}_reason"] == "no such package"


def test_streams_that_did_not_open_are_no_memory_figure(measured: Measured):
    document = build_report(measured, None)[peer.NAME]
    assert document["rss_mb_5000_streams"] is None
    assert document["rss_mb_5000_streams_reason"] == "only 4999 of 5000 were open"


def test_the_run_says_how_fast_the_generator_is_and_what_json_costs(measured: Measured):
    run = build_run(measured)
    assert run["generator"]["requests_per_second_closed"]["median"] == 1000
    assert run["json_alone_us_1k"]["median"] == 10


def test_a_round_with_too_few_answers_has_no_p99_and_says_so(measured: Measured):
    few = Offered(seconds=1.0, latencies=[[0.001] * 20, [0.001] * 20])
    measured.mixed[OURS] = [Cost(50e-6, 0.5, few)]
    document = build_report(measured, None)[OURS]
    assert document["p99_ms_mixed"] is None
    assert "40 values" in document["p99_ms_mixed_reason"]
