"""API keys: files in, one name out, and closed whenever anything is unclear."""

import hmac
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.api_keys import REREAD_SECONDS, ApiKeys, authenticate
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.openai_errors import OpenAIError
from vibethinker_server.profiles import Profile, ProfileKind

from tests.support.hostile_requests import CHAT, Hostile, chat
from tests.support.recording_engine import Answer, RecordingEngine, ask
from tests.support.server_runtime import Rig, make_lease, make_policy, make_rig

ALICE, BOB = "sk-alice", "sk-bob"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A Secret as kubelet mounts it: links into a directory that is swapped whole."""
    keys = tmp_path / "keys"
    (keys / "..2026_11_24").mkdir(parents=True)
    (keys / "..data").symlink_to("..2026_11_24")
    for name, key in {"alice": f"{ALICE}\n", "bob": BOB, "empty": " \n"}.items():
        (keys / "..2026_11_24" / name).write_text(key)
        (keys / name).symlink_to(f"..data/{name}")
    return keys


@pytest.fixture
def rig(tmp_path: Path, directory: Path) -> Rig:
    rig = make_rig(tmp_path)
    rig.runtime.api_keys = ApiKeys(directory)
    return rig


async def send(rig: Rig, *keys: str, engine: Any = None, **changes: Any) -> Answer:
    headers = tuple(("Authorization", key) for key in keys)
    request: dict[str, Any] = {
        "what": "a chat",
        "status": 0,
        "path": CHAT,
        "body": chat(),
        "headers": headers,
    }
    app = VibeThinkerMiddleware(engine or RecordingEngine(), rig.runtime)
    return await ask(app, Hostile(**(request | changes)))


def test_the_names_are_those_of_the_files_and_the_keys_are_not_kept(directory: Path):
    digests = ApiKeys(directory).read(0.0)
    assert digests == {
        "alice": sha256(ALICE.encode()).digest(),
        "bob": sha256(BOB.encode()).digest(),
    }


async def test_a_known_key_gets_in_and_only_its_name_is_counted(rig: Rig):
    engine = RecordingEngine()
    answer = await send(rig, f"Bearer {BOB}", engine=engine)
    assert answer.status == 200
    assert rig.runtime.requests_by_key.counts() == {"bob": 1}
    assert b"authorization" not in engine.headers[0]  # the engine has no use for it


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
async def test_the_scheme_is_no_secret(rig: Rig, scheme: str):
    assert (await send(rig, f"{scheme} {ALICE}")).status == 200


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param((), id="none"),
        pytest.param(("Bearer sk-mallory",), id="wrong"),
        pytest.param((f"Bearer {ALICE}x",), id="right and more"),
        pytest.param((f"Bearer {ALICE[:-1]}",), id="right but the last"),
        pytest.param((f"Basic {ALICE}",), id="another scheme"),
        pytest.param((ALICE,), id="no scheme"),
        pytest.param(("Bearer ",), id="empty"),
        pytest.param((f"Bearer {ALICE}", f"Bearer {ALICE}"), id="twice"),
        pytest.param((f"Bearer {ALICE}", "Bearer x"), id="right and wrong"),
        pytest.param(("Bearer \xff\xfe",), id="no ASCII"),
        pytest.param(("Bearer " + "k" * 50_000,), id="long"),
    ],
)
async def test_nobody_else_gets_in(rig: Rig, keys: tuple[str, ...]):
    engine = RecordingEngine()
    answer = await send(rig, *keys, engine=engine)
    assert answer.status == 401
    assert answer.error["code"] in ("missing_api_key", "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["connection"] == "close"  # what else was sent is not read
    assert engine.paths == []
    assert rig.runtime.requests_by_key.counts() == {}
    assert sum(rig.runtime.unauthorized.counts().values()) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "TRACE", "PUT"])
@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/metrics", "/nowhere", "/health/"])
async def test_the_key_comes_before_path_and_method(rig: Rig, method: str, path: str):
    assert (await send(rig, method=method, path=path)).status == 401


async def test_the_key_comes_before_the_body_and_the_session(rig: Rig):
    async def receive() -> Any:
        raise AssertionError("the body was read")

    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": CHAT,
        "query_string": f"api_key={ALICE}".encode(),
        "headers": [(b"x-session-ticket", b"forged")],
        "http_version": "1.1",
        "client": None,
    }
    await VibeThinkerMiddleware(RecordingEngine(), rig.runtime)(scope, receive, keep)
    assert sent[0]["status"] == 401
    assert rig.runtime.sessions.count == 0


async def test_a_bound_key_stays_in_its_profile_whatever_it_asks_for(rig: Rig):
    web = Profile("web", ProfileKind.WEB_UI)
    app = Profile("app", ProfileKind.APP, "Be brief.", api_keys=frozenset({"alice"}))
    rig.runtime.fleet.accept(make_policy(profiles=(web, app)), make_lease(), rig.clock.now)
    for key, profile in ((ALICE, "app"), (BOB, "web")):
        headers = (("authorization", f"Bearer {key}"), ("x-profile", "web"))
        assert (await send(rig, headers=headers)).headers["x-profile"] == profile


async def test_health_needs_no_key(rig: Rig):
    assert (await send(rig, method="GET", path="/health", body=b"")).status == 200


async def test_without_a_secret_everybody_gets_in(tmp_path: Path):
    assert (await send(make_rig(tmp_path))).status == 200


@pytest.mark.parametrize("wreck", ["missing", "empty", "a file"])
async def test_keys_that_cannot_be_read_let_nobody_in(tmp_path: Path, wreck: str):
    keys = tmp_path / "wrecked"
    if wreck == "empty":
        keys.mkdir()
    elif wreck == "a file":
        keys.write_text(ALICE)
    rig = make_rig(tmp_path)
    rig.runtime.api_keys = ApiKeys(keys)
    answer = await send(rig, f"Bearer {ALICE}")
    assert (answer.status, answer.error["code"]) == (503, "keys_unreadable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_error_of_ours_lets_nobody_in(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> Any:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("vibethinker_server.middleware.authenticate", fail)
    answer = await send(rig, f"Bearer {ALICE}")
    assert (answer.status, answer.error["code"]) == (503, "keys_unreadable")
    assert rig.runtime.errors.counts() == {"request": 1}


def test_a_key_that_comes_or_goes_holds_after_a_while(directory: Path):
    keys = ApiKeys(directory)
    assert "alice" in keys.read(0.0)
    (directory / "alice").unlink()
    assert "alice" in keys.read(REREAD_SECONDS - 1)
    assert "alice" not in keys.read(REREAD_SECONDS)


def test_every_key_is_compared_with_whichever_is_right(monkeypatch: pytest.MonkeyPatch):
    compared: list[bytes] = []
    genuine = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return bool(genuine(one, other))

    monkeypatch.setattr(hmac, "compare_digest", compare)
    digests = {name: sha256(name.encode()).digest() for name in ("a", "b", "c")}
    assert authenticate(digests, [(b"authorization", b"Bearer a")]) == "a"
    assert compared == list(digests.values())
    with pytest.raises(OpenAIError):
        authenticate(digests, [(b"authorization", b"Bearer d")])
    assert len(compared) == 6
