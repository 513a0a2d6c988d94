from collections.abc import Iterator

import pytest

from tests.e2e import real_engine, real_llama
from tests.e2e.engine_process import EngineProcess

VLLM, LLAMA = "vllm", "llama"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts llama-server after vLLM, and last whoever ends the shared engine.

    A start of its own would cost half a minute.
    """

    def place(item: pytest.Item) -> tuple[bool, bool]:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        of_llama = LLAMA in parameters.values() or "llama" in getattr(item, "fixturenames", ())
        return of_llama, "last_of_vllm" in getattr(item, "fixturenames", ())

    items.sort(key=place)


@pytest.fixture(scope="session")
def started(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[EngineProcess, list[str]]]:
    """One real vLLM for all tests that leave it alive, and the phases of its start."""
    directory = tmp_path_factory.mktemp("vllm")
    with real_engine.running_vllm(directory, breakable=True) as engine:
        yield engine, real_engine.start_phases(engine)


@pytest.fixture
def vllm(started: tuple[EngineProcess, list[str]]) -> EngineProcess:
    """The shared engine, idle and with the tests' policy."""
    engine, _ = started
    real_engine.wait_until_idle(engine)
    return engine


@pytest.fixture(scope="session")
def started_llama(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[EngineProcess, list[str]]]:
    """One real llama-server behind our proxy, and the phases of its start."""
    directory = tmp_path_factory.mktemp("llama")
    with real_llama.running_llama(directory, breakable=True) as engine:
        yield engine, real_engine.start_phases(engine)


@pytest.fixture
def llama(started_llama: tuple[EngineProcess, list[str]]) -> EngineProcess:
    """The shared llama-server, idle and with the tests' policy."""
    engine, _ = started_llama
    real_engine.wait_until_idle(engine)
    return engine


@pytest.fixture(scope="session", params=[VLLM, LLAMA])
def started_server(request: pytest.FixtureRequest) -> tuple[EngineProcess, list[str]]:
    """Each real engine in turn, and the phases of its start."""
    name = "started" if request.param == VLLM else "started_llama"
    found: tuple[EngineProcess, list[str]] = request.getfixturevalue(name)
    return found


@pytest.fixture
def server(started_server: tuple[EngineProcess, list[str]]) -> EngineProcess:
    """Each real engine in turn, idle and with the tests' policy: what holds for both."""
    engine, _ = started_server
    real_engine.wait_until_idle(engine)
    return engine


@pytest.fixture
def last_of_vllm(vllm: EngineProcess) -> EngineProcess:
    """The shared engine, to be ended."""
    return vllm
