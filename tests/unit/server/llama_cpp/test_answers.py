import json

import pytest
from vibethinker_server.llama_cpp.answers import complete_response, read_tokens, translate_error

TIMINGS = b'"timings":{"cache_n":30,"prompt_n":12,"prompt_ms":1.5,"predicted_n":8,"predicted_ms":2}'


@pytest.mark.parametrize(
    ("tail", "tokens"),
    [
        (b'"usage":{"completion_tokens":8,"prompt_tokens":42,"total_tokens":50}', (42, 8)),
        (b'"usage":{"input_tokens":42,"output_tokens":8,"total_tokens":50}', (42, 8)),
        (b'data: {"choices":[],' + TIMINGS + b"}\n\ndata: [DONE]\n\n", (42, 8)),
        (b'data: {"content":"\\"predicted_n\\":8"}\n\n', None),
        (b"", None),
    ],
)
def test_the_end_of_an_answer_tells_its_tokens(tail: bytes, tokens: tuple[int, int] | None):
    assert read_tokens(tail) == tokens


def test_a_response_that_was_cut_says_so():
    whole = {"status": "completed", "usage": {"input_tokens": 1, "output_tokens": 8}}
    cut = json.loads(complete_response(json.dumps(whole).encode(), 8))
    assert (cut["status"], cut["incomplete_details"]) == (
        "incomplete",
        {"reason": "max_output_tokens"},
    )
    assert json.loads(complete_response(json.dumps(whole).encode(), 9)) == whole


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            400,
            b'{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}',
            (400, "too long", "exceed_context_size_error", "invalid_request_error"),
        ),
        (
            501,
            b'{"error":{"code":501,"message":"no such thing","type":"not_supported_error"}}',
            (400, "no such thing", "not_supported_error", "invalid_request_error"),
        ),
        (
            500,
            b"Internal Server Error",
            (500, "llama-server failed this request.", "engine_error", "server_error"),
        ),
        (
            500,
            b'{"error":"text"}',
            (500, "llama-server failed this request.", "engine_error", "server_error"),
        ),
    ],
)
def test_errors_get_openais_shape(status: int, body: bytes, expected: tuple[int, str, str, str]):
    answered, rendered = translate_error(status, body)
    error = json.loads(rendered)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (answered, error["message"], error["code"], error["type"]) == expected
