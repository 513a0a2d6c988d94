from pathlib import Path

import pytest
from vibethinker_server import __main__ as command
from vibethinker_server.checkpoint.gguf_header import read_gguf_header
from vibethinker_server.command_line import build_parser, parse_options
from vibethinker_server.engine_settings import Device
from vibethinker_server.one_click.options import StartOptions

from tests.support.tiny_qwen2 import write_tiny_qwen2


@pytest.fixture(autouse=True)
def no_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)


def options(*arguments: str) -> StartOptions:
    return parse_options(build_parser().parse_args(["start", *arguments]))


def test_without_a_word_it_is_the_model_on_8080_for_this_machine_alone():
    assert options() == StartOptions()
    assert (options().port, options().host) == (8080, "127.0.0.1")
    assert options("--port", "9000").ops_port == 9001
    assert options().model == "WeiboAI/VibeThinker-1.5B"


def test_every_option_arrives():
    said = options(
        *("--model", "m", "--revision", "r", "--served-name", "s", "--device", "cpu"),
        *("--host", "h", "--port", "1", "--ops-port", "2", "--policy", "p", "--api-keys", "k"),
        *("--set", "maxNumSeqs=4", "--set", "flags.seed=7", "--background", "--log", "l"),
    )
    assert said == StartOptions(
        model="m",
        revision="r",
        served_name="s",
        device=Device.CPU,
        host="h",
        port=1,
        ops_port=2,
        policy=Path("p"),
        api_keys=Path("k"),
        changes=(("maxNumSeqs", 4), ("flags.seed", 7)),
        background=True,
        log=Path("l"),
    )


@pytest.mark.parametrize("place", [("--print-args", "start"), ("start", "--print-args")])
def test_print_args_may_stand_before_the_command_and_after_it(place: tuple[str, ...]):
    assert build_parser().parse_args(place).print_args is True
    assert build_parser().parse_args(["start"]).print_args is False


def test_without_a_command_there_is_a_usage(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        command.main([])
    assert "name a command" in capsys.readouterr().err


def test_what_cannot_be_started_is_said_in_one_line(capsys: pytest.CaptureFixture[str]):
    assert command.main(["start", "--model", "weibo/VibeThinker-1.5B"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("vibethinker-server start: --model weibo/VibeThinker-1.5B")


def test_ctrl_c_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted(_options: StartOptions) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("vibethinker_server.one_click.start.start", interrupted)
    assert command.main(["start"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_in_a_pod_the_command_is_the_pods(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("vibethinker_server.serve.show_command", lambda _environment: "the pod's")
    monkeypatch.setattr(
        "vibethinker_server.one_click.start.show_start", lambda options: options.model
    )
    monkeypatch.delenv("VIBETHINKER_ENGINE", raising=False)
    assert command.main(["--print-args"]) == 0
    assert command.main(["start", "--print-args", "--model", "mine"]) == 0
    monkeypatch.setenv("VIBETHINKER_ENGINE", "{}")
    assert command.main(["--print-args"]) == 0
    assert command.main(["serve", "--print-args"]) == 0
    assert capsys.readouterr().out.split("\n") == [
        *("WeiboAI/VibeThinker-1.5B", "mine", "the pod's", "the pod's", "")
    ]


def test_a_checkpoint_is_exported_and_its_sizes_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source, out = write_tiny_qwen2(tmp_path / "Tiny"), tmp_path / "tiny.gguf"
    said = ["export-gguf", "--model", str(source), "--out", str(out), "--outtype", "q8_0"]

    assert command.main(said) == 0
    told = capsys.readouterr().out
    size = read_gguf_header(out).weights_bytes
    assert told.startswith(f"{out}: written and read back, GGUF (q8_0): weights 0.1 MB before")
    assert f"({size} bytes)" in told

    assert command.main(said) == 0
    assert "is there already" in capsys.readouterr().out


def test_the_converter_may_be_named_by_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    source = write_tiny_qwen2(tmp_path / "Tiny")
    said = ["export-gguf", "--model", str(source), "--out", str(tmp_path / "tiny.gguf")]
    monkeypatch.setenv("VIBETHINKER_GGUF_CONVERTER", "/none/convert.py")

    assert command.main(said) == 2
    assert "/none/convert.py: there is no such file" in capsys.readouterr().err


def test_an_outtype_that_llama_cpp_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    said = ["export-gguf", "--model", ".", "--out", str(tmp_path / "x.gguf"), "--outtype", "q3"]

    assert command.main(said) == 2
    assert "known are f16, bf16, q8_0" in capsys.readouterr().err
