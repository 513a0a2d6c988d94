"""Sessions, key files, tallies and phases: state that fits on a line."""

import os
from pathlib import Path

import pytest
from vibethinker_server import sessions
from vibethinker_server.key_file import REREAD_SECONDS, KeyFile
from vibethinker_server.phases import Milestones, Phase, phase_of
from vibethinker_server.sessions import Sessions
from vibethinker_server.tally import Tally


def test_sessions_are_counted_once_and_until_they_expire():
    known = Sessions()
    known.renew(b"a", expires=900.0, now=0.0)
    known.renew(b"b", expires=910.0, now=10.0)
    known.renew(b"a", expires=920.0, now=20.0)
    assert known.count == 2
    known.forget_expired(910.0)
    assert known.count == 1
    known.forget_expired(920.0)
    assert known.count == 0


def test_a_million_sessions_take_bounded_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 100)
    known = Sessions()
    for number in range(1_000):
        known.renew(number.to_bytes(4, "big"), expires=900.0, now=0.0)
    assert known.count == 100


def test_a_key_file_is_read_again_after_a_while(tmp_path: Path):
    file = tmp_path / "key"
    key = KeyFile(file)
    assert key.read(0.0) is None
    file.write_bytes(b" secret\n")
    assert key.read(1.0) is None
    assert key.read(REREAD_SECONDS) == b"secret"
    os.truncate(file, 0)
    assert key.read(REREAD_SECONDS + 1) == b"secret"
    assert key.read(2 * REREAD_SECONDS) is None  # an empty key would sign for everybody


def test_a_tally_shows_its_labels_from_the_start_and_sums_what_is_asked():
    tally = Tally(["a", "b"])
    tally.add("b")
    tally.add("c")
    assert tally.counts() == {"a": 0, "b": 1, "c": 1}
    assert tally.total(["a", "b", "nothing"]) == 1


@pytest.mark.parametrize(
    ("weights", "engine", "answering", "draining", "phase"),
    [
        (False, False, False, False, Phase.DOWNLOADING_MODEL),
        (True, False, False, False, Phase.STARTING_ENGINE),
        (True, True, False, False, Phase.WARMING_UP),
        (False, True, False, False, Phase.WARMING_UP),
        (True, True, True, False, Phase.SERVING),
        (False, True, True, False, Phase.SERVING),
        (True, True, True, True, Phase.DRAINING),
        (False, False, False, True, Phase.DRAINING),
    ],
)
def test_the_phase_is_the_furthest_milestone(
    *, weights: bool, engine: bool, answering: bool, draining: bool, phase: Phase
):
    assert phase_of(Milestones(weights, engine, answering, draining)) is phase
