import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.ticket import PURPOSE, TICKET_LENGTH, issue_ticket, read_ticket

SECRET, OTHER_SECRET = b"the fleet's secret", b"another fleet's"
ID = bytes(range(16))
NOW = 1_800_000_000.0
TTL = 900.0


def issue(key: str | None = "school", expires: float = NOW + TTL) -> bytes:
    return issue_ticket(SECRET, ID, key, expires)


def read(ticket: bytes, key: str | None = "school", now: float = NOW) -> bytes | None:
    return read_ticket(SECRET, ticket, key, now, TTL)


@pytest.mark.parametrize("key", ["school", None])
def test_a_ticket_proves_its_session_on_any_pod_with_the_secret(key: str | None):
    ticket = issue(key)
    assert len(ticket) == TICKET_LENGTH
    assert read(ticket, key, NOW + 1) == ID


def test_it_expires():
    assert read(issue(), now=NOW + TTL - 1) == ID
    assert read(issue(), now=NOW + TTL) is None


@pytest.mark.parametrize("key", ["another", "", None])
def test_it_proves_nothing_for_another_api_key(key: str | None):
    assert read(issue("school"), key) is None


def test_one_of_a_fleet_without_keys_proves_nothing_once_there_are_some():
    assert read(issue(None), "school") is None


def test_another_fleets_secret_proves_nothing():
    assert read_ticket(OTHER_SECRET, issue(), "school", NOW, TTL) is None


def test_a_ticket_from_far_in_the_future_proves_nothing():
    assert read(issue(expires=NOW + 10 * TTL)) is None


def test_a_mac_for_another_purpose_proves_nothing():
    raw = urlsafe_b64decode(issue())[:-32]
    purpose = PURPOSE.replace(b"session", b"another")
    elsewhere = hmac.digest(SECRET, purpose + raw + b"key school", "sha256")
    assert read(urlsafe_b64encode(raw + elsewhere)) is None


@given(st.binary(max_size=200))
def test_arbitrary_bytes_prove_nothing_and_raise_nothing(forged: bytes):
    assert read(forged) is None
    assert read(urlsafe_b64encode(forged)) is None


@given(st.integers(0, TICKET_LENGTH - 1), st.integers(0, 255))
def test_any_changed_byte_voids_a_ticket(position: int, value: int):
    ticket = bytearray(issue())
    was = ticket[position]
    ticket[position] = value
    assert read(bytes(ticket)) == (ID if value == was else None)


@pytest.mark.parametrize("suffix", [b"=", b" ", b"\n", b"A", b"===="])
def test_one_session_has_one_spelling(suffix: bytes):
    ticket = issue()
    assert read(ticket + suffix) is None
    assert read(ticket[: -len(suffix)] + suffix) is None
