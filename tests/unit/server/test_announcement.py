import shlex

import pytest
from vibethinker_server.engine_args import ANY_ADDRESS
from vibethinker_server.one_click.announcement import render_announcement, render_curl, warn_open

from tests.support.server_runtime import make_settings


def test_it_names_url_model_and_a_command_to_try():
    text = render_announcement(make_settings(port=8080, opsPort=8081), ANY_ADDRESS, with_keys=False)
    assert "http://127.0.0.1:8080/v1" in text
    assert "vibethinker-1.5b" in text
    assert "http://127.0.0.1:8081/metrics" in text
    assert "curl http://127.0.0.1:8080/v1/chat/completions" in text


def test_the_command_is_one_that_a_shell_takes_apart_rightly():
    words = shlex.split(render_curl("http://127.0.0.1:1", "m", with_keys=True))
    assert words[0] == "curl"
    assert "Authorization: Bearer YOUR-KEY" in words
    assert words[-1].startswith('{"model": "m", "messages": [{"role": "user"')
    assert "Authorization" not in render_curl("http://127.0.0.1:1", "m", with_keys=False)


@pytest.mark.parametrize(
    ("host", "with_keys", "warned"),
    [
        ("127.0.0.1", False, False),
        ("localhost", False, False),
        (ANY_ADDRESS, True, False),
        (ANY_ADDRESS, False, True),
        ("10.0.0.7", False, True),
    ],
)
def test_who_opens_the_door_to_all_is_told_so(host: str, with_keys: bool, warned: bool):
    assert (warn_open(host, with_keys=with_keys) is not None) is warned
