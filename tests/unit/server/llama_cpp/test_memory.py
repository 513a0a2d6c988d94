from pathlib import Path

import pytest
from vibethinker_server.llama_cpp.memory import LlamaServerProbe
from vibethinker_server.load import DeviceMemory

LIMIT = 4 * 2**30
ENVIRONMENT = {"VIBETHINKER_ENGINE_MEMORY_LIMIT": str(LIMIT)}


def write_process(proc: Path, pid: int, command: str, anonymous: str | None) -> None:
    directory = proc / str(pid)
    directory.mkdir(parents=True)
    (directory / "cmdline").write_bytes(command.replace(" ", "\0").encode() + b"\0")
    status = "Name:\tx\nVmRSS:\t  900 kB\n"
    (directory / "status").write_text(status + (anonymous or ""))


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "self").mkdir()
    write_process(tmp_path, 1, "/pause", "RssAnon:\t 4 kB\n")
    write_process(tmp_path, 9, "python3 -m vibethinker_server serve", "RssAnon:\t 70000 kB\n")
    write_process(tmp_path, 20, "/app/llama-server --port 8081", "RssAnon:\t 5 kB\n")
    return tmp_path


def read(proc: Path, environment: dict[str, str] = ENVIRONMENT) -> DeviceMemory | None:
    return LlamaServerProbe(environment, "8080", proc).read_memory()


def test_the_engines_anonymous_memory_over_its_containers_limit(proc: Path):
    command = "/app/llama-server --model /m.gguf --port 8080 --metrics"
    write_process(proc, 7, command, "RssAnon:\t 2048 kB\n")
    assert read(proc) == DeviceMemory(total_bytes=LIMIT, used_bytes=2 * 2**20)


def test_without_the_engine_in_sight_its_memory_is_unknown(proc: Path):
    assert read(proc) is None


def test_an_engine_that_has_just_ended_is_none(proc: Path):
    write_process(proc, 7, "llama-server --port 8080", anonymous=None)
    assert read(proc) is None


@pytest.mark.parametrize("limit", [{}, {"VIBETHINKER_ENGINE_MEMORY_LIMIT": "0"}])
def test_without_a_limit_memory_is_unknown(proc: Path, limit: dict[str, str]):
    write_process(proc, 7, "llama-server --port 8080", "RssAnon:\t 2048 kB\n")
    assert read(proc, limit) is None


def test_a_cpu_has_no_utilization(proc: Path):
    assert LlamaServerProbe(ENVIRONMENT, "8080", proc).read_utilization_ratio() is None
