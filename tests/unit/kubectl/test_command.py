"""The command against an API server on loopback: what is read, said, printed and returned."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from typer.testing import CliRunner, Result
from vibethinker_operator.kubectl.__main__ import app

from tests.unit.kubectl.fleet import DEPLOYMENT, PAGE, RESOURCE, engine_pod
from tests.unit.operating.builders import Body

CR = "/apis/vibethinker.io/v1alpha1/namespaces/team/vibethinkerdeployments/chat"
PODS = "/api/v1/namespaces/team/pods"
EVENTS = "/api/v1/namespaces/team/events"
CHILD = "/apis/apps/v1/namespaces/team/deployments/chat"
OPS = f"{PODS}/chat-a:9100/proxy/metrics"
LOG = f"{PODS}/chat-a/log"
OOM = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-24T04:00:00Z"}


class Api(ThreadingHTTPServer):
    """Answers by path; 403 where a path is forbidden, 404 where there is none."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            CR: RESOURCE,
            CHILD: DEPLOYMENT,
            PODS: {"items": [engine_pod()]},
            EVENTS: {"items": []},
            OPS: PAGE,
        }
        self.forbidden: set[str] = set()
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.server.asked.append(self.path)
        if path in self.server.forbidden:
            self._write(403, {"message": f"you may not read {path}"})
        elif path in self.server.answers:
            self._write(200, self.server.answers[path])
        else:
            self._write(404, {"message": "not found"})

    def _write(self, status: int, answer: Any) -> None:
        body = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if answer is body else "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig(url)))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def kubeconfig(url: str) -> Body:
    context = {"cluster": "c", "user": "u", "namespace": "team"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": context}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "chat", *arguments])


def kill(api: Api) -> None:
    body = engine_pod(ready=False, last=OOM, waiting={"reason": "CrashLoopBackOff"})
    api.answers[PODS] = {"items": [body]}
    api.answers[LOG] = "INFO serving\n"


def test_a_healthy_fleet_is_0_in_the_contexts_namespace(api: Api):
    result = run()
    assert result.exit_code == 0, result.output
    assert result.output.startswith("team/chat: 1 pods, 1 ready\n")
    assert "nothing is wrong" in result.output


def test_a_dead_fleet_is_1_with_evidence_field_and_value(api: Api):
    kill(api)
    result = run()
    assert result.exit_code == 1
    assert "1. OOMKilled (Error): container engine was ended" in result.output
    assert "change:   set spec.resources.limits.memory to 7Gi" in result.output
    assert any("previous=true" in path.lower() for path in api.asked if path.startswith(LOG))


def test_fix_prints_the_resource_alone_and_writes_nothing(api: Api):
    kill(api)
    result = run("--fix")
    assert result.exit_code == 1
    patched = yaml.safe_load(result.stdout)
    assert patched["spec"]["resources"]["limits"]["memory"] == "7Gi"
    assert "OOMKilled" in result.stderr


def test_programs_get_json(api: Api):
    kill(api)
    document = json.loads(run("--format", "json").stdout)
    assert [finding["code"] for finding in document["findings"]] == ["OOMKilled"]


@pytest.mark.parametrize("path", [CHILD, PODS, EVENTS, OPS])
def test_what_may_not_be_read_is_said_and_the_rest_is_looked_at(api: Api, path: str):
    api.forbidden.add(path)
    result = run()
    assert result.exit_code == (0 if path in {CHILD, EVENTS} else 2), result.output
    assert f"you may not read {path}" in result.output


def test_a_log_that_may_not_be_read_leaves_the_pods_status(api: Api):
    kill(api)
    api.forbidden.add(LOG)
    result = run()
    assert "(pods/log): you may not read" in result.output
    assert "OOMKilled" in result.output


@pytest.mark.parametrize("status", [403, 404])
def test_a_resource_that_cannot_be_read_is_2(api: Api, status: int):
    if status == 403:
        api.forbidden.add(CR)
    else:
        del api.answers[CR]
    result = run()
    assert result.exit_code == 2
    assert "vibethinkerdeployment chat in namespace team: " in result.stderr


def test_a_context_that_is_not_there_is_2(api: Api):
    result = run("--context", "elsewhere")
    assert result.exit_code == 2
    assert "kubeconfig: " in result.stderr


def test_another_namespace_is_asked_where_it_is_named(api: Api):
    assert run("-n", "elsewhere").exit_code == 2
    assert "/namespaces/elsewhere/" in api.asked[0]


def test_kubectl_finds_it_by_its_name():
    program = Path(sys.executable).with_name("kubectl-vibethinker")
    shown = subprocess.run(
        [program, "doctor", "--help"], capture_output=True, text=True, check=True
    )
    assert "--fix" in shown.stdout
