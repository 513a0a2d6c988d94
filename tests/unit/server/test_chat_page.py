"""The chat page: what it carries, what it may do, and who gets it."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.api_keys import ApiKeys
from vibethinker_server.chat_page import PAGE_HEADERS, render_page
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.policy import Policy
from vibethinker_server.profiles import Profile, ProfileKind

from tests.support.hostile_requests import Hostile
from tests.support.recording_engine import Answer, RecordingEngine, ask
from tests.support.server_runtime import make_policy, make_rig

ROLE = 'You are a "careful" assistant. </script><script>alert(1)</script> 你好'
WEB_UI = Profile("people", ProfileKind.WEB_UI, ROLE, max_system_prompt_characters=2000)
APP = Profile("app", ProfileKind.APP, "You are terse.")


def page_of(policy: Policy, *, key_required: bool = False) -> str:
    page = render_page(policy, served_name="vt", max_new_tokens=768, key_required=key_required)
    return page.decode()


def settings_of(page: str) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="settings">(.*?)</script>', page, re.DOTALL
    )
    assert found is not None
    return dict(json.loads(found[1]))


async def get(tmp_path: Path, policy: Policy, method: str = "GET", keys: Path | None = None):
    rig = make_rig(tmp_path, policy)
    rig.runtime.api_keys = None if keys is None else ApiKeys(keys)
    engine = RecordingEngine()
    request = Hostile(what="the page", status=200, method=method, path="/", body=b"")
    answer: Answer = await ask(VibeThinkerMiddleware(engine, rig.runtime), request)
    assert engine.paths == []
    return answer


def test_it_carries_what_this_fleet_offers():
    limits = {"math": 512, "proofs": 4000}
    policy = make_policy(profiles=(APP, WEB_UI), token_limits=limits, default_task="math")
    assert settings_of(page_of(policy, key_required=True)) == {
        "model": "vt",
        "profile": "people",
        "tasks": {"math": 512, "proofs": 768},  # as far as this pod goes
        "defaultTask": "math",
        "keyRequired": True,
        "systemPrompt": ROLE,
        "systemPromptCharacters": 2000,
    }


def test_a_prompt_cannot_end_the_element_that_carries_it():
    page = page_of(make_policy(profiles=(WEB_UI,)))
    assert "alert(1)</script>" not in page
    assert page.count("<script") == page.count("</script>") == 2


@pytest.mark.parametrize(
    ("element", "directive"), [("script", "script-src"), ("style", "style-src")]
)
def test_only_what_stands_in_the_page_runs(element: str, directive: str):
    found = re.search(rf"<{element}>(.*?)</{element}>", page_of(make_policy()), re.DOTALL)
    assert found is not None
    allowed = dict(PAGE_HEADERS)[b"content-security-policy"].decode()
    digest = b64encode(sha256(found[1].encode()).digest()).decode()
    assert f"{directive} 'sha256-{digest}'" in allowed
    assert "unsafe" not in allowed


def test_it_needs_nothing_from_anywhere_else():
    page = page_of(make_policy())
    assert not re.search(r'(src|href)="(?!#|data:,)', page)
    assert "http://" not in page
    assert "https://" not in page


def texts_of(page: str, language: str) -> set[str]:
    begun = page[page.index(f"  {language}: {{") :]
    return set(re.findall(r"^    (\w+):", begun.split("\n  },")[0], re.MULTILINE))


def test_both_languages_say_the_same_things():
    page = page_of(make_policy())
    english = texts_of(page, "en")
    assert english == texts_of(page, "zh")
    used = re.findall(r'data-text="(\w+)"|say\("(\w+)"', page)
    assert {first or second for first, second in used} <= english


async def test_anybody_gets_it_and_only_by_get(tmp_path: Path):
    (tmp_path / "keys").mkdir()
    answer = await get(tmp_path, make_policy(), keys=tmp_path / "keys")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert settings_of(answer.body.decode())["keyRequired"] is True
    assert (await get(tmp_path, make_policy(), method="POST")).status == 405


async def test_a_fleet_of_apps_alone_has_no_page(tmp_path: Path):
    answer = await get(tmp_path, make_policy(profiles=(APP,)))
    assert answer.status == 404
    assert "WebUI" in answer.error["message"]
