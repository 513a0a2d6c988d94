from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import opened_page, running_browser
from tests.e2e.chat_page.reader import ANSWER_TOKENS, CHAT_POLICY
from tests.e2e.stub_control import Stub, serving_stub


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: its driver runs an event loop in this thread, which async tests
    of others would find running.
    """
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    directory = tmp_path_factory.mktemp("chat")
    with serving_stub(directory, CHAT_POLICY, STUB_ANSWER_TOKENS=str(ANSWER_TOKENS)) as stub:
        yield stub


@pytest.fixture
def stub(engine: Stub) -> Iterator[Stub]:
    """The stub engine, which runs by itself and has room."""
    yield engine
    engine.allow_steps(None)
    engine.fill_memory(None)


@pytest.fixture
def chat(browser: Browser, stub: Stub) -> Iterator[Page]:
    """The chat page, opened for the first time."""
    with opened_page(browser, stub.engine.url("/")) as watched:
        yield watched.page
