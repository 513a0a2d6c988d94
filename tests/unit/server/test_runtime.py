from pathlib import Path

import pytest
from vibethinker_server import runtime as runtime_module
from vibethinker_server.fleet import Fleet
from vibethinker_server.known_models import VIBETHINKER_1_5B, VIBETHINKER_3B
from vibethinker_server.load import EngineReading
from vibethinker_server.phases import Phase
from vibethinker_server.runtime import install, installed
from vibethinker_server.sampling import NO_CHOICE

from tests.support.server_runtime import make_policy, make_rig


def test_without_serve_the_plugins_say_how_to_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runtime_module, "_installed", [])
    with pytest.raises(RuntimeError, match="vibethinker_server serve"):
        installed()


def test_what_is_installed_is_what_the_plugins_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runtime_module, "_installed", [])
    rig = make_rig(tmp_path)
    install(rig.runtime)
    assert installed() is rig.runtime


def test_the_load_is_that_of_the_newest_readings(tmp_path: Path):
    runtime = make_rig(tmp_path).runtime
    assert runtime.load().memory_used_ratio == pytest.approx(2 / 16)
    runtime.stats.reading = EngineReading(running=4, waiting=1, kv_usage_ratio=1.0)
    assert runtime.load().memory_used_ratio == pytest.approx(10 / 16)
    assert runtime.load().queue_length == 1


def test_the_phases_in_order(tmp_path: Path):
    rig = make_rig(tmp_path)
    assert rig.runtime.phase(rig.clock.now) is Phase.SERVING
    rig.runtime.fleet.mark_drain(rig.clock.now)
    assert rig.runtime.phase(rig.clock.now) is Phase.DRAINING


def test_pods_without_a_mounted_key_accept_only_their_own_tickets(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = make_rig(tmp_path / "a"), make_rig(tmp_path / "b")
    assert a.runtime.ticket_key(a.clock.now) == b.runtime.ticket_key(b.clock.now)
    for rig, directory in ((a, "a"), (b, "b")):
        (tmp_path / directory / "ticket-key").unlink()
        rig.clock.advance(60)
    keys = a.runtime.ticket_key(a.clock.now), b.runtime.ticket_key(b.clock.now)
    assert keys[0] != keys[1]
    assert keys[0] == a.runtime.ticket_key(a.clock.now + 60)
    assert min(map(len, keys)) >= 32


def test_the_model_is_known_by_the_policys_name_for_it_else_by_the_settings(tmp_path: Path):
    runtime = make_rig(tmp_path).runtime
    assert runtime.sampling == NO_CHOICE
    runtime.model = VIBETHINKER_1_5B
    assert runtime.sampling == VIBETHINKER_1_5B.sampling
    for repository, sampling in (
        (VIBETHINKER_3B.repository, VIBETHINKER_3B.sampling),
        ("somebody/else", NO_CHOICE),
    ):
        runtime.fleet = Fleet(make_policy(repository=repository))
        assert runtime.sampling == sampling
