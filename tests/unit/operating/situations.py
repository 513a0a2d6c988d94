"""A fleet in every situation that people meet, as the operator's real code describes it."""

from dataclasses import replace
from typing import Any

from vibethinker_operator.api.status import Condition, Status
from vibethinker_operator.causes import Cause
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.observed import DeploymentCondition, Observed
from vibethinker_operator.preparation import Preparation, PreparationState
from vibethinker_operator.prepared_model import PreparedModel
from vibethinker_operator.scaling import Decision, Mode, ScalingPolicy
from vibethinker_operator.status import render_invalid, render_status

from tests.unit.deciding.builders import (
    START,
    Load,
    Story,
    make_observed,
    make_pending,
    make_pod,
    make_starting,
)
from tests.unit.operating.builders import make_body
from tests.unit.operating.views import decide_once, make_view, read_once

READY, STARTING = make_pod("a"), make_starting("b", created=START - 5)
DRAINED = make_pod("d", draining_since=START - 5)
OLDER = make_pod("e", template_hash="h2")
NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
PENDING = make_pending("c", created=START - 5, message=NO_GPU)
UNPULLED = make_starting("b", created=START - 5, waiting_reason="ErrImagePull")
QUOTA = DeploymentCondition("ReplicaFailure", "True", "FailedCreate", "exceeded quota", None)
UP_TO_THREE = ScalingPolicy(max_replicas=3)
CROWD = Load(waiting=90)
CALM = decide_once(UP_TO_THREE)
GENERATION = 3


def full() -> Decision:
    return decide_once(ScalingPolicy(), load=CROWD)


def refused_pods() -> Observed:
    observed = make_observed(replicas=1)
    return replace(observed, deployment=replace(observed.deployment, conditions=(QUOTA,)))


def rejecting() -> FleetView:
    observed = make_observed(READY)
    signals = replace(read_once(observed), refusals_per_second=2.5)
    return make_view(observed, signals=signals, decision=full())


def in_mode(mode: Mode, replicas: int = 1) -> FleetView:
    policy = ScalingPolicy(mode=mode, max_replicas=3, written_replicas=replicas)
    spec = {"replicas": replicas, "scaling": {"mode": mode.value, "maxReplicas": 3}}
    return make_view(make_observed(READY), spec=spec, decision=decide_once(policy))


def at_zero() -> FleetView:
    spec = {"replicas": 0, "scaling": {"mode": "Manual"}}
    return make_view(make_observed(replicas=0), spec=spec, decision=CALM)


def preparing(
    state: PreparationState = PreparationState.RUNNING, observed: Observed | None = None
) -> FleetView:
    view = make_view(observed, decision=CALM if observed else None)
    model = PreparedModel(format="W8A8", gguf=False, digest="0" * 12, path="/cache/prepared/x")
    said = "" if state is PreparationState.RUNNING else "/cache: no room for 1.8 GB"
    wanted = Preparation(model=model, job="chat-prepare-0", state=state, message=said)
    return replace(view, fleet=replace(view.fleet, preparation=wanted))


VIEWS: dict[str, FleetView] = {
    "creating": make_view(None),
    "starting": make_view(make_observed(STARTING), decision=CALM),
    "no node": make_view(make_observed(PENDING), decision=CALM),
    "image cannot be pulled": make_view(make_observed(UNPULLED), decision=CALM),
    "pods are refused by a quota": make_view(refused_pods(), decision=CALM),
    "serving": make_view(make_observed(READY), decision=CALM),
    "growing": make_view(make_observed(READY, STARTING), decision=CALM),
    "growing without a node": make_view(make_observed(READY, PENDING), decision=CALM),
    "at its largest size": make_view(make_observed(READY), decision=full()),
    "rejecting": rejecting(),
    "draining": make_view(make_observed(READY, DRAINED), decision=CALM),
    "rolling out": make_view(make_observed(READY, OLDER), decision=CALM),
    "mode Manual": in_mode(Mode.MANUAL),
    "mode Advisory": in_mode(Mode.ADVISORY),
    "Manual, at zero": at_zero(),
    "a name is taken": make_view(None, problem=Cause("NameTaken", "Service chat is not ours")),
    "a write is forbidden": make_view(problem=Cause("WriteForbidden", "exceeded quota: services")),
    "the API is away": make_view(None, problem=Cause("ApiUnavailable", "no answer within 10 s")),
    "weights are being written": preparing(),
    "weights are being written beside running pods": preparing(observed=make_observed(READY)),
    "weights could not be written": preparing(PreparationState.FAILED),
    "weights could not be written beside running pods": preparing(
        PreparationState.FAILED, make_observed(READY)
    ),
}


