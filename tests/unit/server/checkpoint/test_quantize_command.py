import sys
from pathlib import Path

import pytest
from vibethinker_server import __main__ as command

from tests.support.checkpoints import read_raw, write_checkpoint


@pytest.fixture(autouse=True)
def no_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)


def test_sizes_before_and_after_and_the_share_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source, out = write_checkpoint(tmp_path / "model"), tmp_path / "int8"
    assert command.main(["quantize", "--model", str(source), "--out", str(out)]) == 0
    before = sum(len(data) for _, _, data in read_raw(source).values())
    after = sum(len(data) for _, _, data in read_raw(out).values())
    shown = capsys.readouterr()
    assert f"{out}: written, INT8 (w8a8): weights " in shown.out
    assert f"({before} bytes)" in shown.out
    assert f"({after} bytes), {100 * (1 - after / before):.1f} % saved" in shown.out
    assert "reading" in shown.err
    assert command.main(["quantize", "--model", str(source), "--out", str(out)]) == 0
    assert f"{out}: is there already, INT8 (w8a8)" in capsys.readouterr().out


def test_the_other_method_and_another_checkpoint_in_its_place(tmp_path: Path):
    source, out = write_checkpoint(tmp_path / "model"), tmp_path / "int8"
    other = write_checkpoint(tmp_path / "other", seed=9)
    arguments = ["--out", str(out), "--method", "bitsandbytes"]
    assert command.main(["quantize", "--model", str(source), *arguments]) == 0
    assert command.main(["quantize", "--model", str(other), *arguments]) == 2
    assert command.main(["quantize", "--model", str(other), *arguments, "--overwrite"]) == 0
    assert any(name.endswith(".SCB") for name in read_raw(out))


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = write_checkpoint(tmp_path / "model")
    (source / "config.json").write_text("{}")
    out = tmp_path / "int8"
    assert command.main(["quantize", "--model", str(source), "--out", str(out)]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"vibethinker-server quantize: {source}/config.json: architectures")
    assert not out.exists()


def test_a_method_that_is_no_int8_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command.main(["quantize", "--out", "x", "--method", "nf4"])
    assert "bitsandbytes" in capsys.readouterr().err


def test_without_numpy_the_message_says_where_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert command.main(["quantize", "--out", "x"]) == 2
    assert "numpy is missing: run it where vLLM is" in capsys.readouterr().err


def test_a_repository_is_downloaded_at_its_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = write_checkpoint(tmp_path / "model")
    asked = []

    def download(repository: str, revision: str, say: object) -> Path:
        asked.append((repository, revision))
        return source

    monkeypatch.setattr("vibethinker_server.one_click.download.download_model", download)
    arguments = ["--model", "a/b", "--revision", "v1", "--out", str(tmp_path / "int8")]
    assert command.main(["quantize", *arguments]) == 0
    assert asked == [("a/b", "v1")]
