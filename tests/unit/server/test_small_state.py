"""Key files, tallies and phases: state that fits on a line."""

import os
from pathlib import Path

import pytest
from vibethinker_server.key_file import REREAD_SECONDS, KeyFile
from vibethinker_server.phases import Milestones, Phase, phase_of
from vibethinker_server.tally import Tally


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
