"""The release in a box: what a person does with Helm, timed, and what the operator then sees."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from vibethinker_operator import names

from tests.cluster.binaries import helm_binary
from tests.cluster.commands import run
from tests.cluster.images import OPERATOR, SERVER, STUB_ENGINE
from tests.integration.charts.helm import CHART, RELEASE, SYSTEM
from tests.integration.operations.fleet import Fleet, is_ready
from tests.integration.operations.kube import Kube, wait_for

OUT = Path("build/bench/chart.json")
TIMEOUT = "150s"
POD = {"labelSelector": f"{names.LABEL_NAME}={names.OPERATOR_NAME}"}


class Release:
    """The chart's release, with the images that the box has in place of its values' own."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._times: dict[str, dict[str, float]] = {}

    def install(self, values: Path | None = None) -> None:
        """Installs it, and returns once the operator is ready."""
        self._helm("install", RELEASE, str(CHART), "--create-namespace", values=values)

    def upgrade(self, values: Path, **settings: str) -> None:
        """Upgrades it to these values alone, and settings in which a double underscore is a dot."""
        pairs = (f"{path.replace('__', '.')}={value}" for path, value in settings.items())
        more = [word for pair in pairs for word in ("--set", pair)]
        self._helm("upgrade", RELEASE, str(CHART), "--reset-values", values=values, last=more)

    def rollback(self, values: Path) -> None:
        """Goes back to the revision before the last."""
        self._helm("rollback", RELEASE, values=values)

    def uninstall(self, values: Path | None = None) -> None:
        """Uninstalls it, and returns once the operator's pod is gone."""
        self._helm("uninstall", RELEASE, values=values)
        wait_for(lambda: not self.operator_pods(), "the operator's end")

    def test(self, values: Path) -> str:
        """Returns what `helm test` prints."""
        return self._helm("test", RELEASE, "--logs", values=values)

    def operator_pods(self) -> list[dict[str, object]]:
        """Returns the operator's pods."""
        return self._kube.list_items(f"/api/v1/namespaces/{SYSTEM}/pods", **POD)

    def wait_sees(self, fleet: Fleet, ready: int) -> None:
        """Returns once the one operator there counts so many ready replicas of the fleet."""
        labels = f'name="{fleet.name}",namespace="{fleet.namespace}",state="ready"'
        line = f"vibethinker_fleet_replicas{{{labels}}} {float(ready)}"
        wait_for(lambda: line in self.metrics(), f"{line} among the operator's metrics")

    def metrics(self) -> str:
        """Returns the page of the operator, empty until there is one that answers."""
        pods = [pod for pod in self.operator_pods() if is_ready(pod)]
        if len(pods) != 1:
            return ""
        url = f"http://{pods[0]['status']['podIP']}:{names.METRICS_PORT}/metrics"  # type: ignore[index]
        try:
            return self._kube.network.call(httpx.get, url, timeout=5).text
        except httpx.TransportError:
            return ""

    def write_times(self) -> None:
        """Writes how long each step took, by values."""
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(self._times, indent=2) + "\n")

    def _helm(self, verb: str, *words: str, values: Path | None, last: Sequence[str] = ()) -> str:
        options = ["--namespace", SYSTEM, "--timeout", TIMEOUT]
        if verb in ("install", "upgrade"):
            options += ["--values", str(values)] if values else []
            pairs = ("=".join(pair) for pair in image_settings().items())
            options += [word for pair in pairs for word in ("--set", pair)]
        if verb != "test":
            options.append("--wait")
        kubeconfig = f"--kubeconfig={self._kube.box.kubeconfig}"
        began = time.monotonic()
        printed = run(
            self._kube.box.enter([helm_binary(), kubeconfig, verb, *words, *options, *last])
        )
        name = values.stem.removesuffix("-values") if values else "default"
        self._times.setdefault(name, {})[verb] = round(time.monotonic() - began, 1)
        return printed


def image_settings() -> dict[str, str]:
    """Returns the values that name the box's images."""
    images = {"image": OPERATOR, "serverImage": SERVER, "defaultEngineImage.gpu": STUB_ENGINE}
    return {
        f"{block}.{part}": text
        for block, image in images.items()
        for part, text in _parts(image.name).items()
    }


def _parts(image: str) -> dict[str, str]:
    registry, _, rest = image.partition("/")
    repository, _, tag = rest.partition(":")
    return {"registry": registry, "repository": repository, "tag": tag, "digest": ""}
