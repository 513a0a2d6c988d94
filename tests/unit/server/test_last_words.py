"""What is kept of the engine's errors, and that nothing of it ends the engine."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from vibethinker_doctor.termination import decode_finding
from vibethinker_server import names
from vibethinker_server.last_words import ENGINE_LOGGER, LastWords, install, keep_exception

KV = (
    "To serve at least one request with the model's max seq len (4096), (0.11 GiB KV cache is"
    " needed, which is larger than the available KV cache memory (0.06 GiB). Based on the"
    " available memory, the estimated maximum model length is 1168."
)
POOL = json.dumps({"kvCacheMemoryBytes": 64 * 2**20, "maxModelLen": 4096})


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    kept = tmp_path / "termination-log"
    monkeypatch.setenv(names.ENV_TERMINATION_LOG, str(kept))
    monkeypatch.setenv(names.ENV_ENGINE, POOL)
    logger = logging.getLogger(ENGINE_LOGGER)
    install()
    yield kept
    logger.handlers = [one for one in logger.handlers if not isinstance(one, LastWords)]


def fail(what: str, said: str) -> None:
    logging.getLogger(f"{ENGINE_LOGGER}.v1.engine.core").error(said, exc_info=ValueError(what))


def code_in(file: Path) -> str | None:
    finding = decode_finding(file.read_text())
    return finding.code if finding else None


def test_an_error_with_its_cause_in_the_traceback_is_kept(file: Path):
    fail(KV, "EngineCore failed to start.")
    finding = decode_finding(file.read_text())
    assert finding is not None
    assert (finding.code, finding.field) == ("KvCacheTooSmall", "engine.kvCacheMemoryBytes")


def test_what_follows_does_not_take_its_place_but_what_tells_more_does(file: Path):
    fail("list index out of range", "EngineCore encountered a fatal error.")
    assert code_in(file) == "EngineFailed"
    fail(KV, "EngineCore failed to start.")
    fail("[Errno 28] No space left on device", "x")
    assert code_in(file) == "KvCacheTooSmall"


def test_ordinary_errors_and_warnings_leave_the_file_to_the_kubelet(file: Path):
    logging.getLogger("vllm.x").error("a client sent nonsense")
    logging.getLogger("vllm.x").warning("Unknown vLLM environment variable detected: VLLM_USE_V1")
    assert not file.exists()


def test_it_is_installed_once(file: Path):
    install()
    handlers = logging.getLogger(ENGINE_LOGGER).handlers
    assert len([one for one in handlers if isinstance(one, LastWords)]) == 1


def test_a_file_that_cannot_be_written_ends_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file.mkdir()
    fail(KV, "EngineCore failed to start.")
    keep_exception(ValueError(KV), {names.ENV_TERMINATION_LOG: str(file)})
    assert "Logging error" not in capsys.readouterr().err


def test_without_the_variable_nothing_is_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(names.ENV_TERMINATION_LOG, raising=False)
    install()
    handlers = logging.getLogger(ENGINE_LOGGER).handlers
    assert not [one for one in handlers if isinstance(one, LastWords)]


def test_an_error_that_ends_the_process_unlogged_is_kept(tmp_path: Path):
    file = tmp_path / "log"
    keep_exception(ValueError(KV), {names.ENV_TERMINATION_LOG: str(file), names.ENV_ENGINE: "no"})
    assert code_in(file) == "MaxModelLenTooLarge"


def test_vllm_finds_it_by_its_entry_point_and_it_imports_no_vllm():
    (entry,) = entry_points(group="vllm.general_plugins", name="vibethinker_last_words")
    assert entry.load() is install
    code = "import sys, vibethinker_server.last_words; sys.exit('vllm' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
