"""The blocks that say when to grow, when to refuse, and how to replace pods."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.base import ApiModel, Rule, list_map, rules


class Mode(StrEnum):
    """Who sets the number of replicas."""

    AUTO = "Auto"
    ADVISORY = "Advisory"
    MANUAL = "Manual"


class OverloadPolicy(StrEnum):
    """What happens once a line stays crossed."""

    SCALE_OUT = "ScaleOut"
    REJECT = "Reject"
    SCALE_OUT_THEN_REJECT = "ScaleOutThenReject"


TokenLimit = Annotated[int, Field(ge=1, le=131_072)]


TaskName = Annotated[
    str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]


class TokenPreset(StrEnum):
    """Caps that go together."""

    ARTICLE = "Article"
    REASONING = "Reasoning"


class TaskLimit(ApiModel):
    """A task beyond math, code and qa."""

    name: TaskName
    """Name that clients send as X-Task, and that metrics carry."""

    tokens: TokenLimit
    """Most tokens that one request of this task may generate."""


class TokenLimits(ApiModel):
    """Most tokens that one request may generate, by task; several answers share them.

    A change reaches running pods at once and rolls none. Beyond the largest cap that a pod started
    with, it holds from the pod's next start.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.others.all(t, !(t.name in ['math', 'code', 'qa']))",
                message="others may not name math, code or qa: they have fields of their own",
                fieldPath=".others",
            ),
            Rule(
                rule="self.defaultTask in ['math', 'code', 'qa']"
                " || self.others.exists(t, t.name == self.defaultTask)",
                message="defaultTask must be math, code, qa or one of others",
                fieldPath=".defaultTask",
            ),
        )
    )

    preset: TokenPreset = TokenPreset.ARTICLE
    """Caps of math, code and qa that are not written out. Article: 512, 768 and 256. Reasoning:
    16384, 16384 and 2048, for answers that show their thinking. Neither is ever more than three
    quarters of engine.maxModelLen."""

    math: TokenLimit | None = None
    """Cap of mathematics tasks. Unset: from the preset."""

    code: TokenLimit | None = None
    """Cap of programming tasks. Unset: from the preset."""

    qa: TokenLimit | None = None
    """Cap of questions. Unset: from the preset."""

    others: Annotated[
        tuple[TaskLimit, ...], Field(max_length=8, json_schema_extra=list_map("name"))
    ] = ()
    """Further tasks."""

    default_task: TaskName = "code"
    """Task of a request that names none."""


class Saturation(ApiModel):
    """When a fleet counts as saturated: the one block that scaling and admission both read."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.memoryRecoverPercentage < self.memoryUsedPercentage",
                message="memoryRecoverPercentage must be < memoryUsedPercentage: the line is left"
                " below the point where it is crossed",
                fieldPath=".memoryRecoverPercentage",
            )
        )
    )

    memory_used_percentage: Annotated[int, Field(ge=10, le=95)] = 75
    """Line of memory in use, without the idle part of the KV cache, as a percentage of the
    device's memory."""

    memory_recover_percentage: Annotated[int, Field(ge=5, le=94)] = 65
    """Below this the line counts as left again."""

    request_queue_length: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Line of waiting requests, per ready replica."""

    sustained_seconds: Annotated[int, Field(ge=2, le=600)] = 10
    """How long a line must stay crossed before anything is done about it."""


class Scaling(ApiModel):
    """How the number of replicas is chosen."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.minReplicas <= self.maxReplicas",
                message="minReplicas must be <= maxReplicas",
                fieldPath=".minReplicas",
            )
        )
    )

    mode: Mode = Mode.AUTO
    """Auto: the operator scales. Advisory: it decides and reports, and spec.replicas holds.
    Manual: spec.replicas holds (kubectl scale, an HPA or KEDA may write it)."""

    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Fewest replicas in mode Auto."""

    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Most replicas in mode Auto. With 1 the operator never asks for a second GPU."""

    scale_down_stabilization_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """Scale in only to the highest number wanted during this time."""

    startup_deadline_seconds: Annotated[int, Field(ge=60, le=7200)] = 1800
    """Longest start of a scheduled pod (image, download, compilation) before it is given up."""

    provisioning_deadline_seconds: Annotated[int, Field(ge=30, le=7200)] = 900
    """Longest wait for a node with a free device before a step is withdrawn."""


class Overload(ApiModel):
    """What happens once a line stays crossed."""

    policy: OverloadPolicy = OverloadPolicy.SCALE_OUT_THEN_REJECT
    """ScaleOut: add replicas. Reject: refuse new sessions. ScaleOutThenReject: add replicas, and
    refuse new sessions while none can be added. Known sessions are served under each."""

    max_queued_requests: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Most waiting requests of one pod; past it new sessions are refused under each policy, and
    known ones past twice as many."""


class Rollout(ApiModel):
    """How pods are replaced."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.maxSurge > 0 || self.maxUnavailable > 0",
                message="maxSurge and maxUnavailable must not both be 0: no pod could be replaced",
                fieldPath=".maxUnavailable",
            )
        )
    )

    max_surge: Annotated[int, Field(ge=0, le=100)] = 0
    """Pods above the wanted number while pods are replaced. Each needs a free GPU of its own."""

    max_unavailable: Annotated[int, Field(ge=0, le=100)] = 1
    """Pods below the wanted number while pods are replaced."""
