import pytest
from vibethinker_operator.api.status import Status
from vibethinker_operator.scaling import ScalingPolicy
from vibethinker_operator.status import _render_decision

from tests.demo.fleet import Page, fold_fleet, fold_pod, parse_page
from tests.unit.deciding.builders import GB, Load, Story

PAGE = """\
# TYPE vibethinker_memory_used_ratio gauge
vibethinker_memory_used_ratio 0.77
# TYPE vibethinker_device_memory_used_ratio gauge
vibethinker_device_memory_used_ratio 0.91
# TYPE vibethinker_memory_bytes gauge
vibethinker_memory_bytes{kind="weights"} 4e7
vibethinker_memory_bytes{kind="kv_used"} 1.5e9
vibethinker_memory_bytes{kind="kv_idle"} 5e8
# TYPE vibethinker_request_queue_length gauge
vibethinker_request_queue_length 3
# TYPE vibethinker_admission_rejected counter
vibethinker_admission_rejected_total{reason="memory_line"} 7
vibethinker_admission_rejected_total{reason="queue_full"} 2
# TYPE vibethinker_draining gauge
vibethinker_draining 0
"""
DEPLOYMENT = {"spec": {"replicas": 2}, "status": {"replicas": 2, "readyReplicas": 1}}
CUSTOM = {
    "spec": {"scaling": {"maxReplicas": 2}},
    "status": {
        "decision": {
            "desiredReplicas": 2,
            "rule": "Memory",
            "reason": "MemoryAboveLine",
            "message": "0.78 for 10 s",
            "time": "2026-11-24T04:00:00Z",
            "inputs": {"memoryNeed": "2", "queueNeed": "1.0"},
        }
    },
}


def make_pod(**status: object) -> dict[str, object]:
    return {"metadata": {"name": "x-1", "annotations": {}}, "status": status}


def test_a_page_tells_ratios_pool_use_and_sums_refusals():
    assert parse_page(PAGE) == Page(live=0.77, raw=0.91, kv_use=0.75, queue=3, rejected=9)


def test_series_that_are_absent_are_unknown():
    assert parse_page("") == Page()


def test_html_is_no_page():
    with pytest.raises(ValueError, match="no metrics page"):
        parse_page("<html><body>502 Bad Gateway</body></html>")


def test_the_decision_is_read_with_its_needs():
    row = fold_fleet(5.0, "fill", CUSTOM, DEPLOYMENT)
    assert (row.desired, row.ready_replicas, row.max_replicas) == (2, 1, 2)
    assert (row.decision_desired, row.decision_rule) == (2, "Memory")
    assert (row.memory_need, row.queue_need) == (2, 1)
    assert row.decision_time == 1795492800.0


def test_a_growing_decision_is_read_as_the_operator_writes_it():
    full = Load(kv=15.5 * GB, waiting=0, running=100, finishing=3.0)
    decision = Story(ScalingPolicy(max_replicas=6)).sweep_until(lambda d: d.desired > 1, full, 60)
    status = Status(decision=_render_decision(decision, None, 5.0))
    written = {"status": status.model_dump(mode="json", exclude_none=True)}
    row = fold_fleet(5.0, "fill", written, DEPLOYMENT)
    assert (row.decision_desired, row.memory_need, row.queue_need) == (2, 2, 1)


def test_a_resource_without_status_leaves_the_decision_unknown():
    row = fold_fleet(5.0, "start", {"spec": {}}, {})
    assert (row.desired, row.decision_desired, row.memory_need) == (None, None, None)


def test_a_pod_that_did_not_answer_keeps_unknown_values():
    row = fold_pod(fold_fleet(5.0, "fill", CUSTOM, DEPLOYMENT), make_pod(), None)
    assert (row.pod, row.live, row.queue, row.ready) == ("x-1", None, None, False)


def test_a_marked_pod_drains_from_the_annotation_on():
    pod = make_pod(conditions=[{"type": "Ready", "status": "True"}])
    pod["metadata"]["annotations"] = {"vibethinker.io/drain-since": "1800000000.5"}  # type: ignore[index]
    row = fold_pod(fold_fleet(5.0, "shrink", CUSTOM, DEPLOYMENT), pod, parse_page(PAGE))
    assert (row.draining, row.drain_since, row.ready) == (True, 1800000000.5, True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes",
                    }
                ]
            },
            "Unschedulable: 0/1 nodes",
        ),
        (
            {"initContainerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
            "ImagePullBackOff",
        ),
        ({"conditions": [{"type": "Ready", "status": "False"}]}, "NotReady"),
        ({"conditions": [{"type": "Ready", "status": "True"}]}, ""),
    ],
)
def test_why_a_pod_waits_is_copied(status: dict[str, object], words: str):
    row = fold_pod(fold_fleet(5.0, "start", CUSTOM, DEPLOYMENT), make_pod(**status), None)
    assert row.waiting == words
