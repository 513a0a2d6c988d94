"""How the chat page looks: to axe's rules of accessibility, in the dark, and on a telephone."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import opened_page, take_picture
from tests.e2e.chat_page.reader import PICTURES, ask, button, open_settings
from tests.e2e.stub_control import Stub

PHONE: Any = {"width": 360, "height": 640}


def offences(page: Page) -> list[str]:
    """Returns what axe finds: contrast, names, roles, order of headings and the like."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_nothing_to_object_to(browser: Browser, stub: Stub, scheme: str):
    with opened_page(browser, stub.engine.url("/"), color_scheme=scheme) as watched:
        page = watched.page
        assert offences(page) == []
        page.get_by_label("Task").select_option("math")
        ask(page, "anything")
        expect(button(page, "Continue")).to_be_visible()
        open_settings(page)
        assert offences(page) == []
        take_picture(page, PICTURES / f"{scheme}.png")


def test_it_fits_a_telephone(browser: Browser, stub: Stub):
    with opened_page(browser, stub.engine.url("/"), viewport=PHONE) as watched:
        ask(watched.page, "a" * 200)
        expect(button(watched.page, "Send")).to_be_enabled()
        take_picture(watched.page, PICTURES / "telephone.png")
        wide = watched.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"]
