"""More requests than seats: the doctor names how many seats, and with them nobody waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.doctor.beside import codes, examine
from tests.e2e.doctor.staged import started
from tests.e2e.engine_process import EngineProcess, values
from tests.e2e.real_engine import READY_SECONDS, SEATS, wait_until_idle
from tests.e2e.streams import Stream, streams

pytestmark = pytest.mark.thorough

CROWD, TOKENS = 14, 512


@contextmanager
def serving(directory: Path, changes: dict[str, Any]) -> Iterator[EngineProcess]:
    """Real vLLM that has answered one request such as the crowd's: it knows their length."""
    with started(directory, changes) as engine:
        engine.wait_for(lambda: engine.phase() == "Serving", READY_SECONDS)
        Stream(engine, tokens=TOKENS).end()
        wait_until_idle(engine)
        yield engine


def seated(engine: EngineProcess) -> tuple[float, float]:
    """How many requests run, and how many wait for a seat, by vLLM's own page."""
    page = values(engine.client.get(engine.ops("/metrics")).text)
    running, waiting = (
        sum(value for name, value in page.items() if name.startswith(f"vllm:num_requests_{kind}{{"))
        for kind in ("running", "waiting")
    )
    return running, waiting


def queue_seconds(engine: EngineProcess) -> float:
    """What all requests together waited for a seat."""
    page = values(engine.client.get(engine.ops("/metrics")).text)
    return next(
        page[name] for name in page if name.startswith("vllm:request_queue_time_seconds_sum")
    )


def test_the_seats_that_it_names_let_the_same_crowd_run_at_once(tmp_path: Path):
    with serving(tmp_path / "few", {}) as engine:
        finding = look_while_some_wait(engine)
    with serving(tmp_path / "enough", {"maxNumSeqs": finding["value"]}) as engine:
        look_while_all_run(engine)


def look_while_some_wait(engine: EngineProcess) -> dict[str, Any]:
    """The doctor's first finding while the crowd is there; its end is waited for."""
    with streams(engine, CROWD, tokens=TOKENS) as begun:
        engine.wait_for(lambda: seated(engine) == (SEATS, CROWD - SEATS), 60)
        document = examine(engine)
        crowd = [one.end() for one in begun]
    finding: dict[str, Any] = document["findings"][0]
    print(finding, f"queued {queue_seconds(engine):.1f} s")
    assert finding["code"] == "RequestsAboveMaxNumSeqs"
    assert (finding["field"], finding["value"]) == ("engine.maxNumSeqs", CROWD)
    assert [one.finish_reason for one in crowd] == ["length"] * CROWD
    return finding


def look_while_all_run(engine: EngineProcess) -> None:
    """The same crowd: all run, none waits, nothing is found then or afterwards."""
    with streams(engine, CROWD, tokens=TOKENS) as begun:
        engine.wait_for(lambda: seated(engine) == (CROWD, 0), 60)
        document = examine(engine)
        at_once = sum(one.finish_reason is None for one in begun)
        crowd = [one.end() for one in begun]
    wait_until_idle(engine)
    print(document["path"][2]["evidence"], f"queued {queue_seconds(engine):.1f} s")
    assert at_once == CROWD
    assert codes(document) == codes(examine(engine)) == []
    assert document["path"][2]["verdict"] == "Ok"
    assert [one.finish_reason for one in crowd] == ["length"] * CROWD
