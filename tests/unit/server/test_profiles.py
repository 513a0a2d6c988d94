import pytest
from vibethinker_server.openai_errors import OpenAIError
from vibethinker_server.profiles import Profile, ProfileKind, choose_profile

WEB = Profile("web", ProfileKind.WEB_UI)
APP = Profile("app", ProfileKind.APP, "Be brief.", api_keys=frozenset({"shop", "search"}))
OTHER = Profile("other", ProfileKind.APP, "Be long.")
PROFILES = (WEB, APP, OTHER)


@pytest.mark.parametrize(
    ("key", "headers", "profile"),
    [
        pytest.param(None, [], WEB, id="nothing named: the first"),
        pytest.param("alice", [], WEB, id="a key that no profile lists"),
        pytest.param("alice", [b"other"], OTHER, id="such a key chooses"),
        pytest.param(None, [b" app "], APP, id="without keys anybody chooses"),
        pytest.param(None, [b"app", b"app"], APP, id="the same name twice"),
        pytest.param("shop", [], APP, id="a listed key"),
        pytest.param("search", [b"web"], APP, id="a listed key stays whatever it sends"),
        pytest.param("shop", [b"nonsense"], APP, id="even nonsense"),
    ],
)
def test_the_key_chooses_then_the_header_then_the_order(key, headers, profile):
    assert choose_profile(PROFILES, key, headers) is profile


@pytest.mark.parametrize("headers", [[b"none"], [b""], [b"web", b"app"], [b"\xff"], [b"web,app"]])
def test_what_names_no_profile_is_refused_and_the_known_ones_are_named(headers):
    with pytest.raises(OpenAIError, match="web, app, other"):
        choose_profile(PROFILES, None, headers)
