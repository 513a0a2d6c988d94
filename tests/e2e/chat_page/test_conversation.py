"""The chat page as a person uses it: real Chromium, our server, a stub in the engine's place."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.browser import take_picture
from tests.e2e.chat_page.reader import (
    CUT,
    MATH_TOKENS,
    PICTURES,
    ROLE,
    ROLE_CHARACTERS,
    WHOLE,
    answers,
    ask,
    button,
    notice,
    open_settings,
    question,
    turns,
)
from tests.e2e.stub_control import Stub


def test_an_answer_appears_piece_by_piece(chat: Page, stub: Stub):
    stub.allow_steps(0)
    ask(chat, "What is 1 + 1?")
    expect(notice(chat)).to_have_text("Waiting for the first word …")
    # The stub holds a word back until it knows whether it is the last.
    stub.allow_steps(2)
    expect(answers(chat)).to_have_text("word1")
    expect(notice(chat)).to_be_empty()
    expect(button(chat, "Send")).to_be_disabled()
    expect(chat.get_by_role("log")).to_have_attribute("aria-busy", "true")
    stub.allow_steps(1)
    expect(answers(chat)).to_have_text("word1 word2")
    stub.allow_steps(None)
    expect(answers(chat)).to_have_text(WHOLE)
    expect(button(chat, "Send")).to_be_enabled()
    expect(chat.get_by_role("log")).to_have_attribute("aria-busy", "false")
    expect(question(chat)).to_be_focused()
    take_picture(chat, PICTURES / "answered.png")


def test_a_conversation_goes_on_with_what_was_said(chat: Page, stub: Stub):
    ask(chat, "first")
    expect(answers(chat)).to_have_text([WHOLE])
    ask(chat, "second")
    expect(answers(chat)).to_have_text([WHOLE, WHOLE])
    said = [("system", ROLE), ("user", "first"), ("assistant", WHOLE), ("user", "second")]
    assert turns(stub.bodies()[-1]) == said


def test_a_new_conversation_knows_nothing_of_the_old_one(chat: Page, stub: Stub):
    ask(chat, "first")
    expect(answers(chat)).to_have_text([WHOLE])
    button(chat, "New conversation").click()
    expect(chat.get_by_role("article")).to_have_count(0)
    ask(chat, "second")
    expect(answers(chat)).to_have_text([WHOLE])
    assert turns(stub.bodies()[-1]) == [("system", ROLE), ("user", "second")]


@pytest.mark.parametrize("words", [0, 2])
def test_one_begun_in_the_middle_of_an_answer_takes_nothing_over(
    chat: Page, stub: Stub, words: int
):
    ask(chat, "first")
    expect(answers(chat)).to_have_text([WHOLE])
    stub.allow_steps(words + 1)
    ask(chat, "second")
    expect(chat.get_by_role("article")).to_have_count(4)
    button(chat, "New conversation").click()
    expect(chat.get_by_role("article")).to_have_count(0)
    expect(button(chat, "Send")).to_be_enabled()
    expect(notice(chat)).to_be_empty()
    stub.allow_steps(None)
    ask(chat, "third")
    expect(answers(chat)).to_have_text([WHOLE])
    assert turns(stub.bodies()[-1]) == [("system", ROLE), ("user", "third")]


def test_the_task_that_is_chosen_limits_the_answer(chat: Page, stub: Stub):
    tasks = chat.get_by_label("Task")
    assert tasks.locator("option").all_text_contents() == [
        f"math, up to {MATH_TOKENS} tokens",
        "code, up to 768 tokens",
        "qa, up to 256 tokens",
    ]
    expect(tasks).to_have_value("code")
    tasks.select_option("qa")
    ask(chat, "anything")
    expect(answers(chat)).to_have_text(WHOLE)
    assert stub.bodies()[-1]["max_tokens"] == 256


def test_a_cut_answer_says_so_and_goes_on_when_asked(chat: Page, stub: Stub):
    chat.get_by_label("Task").select_option("math")
    ask(chat, "anything")
    expect(answers(chat)).to_have_text([CUT])
    expect(chat.get_by_text(f"Cut at {MATH_TOKENS} tokens.")).to_be_visible()
    take_picture(chat, PICTURES / "cut.png")
    button(chat, "Continue").click()
    expect(answers(chat)).to_have_text([CUT, CUT])
    asked = [("user", "anything"), ("assistant", CUT), ("user", "Continue where you stopped.")]
    assert turns(stub.bodies()[-1])[1:] == asked


@pytest.mark.parametrize(
    ("written", "reaches"), [(ROLE, [ROLE]), ("Answer in verse.", ["Answer in verse."]), ("", [])]
)
def test_what_stands_in_the_box_is_the_system_prompt(
    chat: Page, stub: Stub, written: str, reaches: list[str]
):
    open_settings(chat)
    box = chat.get_by_label("System prompt")
    expect(box).to_have_value(ROLE)
    box.fill(written)
    left = f"{ROLE_CHARACTERS - len(written)} of {ROLE_CHARACTERS} characters left"
    expect(chat.get_by_text(left)).to_be_visible()
    ask(chat, "anything")
    expect(answers(chat)).to_have_text(WHOLE)
    system = [("system", text) for text in reaches]
    assert turns(stub.bodies()[-1]) == [*system, ("user", "anything")]


def test_what_is_written_is_shown_and_never_run(chat: Page):
    trick = "<img src=x onerror=alert(1)>\\n```html\\n<script>alert(2)</script>\\n```\\nend"
    delta = f'{{"choices": [{{"delta": {{"content": "{trick}"}}, "finish_reason": "stop"}}]}}'

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=f"data: {delta}\n\ndata: [DONE]\n\n")

    chat.route("**/v1/chat/completions", answer)
    ask(chat, "<b>question</b>")
    expect(chat.locator("article.user")).to_contain_text("<b>question</b>")
    expect(answers(chat).locator("p").first).to_contain_text("<img src=x onerror=alert(1)>")
    expect(answers(chat).locator("pre")).to_have_text("<script>alert(2)</script>")
    expect(chat.locator("article :is(img, script, b)")).to_have_count(0)


def test_the_browser_lets_the_page_ask_its_own_server_alone(browser: Browser, stub: Stub):
    page = browser.new_page()
    page.goto(stub.engine.url("/"))

    def reach(address: str) -> object:
        asked = "one => fetch(one, {mode: 'no-cors'}).then(() => 'answered', () => 'refused')"
        return page.evaluate(asked, address)

    assert reach("/v1/models") == "answered"
    assert reach(f"{stub.door}/bodies") == "refused"
    page.close()
