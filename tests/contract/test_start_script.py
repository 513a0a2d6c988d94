"""What start.sh says before it installs anything."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path("start.sh").resolve()


def run(*arguments: str, venv: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, "VIBETHINKER_VENV": str(venv), **environment}
    return subprocess.run(
        [str(SCRIPT), *arguments],
        check=False,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_asking_for_help_installs_nothing(tmp_path: Path):
    venv = tmp_path / "venv"
    ended = run("--port", "80", "--help", venv=venv)
    assert ended.returncode == 0
    assert "docs/server-settings.md" in ended.stdout
    assert str(venv) in ended.stdout
    assert not venv.exists()


def test_a_python_that_is_not_there_is_named_with_what_to_do(tmp_path: Path):
    ended = run(venv=tmp_path / "venv", PYTHON="python-of-nobody")
    assert ended.returncode == 2
    assert "python-of-nobody is not Python 3.11 or newer" in ended.stderr
    assert "PYTHON=python3.11" in ended.stderr


def test_a_place_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    ended = run(venv=tmp_path / "file" / "venv")
    assert ended.returncode == 2
    assert "VIBETHINKER_VENV" in ended.stderr
