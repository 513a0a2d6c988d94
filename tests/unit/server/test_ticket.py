from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.ticket import (
    PURPOSE,
    TICKET_LENGTH,
    TTL_SECONDS,
    Session,
    issue_ticket,
    read_ticket,
)

KEY, OTHER_KEY = b"the fleet's key", b"another fleet's"
ID = bytes(range(16))
NOW = 1_800_000_000.0


def test_a_ticket_proves_its_session_on_any_pod_with_the_key():
    ticket = issue_ticket(KEY, ID, NOW)
    assert len(ticket) == TICKET_LENGTH
    assert read_ticket(KEY, ticket, NOW + 1) == Session(ID, int(NOW) + TTL_SECONDS)


def test_it_expires():
    ticket = issue_ticket(KEY, ID, NOW)
    assert read_ticket(KEY, ticket, NOW + TTL_SECONDS - 1) is not None
    assert read_ticket(KEY, ticket, NOW + TTL_SECONDS) is None


def test_another_fleets_key_proves_nothing():
    assert read_ticket(OTHER_KEY, issue_ticket(KEY, ID, NOW), NOW) is None


def test_a_ticket_from_far_in_the_future_proves_nothing():
    assert read_ticket(KEY, issue_ticket(KEY, ID, NOW + 10 * TTL_SECONDS), NOW) is None


def test_a_mac_for_another_purpose_proves_nothing():
    import hmac  # noqa: PLC0415

    raw = urlsafe_b64decode(issue_ticket(KEY, ID, NOW))[:-32]
    elsewhere = hmac.digest(KEY, PURPOSE.replace(b"session", b"another") + raw, "sha256")
    assert read_ticket(KEY, urlsafe_b64encode(raw + elsewhere), NOW) is None


@given(st.binary(max_size=200))
def test_arbitrary_bytes_prove_nothing_and_raise_nothing(forged: bytes):
    assert read_ticket(KEY, forged, NOW) is None
    assert read_ticket(KEY, urlsafe_b64encode(forged), NOW) is None


@given(st.integers(0, TICKET_LENGTH - 1), st.integers(0, 255))
def test_any_changed_byte_voids_a_ticket(position: int, value: int):
    ticket = bytearray(issue_ticket(KEY, ID, NOW))
    was = ticket[position]
    ticket[position] = value
    read = read_ticket(KEY, bytes(ticket), NOW)
    assert read == (Session(ID, int(NOW) + TTL_SECONDS) if value == was else None)


@pytest.mark.parametrize("suffix", [b"=", b" ", b"\n", b"A", b"===="])
def test_one_session_has_one_spelling(suffix: bytes):
    ticket = issue_ticket(KEY, ID, NOW)
    assert read_ticket(KEY, ticket + suffix, NOW) is None
    assert read_ticket(KEY, ticket[: -len(suffix)] + suffix, NOW) is None
