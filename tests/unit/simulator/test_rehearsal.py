"""A comparison as people and programs get it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from vibethinker_simulator.rehearsal import Comparison, Question, rehearse, render_json, render_text
from vibethinker_simulator.rehearsal.picture import MOST_POINTS, _thin, save_picture
from vibethinker_simulator.rehearsal.watched import SizeChange
from vibethinker_simulator.trace import Trace

from tests.unit.simulator.builders import make_burst, make_resource

FEW_SEATS: dict[str, Any] = {"engine": {"maxNumSeqs": 16}}


def ask(trace: Trace | None = None, **other: Any) -> Comparison:
    resource = make_resource(**FEW_SEATS, scaling={"maxReplicas": 2})
    load = trace or make_burst(seconds=60, tail=30)
    return rehearse(Question(resource, load, **other), lambda *_: None)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    changed = make_resource(
        engine={"maxNumSeqs": 16, "flags": {"kvCacheDtype": "Fp8"}}, gpu={"product": "NVIDIA-L4"}
    )
    return ask(changed=("another", changed), static=2)


def test_every_arm_is_played_on_the_same_load(compared: Comparison):
    assert [played.arm.name for played in compared.played] == ["as written", "another", "static 2"]
    assert len({len(played.outcome.fates) for played in compared.played}) == 1


def test_progress_is_told_of_each_arm_second_by_second():
    told: list[tuple[str, float]] = []
    question = Question(make_resource(**FEW_SEATS), make_burst(seconds=5, tail=5), static=3)
    rehearse(question, lambda arm, second: told.append((arm, second)))
    assert [second for arm, second in told if arm == "as written"][:70] == list(range(1, 71))
    assert told[-1][0] == "static 3"


def test_cost_adds_up_to_gpu_hours(compared: Comparison):
    for played in compared.played:
        hours = sum(played.pods) / 3600
        assert hours == pytest.approx(played.figures.gpu_hours, rel=0.2)


def test_a_note_of_some_arms_names_them(compared: Comparison):
    reach = [note for note in compared.notes if "memory: " in note]
    assert len(reach) == 2
    assert reach[0].startswith("as written: ")
    assert reach[1].startswith("another: ")


def test_a_note_of_all_arms_stands_once():
    same = ask(changed=("same", make_resource(**FEW_SEATS)))
    assert [note.startswith("memory: ") for note in same.notes] == [True]


def test_the_text_has_twenty_changes_and_json_has_all(compared: Comparison):
    first = compared.played[0]
    decision = first.changes[0].decision
    changes = tuple(SizeChange(60.0 * n, 1, 2, decision) for n in range(25))
    many = replace(compared, played=(replace(first, changes=changes),))
    text = render_text(many)
    assert text.count(" 1 -> 2 ") == 20
    assert text.endswith("  … 5 more, --format json has all")
    assert len(json.loads(render_json(many))["arms"][0]["changes"]) == 25


def test_figures_of_the_text_are_those_of_the_document(compared: Comparison):
    arms = json.loads(render_json(compared))["arms"]
    text = render_text(compared)
    row = next(line for line in text.splitlines() if line.startswith("requests refused"))
    assert row.split()[2:] == [f"{arm['refused']:,}" for arm in arms]


def test_a_peak_of_a_second_is_not_lost_in_a_day():
    values = [0.0] * 86_400
    values[12_345] = 1.0
    times, kept = _thin([float(second) for second in range(86_400)], values)
    assert len(times) == len(kept) <= MOST_POINTS
    assert max(kept) == 1.0
    assert _thin([], []) == ([], [])


def test_a_long_load_is_drawn_in_hours(compared: Comparison, tmp_path: Path):
    day = replace(compared.question, trace=replace(compared.question.trace, seconds=86_400.0))
    save_picture(replace(compared, question=day), tmp_path / "day.png")
    save_picture(compared, tmp_path / "minutes.png")
    assert (tmp_path / "day.png").read_bytes() != (tmp_path / "minutes.png").read_bytes()
