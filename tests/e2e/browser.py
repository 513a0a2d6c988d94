"""Debian's own Chromium without a window, and what a page did in it that it should not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.cluster.capabilities import find_program
from tests.cluster.packages import install_packages

# Playwright brings a driver and no browser: this one is checked and patched by Debian.
BROWSER_PACKAGES = {"chromium": "chromium"}
REFUSALS = re.compile("the server responded with a status of (400|401|429)")


@dataclass
class Watched:
    """A page with its errors, and every address that it asked for.

    Attributes:
        page: the page.
        errors: what its console showed as wrong, and exceptions that nobody caught.
        addresses: where its requests went.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def note_message(self, message: ConsoleMessage) -> None:
        """Keeps a warning or an error; the browser calls any refused request one."""
        if message.type in ("warning", "error") and not REFUSALS.search(message.text):
            self.errors.append(message.text)

    def note_request(self, request: Request) -> None:
        """Keeps where a request goes, whatever becomes of it."""
        if not request.url.startswith("data:"):
            self.addresses.append(request.url)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Starts Chromium, which is installed where missing."""
    install_packages(BROWSER_PACKAGES)
    program = find_program("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened_page(browser: Browser, address: str, **context: Any) -> Iterator[Watched]:
    """Opens `address` as a person does who was never there; fails where it misbehaves."""
    visit = browser.new_context(**{"locale": "en-GB", **context})
    watched = Watched(visit.new_page())
    watched.page.set_default_timeout(15_000)
    watched.page.on("console", watched.note_message)
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    watched.page.on("request", watched.note_request)
    try:
        watched.page.goto(address)
        yield watched
        assert not watched.errors, watched.errors
        elsewhere = [one for one in watched.addresses if not one.startswith(address)]
        assert not elsewhere, elsewhere
        assert not visit.cookies(), visit.cookies()
    finally:
        visit.close()


def take_picture(page: Page, file: Path) -> None:
    """Writes what a person would see."""
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file, full_page=True)
