"""The chat page without a mouse, and in both of its languages."""

import re
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import opened_page
from tests.e2e.chat_page.reader import (
    CUT,
    WHOLE,
    answers,
    button,
    notice,
    question,
    turns,
)
from tests.e2e.stub_control import Stub

CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]"
RING = "getComputedStyle(document.activeElement).outlineStyle"
ASK = 'textbox "Your question (Enter sends, Shift+Enter starts a new line)"'
REACHED = [
    'link "Skip to the question"',
    'button "中文"',
    'log "Conversation"',
    ASK,
    'combobox "Task"',
    'button "New conversation"',
    'button "Send"',
    "text: Settings",  # Chromium's name for what unfolds
]


def focused(page: Page) -> str:
    """Returns the control with the focus as a screen reader tells it, without what is in it."""
    control = page.locator(":focus")
    if control.count() == 0:
        return ""  # between the page's end and its beginning
    line = control.aria_snapshot().splitlines()[0].removeprefix("- ")
    return re.sub('":.*', '"', line)


def tabbed(page: Page) -> Iterator[str]:
    """Yields what each press of Tab reaches, from the page's beginning to its end."""
    page.locator("body").evaluate("body => { body.tabIndex = -1; body.focus() }")
    page.locator("body").evaluate("body => body.removeAttribute('tabindex')")
    for _ in range(page.locator(CONTROLS).locator("visible=true").count()):
        page.keyboard.press("Tab")
        yield focused(page)


def tab_to(page: Page, control: str) -> None:
    """Presses Tab until `control` has the focus."""
    for _ in range(20):
        if control in focused(page):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {control}")


def test_tab_reaches_every_control_in_order_and_shows_where_it_is(chat: Page):
    reached = []
    for control in tabbed(chat):
        reached.append(control)
        assert chat.evaluate(RING) == "solid", control
    assert reached == REACHED
    chat.keyboard.press("Enter")  # unfolds the settings
    assert list(tabbed(chat)) == [*REACHED, 'textbox "System prompt"']


def test_the_whole_of_a_conversation_needs_no_mouse(chat: Page, stub: Stub):
    expect(question(chat)).to_be_focused()
    chat.keyboard.type("one")
    chat.keyboard.press("Shift+Enter")
    chat.keyboard.type("two")
    tab_to(chat, "Task")
    chat.keyboard.press("ArrowUp")
    tab_to(chat, "Settings")
    chat.keyboard.press("Enter")
    tab_to(chat, "System prompt")
    chat.keyboard.press("Control+A")
    chat.keyboard.type("Rhyme.")
    tab_to(chat, "Send")
    chat.keyboard.press("Space")
    expect(answers(chat)).to_have_text([CUT])
    assert turns(stub.bodies()[-1]) == [("system", "Rhyme."), ("user", "one\ntwo")]
    tab_to(chat, "Continue")
    chat.keyboard.press("Enter")
    expect(answers(chat)).to_have_text([CUT, CUT])
    expect(question(chat)).to_be_focused()
    tab_to(chat, "New conversation")
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("article")).to_have_count(0)
    expect(question(chat)).to_be_focused()


def test_an_answer_is_stopped_by_keyboard(chat: Page, stub: Stub):
    stub.allow_steps(2)
    chat.keyboard.type("anything")
    chat.keyboard.press("Enter")
    expect(answers(chat)).to_have_text("word1")
    tab_to(chat, "Stop")
    chat.keyboard.press("Enter")
    expect(notice(chat)).to_have_text("Stopped.")
    expect(question(chat)).to_be_focused()


def test_the_first_tab_leads_past_everything_to_the_question(chat: Page):
    assert next(tabbed(chat)) == 'link "Skip to the question"'
    expect(chat.get_by_role("link")).to_be_in_viewport()
    chat.keyboard.press("Enter")
    expect(question(chat)).to_be_focused()


def test_enter_that_ends_the_writing_of_chinese_sends_nothing(chat: Page, stub: Stub):
    before = stub.bodies()
    question(chat).fill("ni hao")
    question(chat).dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(question(chat)).to_have_value("ni hao")
    assert stub.bodies() == before
    question(chat).dispatch_event("keydown", {"key": "Enter", "isComposing": False})
    expect(answers(chat)).to_have_text(WHOLE)


def test_it_speaks_english_and_chinese(chat: Page):
    tab_to(chat, "中文")
    chat.keyboard.press("Enter")
    expect(chat.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(chat.get_by_label("任务")).to_have_value("code")
    expect(chat.get_by_text("此模型用英文提问效果更好。")).to_be_visible()
    chat.get_by_label("你的问题").fill("一加一？")
    button(chat, "发送").press("Enter")
    expect(answers(chat)).to_have_text(WHOLE)
    button(chat, "English").press("Enter")
    expect(chat.locator("html")).to_have_attribute("lang", "en")
    expect(chat.get_by_text("This model answers best in English.")).to_be_visible()


def test_a_reader_of_chinese_finds_it_in_chinese(browser: Browser, stub: Stub):
    with opened_page(browser, stub.engine.url("/"), locale="zh-CN") as watched:
        expect(button(watched.page, "发送")).to_be_visible()
