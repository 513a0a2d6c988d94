"""What a pod knows of sessions: its own, the journal that it tells of them, and its peers'."""

import sys
from threading import Event, Thread

import pytest
from vibethinker_server import peer_sessions, session_journal, sessions
from vibethinker_server.peer_sessions import PeerSessions
from vibethinker_server.session_journal import SessionJournal
from vibethinker_server.sessions import Sessions

A, B, NAME = b"a" * 16, b"b" * 16, b"n" * 16


def renew(known: Sessions, session: bytes, now: float, name: bytes | None = None) -> None:
    known.renew(session, "school", name, now + 900.0, now)


def test_sessions_are_counted_once_and_until_they_expire():
    known = Sessions()
    renew(known, A, 0.0)
    renew(known, B, 10.0)
    renew(known, A, 20.0)
    assert (known.count, known.count_of("school"), known.count_of("club")) == (2, 2, 0)
    assert known.knows(B, 909.9)
    assert not known.knows(B, 910.0)
    known.forget_expired(910.0)
    assert (known.count, known.count_of("school")) == (1, 1)
    known.forget_expired(920.0)
    assert (known.count, known.count_of("school")) == (0, 0)


def test_a_session_goes_by_its_name_until_it_expires():
    known = Sessions()
    renew(known, A, 0.0, NAME)
    assert known.id_of(NAME, 899.0) == A
    assert known.id_of(NAME, 900.0) is None
    assert known.id_of(B, 0.0) is None


def test_a_million_sessions_take_bounded_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 100)
    known = Sessions()
    for number in range(1_000):
        session = number.to_bytes(16, "big")
        renew(known, session, 0.0, session)
    assert known.count == known.count_of("school") == 100
    assert known.id_of((0).to_bytes(16, "big"), 0.0) is None
    assert known.id_of(session, 0.0) == session


def test_a_scrape_may_forget_while_requests_are_noted():
    known = Sessions()
    failures: list[Exception] = []
    many = [number.to_bytes(16, "big") for number in range(20)]

    def forget() -> None:
        try:
            while thread_may_run.is_set():
                known.forget_expired(1_000.0)
        except Exception as error:
            failures.append(error)

    thread_may_run = Event()
    thread_may_run.set()
    thread = Thread(target=forget)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        for turn in range(500):
            for session in many:
                known.renew(session, "school", session, 1_000.0 + turn % 2, 0.0)
    finally:
        sys.setswitchinterval(interval)
        thread_may_run.clear()
        thread.join()
    assert failures == []
    known.forget_expired(1_001.0)
    assert (known.count, known.count_of("school")) == (0, 0)


def test_a_journal_tells_each_peer_what_is_new_to_it():
    journal = SessionJournal()
    assert journal.after(0) == (0, [])
    journal.add(A, 900.7)
    journal.add(B, 910.0)
    assert journal.after(0) == (2, [("61" * 8, 900), ("62" * 8, 910)])
    assert journal.after(1) == (2, [("62" * 8, 910)])
    assert journal.after(2) == (2, [])
    assert journal.after(7) == journal.after(0)  # the number of a process before this one


def test_a_journal_tells_a_bounded_part_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_journal, "MAX_ANSWER", 3)
    journal = SessionJournal()
    for number in range(8):
        journal.add(bytes([number]) * 16, 900.0)
    told, at = [], 0
    while part := journal.after(at)[1]:
        assert len(part) <= 3
        told += part
        at = journal.after(at)[0]
    assert len({digest for digest, _ in told}) == 8


def test_what_a_journal_has_forgotten_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_journal, "MAX_ENTRIES", 4)
    journal = SessionJournal()
    for number in range(10):
        journal.add(bytes([number]) * 16, 900.0)
    number, entries = journal.after(2)
    assert number == 10
    assert [digest[:2] for digest, _ in entries] == ["06", "07", "08", "09"]


def test_what_peers_told_is_known_until_it_expires():
    peers = PeerSessions()
    peers.merge([("61" * 8, 900), ("62" * 8, 100)], now=100.0)
    assert peers.knows(A, 899.0)
    assert not peers.knows(A, 900.0)
    assert not peers.knows(B, 0.0)  # it was over when it came
    peers.merge([("61" * 8, 950), ("61" * 8, 920)], now=100.0)
    assert peers.knows(A, 949.0)
    peers.merge([], now=950.0)
    assert peers.count == 0


def test_what_peers_tell_takes_bounded_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peer_sessions, "MAX_SESSIONS", 10)
    peers = PeerSessions()
    peers.merge([(f"{number:016x}", 900) for number in range(100)], now=0.0)
    assert peers.count == 10
    assert peers.knows((99).to_bytes(8, "big"), 0.0)
