"""What a fleet's objects and pages tell, in the order of the check. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from vibethinker_doctor.answer import Answer, Verdict, found, ok, unknown
from vibethinker_doctor.card_arithmetic import ARITHMETIC, ask_arithmetic, read_card
from vibethinker_doctor.engine_readings import EngineReadings, read_engine
from vibethinker_doctor.examination import Examination
from vibethinker_doctor.finding import Finding, Severity
from vibethinker_doctor.kubernetes_view import (
    ContainerFacts,
    find_refused,
    find_unmounted,
    find_unschedulable,
    find_waiting,
)
from vibethinker_doctor.last_words import find_last_words
from vibethinker_doctor.path import walk_path

from vibethinker_operator.api import Device, Spec, parse_deployment
from vibethinker_operator.diagnosis import diagnose_pod, engine_facts
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.kubectl.gathered import Gathered
from vibethinker_operator.kv import assess_memory_line
from vibethinker_operator.observed import ObservedPod, parse_pod
from vibethinker_operator.observed import parse_deployment as parse_child

FAILED_MOUNT = "FailedMount"


def examine_fleet(gathered: Gathered) -> Examination:
    """Returns what was found of the fleet.

    Raises:
        InvalidSpecError: the resource cannot be obeyed as written.
    """
    resource = parse_deployment(gathered.resource)
    spec, metadata = resource.spec, resource.metadata
    pods = tuple(parse_pod(reading.body) for reading in gathered.pods)
    readings = {
        pod.name: read_engine(reading.page)
        for pod, reading in zip(pods, gathered.pods, strict=True)
        if reading.page is not None
    }
    deaths = tuple(f for pod in pods if (f := diagnose_pod(pod, spec)) is not None)
    return Examination(
        subject=f"{metadata.namespace}/{metadata.name}: {_count(pods)}",
        path=_merge_paths(readings, spec),
        last_words=(*_words(gathered, pods, spec), *(f for f in deaths if not _is_kubelets(f))),
        cluster=(*(f for f in deaths if _is_kubelets(f)), *_view(gathered, pods, spec)),
        arithmetic=(_ask_card(readings, spec),),
        notes=(*gathered.notes, *(() if pods else ("no server pod is there",))),
    )


def _count(pods: tuple[ObservedPod, ...]) -> str:
    ready = sum(pod.ready for pod in pods)
    return f"{len(pods)} pods, {ready} ready"


def _is_kubelets(finding: Finding) -> bool:
    return finding.code == "OOMKilled"


def _words(gathered: Gathered, pods: tuple[ObservedPod, ...], spec: Spec) -> Iterator[Finding]:
    for reading, pod in zip(gathered.pods, pods, strict=True):
        killed = diagnose_pod(pod, spec)
        # What the other processes said when the kernel ended one of them is no cause.
        only_warnings = killed is not None and _is_kubelets(killed)
        for finding in find_last_words(reading.log, engine_facts(spec)):
            if not only_warnings or finding.severity is Severity.WARNING:
                yield finding


def _view(gathered: Gathered, pods: tuple[ObservedPod, ...], spec: Spec) -> Iterator[Finding]:
    if gathered.deployment is not None:
        failure = parse_child(gathered.deployment).replica_failure
        if failure is not None:
            yield find_refused(failure.message)
    for pod in pods:
        if pod.unschedulable_message is not None:
            yield find_unschedulable(pod.name, pod.unschedulable_message, spec.gpu.resource_name)
        waits = find_waiting(
            ContainerFacts(
                pod=pod.name,
                waiting_reason=pod.waiting_reason,
                waiting_message=pod.waiting_message,
            )
        )
        if waits is not None:
            yield waits
    if any(not pod.ready for pod in pods):
        for reason, message in gathered.warnings:
            if reason == FAILED_MOUNT:
                yield find_unmounted(message)


def _merge_paths(readings: dict[str, EngineReadings], spec: Spec) -> tuple[Answer, ...]:
    """Returns one answer to each question for all pods: a finding of any of them is the fleet's."""
    engine = resolve_engine(spec)
    told = EngineReadings(max_model_len=engine.max_model_len, max_num_seqs=engine.max_num_seqs)
    paths = [
        (name, walk_path(replace(shown, max_model_len=shown.max_model_len or told.max_model_len)))
        for name, shown in readings.items()
    ]
    if not paths:
        return walk_path(told)
    questions = zip(*(answers for _, answers in paths), strict=True)
    return tuple(_merge([name for name, _ in paths], answers) for answers in questions)


def _merge(pods: list[str], answers: tuple[Answer, ...]) -> Answer:
    evidence = "; ".join(
        f"pod {pod}: {answer.evidence}" for pod, answer in zip(pods, answers, strict=True)
    )
    question = answers[0].question
    finding = next((one.finding for one in answers if one.finding is not None), None)
    if finding is not None:
        return replace(found(question, finding), evidence=evidence)
    known = any(answer.verdict is Verdict.OK for answer in answers)
    return ok(question, evidence) if known else unknown(question, evidence)


def _ask_card(readings: dict[str, EngineReadings], spec: Spec) -> Answer:
    line, on_cpu = spec.saturation.memory_used_percentage, spec.engine.device is Device.CPU
    for pod, shown in readings.items():
        card = read_card(shown)
        if card is not None:
            answer = ask_arithmetic(card, line, on_cpu=on_cpu)
            return replace(answer, evidence=f"pod {pod}: {answer.evidence}")
    reach = assess_memory_line(spec)
    said = f"computed from the spec, no pod shows it: {reach.message}"
    return unknown(ARITHMETIC, said) if reach.reachable is None else ok(ARITHMETIC, said)
