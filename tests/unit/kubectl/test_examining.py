"""What a fleet's objects and pages tell, in the order of the check."""

import pytest
import yaml
from vibethinker_doctor.answer import Verdict
from vibethinker_doctor.examination import Examination
from vibethinker_operator.api import parse_deployment
from vibethinker_operator.kubectl.examining import examine_fleet
from vibethinker_operator.kubectl.fix import patch_resource, render_yaml
from vibethinker_operator.kubectl.gathered import Gathered, PodReading

from tests.unit.kubectl.fleet import DEPLOYMENT, PAGE, RESOURCE, engine_pod, page
from tests.unit.operating.builders import Body, make_body, make_deployment, make_pod

BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


def examine(*pods: PodReading, resource: Body = RESOURCE, **more: object) -> Examination:
    known = {"resource": resource, "deployment": DEPLOYMENT, "pods": pods} | more
    return examine_fleet(Gathered(**known))  # type: ignore[arg-type]


def codes(examination: Examination) -> list[str]:
    return [finding.code for finding in examination.findings]


def crashed(log: str = "", **ended: object) -> PodReading:
    last = {"reason": "Error", "exitCode": 1} | ended
    return PodReading(body=engine_pod(ready=False, last=last, **BACK_OFF), log=log)


def test_a_healthy_fleet_passes_every_question_with_its_pods_evidence():
    examination = examine(PodReading(body=engine_pod(), page=PAGE))
    assert examination.status == 0
    assert examination.subject == "team/chat: 1 pods, 1 ready"
    assert [answer.question[0] for answer in examination.path] == ["1", "2", "3", "4"]
    assert all(answer.evidence.startswith("pod chat-a: ") for answer in examination.path)
    assert "= 3.00 GiB of 4.00 GiB" in examination.arithmetic[0].evidence


def test_one_pods_finding_is_the_fleets():
    busy = page(requests_running=8, requests_waiting=9)
    examination = examine(
        PodReading(body=engine_pod(), page=PAGE),
        PodReading(body=make_pod("b"), page=busy),
    )
    assert codes(examination) == ["RequestsAboveMaxNumSeqs"]
    assert "pod chat-a" in examination.path[2].evidence
    assert "pod chat-b" in examination.path[2].evidence


def test_without_a_page_the_spec_answers_what_it_can():
    long = make_body({"engine": {"maxModelLen": 8192}})
    examination = examine(resource=long)
    verdicts = [answer.verdict for answer in examination.path]
    assert verdicts == [Verdict.UNKNOWN, Verdict.FINDING, Verdict.UNKNOWN, Verdict.UNKNOWN]
    assert examination.arithmetic[0].evidence.startswith("computed from the spec")


def test_the_engines_last_words_come_with_the_value_to_set():
    log = (
        "ValueError: To serve at least one request with the model's max seq len (4096), (1.75 GiB"
        " KV cache is needed, which is larger than the available KV cache memory (1.0 GiB).\n"
        "RuntimeError: Engine core initialization failed. See root cause above."
    )
    examination = examine(crashed(log))
    assert codes(examination) == ["KvCacheTooSmall"]
    assert examination.findings[0].field == "engine.kvCacheMemoryBytes"


def test_a_kill_for_memory_is_the_clusters_word():
    examination = examine(crashed(reason="OOMKilled", exitCode=137))
    assert codes(examination) == ["OOMKilled"]
    assert examination.cluster
    assert examination.findings[0].value == "7Gi"


def test_what_a_process_said_of_its_killed_neighbour_is_no_finding_beside_the_kill():
    log = (
        "Unknown vLLM environment variable detected: VLLM_USE_V1\n"
        "RuntimeError: Engine core initialization failed. See root cause above."
        " Failed core proc(s): {'EngineCore_DP0': -9}"
    )
    assert codes(examine(crashed(log))) == ["EngineProcessKilled", "VariableGone"]
    killed = examine(crashed(log, reason="OOMKilled"))
    assert codes(killed) == ["OOMKilled", "VariableGone"]


def test_a_message_in_the_pods_status_is_enough_where_logs_may_not_be_read():
    said = "entry.py: error: unrecognized arguments: --swap-space 4"
    assert codes(examine(crashed(message=said))) == ["FlagGone"]


def test_kubernetes_own_words():
    unplaced = make_pod(
        ready=False, conditions=[{"type": "PodScheduled", "status": "False", "message": NO_GPU}]
    )
    unpulled = engine_pod(ready=False, waiting={"reason": "ErrImagePull", "message": "not found"})
    quota = make_deployment(
        RESOURCE,
        1,
        {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpus"},
    )
    examination = examine(
        PodReading(body=unplaced),
        PodReading(body=unpulled),
        deployment=quota,
        warnings=(("FailedMount", 'secret "chat-keys" not found'), ("Unhealthy", "x")),
    )
    assert codes(examination) == [
        "QuotaExceeded",
        "NoFreeGpu",
        "ImageNotPulled",
        "VolumeNotMounted",
    ]


def test_an_old_warning_about_a_ready_pod_is_no_finding():
    warned = (("FailedMount", "once"),)
    assert not codes(examine(PodReading(body=engine_pod(), page=PAGE), warnings=warned))


class TestFix:
    def test_only_named_fields_change_and_the_servers_own_are_left_out(self):
        examination = examine(crashed(reason="OOMKilled", exitCode=137))
        patched = patch_resource(RESOURCE, examination.findings)
        assert patched["spec"]["resources"]["limits"]["memory"] == "7Gi"
        assert patched["spec"]["engine"] == RESOURCE["spec"]["engine"]
        assert set(patched["metadata"]) == {"name", "namespace"}
        assert RESOURCE["spec"]["resources"]["limits"]["memory"] == "4Gi"

    def test_a_finding_without_a_value_changes_nothing(self):
        unknown_flag = crashed(message="x: error: unrecognized arguments: --from-the-future")
        examination = examine(unknown_flag)
        assert examination.findings[0].field == "engine.image"
        assert patch_resource(RESOURCE, examination.findings)["spec"] == RESOURCE["spec"]

    @pytest.mark.parametrize("spec", [{}, {"engine": {"maxModelLen": 8192}}])
    def test_the_yaml_is_a_resource_that_the_operator_obeys(self, spec: Body):
        resource = make_body(spec | {"engine": {"maxModelLen": 8192}})
        examination = examine(resource=resource)
        text = render_yaml(patch_resource(resource, examination.findings))
        back = yaml.safe_load(text)
        back["metadata"]["uid"] = "u"
        assert parse_deployment(back).spec.engine.max_model_len == 4096
