"""What must not be installed is refused before anything is written, and the process says so too."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.apiserver import ControlPlane, start_control_plane
from tests.cluster.binaries import helm_binary
from tests.cluster.commands import CommandError, run
from tests.cluster.pki import User, write_kubeconfig
from tests.integration.charts.helm import CHART, RELEASE, SYSTEM

CHECKOUT = Path(__file__).parents[3]
MANIFESTS = CHECKOUT / "manifests"
SAY_SECONDS = 60.0


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    plane = start_control_plane()
    try:
        yield plane
    finally:
        plane.stop()


def helm(plane: ControlPlane, *words: str) -> str:
    return run([helm_binary(), f"--kubeconfig={plane.kubeconfig}", *words])


def install(plane: ControlPlane, *options: str, release: str = RELEASE, to: str = SYSTEM) -> str:
    where = ("--namespace", to, "--create-namespace")
    return helm(plane, "install", release, str(CHART), *where, *options)


def refusal_of(plane: ControlPlane, *options: str, release: str = RELEASE, to: str = SYSTEM) -> str:
    """Returns what Helm says against an install, which left nothing behind."""
    before = helm(plane, "list", "--all-namespaces", "--short")
    with pytest.raises(CommandError) as caught:
        install(plane, *options, release=release, to=to)
    assert helm(plane, "list", "--all-namespaces", "--short") == before
    return str(caught.value)


def test_a_second_release_is_refused_wherever_it_is_to_go(plane):
    install(plane)
    for release, namespace in (("other", "elsewhere"), ("other", SYSTEM), (RELEASE, "elsewhere")):
        said = refusal_of(plane, release=release, to=namespace)
        assert "this cluster already has the VibeThinker operator" in said
        assert f'Deployment {SYSTEM}/vibethinker-operator, installed release "{RELEASE}"' in said
        assert "upgrade that one, or uninstall it first" in said
    namespaced = refusal_of(plane, "--set", "scope=namespaced", release="other", to="elsewhere")
    assert "already has the VibeThinker operator" in namespaced


def test_a_release_beside_an_operator_that_kubectl_installed_is_refused(plane):
    plane.kubectl("apply", "--server-side", "-k", str(MANIFESTS))
    said = refusal_of(plane, to="elsewhere")
    assert f"Deployment {SYSTEM}/vibethinker-operator, installed without Helm" in said


def test_an_operator_that_kubectl_installed_is_taken_over_in_its_own_place(plane):
    plane.kubectl("apply", "--server-side", "-k", str(MANIFESTS))
    assert "invalid ownership metadata" in refusal_of(plane)
    install(plane, "--take-ownership", "--force-conflicts")
    names = plane.kubectl("get", "deployment", "--all-namespaces", "-o", "name").split()
    assert names == ["deployment.apps/vibethinker-operator"]


def test_under_another_name_a_kept_definition_is_taken_over_when_told_to(plane):
    install(plane)
    helm(plane, "uninstall", RELEASE, "--namespace", SYSTEM)
    assert "invalid ownership metadata" in refusal_of(plane, release="other")
    install(plane, "--take-ownership", release="other")


def test_without_its_definition_an_install_says_which_one_and_how_to_bring_it(plane):
    said = refusal_of(plane, "--set", "crds.enabled=false")
    assert "no CustomResourceDefinition vibethinkerdeployments.vibethinker.io" in said
    assert "kubectl apply --server-side -f manifests/crd" in said
    plane.kubectl("apply", "--server-side", "-f", str(MANIFESTS / "crd"))
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    install(plane, "--set", "crds.enabled=false")


def test_a_namespace_to_watch_that_is_not_there_is_named(plane):
    options = ("--set", "scope=namespaced", "--set", "watchNamespaces={team-a,team-b}")
    plane.kubectl("create", "namespace", "team-a")
    assert 'watchNamespaces: there is no namespace "team-b"' in refusal_of(plane, *options)
    plane.kubectl("create", "namespace", "team-b")
    install(plane, *options)


def test_a_misspelt_value_is_refused_with_its_path(plane):
    said = refusal_of(plane, "--set", "image.tagg=v1")
    assert "at '/image': additional properties 'tagg' not allowed" in said
    print(said)


def test_the_sample_is_made_though_its_kind_comes_with_the_same_release(plane):
    install(plane, "--values", str(CHART / "ci" / "sample-values.yaml"))
    spec = ("-o", "jsonpath={.spec.scaling.maxReplicas}")
    assert plane.kubectl("get", "vtd", "first", "-n", SYSTEM, *spec) == "2"
    uid = ("get", "vtd", "first", "-n", SYSTEM, "-o", "jsonpath={.metadata.uid}")
    first = plane.kubectl(*uid)
    helm(plane, "uninstall", RELEASE, "--namespace", SYSTEM)
    install(plane, "--values", str(CHART / "ci" / "sample-values.yaml"))
    assert plane.kubectl(*uid) == first


def say(plane: ControlPlane, directory: Path, sentence: str, **environment: str) -> str:
    """Returns the line with that sentence which an operator with its account's rights logs."""
    token = plane.kubectl("create", "token", "-n", SYSTEM, "vibethinker-operator").strip()
    kubeconfig, log = directory / "kubeconfig", directory / "operator.log"
    authority = plane.directory / "pki" / "ca.crt"
    write_kubeconfig(kubeconfig, plane.url, authority, User("operator", "", token))
    settings = {
        "KUBECONFIG": str(kubeconfig),
        "OPERATOR_NAMESPACE": SYSTEM,
        "PYTHONPATH": str(CHECKOUT / "operator"),
        "VIBETHINKER_PACKAGE_IMAGE": "server:test",
    }
    with log.open("wb") as sink:
        operator = subprocess.Popen(
            [sys.executable, "-m", "vibethinker_operator"],
            env={**os.environ, **settings, **environment},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    try:
        return wait_for_line(operator, log, sentence)
    finally:
        operator.terminate()
        operator.wait(30)


def wait_for_line(operator: subprocess.Popen[bytes], log: Path, sentence: str) -> str:
    deadline = time.monotonic() + SAY_SECONDS
    while time.monotonic() < deadline and operator.poll() is None:
        for line in log.read_text().splitlines():
            if sentence in line:
                return line
        time.sleep(0.2)
    raise AssertionError(f"never said {sentence!r}:\n{log.read_text()[-3000:]}")


def test_an_operator_without_its_definition_says_so_and_how_to_bring_it(plane, tmp_path):
    install(plane, "--set", "crds.keep=false")
    plane.kubectl("delete", "crd", "--all")
    line = say(plane, tmp_path, "no CustomResourceDefinition vibethinkerdeployments.vibethinker.io")
    print(line)


def test_an_operator_told_to_watch_where_it_has_no_rights_names_the_namespace(plane, tmp_path):
    plane.kubectl("create", "namespace", "team-a")
    install(plane, "--set", "scope=namespaced", "--set", "watchNamespaces={team-a}")
    line = say(
        plane,
        tmp_path,
        "VIBETHINKER_NAMESPACES names team-b",
        VIBETHINKER_NAMESPACES="team-a,team-b",
    )
    print(line)
