"""A real Prometheus in the box that scrapes operator and pods as the chart's monitors ask."""

from pathlib import Path
from typing import Any

import yaml

from charts.source.rules.files import build_groups
from charts.source.rules.fleet_alerts import AT_MAX_REPLICAS
from charts.source.rules.load_alerts import REJECTING
from tests.integration.operations.kube import Kube
from tests.integration.operations.operator_process import SYSTEM
from tests.support.prometheus import Prometheus

PORT = 9095
SHORTENED: dict[str, str] = {AT_MAX_REPLICAS.name: "3s", REJECTING.name: "3s"}
"""Alerts that are to fire here, and the time they get instead of their quarter of an hour."""

POD = "__meta_kubernetes_pod_"
LABEL = f"{POD}label_app_kubernetes_io_"


def start_prometheus(kube: Kube, directory: Path) -> Prometheus:
    """Returns a Prometheus on its way, inside the box."""
    rules = directory / "rules.yaml"
    rules.write_text(yaml.safe_dump(shorten(build_groups())))
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [scrape_operator(), scrape_pods(kube.box.kubeconfig)],
    }
    return Prometheus(directory, PORT, config, call=kube.network.call)


def shorten(groups: dict[str, Any]) -> dict[str, Any]:
    """Returns the rules with a short `for` for the alerts that are to fire in a test."""
    for group in groups["groups"]:
        for rule in group["rules"]:
            if rule.get("alert") in SHORTENED:
                rule["for"] = SHORTENED[rule["alert"]]
    return groups


def scrape_operator() -> dict[str, Any]:
    """Returns what a ServiceMonitor makes of the operator, which is a plain process here."""
    labels = {"namespace": SYSTEM, "pod": "operator"}
    return {
        "job_name": "operator",
        "honor_labels": True,
        "static_configs": [{"targets": ["127.0.0.1:9090"], "labels": labels}],
    }


def scrape_pods(kubeconfig: Path) -> dict[str, Any]:
    """Returns what the chart's PodMonitor makes of the server pods."""
    return {
        "job_name": "servers",
        "honor_labels": True,
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(kubeconfig)}],
        "relabel_configs": [
            _keep(f"{LABEL}name", "vibethinker-server"),
            _keep(f"{POD}container_port_name", "ops"),
            _copy("__meta_kubernetes_namespace", "namespace"),
            _copy(f"{POD}name", "pod"),
            _copy(f"{LABEL}instance", "name"),
        ],
    }


def _keep(source: str, value: str) -> dict[str, Any]:
    return {"action": "keep", "source_labels": [source], "regex": value}


def _copy(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "target_label": target}
