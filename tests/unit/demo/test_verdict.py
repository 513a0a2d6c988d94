import json
from pathlib import Path

import pytest

from tests.demo.claim import Check, Claim
from tests.demo.figures import measure_memory_pair, measure_traffic
from tests.demo.floors import FLOORS
from tests.demo.recording import Recording
from tests.demo.rows import Request, Sample, open_rows
from tests.demo.table import render_decision, render_sweep
from tests.demo.timeline import write_timeline
from tests.demo.verdict import conclude, exit_status, render_verdict
from tests.unit.demo.made_up_recording import OLD, START, make_requests, make_samples

HELD = Claim("a", [Check(True, "it did")])
FAILED = Claim("b", [Check(True, "it did"), Check(False, "it did not")])
NOT_SHOWN = Claim("c", not_shown="no GPU")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    with open_rows(tmp_path / "samples.csv", Sample) as append:
        append(make_samples())
    with open_rows(tmp_path / "requests.csv", Request) as append:
        append(make_requests())
    return tmp_path


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ([HELD, HELD], 0),
        ([HELD, FAILED, NOT_SHOWN], 1),
        ([HELD, NOT_SHOWN], 2),
        ([], 2),
        ([Claim("empty")], 1),
    ],
)
def test_only_claims_that_all_held_exit_with_0(claims: list[Claim], status: int):
    assert exit_status(claims) == status


def test_the_result_holds_every_claim_and_the_figures(recorded: Path):
    assert conclude(recorded, {"minutes": 6.5}) == 0
    result = json.loads((recorded / "result.json").read_text())
    assert result["claims"] == {
        "idle_fleet_did_not_grow": True,
        "scaled_out_on_memory": True,
        "new_replica_took_load": True,
        "rejected_new_sessions_at_max": True,
        "served_known_sessions": True,
        "scaled_in_without_cut": True,
    }
    assert result["figures"]["run"] == {"minutes": 6.5}
    assert result["figures"]["memory_pair"]["held"] is True


def test_a_claim_that_was_not_shown_is_not_true_and_says_why(recorded: Path):
    (recorded / "requests.csv").write_text(
        (recorded / "requests.csv").read_text().splitlines()[0] + "\n"
    )
    assert conclude(recorded) != 0
    result = json.loads((recorded / "result.json").read_text())
    assert result["claims"]["served_known_sessions"] is False
    assert "nobody was refused" in result["not_shown"]["served_known_sessions"]


def test_the_verdict_marks_what_failed():
    lines = "\n".join(render_verdict([HELD, FAILED, NOT_SHOWN], {}))
    assert "held       a" in lines
    assert "FAILED     b" in lines
    assert "- it did not" in lines
    assert "not shown  c" in lines
    assert "no GPU" in lines


def test_the_memory_pair_is_of_one_replica():
    pair = measure_memory_pair(Recording(make_samples(), []), FLOORS)
    assert pair is not None
    assert pair["pod"] == OLD
    assert (pair["idle_live"], pair["idle_again_live"]) == (0.42, 0.43)
    assert pair["full_live"] == pytest.approx(0.805, abs=0.001)
    assert pair["held"] is True


def test_traffic_counts_outcomes():
    figures = measure_traffic(Recording(make_samples(), make_requests()))
    assert figures["status_429"] == 60
    assert figures["sessions"] == 100
    assert figures["sessions_admitted"] == 40
    assert figures["streams_cut"] == 0


def test_the_timeline_is_drawn(recorded: Path):
    assert write_timeline(recorded).read_bytes().startswith(b"\x89PNG")


def test_the_table_says_what_is_known_and_what_is_not():
    fleet = [
        Sample(time=START + 65, pod="x-aaa", live=0.774, raw=0.91, queue=1, running=20, ready=True,
               ready_replicas=1, desired=2, phase="grow"),
        Sample(time=START + 65, pod="x-bbb", waiting="Unschedulable: 0/1"),
    ]  # fmt: skip
    line = render_sweep(fleet, began=START, rejected=3)
    assert line == (
        "  1:05  grow      1/2          3  [aaa  77 % /  91 % q 1 r 20]  [bbb Unschedulable]"
    )


def test_the_decision_is_shown_with_its_rule():
    row = Sample(time=0, pod="", decision_desired=2, decision_rule="Memory", decision_message="why")
    assert render_decision(row).strip() == "decision: 2 replicas by Memory: why"
