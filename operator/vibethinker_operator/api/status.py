"""`status`: what the operator observed and decided. No field has a default.

A defaulted observedGeneration of 0 would make `kubectl wait` and GitOps tools wait for ever.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.base import ApiModel, Timestamp, list_map
from vibethinker_operator.api.engine import Device, Dtype

Count = Annotated[int, Field(ge=0, le=100_000)]
Percentage = Annotated[int, Field(ge=0, le=200)]
Word = Annotated[str, Field(max_length=64, pattern=r"^([A-Za-z][A-Za-z0-9]*)?$")]
Sentence = Annotated[str, Field(max_length=1024)]


class StatusModel(ApiModel):
    """A part of the status: what a newer operator wrote into it is passed over."""

    model_config = ConfigDict(extra="ignore")


class ConditionStatus(StrEnum):
    """Three values: unknown is one of its own."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class StartPhase(StrEnum):
    """How far a starting pod has come."""

    UNSCHEDULABLE = "Unschedulable"
    PULLING_IMAGE = "PullingImage"
    DOWNLOADING_MODEL = "DownloadingModel"
    PREPARING_MODEL = "PreparingModel"
    STARTING_ENGINE = "StartingEngine"
    WARMING_UP = "WarmingUp"


class Condition(StatusModel):
    """One answer about the fleet."""

    type: Annotated[str, Field(max_length=64, pattern=r"^[A-Z][A-Za-z0-9]*$")]
    """What is answered, such as Ready."""

    status: ConditionStatus
    """True, False or Unknown."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that the answer is about."""

    last_transition_time: Timestamp
    """When status last changed."""

    reason: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Z][A-Za-z0-9]*$")]
    """Why, in one word for programs."""

    message: Annotated[str, Field(max_length=4096)]
    """Why, in a sentence for people."""


class EngineStatus(StatusModel):
    """The engine's settings in effect, with everything that the spec left open."""

    image: Annotated[str, Field(max_length=255)] | None = None
    """Engine image of the pods."""

    package_image: Annotated[str, Field(max_length=255)] | None = None
    """Image that our server package is copied from."""

    model: Annotated[str, Field(max_length=512)] | None = None
    """Repository, or path in the volume."""

    device: Device | None = None
    """What the engine computes on."""

    dtype: Dtype | None = None
    """Number format."""

    block_size: Count | None = None
    """Tokens in one block of KV cache."""

    max_model_len: Annotated[int, Field(ge=0)] | None = None
    """Longest sequence in tokens."""

    max_num_seqs: Count | None = None
    """Sequences that one replica can run at once."""

    max_num_batched_tokens: Annotated[int, Field(ge=0)] | None = None
    """Tokens in one step."""

    kv_cache_memory_bytes: Annotated[int, Field(ge=0)] | None = None
    """Size of the KV cache, where it is set and not computed by vLLM."""

    gpu_memory_utilization_percentage: Percentage | None = None
    """Share of the card that vLLM reserves, where that is what sizes the KV cache."""


class MemoryStatus(StatusModel):
    """Memory of the fleet, over its known ready pods, in steps of 5 points."""

    used_percentage: Percentage | None = None
    """Memory in use without the idle part of the KV cache: what the line is about."""

    raw_percentage: Percentage | None = None
    """Memory in use as the device reports it: vLLM reserves its share at start, so this hardly
    moves."""

    known_pods: Count | None = None
    """Ready pods whose memory is known."""


class FitSource(StrEnum):
    """Spec: computed from the spec and the card. Measured: a pod's engine told it."""

    SPEC = "Spec"
    MEASURED = "Measured"


class FitStatus(StatusModel):
    """What one replica holds on its card. It is told, and nothing is held up by it."""

    source: FitSource | None = None
    """Whether it is computed from the spec, or a pod's engine told it."""

    weights: Annotated[str, Field(max_length=32)] | None = None
    """Memory of the weights, such as 2.88 GiB."""

    kv_bytes_per_token: Annotated[int, Field(ge=0)] | None = None
    """KV cache that each token of context takes, in bytes."""

    tokens: Annotated[int, Field(ge=0)] | None = None
    """Tokens that the KV cache holds."""

    sequences: Annotated[int, Field(ge=0)] | None = None
    """Sequences of engine.maxModelLen that it holds at once."""


class DecisionStatus(StatusModel):
    """The last decision that changed anything."""

    rule: Word | None = None
    """Rule that settled it."""

    reason: Word | None = None
    """Why, in one word for programs."""

    message: Sentence | None = None
    """Why, in a sentence for people, with the numbers and what would change it."""

    desired_replicas: Count | None = None
    """Replicas decided on."""

    time: Timestamp | None = None
    """When it was decided."""

    inputs: (
        Annotated[dict[str, Annotated[str, Field(max_length=64)]], Field(max_length=32)] | None
    ) = None
    """Numbers it was computed from, by name (memoryNeed, queueNeed, ...), if known."""


class StreakStatus(StatusModel):
    """A line that is being crossed; kept here so that a restart of the operator resumes it."""

    signal: Word | None = None
    """What crossed its line."""

    since: Timestamp | None = None
    """When it was first seen above the line."""

    last_seen: Timestamp | None = None
    """When it was last seen above the line."""


class StartStatus(StatusModel):
    """The starting pod that has come least far."""

    pod: Annotated[str, Field(max_length=253)] | None = None
    """Name of the pod."""

    phase: StartPhase | None = None
    """How far it has come."""

    progress_percentage: Percentage | None = None
    """Share of the phase that is done, in steps of five, where it is known: of the weights that
    a Job writes."""

    since: Timestamp | None = None
    """When the phase began."""


class Status(StatusModel):
    """What the operator observed and decided."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that this status is about."""

    conditions: (
        Annotated[tuple[Condition, ...], Field(max_length=32, json_schema_extra=list_map("type"))]
        | None
    ) = None
    """Answers about the fleet; Ready sums them up."""

    replicas: Count | None = None
    """Pods that exist."""

    desired_replicas: Count | None = None
    """Pods that should exist."""

    ready_replicas: Count | None = None
    """Pods that serve."""

    selector: Annotated[str, Field(max_length=512)] | None = None
    """Label selector of the pods, for the scale subresource."""

    url: Annotated[str, Field(max_length=512)] | None = None
    """Base address for OpenAI clients inside the cluster."""

    engine: EngineStatus | None = None
    """The engine's settings in effect."""

    memory: MemoryStatus | None = None
    """Memory of the fleet."""

    fit: FitStatus | None = None
    """What one replica holds on its card."""

    request_queue_length: Annotated[int, Field(ge=0)] | None = None
    """Requests that wait, over the known ready pods."""

    decision: DecisionStatus | None = None
    """The last decision that changed anything."""

    streak: StreakStatus | None = None
    """A line that is being crossed."""

    start: StartStatus | None = None
    """The starting pod that has come least far."""
