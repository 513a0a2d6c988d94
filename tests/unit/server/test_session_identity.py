from typing import Any

import pytest
from vibethinker_server.conversation import Conversation, SystemText, Turn, parse_messages
from vibethinker_server.policy import SessionLimits
from vibethinker_server.profiles import Isolation
from vibethinker_server.session_identity import (
    ANSWER_CHARACTERS,
    LONGEST_HEADER,
    Headers,
    Identity,
    cache_salt,
    identify,
)
from vibethinker_server.ticket import issue_ticket

SECRET = b"the fleet's secret"
NOW = 1_800_000_000.0
ID = bytes(16)
ASKED = Turn("user", "the sum of two numbers")
ANSWER = "4, if both are two."
AGAIN = Turn("user", "and their product?")


def talk(*turns: Turn, system: str | None = None) -> Conversation:
    texts = () if system is None else (SystemText("messages[0].content", system),)
    return Conversation(texts, turns)


def told(
    headers: Headers = (), conversation: Conversation | None = None, **changes: Any
) -> Identity:
    given: dict[str, Any] = {"key": "school", "secret": SECRET, "limits": SessionLimits()} | changes
    return identify(
        given["secret"], given["key"], headers, conversation, limits=given["limits"], now=NOW
    )


def ticket(key: str | None = "school") -> tuple[bytes, bytes]:
    return b"x-session-ticket", issue_ticket(SECRET, ID, key, NOW + 900)


def follow_up(first: Turn = ASKED, answer: str = ANSWER) -> Conversation:
    return talk(first, Turn("assistant", answer), AGAIN)


def name_after(answer: str, conversation: Conversation, **changes: Any) -> bytes | None:
    opening = told(conversation=conversation, **changes).opening
    assert opening is not None
    return opening.name(answer)


def test_a_ticket_goes_before_all_else():
    identity = told([ticket(), (b"x-session-id", b"a")], follow_up())
    assert identity == Identity("school", proven=ID)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([ticket("another")], id="another key's"),
        pytest.param([ticket(), ticket()], id="two"),
        pytest.param([(b"x-session-ticket", b"A" * 76)], id="forged"),
    ],
)
def test_a_ticket_that_proves_nothing_is_passed_over(headers: Headers):
    assert told(headers, follow_up()) == told((), follow_up())


def test_a_header_names_the_same_session_on_every_pod_and_proves_nothing():
    first, second = (told([(b"x-session-id", b"chat-7")]) for _ in range(2))
    assert first == second
    assert first.name is not None
    assert first.proven is None


@pytest.mark.parametrize("changes", [{"key": "another"}, {"secret": b"another fleet's"}])
def test_a_name_is_one_keys_and_one_fleets(changes: dict[str, Any]):
    header = [(b"x-session-id", b"chat-7")]
    assert told(header).name != told(header, **changes).name
    assert told((), follow_up()).name != told((), follow_up(), **changes).name


def test_without_an_api_key_a_header_names_nothing():
    assert told([(b"x-session-id", b"chat-7")], key=None) == Identity(None)


def test_the_trusted_header_names_as_well():
    limits = SessionLimits(trusted_header=b"x-openwebui-chat-id")
    header = [(b"x-openwebui-chat-id", b"chat-7")]
    assert told(header, limits=limits).name is not None
    assert told(header).name is None


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-session-id", b"")],
        [(b"x-session-id", b"  ")],
        [(b"x-session-id", b"a"), (b"x-session-id", b"a")],
        [(b"x-session-id", b"a" * (LONGEST_HEADER + 1))],
    ],
)
def test_an_empty_a_double_or_an_endless_header_names_nothing(headers: Headers):
    assert told(headers) == Identity("school")


def test_a_conversation_comes_back_by_its_first_answer():
    named = name_after(ANSWER, talk(ASKED))
    assert named == told((), follow_up()).name
    longer = talk(ASKED, Turn("assistant", ANSWER), AGAIN, Turn("assistant", "8"), AGAIN)
    assert named == told((), longer).name


def test_a_greeting_that_a_client_put_first_is_no_answer_of_ours():
    greeting = Turn("assistant", "How may I help?")
    named = name_after(ANSWER, talk(greeting, ASKED))
    assert named == told((), talk(greeting, ASKED, Turn("assistant", ANSWER), AGAIN)).name
    assert named != name_after(ANSWER, talk(ASKED))


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(f"\n {ANSWER} \n", id="white space around it"),
        pytest.param(ANSWER, id="as it came"),
    ],
)
def test_what_clients_do_to_an_answer_does_not_matter(kept: str):
    assert name_after(f" {ANSWER}\n", talk(ASKED)) == told((), follow_up(answer=kept)).name


def test_only_the_beginning_of_a_long_answer_counts():
    long = "x" * ANSWER_CHARACTERS
    cut, whole = (told((), follow_up(answer=long + rest)).name for rest in ("", " and so on"))
    assert cut == whole


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(follow_up(answer="5"), id="another answer"),
        pytest.param(follow_up(Turn("user", "the sum of three")), id="another question"),
        pytest.param(
            talk(ASKED, Turn("assistant", ANSWER), AGAIN, system="Be brief."), id="another system"
        ),
        pytest.param(
            talk(Turn("user", ASKED.text + "assistant"), Turn("assistant", ANSWER)), id="moved edge"
        ),
    ],
)
def test_other_words_are_another_session(other: Conversation):
    assert told((), other).name != told((), follow_up()).name


def test_control_tokens_in_an_answer_come_back_taken_apart():
    messages = [
        {"role": "user", "content": ASKED.text},
        {"role": "assistant", "content": "It writes <|im_start|>."},
        {"role": "user", "content": AGAIN.text},
    ]
    named = name_after("It writes <|im_start|>.", talk(ASKED))
    assert named == told((), parse_messages(messages)).name


@pytest.mark.parametrize("answer", ["", "  \n"])
def test_an_empty_answer_names_nothing(answer: str):
    assert name_after(answer, talk(ASKED)) is None
    assert told((), follow_up(answer=answer)).name is None


def test_a_raw_prompt_says_nothing():
    assert told() == Identity("school")


def test_a_lone_surrogate_in_an_answer_names_something():
    assert name_after("\ud800", talk(ASKED)) is not None


def test_salts_by_isolation():
    def salts(isolation: Isolation) -> list[str | None]:
        callers = [("school", b"1"), ("school", b"2"), ("club", b"1")]
        return [cache_salt(SECRET, isolation, key, session) for key, session in callers]

    assert salts(Isolation.NONE) == [None, None, None]
    first, second, other = salts(Isolation.KEY)
    assert first == second != other
    assert len(set(salts(Isolation.SESSION))) == 3
    assert all(len(salt or "") == 64 and int(salt or "", 16) for salt in salts(Isolation.SESSION))
