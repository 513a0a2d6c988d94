"""What a person does with the chat page, and sees on it; and the fleet that it is a page of."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.engine_process import POLICY, ROOT

ROLE = "You are a competitive programming assistant."
ROLE_CHARACTERS = 100
ANSWER_TOKENS, MATH_TOKENS = 8, 5
WHOLE = " ".join(f"word{number}" for number in range(1, ANSWER_TOKENS + 1))
CUT = " ".join(WHOLE.split()[:MATH_TOKENS])
_PEOPLE = {
    "name": "people",
    "kind": "WebUI",
    "systemPrompt": ROLE,
    "maxSystemPromptCharacters": ROLE_CHARACTERS,
}
CHAT_POLICY = POLICY | {
    "tokenLimits": {"math": MATH_TOKENS, "code": 768, "qa": 256},
    "defaultTask": "code",
    # The page must ask for its profile: the first is not its own.
    "profiles": [{"name": "app", "kind": "App", "systemPrompt": "Be terse."}, _PEOPLE],
}
PICTURES = ROOT / "build" / "chat-page"


def question(page: Page) -> Locator:
    """Returns the box for the question."""
    return page.get_by_label("Your question")


def button(page: Page, name: str) -> Locator:
    """Returns the button of this name."""
    return page.get_by_role("button", name=name)


def answers(page: Page) -> Locator:
    """Returns the texts of the model's answers."""
    return page.locator("article.assistant > div")


def notice(page: Page) -> Locator:
    """Returns the line that says what goes on."""
    return page.get_by_role("status")


def ask(page: Page, text: str) -> None:
    """Sends a question."""
    question(page).fill(text)
    button(page, "Send").click()


def open_settings(page: Page) -> None:
    """Unfolds the settings."""
    page.get_by_text("Settings", exact=True).click()


def wait_for_refusal(page: Page) -> int:
    """Waits for the notice of a busy fleet; returns the seconds that it tells."""
    expect(notice(page)).to_contain_text("Busy, retry in ")
    return int(notice(page).inner_text().split()[-2])


def turns(body: Any) -> list[tuple[str, str]]:
    """Returns who said what in the body of a chat."""
    return [(one["role"], one["content"].strip()) for one in body["messages"]]
