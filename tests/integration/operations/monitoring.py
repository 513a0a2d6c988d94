"""A real Prometheus in the box that scrapes operator and pods as the chart's monitors ask."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import yaml

from charts.source.rules.files import build_groups
from charts.source.rules.fleet_alerts import AT_MAX_REPLICAS
from charts.source.rules.load_alerts import REJECTING
from tests.integration.operations.kube import Kube
from tests.integration.operations.operator_process import SYSTEM
from tests.support.prometheus import Prometheus

PORT = 9095
DISCOVERY_SECONDS = 0.5
SHORTENED: dict[str, str] = {AT_MAX_REPLICAS.name: "3s", REJECTING.name: "3s"}
"""Alerts that are to fire here, and the time they get instead of their quarter of an hour."""

POD = "__meta_kubernetes_pod_"
LABEL = f"{POD}label_app_kubernetes_io_"


@contextmanager
def running_prometheus(kube: Kube, directory: Path) -> Iterator[Prometheus]:
    """Runs a Prometheus inside the box that finds pods as they come and go."""
    rules, targets = directory / "rules.yaml", directory / "pods.json"
    rules.write_text(yaml.safe_dump(shorten(build_groups())))
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [scrape_operator(), scrape_pods(targets)],
    }
    prometheus = Prometheus(directory, PORT, config, call=kube.network.call)
    with discovering(kube, targets), prometheus:
        yield prometheus


@contextmanager
def discovering(kube: Kube, file: Path) -> Iterator[None]:
    """Writes what Prometheus' discovery of pods would find, which Debian has left out of it."""
    enough = Event()

    def run() -> None:
        while not enough.wait(DISCOVERY_SECONDS):
            with suppress(httpx.TransportError):
                write_targets(kube, file)

    write_targets(kube, file)
    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def write_targets(kube: Kube, file: Path) -> None:
    """Writes every pod with an address, under the labels that the discovery gives it."""
    found = [
        {"targets": [f"{pod['status']['podIP']}:{port['containerPort']}"], "labels": labels}
        for pod in kube.list_items("/api/v1/pods", labelSelector="app.kubernetes.io/instance")
        if pod["status"].get("podIP")
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
        for labels in [describe_target(pod["metadata"], port["name"])]
    ]
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(found))
    fresh.rename(file)


def describe_target(metadata: dict[str, Any], port: str) -> dict[str, str]:
    """Returns the discovery's labels of one port of a pod."""
    labels = {
        f"{POD}label_{re.sub('[^a-zA-Z0-9]', '_', key)}": value
        for key, value in metadata["labels"].items()
    }
    return labels | {
        "__meta_kubernetes_namespace": metadata["namespace"],
        f"{POD}name": metadata["name"],
        f"{POD}container_port_name": port,
    }


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


def scrape_pods(targets: Path) -> dict[str, Any]:
    """Returns what the chart's PodMonitor makes of the server pods."""
    return {
        "job_name": "servers",
        "honor_labels": True,
        "file_sd_configs": [{"files": [str(targets)]}],
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
