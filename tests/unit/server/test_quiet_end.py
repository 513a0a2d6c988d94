import logging
from pathlib import Path

import pytest
from vibethinker_server.quiet_end import LOGGER, QuietEnd, quiet_end

from tests.support.server_runtime import make_rig

ALARM = "AsyncLLM output_handler failed."


@pytest.mark.parametrize(
    ("message", "drains", "in_flight", "written"),
    [
        (ALARM, True, 0, False),
        (ALARM, True, 1, True),
        (ALARM, False, 0, True),
        ("something else", True, 0, True),
    ],
)
def test_only_the_end_of_an_engine_that_has_nothing_to_do_is_no_alarm(
    tmp_path: Path, message: str, drains: bool, in_flight: int, written: bool
):
    runtime = make_rig(tmp_path).runtime
    runtime.flights.count = in_flight
    if drains:
        runtime.fleet.mark_drain(runtime.clock.monotonic(), by_signal=True)
    record = logging.LogRecord(LOGGER, logging.ERROR, "", 0, message, None, None)
    assert QuietEnd(runtime).filter(record) is written


def test_the_engines_own_logger_obeys_it(tmp_path: Path):
    logger = logging.getLogger(LOGGER)
    before = list(logger.filters)
    quiet_end(make_rig(tmp_path).runtime)
    (added,) = (one for one in logger.filters if one not in before)
    assert isinstance(added, QuietEnd)
    logger.removeFilter(added)
