"""The chart's values: the source of values.yaml, its schema and its table.

Every block is closed: a misspelt value is refused with its path before anything is written.
"""

from enum import StrEnum
from typing import Any

from pydantic import Field
from vibethinker_operator.api import Spec
from vibethinker_operator.api.affinity import Affinity
from vibethinker_operator.api.base import ObjectName
from vibethinker_operator.api.scheduling import Toleration
from vibethinker_operator.manifests.admission import (
    ENDPOINTS,
    IMAGES,
    PRIORITY_CLASSES,
    build_admission_parameters,
)

from charts.source.chart.base import Line, NamespaceName, ValuesModel
from charts.source.chart.images import DefaultEngineImage, OperatorImage, ServerImage
from charts.source.chart.monitoring import Dashboards, Monitor, NetworkPolicy, PrometheusRule
from charts.source.chart.pod import (
    NodeSelector,
    PullSecret,
    Resources,
    ServiceAccount,
    Variable,
    VolumeMount,
    default_resources,
)


class Scope(StrEnum):
    """How far the operator sees."""

    CLUSTER = "cluster"
    NAMESPACED = "namespaced"


class CustomResourceDefinitions(ValuesModel):
    """The CustomResourceDefinition of VibeThinkerDeployment."""

    enabled: bool = True
    """Install and upgrade it with the release."""

    keep: bool = True
    """Leave it, and with it every fleet, when the release is uninstalled."""


class Rbac(ValuesModel):
    """Roles for people."""

    aggregate_roles: bool = True
    """Add fleets to the cluster's own roles view, edit and admin."""


def _default_entries(key: str) -> tuple[str, ...]:
    return tuple(str(build_admission_parameters()["data"][key]).splitlines())


class AdmissionPolicy(ValuesModel):
    """What fleets may name. It holds in the whole cluster."""

    enabled: bool = True
    """Install it. Without it whoever may write a fleet may run any image in a pod of it."""

    allowed_image_prefixes: tuple[Line, ...] = _default_entries(IMAGES)
    """Engine images that spec.engine.image may name: a repository, or a path that ends in a slash.
    A fleet that names none gets defaultEngineImage, whatever stands here."""

    allowed_endpoints: tuple[Line, ...] = _default_entries(ENDPOINTS)
    """Model hubs that spec.model.endpoint may name."""

    allowed_priority_classes: tuple[Line, ...] = _default_entries(PRIORITY_CLASSES)
    """Priority classes that spec.scheduling.priorityClassName may name."""


class Sample(ValuesModel):
    """A first fleet, made by the first install and left alone afterwards, uninstall included."""

    enabled: bool = False
    """Make it."""

    name: ObjectName = "chat"
    """Its name, in the release's namespace."""

    spec: Spec = Spec()
    """Its spec, as kubectl explain vtd.spec has it. Empty: one replica on one GPU."""


class Values(ValuesModel):
    """Every value of the chart."""

    image: OperatorImage = OperatorImage()
    """The operator's image, built from this repository's Dockerfile."""

    server_image: ServerImage = ServerImage()
    """The image that the server package is copied from into each server pod. A new one rolls no
    pod: UpdateAvailable offers it, and the fleet's owner accepts."""

    default_engine_image: DefaultEngineImage = DefaultEngineImage()
    """Stock vLLM images of fleets that name none in spec.engine.image. A new one rolls no pod."""

    image_pull_secrets: tuple[PullSecret, ...] = ()
    """Secrets to pull the operator's image with. Server pods have spec.engine.imagePullSecrets."""

    scope: Scope = Scope.CLUSTER
    """cluster: fleets in every namespace. namespaced: only in watchNamespaces, by Roles there."""

    watch_namespaces: tuple[NamespaceName, ...] = ()
    """Namespaces to watch with scope=namespaced; they must exist. Empty: the release's own."""

    crds: CustomResourceDefinitions = CustomResourceDefinitions()
    """The CustomResourceDefinition of VibeThinkerDeployment."""

    rbac: Rbac = Rbac()
    """Roles for people."""

    service_account: ServiceAccount = ServiceAccount()
    """The operator's account, vibethinker-operator."""

    admission_policy: AdmissionPolicy = AdmissionPolicy()
    """A ValidatingAdmissionPolicy that holds fleets to what the cluster's admin allows."""

    resources: Resources = default_resources()
    """What the operator's container asks for, and what it may use at most."""

    node_selector: NodeSelector = Field(default={})
    """Labels of nodes that the operator may run on."""

    tolerations: tuple[Toleration, ...] = ()
    """Taints that the operator tolerates, beside those of a lost node."""

    affinity: Affinity = Affinity()
    """Nodes and pods that the operator is near to or away from."""

    priority_class_name: ObjectName = ""
    """PriorityClass of the operator's pod."""

    pod_annotations: dict[str, str] = Field(default={})
    """Annotations of the operator's pod."""

    pod_labels: dict[str, str] = Field(default={})
    """Further labels of the operator's pod."""

    extra_env: tuple[Variable, ...] = ()
    """Further variables of the operator, such as VIBETHINKER_LOOP_SECONDS."""

    extra_volumes: tuple[dict[str, Any], ...] = ()
    """Further volumes of the operator's pod, as Kubernetes spells them."""

    extra_volume_mounts: tuple[VolumeMount, ...] = ()
    """Where they appear."""

    extra_objects: tuple[dict[str, Any], ...] = ()
    """Further objects of the release, as they are to be applied; templates in them are not run."""

    service_monitor: Monitor = Monitor()
    """A ServiceMonitor for the operator's metrics."""

    pod_monitor: Monitor = Monitor()
    """A PodMonitor for the server pods' metrics (port 9100)."""

    prometheus_rule: PrometheusRule = PrometheusRule()
    """Alerts and recording rules."""

    dashboards: Dashboards = Dashboards()
    """Grafana dashboards."""

    network_policy: NetworkPolicy = NetworkPolicy()
    """A NetworkPolicy for the operator's pod."""

    sample: Sample = Sample()
    """A first fleet."""

    global_: dict[str, Any] = Field(default={}, alias="global")
    """Kept for Helm: a parent chart's values appear here. Nothing reads them."""

    enabled: bool = True
    """Kept for a parent chart's condition. Nothing here reads it."""
