"""Kubernetes' affinity, typed and bounded, so that the API server checks it at the write."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.base import ATOMIC_LIST, ApiModel, LabelKey, LabelValue, Rule, rules


class NodeOperator(StrEnum):
    """How a node's label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class PodOperator(StrEnum):
    """How a pod's label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


_VALUES_MATCH_OPERATOR = Rule(
    rule="self.operator in ['In', 'NotIn'] ? size(self.values) > 0"
    " : self.operator in ['Gt', 'Lt'] ? size(self.values) == 1 : size(self.values) == 0",
    message="values must be given with In and NotIn, be one with Gt and Lt, be none otherwise",
    fieldPath=".values",
)

Values = Annotated[tuple[LabelValue, ...], Field(max_length=8, json_schema_extra=ATOMIC_LIST)]
Weight = Annotated[int, Field(ge=1, le=100)]


class NodeExpression(ApiModel):
    """One demand on a node's label."""

    model_config = ConfigDict(json_schema_extra=rules(_VALUES_MATCH_OPERATOR))

    key: LabelKey
    """Label of the node."""

    operator: NodeOperator
    """How the label is compared with the values."""

    values: Values = ()
    """Values to compare with."""


class NodeTerm(ApiModel):
    """Demands that a node must meet all."""

    match_expressions: Annotated[
        tuple[NodeExpression, ...],
        Field(min_length=1, max_length=4, json_schema_extra=ATOMIC_LIST),
    ]
    """Demands on labels."""


class NodeTerms(ApiModel):
    """Terms of which a node must meet one."""

    node_selector_terms: Annotated[
        tuple[NodeTerm, ...], Field(min_length=1, max_length=4, json_schema_extra=ATOMIC_LIST)
    ]
    """Terms of which a node must meet one."""


class PreferredNodeTerm(ApiModel):
    """A term that is preferred."""

    weight: Weight
    """How much it counts."""

    preference: NodeTerm
    """The term."""


class NodeAffinity(ApiModel):
    """Nodes that pods must or should run on."""

    required_during_scheduling_ignored_during_execution: NodeTerms | None = None
    """What a node must meet."""

    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredNodeTerm, ...], Field(max_length=4, json_schema_extra=ATOMIC_LIST)
    ] = ()
    """What is preferred."""


class PodExpression(ApiModel):
    """One demand on a pod's label."""

    model_config = ConfigDict(json_schema_extra=rules(_VALUES_MATCH_OPERATOR))

    key: LabelKey
    """Label of the pod."""

    operator: PodOperator
    """How the label is compared with the values."""

    values: Values = ()
    """Values to compare with."""


class PodSelector(ApiModel):
    """Pods by their labels."""

    match_expressions: Annotated[
        tuple[PodExpression, ...],
        Field(min_length=1, max_length=4, json_schema_extra=ATOMIC_LIST),
    ]
    """Demands on labels, which a pod must meet all."""


class PodTerm(ApiModel):
    """Pods of this namespace, and what counts as near them."""

    label_selector: PodSelector
    """The pods."""

    topology_key: LabelKey
    """Node label whose equal values count as near, such as kubernetes.io/hostname."""


class PreferredPodTerm(ApiModel):
    """A term that is preferred."""

    weight: Weight
    """How much it counts."""

    pod_affinity_term: PodTerm
    """The term."""


class PodAffinity(ApiModel):
    """Pods to be near to, or away from."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodTerm, ...], Field(max_length=2, json_schema_extra=ATOMIC_LIST)
    ] = ()
    """What must hold."""

    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredPodTerm, ...], Field(max_length=2, json_schema_extra=ATOMIC_LIST)
    ] = ()
    """What is preferred."""


class Affinity(ApiModel):
    """Nodes and pods to be near to or away from."""

    node_affinity: NodeAffinity | None = None
    """Nodes that pods must or should run on."""

    pod_affinity: PodAffinity | None = None
    """Pods to be near to."""

    pod_anti_affinity: PodAffinity | None = None
    """Pods to be away from."""
