"""Programs compiled from their Go modules: Kubernetes in one binary, and helm."""

import re
from pathlib import Path

from tests.cluster.cache import cached, key_of
from tests.cluster.capabilities import CapabilityError, find_program, require_disk
from tests.cluster.commands import run
from tests.cluster.progress import step

SOURCE = Path(__file__).parent / "kubernetes"
PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
# The build itself, and Go's own caches of the module and of compiled packages.
BUILD_GIGABYTES = 5
HELM = "helm.sh/helm/v4/cmd/helm@v4.3.1"
HELM_GIGABYTES = 2


def kubernetes_version() -> str:
    """Return the version of Kubernetes that go.mod names, such as "1.37.2"."""
    named = re.search(r"k8s\.io/kubernetes v(\S+)", (SOURCE / "go.mod").read_text())
    assert named is not None, f"{SOURCE}/go.mod requires no k8s.io/kubernetes"
    return named[1]


def kubernetes_binaries() -> Path:
    """Return a directory with every program of PROGRAMS and `pause`, built on first use.

    Raises:
        CapabilityError: there is no Go, or too little disk.
        CommandError: the build failed.
    """
    return cached("kubernetes", key_of(SOURCE), _build)


def helm_binary() -> Path:
    """Return helm, built on first use.

    Raises:
        CapabilityError: there is no Go, or too little disk.
        CommandError: the build failed.
    """
    return cached("helm", key_of(HELM), _build_helm) / "helm"


def _build_helm(target: Path) -> None:
    _require_go("building helm needs Go 1.26 or newer: install it (https://go.dev/dl)")
    require_disk(target, HELM_GIGABYTES, "building helm")
    with step(f"building helm {HELM.rpartition('@')[2]}"):
        install = ["go", "install", "-trimpath", "-ldflags", "-s -w", HELM]
        run(install, env={"CGO_ENABLED": "0", "GOBIN": str(target)})


def _require_go(otherwise: str) -> None:
    if find_program("go") is None:
        raise CapabilityError(otherwise)


def _build(target: Path) -> None:
    _require_go(
        "building Kubernetes needs Go 1.26 or newer: install it (https://go.dev/dl), "
        "or set KUBEBUILDER_ASSETS for the tests that need an API server only"
    )
    require_disk(target, BUILD_GIGABYTES, "building Kubernetes")
    with step(f"building Kubernetes {kubernetes_version()}"):
        compile_options = ["-trimpath", "-ldflags", f"-s -w {_version_flags()}"]
        run(
            ["go", "build", *compile_options, "-o", f"{target}/", ".", "./pause"],
            cwd=SOURCE,
            env={"CGO_ENABLED": "0"},
        )
    for program in PROGRAMS:
        (target / program).symlink_to("kubernetes")


def _version_flags() -> str:
    version = kubernetes_version()
    major, minor, _ = version.split(".", 2)
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return " ".join(f"-X k8s.io/component-base/version.{k}={v}" for k, v in values.items())