def describe(view: FleetView, previous: Status | None = None) -> dict[str, Any]:
    """Returns the resource with the status that the operator writes."""
    status = render_status(view, previous or Status(), START)
    return with_status(status, dict(view.fleet.body["spec"]))


def with_status(
    status: Status | None, spec: dict[str, Any] | None = None, **metadata: Any
) -> dict[str, Any]:
    resource = make_body(spec, **({"generation": GENERATION} | metadata))
    if status is None:
        return resource
    return resource | {"status": status.model_dump(mode="json", exclude_none=True)}


def list_situations() -> dict[str, dict[str, Any]]:
    """Returns every situation: its name and the resource as the API server holds it then."""
    serving = render_status(VIEWS["serving"], Status(), START)
    invalid = render_invalid(GENERATION, "spec.engine.image is required", Status(), START)
    edited = render_invalid(GENERATION, "spec.engine.image is required", serving, START)
    return {
        "seen by no operator": with_status(None),
        "edited, not seen yet": with_status(serving, generation=GENERATION + 1),
        "invalid spec": with_status(invalid),
        "invalid edit of a serving fleet": with_status(edited),
        "deleted": with_status(serving, deletionTimestamp="2026-11-24T04:00:00Z"),
        **{name: describe(view) for name, view in VIEWS.items()},
    }


def list_rarer_views() -> list[FleetView]:
    """Returns views for the answers of conditions that no situation of `VIEWS` gives."""
    decisions = [
        decide_once(),
        decide_once(ScalingPolicy(min_replicas=2, max_replicas=3), replicas=2),
        decide_once(replace(UP_TO_THREE, grows=False)),
        waiting_for_a_node(NO_GPU, seconds=5),
        waiting_for_a_node(None, seconds=1000),
        Story(UP_TO_THREE).sweep(silent=["p1"]),
        nobody_ready(),
    ]
    engines = [make_view(images=replace(IMAGES, engine=image)) for image in ENGINES]
    update = make_view(offer="0123456789ab", offered_images=replace(IMAGES, engine=ENGINES[0]))
    few = {"gpu": {"product": "Tesla-T4"}, "engine": {"maxNumSeqs": 16}}
    reachable = {"gpu": {"product": "Tesla-T4"}}
    too_large = reachable | {"engine": {"kvCacheMemoryBytes": 12 * 2**30}}
    words = ("WriteRefused", "WriteForbidden")
    problems = [make_view(None, problem=Cause(word, "the API server says no")) for word in words]
    lines = [make_view(spec=spec) for spec in (few, reachable, too_large)]
    return [*(make_view(decision=d) for d in decisions), *engines, update, *problems, *lines]


IMAGES = make_view().fleet.choice.images
ENGINES = ("vllm/vllm-openai:v0.12.0", "vllm/vllm-openai:nightly", "vllm/vllm-openai:v0.33.0")


def waiting_for_a_node(message: str | None, *, seconds: float) -> Decision:
    story = Story(UP_TO_THREE, applies=False)
    story.replicas = 2
    story.add_pending(message)
    story.now += seconds
    return story.sweep()


def nobody_ready() -> Decision:
    story = Story(UP_TO_THREE, start_seconds=999)
    story.change("p1", ready=False, ready_since=None, unready_since=START, created=START)
    return story.sweep()


def conditions_of(resource: dict[str, Any]) -> tuple[Condition, ...]:
    return Status.model_validate(resource.get("status", {})).conditions or ()
