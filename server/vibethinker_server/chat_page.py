"""The chat page: one document that needs nothing from anywhere else. Pure but for its own files.

Its script sends what any client sends, to the same routes: no cookie, no key in the page, no right
of its own. The ticket of its session lives in the page and goes with it.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files

from vibethinker_server.openai_errors import OpenAIError
from vibethinker_server.policy import Policy
from vibethinker_server.profiles import Profile, ProfileKind

_PARTS = files("vibethinker_server") / "chat"
_STYLE = (_PARTS / "style.css").read_text(encoding="utf-8")
_SCRIPT = (_PARTS / "chat.js").read_text(encoding="utf-8")
_DOCUMENT = (
    (_PARTS / "index.html")
    .read_text(encoding="utf-8")
    .replace("/*STYLE*/", _STYLE)
    .replace("/*SCRIPT*/", _SCRIPT)
)


def _hash_source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


PAGE_HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"content-type", b"text/html; charset=utf-8"),
    # Only what stands in the page runs, and it speaks to its own server alone.
    (
        b"content-security-policy",
        (
            f"default-src 'none'; script-src {_hash_source(_SCRIPT)}; style-src"
            f" {_hash_source(_STYLE)}; connect-src 'self'; img-src data:; base-uri 'none';"
            " form-action 'none'; frame-ancestors 'none'"
        ).encode(),
    ),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def render_page(
    policy: Policy, *, served_name: str, max_new_tokens: int, key_required: bool
) -> bytes:
    """Returns the page of the first WebUI profile, in UTF-8.

    Args:
        policy: profiles, tasks and their caps in tokens.
        served_name: the model's name in requests.
        max_new_tokens: what no answer of this pod exceeds.
        key_required: whether requests must bring an API key.

    Raises:
        OpenAIError: 404 where no profile is of kind WebUI.
    """
    profile = _find_profile(policy.profiles)
    settings = {
        "model": served_name,
        "profile": profile.name,
        "tasks": {task: min(cap, max_new_tokens) for task, cap in policy.token_limits.items()},
        "defaultTask": policy.default_task,
        "keyRequired": key_required,
        "systemPrompt": profile.system_prompt,
        "systemPromptCharacters": profile.max_system_prompt_characters,
    }
    # Inside a script element only "<" could end it.
    text = json.dumps(settings, ensure_ascii=False).replace("<", "\\u003c")
    return _DOCUMENT.replace("/*SETTINGS*/", text).encode()


def _find_profile(profiles: Sequence[Profile]) -> Profile:
    for profile in profiles:
        if profile.kind is ProfileKind.WEB_UI:
            return profile
    raise OpenAIError(404, "No profile of this fleet is of kind WebUI: no chat page.", "not_found")
