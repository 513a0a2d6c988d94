"""`spec.scheduling`: where pods may run. Typed and bounded; there is no pod template."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.affinity import Affinity
from vibethinker_operator.api.base import (
    ATOMIC_LIST,
    QUALIFIED_NAME,
    ApiModel,
    LabelKey,
    LabelValue,
    ObjectName,
    Rule,
    rules,
)


class TolerationOperator(StrEnum):
    """How a toleration compares."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class WhenUnsatisfiable(StrEnum):
    """What to do with a pod that would break a spread constraint."""

    DO_NOT_SCHEDULE = "DoNotSchedule"
    SCHEDULE_ANYWAY = "ScheduleAnyway"


class Toleration(ApiModel):
    """A taint that pods tolerate."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.operator != 'Exists' || !has(self.value) || self.value == ''",
                message="value must be left out with operator Exists",
                fieldPath=".value",
            ),
            Rule(
                rule="self.operator == 'Exists' || has(self.key)",
                message="key is required with operator Equal",
                fieldPath=".key",
            ),
            Rule(
                rule="!has(self.tolerationSeconds)"
                " || (has(self.effect) && self.effect == 'NoExecute')",
                message="tolerationSeconds is for effect NoExecute only",
                fieldPath=".tolerationSeconds",
            ),
        )
    )

    key: LabelKey | None = None
    """Key of the taint. Unset, with operator Exists: every taint."""

    operator: TolerationOperator = TolerationOperator.EQUAL
    """Exists tolerates any value, Equal the given one."""

    value: LabelValue | None = None
    """Value of the taint, with operator Equal."""

    effect: TaintEffect | None = None
    """Effect of the taint. Unset: every effect."""

    toleration_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """How long a pod stays on a node that got the taint (NoExecute). Unset: for ever."""


class TopologySpreadConstraint(ApiModel):
    """How evenly this fleet's pods spread; the operator adds the selector of the fleet."""

    max_skew: Annotated[int, Field(ge=1, le=1000)] = 1
    """Largest difference of pods between two domains."""

    topology_key: LabelKey
    """Node label whose values are the domains, such as topology.kubernetes.io/zone."""

    when_unsatisfiable: WhenUnsatisfiable = WhenUnsatisfiable.SCHEDULE_ANYWAY
    """DoNotSchedule keeps a pod waiting, ScheduleAnyway only prefers."""


class Scheduling(ApiModel):
    """Where pods may run."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.nodeSelector.all(key, size(key) <= 128"
                f" && key.matches('^{QUALIFIED_NAME}$'))",
                message="nodeSelector: a key must be a label key of at most 128 characters",
                fieldPath=".nodeSelector",
            )
        )
    )

    node_selector: dict[str, LabelValue] = Field(default={}, max_length=16)
    """Labels that a node must carry."""

    tolerations: Annotated[
        tuple[Toleration, ...], Field(max_length=16, json_schema_extra=ATOMIC_LIST)
    ] = ()
    """Taints that pods tolerate. The one of nvidia.com/gpu is tolerated anyway on GPU."""

    affinity: Affinity = Affinity()
    """Nodes and pods to be near to or away from."""

    topology_spread_constraints: Annotated[
        tuple[TopologySpreadConstraint, ...], Field(max_length=4, json_schema_extra=ATOMIC_LIST)
    ] = ()
    """How evenly this fleet's pods spread over zones or nodes."""

    priority_class_name: ObjectName = ""
    """PriorityClass of the pods. The cluster's admin lists the allowed ones in the ConfigMap
    vibethinker-admission-policy."""

    runtime_class_name: ObjectName = ""
    """RuntimeClass of the pods, such as nvidia where that is not the node's default."""
