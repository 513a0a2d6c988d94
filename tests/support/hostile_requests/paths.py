"""Paths and methods that clients have no business with."""

from tests.support.hostile_requests.request import CHAT, RESPONSES, Hostile, chat


def _closed(method: str, path: str, status: int) -> Hostile:
    return Hostile(what=f"{method} {path}", method=method, path=path, body=chat(), status=status)


PATHS = (
    *(
        _closed("POST", path, 404)
        for path in (
            "/invocations",
            "/tokenize",
            "/detokenize",
            "/v1/messages",
            "/v1/chat/completions/batch",
            "/v1/chat/completions/render",
            "/inference/v1/generate",
            "/scale_elastic_ep",
            "/v1/embeddings",
            "/v1/responses/resp_1/cancel",
            "/-/drain",
            "/v1/chat/completions/",
            "//v1/chat/completions",
            "/v1/../v1/chat/completions",
            "/v1/chat/completions%00",
            "/V1/chat/completions",
        )
    ),
    *(
        _closed("GET", path, 404)
        for path in ("/metrics", "/docs", "/openapi.json", "/version", "/load")
    ),
    _closed("GET", "/v1/responses/resp_1", 404),
    _closed("GET", CHAT, 405),
    _closed("OPTIONS", CHAT, 405),
    _closed("HEAD", "/v1/models", 405),
    _closed("TRACE", "/health", 405),
    _closed("DELETE", "/v1/models", 405),
    _closed("PUT", RESPONSES, 405),
)
