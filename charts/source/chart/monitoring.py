"""What Prometheus Operator and Grafana's sidecar find, each off until it is asked for."""

from typing import Annotated

from pydantic import Field

from charts.source.chart.base import ValuesModel

Duration = Annotated[str, Field(pattern=r"^([0-9]+(ms|s|m|h))?$")]


class Monitor(ValuesModel):
    """A ServiceMonitor or PodMonitor; both need Prometheus Operator's CRDs."""

    enabled: bool = False
    """Create it."""

    additional_labels: dict[str, str] = Field(default={})
    """Labels that your Prometheus selects by: kube-prometheus-stack wants release: its name."""

    interval: Duration = ""
    """Time between two scrapes, such as 15s; empty: your Prometheus' own."""


class PrometheusRule(ValuesModel):
    """A PrometheusRule for each file below rules/."""

    enabled: bool = False
    """Create them."""

    runbook_base_url: Annotated[str, Field(min_length=1)] = "docs/alerts"
    """Where people find the pages of docs/alerts, without a slash at the end: the address of your
    copy. As it is, alerts name the path in the repository."""

    additional_labels: dict[str, str] = Field(default={})
    """Labels that your Prometheus selects by."""


class Dashboards(ValuesModel):
    """A ConfigMap for each dashboard, which Grafana's sidecar loads."""

    enabled: bool = False
    """Create them."""

    labels: dict[str, str] = Field(default={"grafana_dashboard": "1"})
    """Labels that the sidecar looks for."""

    annotations: dict[str, str] = Field(default={})
    """Annotations, such as grafana_folder: VibeThinker."""


class Selector(ValuesModel):
    """Objects with these labels; none: all of them."""

    match_labels: dict[str, str] = Field(default={})
    """Labels that an object must carry."""


class AddressBlock(ValuesModel):
    """A range of addresses."""

    cidr: Annotated[str, Field(min_length=1)]
    """The range, such as 10.0.0.0/8."""


class Peer(ValuesModel):
    """Who may connect: pods, by namespace and labels, or addresses."""

    namespace_selector: Selector | None = None
    """Namespaces of the pods; unset: the release's own."""

    pod_selector: Selector | None = None
    """The pods; unset: all."""

    ip_block: AddressBlock | None = None
    """Addresses instead of pods."""


class NetworkPolicy(ValuesModel):
    """Closes the operator's pod but for scrapes of its metrics and the kubelet's probes."""

    enabled: bool = False
    """Create it."""

    metrics_from: tuple[Peer, ...] = ()
    """Who may scrape it; empty: everybody."""
