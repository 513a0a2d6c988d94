from collections.abc import Callable
from pathlib import Path

import pytest
from vibethinker_server.drain import mark_drain, wait_until_drained

from tests.support.server_runtime import FakeClock, make_rig
from tests.unit.server.test_ops_server import Ops


def asking(*outcomes: bool | Exception) -> tuple[Callable[[], bool], list[bool | Exception]]:
    """Returns an ask with these outcomes, the last one for ever, and what it was asked."""
    asked: list[bool | Exception] = []

    def ask() -> bool:
        outcome = outcomes[min(len(asked), len(outcomes) - 1)]
        asked.append(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return ask, asked


@pytest.mark.parametrize(
    ("outcomes", "times"),
    [
        pytest.param([True], 1, id="nothing to drain"),
        pytest.param([False, False, True], 3, id="until it is done"),
        pytest.param([False, ConnectionRefusedError()], 2, id="the server is gone"),
        pytest.param([False], 21, id="not longer than the deadline of 10 s"),
    ],
)
def test_it_waits_as_long_as_needed(outcomes: list[bool | Exception], times: int):
    clock = FakeClock()
    ask, asked = asking(*outcomes)
    wait_until_drained(ask, seconds=10, monotonic=clock.monotonic, sleep=clock.advance)
    assert len(asked) == times


def test_it_marks_the_drain_of_a_real_server(tmp_path: Path):
    ops = Ops(make_rig(tmp_path))
    try:
        assert mark_drain(ops.port, "a fleet token") is False
        assert ops.rig.runtime.fleet.draining_seconds(ops.rig.clock.now) == 0.0
        ops.rig.clock.advance(10)
        assert mark_drain(ops.port, "a fleet token") is True
        with pytest.raises(ValueError, match="401"):
            mark_drain(ops.port, "another token")
    finally:
        ops.close()
