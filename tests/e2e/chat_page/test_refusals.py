"""What the chat page says and does where there is no answer, or only a part of one."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.browser import opened_page, take_picture
from tests.e2e.chat_page.reader import (
    CHAT_POLICY,
    PICTURES,
    ROLE_CHARACTERS,
    WHOLE,
    answers,
    ask,
    button,
    notice,
    open_settings,
    question,
    turns,
    wait_for_refusal,
)
from tests.e2e.stub_control import Stub, serving_stub

KEY = "a-key-of-somebody"
FULL = 0.99


def test_a_busy_fleet_is_waited_for_second_by_second(chat: Page, stub: Stub):
    stub.fill_memory(FULL)
    chat.clock.install()
    ask(chat, "anything")
    while (seconds := wait_for_refusal(chat)) < 2:
        chat.clock.run_for(1000)  # it comes back and is refused again
    expect(notice(chat)).to_have_attribute("aria-live", "polite")
    take_picture(chat, PICTURES / "busy.png")
    before, sent = stub.bodies(), requests_of(chat)
    for left in range(seconds - 1, 0, -1):
        chat.clock.run_for(1000)
        expect(notice(chat)).to_have_text(f"Busy, retry in {left} s.")
        expect(notice(chat)).to_have_attribute("aria-live", "off")
    assert (stub.bodies(), sent) == (before, [])
    stub.fill_memory(None)
    chat.clock.run_for(1000)
    expect(answers(chat)).to_have_text(WHOLE)
    assert len(sent) == 1
    assert turns(stub.bodies()[-1])[1:] == [("user", "anything")]


def requests_of(page: Page) -> list[str]:
    """Returns a list that grows with each request of the page from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    return sent


def test_a_conversation_that_was_let_in_goes_on_where_a_new_one_waits(chat: Page, stub: Stub):
    ask(chat, "first")
    expect(answers(chat)).to_have_text([WHOLE])
    stub.fill_memory(FULL)
    ask(chat, "second")
    expect(answers(chat)).to_have_text([WHOLE, WHOLE])
    button(chat, "New conversation").click()
    ask(chat, "third")
    wait_for_refusal(chat)


def test_waiting_can_be_stopped(chat: Page, stub: Stub):
    stub.fill_memory(FULL)
    ask(chat, "anything")
    wait_for_refusal(chat)
    button(chat, "Stop").click()
    expect(notice(chat)).to_have_text("Stopped.")
    expect(question(chat)).to_have_value("anything")


def test_an_answer_can_be_stopped_and_what_came_of_it_stays(chat: Page, stub: Stub):
    stub.allow_steps(3)
    ask(chat, "anything")
    expect(answers(chat)).to_have_text("word1 word2")
    button(chat, "Stop").click()
    expect(notice(chat)).to_have_text("Stopped.")
    expect(answers(chat)).to_have_text("word1 word2")
    expect(question(chat)).to_have_value("")
    expect(button(chat, "Stop")).to_be_hidden()


def test_an_answer_whose_end_never_came_is_no_whole_one(chat: Page):
    event = 'data: {"choices": [{"delta": {"content": "half a"}, "finish_reason": null}]}\n\n'

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=event)

    chat.route("**/v1/chat/completions", answer)
    ask(chat, "anything")
    expect(notice(chat)).to_have_text("The connection was lost. Send again.")
    expect(answers(chat)).to_have_text("half a")


def test_a_system_prompt_too_long_is_told_and_the_question_given_back(chat: Page, stub: Stub):
    before = stub.bodies()
    open_settings(chat)
    box = chat.get_by_label("System prompt")
    box.fill("x" * (ROLE_CHARACTERS + 1))
    expect(box).to_have_attribute("aria-invalid", "true")
    ask(chat, "anything")
    expect(notice(chat)).to_contain_text(f"at most {ROLE_CHARACTERS} characters")
    expect(question(chat)).to_have_value("anything")
    expect(chat.get_by_role("article")).to_have_count(0)
    assert stub.bodies() == before


def test_without_a_key_it_asks_for_one_and_sends_it(
    browser: Browser, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    (tmp_path / "somebody").write_text(KEY)
    directory = tmp_path_factory.mktemp("keys")
    with (
        serving_stub(directory, CHAT_POLICY, VIBETHINKER_API_KEYS=str(tmp_path)) as stub,
        opened_page(browser, stub.engine.url("/")) as watched,
    ):
        chat = watched.page
        ask(chat, "anything")
        expect(notice(chat)).to_have_text("Enter your API key under Settings.")
        expect(chat.get_by_label("API key")).to_be_focused()
        chat.keyboard.type("a-key-of-nobody")
        chat.keyboard.press("Enter")
        expect(notice(chat)).to_contain_text("This API key is not accepted.")
        expect(question(chat)).to_have_value("anything")
        take_picture(chat, PICTURES / "key.png")
        chat.get_by_label("API key").fill(KEY)
        chat.keyboard.press("Enter")
        expect(answers(chat)).to_contain_text("word1")
        assert turns(stub.bodies()[-1])[1:] == [("user", "anything")]


def test_where_no_key_is_needed_none_is_asked_for(chat: Page):
    open_settings(chat)
    expect(chat.get_by_label("System prompt")).to_be_visible()
    expect(chat.get_by_label("API key")).to_be_hidden()
