"""The box leaves nothing behind: not after `down`, not after its first process was killed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import Box, BoxError, start_box
from tests.cluster.cache import cache_root
from tests.cluster.capabilities import cgroup_hierarchies
from tests.cluster.images import BASE

NAME = "box-test"
BUILDS = str(cache_root() / "buildah")
NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "web", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
}
CONTAINER = {
    "name": "web",
    "image": BASE.name,
    "imagePullPolicy": "IfNotPresent",
    "command": ["python3", "-m", "http.server", "8000", "--directory", "/srv"],
    "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
    "resources": {"limits": {"memory": "128Mi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    },
    "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}],  # noqa: S108 - a path in the pod
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "web", "labels": {"app": "web"}},
    "spec": {
        "containers": [CONTAINER],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]},
}


def make_pod(box: Box) -> None:
    box.kubectl("apply", "-f", "-", stdin=json.dumps(NAMESPACE))
    box.kubectl("wait", "-n", "web", "--for=create", "serviceaccount/default", "--timeout=30s")
    for document in (POD, SERVICE):
        box.kubectl("apply", "-f", "-", stdin=json.dumps(document))
    box.kubectl("wait", "-n", "web", "--for=condition=Ready", "pod/web", "--timeout=60s")


def traces() -> set[str]:
    """Return whatever a box could leave on the machine: each trace a line that names it."""
    processes = {f"process {entry}" for entry in Path("/proc").glob("[0-9]*") if runs_in_box(entry)}
    # An image that is built meanwhile, for another box, is mounted in buildah's store.
    mounts = (m for m in Path("/proc/self/mounts").read_text().splitlines() if BUILDS not in m)
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True)
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    namespaces = {str(path) for path in Path("/run/netns").glob("*")}
    cgroups = {str(path) for root in cgroup_hierarchies() for path in root.glob(f"*{NAME}*")}
    firewall = {line for line in rules.stdout.splitlines() if line.startswith("table")}
    interfaces = {line.split(":")[1] for line in links.stdout.splitlines()}
    return processes | {*mounts} | interfaces | firewall | namespaces | cgroups


def runs_in_box(process: Path) -> bool:
    try:
        return f"/boxes/{NAME}/".encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False  # it ended while we looked


@pytest.fixture
def clean() -> Iterator[set[str]]:
    """Traces before any box of this name; the box is removed with its images afterwards."""
    Box(NAME).stop(purge=True)
    yield traces()
    Box(NAME).stop(purge=True)


def test_restricted_pod_is_reachable_and_down_leaves_nothing(clean):
    box = start_box(NAME, [BASE])
    make_pod(box)
    address = box.kubectl("get", "-n", "web", "service/web", "-o", "jsonpath={.spec.clusterIP}")
    fetch = f"import urllib.request as u; print(u.urlopen('http://{address}', timeout=5).status)"
    inside = subprocess.run(
        box.enter(["python3", "-c", fetch]), capture_output=True, text=True, check=False
    )
    assert inside.stdout == "200\n", inside.stderr
    assert box.kubectl("exec", "-n", "web", "web", "--", "id", "-u") == "10001\n"
    assert "GET / HTTP" in box.kubectl("logs", "-n", "web", "web")
    assert traces() - clean, "a running box must show, or the check below proves nothing"

    box.stop()

    assert traces() - clean == set()
    assert not box.alive


def test_killed_box_leaves_nothing_after_down_and_starts_again_with_its_images(clean):
    box = start_box(NAME, [BASE])
    make_pod(box)
    os.kill(box.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while box.alive and time.monotonic() < deadline:
        time.sleep(0.1)
    with pytest.raises(BoxError, match="not running"):
        box.kubectl("get", "nodes")

    box.stop()
    assert traces() - clean == set()

    again = start_box(NAME)
    assert BASE.keyed_name in again.loaded_images()
    assert again.kubectl("get", "pods", "--all-namespaces", "--output", "name") == ""
    make_pod(again)


def test_component_stays_down_until_it_is_started_again(clean):
    box = start_box(NAME)

    states = box.control("kill", "kube-apiserver")

    assert states["kube-apiserver"] == "stopped on request"
    assert states["etcd"] == "running"
    assert box.control("start", "kube-apiserver")["kube-apiserver"] == "running"
    assert box.kubectl("get", "nodes", "--output", "name") == f"node/{NAME}\n"
    with pytest.raises(BoxError, match="no component of the box is named 'kube-api'"):
        box.control("kill", "kube-api")
