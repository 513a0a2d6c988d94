"""Headers that are not a client's to write: most are let through, and vLLM sees none of them."""

from tests.support.hostile_requests.request import CODE, Hostile, chat

UNREAD = tuple(
    Hostile(what=what, headers=headers, body=chat(), status=200, engine={"max_tokens": CODE})
    for what, headers in {
        "a priority of one's own": (("x-vllm-priority", "-100"),),
        "two priorities": (("X-VLLM-Priority", "-100"), ("x-vllm-priority", "-5")),
        "an engine's session of one's own": (("X-Session-ID", "mine"),),
        "a request's id of one's own": (("X-Request-Id", "mine"),),
        "a rank among engines": (("X-Data-Parallel-Rank", "7"),),
        "a report of the engine's load": (("endpoint-load-metrics-format", "JSON"),),
        "a session of 10,000 characters": (("X-Session-ID", "a" * 10_000),),
        "two sessions": (("X-Session-ID", "a"), ("X-Session-ID", "b")),
        "a cookie": (("Cookie", "x-session-ticket=" + "A" * 76),),
        "a ticket that is none": (("x-session-ticket", "A" * 76),),
        "two tickets": (("x-session-ticket", "A" * 76), ("x-session-ticket", "")),
    }.items()
)
NOT_JSON = tuple(
    Hostile(what=what, headers=(("Content-Type", kind),), body=chat(), status=415)
    for what, kind in {
        "a plain text, as any page may send": "text/plain",
        "a form, as any page may send": "application/x-www-form-urlencoded",
        "a form with a file": "multipart/form-data; boundary=a",
        "a type that begins like JSON": "application/json-patch+json",
        "no type": "",
    }.items()
)
HEADERS = (*UNREAD, *NOT_JSON)
