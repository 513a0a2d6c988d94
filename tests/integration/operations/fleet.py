"""One fleet as a test sees it: its resource, its children, and its pods' load."""

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

import httpx

from tests.cluster.images import STUB_LOAD_PORT
from tests.integration.operations.kube import (
    DEPLOYMENTS,
    VTD,
    WAIT_SECONDS,
    Kube,
    Object,
    wait_for,
)

NAMESPACE = "fleets"
CLIENT_PORT = 8000


def build_fleet(name: str, namespace: str = NAMESPACE, **spec: Any) -> Object:
    """Returns a resource; `spec` has its blocks. Small: 4 of 16 GiB are not KV cache, 9.6 are."""
    return {
        "apiVersion": "vibethinker.io/v1alpha1",
        "kind": "VibeThinkerDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


class Fleet:
    """The fleet `name`."""

    def __init__(self, kube: Kube, name: str, namespace: str = NAMESPACE) -> None:
        self.kube, self.name, self.namespace = kube, name, namespace
        self.instance = f"app.kubernetes.io/instance={name}"
        self.selector = f"{self.instance},app.kubernetes.io/component=server"

    def resource(self) -> Object | None:
        """Returns the resource."""
        return self.kube.get(f"{VTD.format(self.namespace)}/{self.name}")

    def deployment(self) -> Object | None:
        """Returns the Deployment."""
        return self.kube.get(f"{DEPLOYMENTS.format(self.namespace)}/{self.name}")

    def pods(self) -> list[Object]:
        """Returns the pods that are not on their way out, by name."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        pods = self.kube.list_items(path, labelSelector=self.selector)
        staying = (pod for pod in pods if "deletionTimestamp" not in pod["metadata"])
        return sorted(staying, key=lambda pod: str(pod["metadata"]["name"]))

    def status(self) -> Object:
        """Returns the resource's status, empty where there is none."""
        return dict((self.resource() or {}).get("status") or {})

    def condition(self, kind: str) -> Object:
        """Returns one condition, empty where there is none."""
        conditions = self.status().get("conditions") or ()
        return next((dict(each) for each in conditions if each["type"] == kind), {})

    def replicas(self) -> int | None:
        """Returns what the Deployment is asked to run."""
        deployment = self.deployment()
        return None if deployment is None else int(deployment["spec"]["replicas"])

    def events(self, reason: str) -> list[Object]:
        """Returns the Events of that reason about the resource."""
        path = f"/api/v1/namespaces/{self.namespace}/events"
        field = f"involvedObject.name={self.name},reason={reason}"
        return self.kube.list_items(path, fieldSelector=field)

    def wait_ready(self, replicas: int) -> list[Object]:
        """Returns the pods once exactly so many are there and Ready."""

        def look() -> list[Object]:
            pods = self.pods()
            enough = len(pods) == replicas == self.replicas() and all(map(is_ready, pods))
            return pods if enough else []

        return wait_for(look, f"{replicas} Ready pods of {self.name}")

    def wait_condition(
        self, kind: str, status: str, *reasons: str, seconds: float = WAIT_SECONDS
    ) -> Object:
        """Returns a condition once it has this status, and one of the reasons if any is given."""

        def look() -> Object:
            found = self.condition(kind)
            right = found.get("status") == status
            return found if right and (not reasons or found["reason"] in reasons) else {}

        try:
            return wait_for(look, f"{kind}={status} {reasons} of {self.name}", seconds=seconds)
        except TimeoutError as error:
            error.add_note(f"the condition is {self.condition(kind)}")
            raise

    def set_kv_usage(self, usage: float | None, pods: Iterable[Object] | None = None) -> None:
        """Sets the share of the KV pool that the pods report as used."""
        for pod in self.pods() if pods is None else pods:
            url = f"http://{pod['status']['podIP']}:{STUB_LOAD_PORT}/stub/load"
            self.kube.network.call(httpx.post, url, json={"kvUsage": usage}).raise_for_status()

    def url(self) -> str:
        """Returns the Service's address."""
        service = self.kube.get(f"/api/v1/namespaces/{self.namespace}/services/{self.name}")
        assert service is not None
        return f"http://{service['spec']['clusterIP']}:{CLIENT_PORT}"

    def begin_chat(self, base: str, tokens: int) -> "Future[httpx.Response]":
        """Begins one request for so many tokens, twenty a second."""
        body = {"messages": [{"role": "user", "content": "word"}], "max_tokens": tokens}
        path = f"{base}/v1/chat/completions"
        return self.kube.network.begin(httpx.post, path, json=body, timeout=120)


def is_ready(pod: Object) -> bool:
    """Whether a pod is Ready."""
    conditions = pod["status"].get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
