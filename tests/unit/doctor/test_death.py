"""What Kubernetes says of a pod, and why its container ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_doctor.death import diagnose_end
from vibethinker_doctor.engine_facts import EngineFacts
from vibethinker_doctor.finding import Finding, Severity
from vibethinker_doctor.kubernetes_view import (
    ContainerFacts,
    HostMemory,
    find_end,
    find_refused,
    find_unschedulable,
    find_waiting,
    proposed_limit_bytes,
)
from vibethinker_doctor.termination import decode_finding, encode_finding

GIB = 2**30
CPU = EngineFacts(device="CPU", kv_cache_memory_bytes=4 * GIB)
LAST_WORDS = "entry.py: error: unrecognized arguments: --swap-space 4"
WRITTEN = Finding(
    code="KvCacheTooSmall",
    cause="one sequence does not fit",
    evidence="ValueError: To serve at least one request…",
    remedy="enlarge the pool",
    field="engine.kvCacheMemoryBytes",
    value=3 * GIB,
)


def killed(**facts: object) -> ContainerFacts:
    known = {"pod": "chat-a", "ended_reason": "OOMKilled", "exit_code": 137} | facts
    return ContainerFacts(**known)  # type: ignore[arg-type]


class TestOutOfMemoryKill:
    def test_the_limit_is_raised_to_what_the_engine_is_known_to_take(self):
        finding = find_end(
            killed(memory_limit_bytes=4 * GIB), CPU, HostMemory(weights_bytes=3 * GIB)
        )
        assert finding is not None
        assert (finding.code, finding.field) == ("OOMKilled", "resources.limits.memory")
        # (3 + 4 GiB + 2 processes of 0.9 GB) and 15 %: 9.98
        assert finding.value == "10Gi"
        assert "its limit is 4.00 GiB" in finding.evidence
        assert "make the KV cache smaller" in finding.remedy

    def test_a_pool_alone_is_counted_where_the_weights_are_not_known(self):
        # As of real vLLM's first try: half as much again as 1 GiB would be killed once more.
        known = HostMemory(kv_pool_bytes=GIB // 2)
        assert proposed_limit_bytes(GIB, known) == 3 * GIB

    def test_half_as_much_again_where_nothing_is_known(self):
        assert proposed_limit_bytes(4 * GIB, HostMemory()) == 6 * GIB

    def test_half_as_much_again_where_what_is_known_would_have_fitted(self):
        known = HostMemory(weights_bytes=GIB, kv_pool_bytes=GIB)
        assert proposed_limit_bytes(16 * GIB, known) == 24 * GIB

    def test_without_a_limit_and_without_figures_there_is_no_value(self):
        finding = find_end(killed(), EngineFacts())
        assert finding is not None
        assert finding.value is None

    def test_our_own_init_container_is_told_apart(self):
        finding = find_end(killed(container="inject"))
        assert finding is not None
        assert "container inject" in finding.cause
        assert finding.field is None

    def test_shared_memory_counts_and_is_said(self):
        finding = find_end(killed(memory_limit_bytes=4 * GIB, shared_memory_bytes=GIB))
        assert finding is not None
        assert "shm may take 1.00 GiB" in finding.evidence

    def test_a_kill_without_the_kubelets_word_is_told_with_doubt(self):
        finding = find_end(killed(ended_reason="Error"))
        assert finding is not None
        assert finding.code == "EngineProcessKilled"
        assert "a probe failed" in finding.remedy
        assert finding.field is None


class TestEnd:
    def test_the_kernels_word_is_the_last(self):
        finding = diagnose_end(killed(), encode_finding(WRITTEN))
        assert finding is not None
        assert finding.code == "OOMKilled"

    def test_what_the_engines_process_wrote_comes_before_a_guess(self):
        ended = killed(ended_reason="Error")
        assert diagnose_end(ended, encode_finding(WRITTEN)) == WRITTEN

    def test_the_end_of_a_log_is_read(self):
        finding = diagnose_end(killed(ended_reason="Error", exit_code=2), LAST_WORDS)
        assert finding is not None
        assert finding.code == "FlagGone"

    def test_a_warning_in_that_log_did_not_end_it(self):
        said = "Unknown vLLM environment variable detected: VLLM_USE_V1"
        assert diagnose_end(killed(ended_reason="Error", exit_code=1), said) is None

    def test_an_end_that_tells_nothing_is_not_guessed(self):
        assert diagnose_end(killed(ended_reason="Error", exit_code=1), "") is None


class TestTerminationMessage:
    def test_it_comes_back_as_it_was(self):
        assert decode_finding(encode_finding(WRITTEN)) == WRITTEN

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "null",
            "[1]",
            "{}",
            '{"vibethinkerFinding": 3}',
            '{"vibethinkerFinding": {"code": "x"}}',
            encode_finding(WRITTEN)[:-3],
            encode_finding(WRITTEN).replace("KvCacheTooSmall", "not a code"),
            encode_finding(WRITTEN).replace("KvCacheTooSmall", ""),
            encode_finding(WRITTEN).replace("KvCacheTooSmall", "K" * 200),
            encode_finding(WRITTEN).replace('"Error"', '"Worse"'),
        ],
    )
    def test_what_is_none_is_not_read_as_one(self, message: str):
        assert decode_finding(message) is None

    def test_values_of_another_kind_are_left_out(self):
        odd = encode_finding(WRITTEN).replace(str(3 * GIB), "[1]")
        finding = decode_finding(odd)
        assert finding is not None
        assert finding.value is None

    @given(st.text())
    def test_no_message_makes_it_raise(self, message: str):
        decode_finding(message)
        diagnose_end(killed(ended_reason="Error"), message)


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ("3 Insufficient nvidia.com/gpu.", "NoFreeGpu", "scaling.maxReplicas"),
        ("1 Insufficient memory.", "NodeMemoryTooSmall", "resources.requests.memory"),
        ("2 Insufficient cpu.", "NodeCpuTooSmall", "resources.requests.cpu"),
        ("1 node(s) had untolerated taint {a: b}.", "NodesTainted", "scheduling.tolerations"),
        (
            "3 node(s) didn't match Pod's node affinity/selector.",
            "NoNodeSelected",
            "scheduling.nodeSelector",
        ),
        ("1 node(s) had volume node affinity conflict.", "Unschedulable", None),
    ],
)
def test_the_schedulers_words(said: str, code: str, field: str | None):
    finding = find_unschedulable("chat-a", f"0/3 nodes are available: {said}")
    assert (finding.code, finding.field) == (code, field)


def test_a_missing_gpu_outranks_what_else_the_scheduler_lists():
    said = "0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient nvidia.com/mig-1g.10gb."
    assert find_unschedulable("a", said, "nvidia.com/mig-1g.10gb").code == "NoFreeGpu"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('pods "chat-7d" is forbidden: exceeded quota: gpus, requested: 1', "QuotaExceeded"),
        (
            'pods "chat-7d" is forbidden: violates PodSecurity "restricted:latest"',
            "PodSecurityRefused",
        ),
        ("admission webhook denied the request", "PodRefused"),
    ],
)
def test_pods_that_are_not_made(said: str, code: str):
    assert find_refused(said).code == code


def test_a_quota_is_named():
    assert "quota gpus" in find_refused("exceeded quota: gpus, requested: x").cause


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_cannot_be_pulled(reason: str):
    facts = ContainerFacts(pod="chat-a", waiting_reason=reason, waiting_message="not found")
    finding = find_waiting(facts)
    assert finding is not None
    assert (finding.code, finding.field) == ("ImageNotPulled", "engine.image")
    assert finding.evidence == f"pod chat-a: {reason}: not found"
    assert finding.severity is Severity.ERROR


def test_an_ordinary_wait_is_none():
    assert find_waiting(ContainerFacts(pod="a", waiting_reason="CrashLoopBackOff")) is None
