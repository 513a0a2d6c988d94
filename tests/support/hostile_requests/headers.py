"""Headers that vLLM obeys and that are not a client's to write: all are let through, unread."""

from tests.support.hostile_requests.request import CODE, Hostile, chat

HEADERS = tuple(
    Hostile(what=what, headers=headers, body=chat(), status=200, engine={"max_tokens": CODE})
    for what, headers in {
        "a priority of one's own": (("x-vllm-priority", "-100"),),
        "two priorities": (("X-VLLM-Priority", "-100"), ("x-vllm-priority", "-5")),
        "an engine's session of one's own": (("X-Session-ID", "mine"),),
        "a request's id of one's own": (("X-Request-Id", "mine"),),
        "a rank among engines": (("X-Data-Parallel-Rank", "7"),),
        "a ticket that is none": (("x-session-ticket", "A" * 76),),
        "two tickets": (("x-session-ticket", "A" * 76), ("x-session-ticket", "")),
    }.items()
)
