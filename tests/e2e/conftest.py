from collections.abc import Iterator

import pytest

from tests.e2e import real_engine
from tests.e2e.engine_process import EngineProcess


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts last whoever ends the shared engine: a start of its own would cost half a minute."""
    items.sort(key=lambda item: "last_of_vllm" in getattr(item, "fixturenames", ()))


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


@pytest.fixture
def last_of_vllm(vllm: EngineProcess) -> EngineProcess:
    """The shared engine, to be ended."""
    return vllm
