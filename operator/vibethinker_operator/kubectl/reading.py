"""Reads a fleet from the API server with the rights of whoever asks. I/O; writes nothing."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from vibethinker_operator import names
from vibethinker_operator.kubectl.gathered import Body, Gathered, PodReading

LOG_LINES = 3000
"""Of the end of a log: a failed start writes some hundred lines after its cause."""
TIMEOUT_SECONDS = 15.0
NOT_FOUND = 404


class ReadingError(Exception):
    """Nothing can be read; the text says why, and what to do."""


def connect(context: str | None) -> tuple[client.ApiClient, str]:
    """Returns a client for the kubeconfig's context, and that context's namespace.

    Raises:
        ReadingError: there is no such context.
    """
    try:
        contexts, active = config.list_kube_config_contexts()
        chosen = next((one for one in contexts if one["name"] == context), active)
        api = config.new_client_from_config(context=context)
    except ConfigException as error:
        raise ReadingError(f"kubeconfig: {error}") from error
    return api, str((chosen.get("context") or {}).get("namespace") or "default")


def gather(api: client.ApiClient, namespace: str, name: str) -> Gathered:
    """Returns everything that may be read of the fleet.

    Raises:
        ReadingError: the resource itself cannot be read.
    """
    reader = _Reader(api, namespace)
    resource = reader.read_resource(name)
    deployment = reader.try_read(
        "the Deployment", client.AppsV1Api(api).read_namespaced_deployment, name
    )
    selector = ",".join(f"{key}={value}" for key, value in names.selector_labels(name).items())
    pods = reader.try_list(
        "pods", client.CoreV1Api(api).list_namespaced_pod, label_selector=selector
    )
    events = reader.try_list(
        "events", client.CoreV1Api(api).list_namespaced_event, field_selector="type=Warning"
    )
    return Gathered(
        resource=resource,
        deployment=deployment,
        pods=tuple(reader.read_pod(pod) for pod in pods),
        warnings=tuple(_about(events, {pod["metadata"]["name"] for pod in pods})),
        notes=tuple(dict.fromkeys(reader.notes)),
    )


class _Reader:
    """Reads object by object, and notes what it may not."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        self._namespace = namespace
        self.notes: list[str] = []

    def read_resource(self, name: str) -> Body:
        read: Any = client.CustomObjectsApi(self._api).get_namespaced_custom_object
        try:
            found = read(
                *(names.GROUP, names.VERSION, self._namespace, names.PLURAL, name),
                _request_timeout=TIMEOUT_SECONDS,
            )
        except ApiException as error:
            where = f"{names.SINGULAR} {name} in namespace {self._namespace}"
            raise ReadingError(f"{where}: {_say(error)}") from error
        except HTTPError as error:
            raise ReadingError(f"the API server does not answer: {error}") from error
        return dict(found)

    def read_pod(self, body: Body) -> PodReading:
        """Returns the pod with its page and, where it did not come up or died, its log."""
        name = body["metadata"]["name"]
        return PodReading(
            body=body,
            page=self._read_page(name) if _is_running(body) else None,
            log=self._read_log(name, body) if _is_ailing(body) else "",
        )

    def try_read(self, what: str, call: Callable[..., Any], name: str) -> Body | None:
        """Returns one object; None, and a note, where it may not be read."""
        try:
            return _parse(call(name, self._namespace, **_RAW))
        except (ApiException, HTTPError) as error:
            if getattr(error, "status", None) != NOT_FOUND:
                self.notes.append(f"{what} could not be read: {_say(error)}")
            return None

    def try_list(self, what: str, call: Callable[..., Any], **how: str) -> list[Body]:
        """Returns the objects; none, and a note, where they may not be read."""
        try:
            return list(_parse(call(self._namespace, **how, **_RAW)).get("items") or ())
        except (ApiException, HTTPError) as error:
            self.notes.append(f"{what} could not be read: {_say(error)}")
            return []

    def _read_page(self, pod: str) -> str | None:
        call: Any = self._core.connect_get_namespaced_pod_proxy_with_path
        target = f"{pod}:{names.OPS_PORT}"
        try:
            answer = call(target, self._namespace, names.PATH_METRICS.lstrip("/"), **_RAW)
        except (ApiException, HTTPError) as error:
            self.notes.append(f"pod {pod}: its page could not be read (pods/proxy): {_say(error)}")
            return None
        return str(answer.data.decode(errors="replace"))

    def _read_log(self, pod: str, body: Body) -> str:
        """Returns the log of the container before this one, or of this one if it is the first."""
        call: Any = self._core.read_namespaced_pod_log
        how = {"container": names.ENGINE_CONTAINER, "tail_lines": LOG_LINES, **_RAW}
        try:
            answer = call(pod, self._namespace, previous=_was_restarted(body), **how)
        except (ApiException, HTTPError) as error:
            self.notes.append(f"pod {pod}: its log could not be read (pods/log): {_say(error)}")
            return ""
        return str(answer.data.decode(errors="replace"))


# Plain JSON: the models of the client refuse what a newer API server adds.
_RAW: Mapping[str, Any] = {"_preload_content": False, "_request_timeout": TIMEOUT_SECONDS}


def _parse(answer: Any) -> Body:
    parsed: Body = json.loads(answer.data)
    return parsed


def _say(error: Exception) -> str:
    """Returns the API server's own sentence."""
    if not isinstance(error, ApiException):
        return str(error)
    try:
        said = json.loads(error.body or "{}").get("message")
    except (ValueError, AttributeError):
        said = None
    return said or f"{error.status} {error.reason}"


def _about(events: list[Body], pods: set[str]) -> Iterator[tuple[str, str]]:
    for event in events:
        if (event.get("involvedObject") or {}).get("name") in pods:
            yield str(event.get("reason") or ""), str(event.get("message") or "")


def _engine_status(body: Body) -> Body:
    statuses = (body.get("status") or {}).get("containerStatuses") or ()
    return next((one for one in statuses if one.get("name") == names.ENGINE_CONTAINER), {})


def _is_running(body: Body) -> bool:
    return "running" in (_engine_status(body).get("state") or {})


def _was_restarted(body: Body) -> bool:
    return bool((_engine_status(body).get("lastState") or {}).get("terminated"))


def _is_ailing(body: Body) -> bool:
    status = _engine_status(body)
    return bool(status) and (_was_restarted(body) or not status.get("ready"))
