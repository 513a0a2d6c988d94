"""Lengths beyond the caps in every way to ask for one, and tasks, which choose the cap."""

from typing import Any

from tests.support.hostile_requests.request import (
    CHAT,
    CODE,
    COMPLETIONS,
    MATH,
    QA,
    RESPONSES,
    Hostile,
    chat,
    complete,
    refused,
    respond,
)


def _limited(what: str, body: bytes, tokens: int, path: str = CHAT, **seen: Any) -> Hostile:
    keys = {
        CHAT: ("max_tokens", "max_completion_tokens"),
        COMPLETIONS: ("max_tokens",),
        RESPONSES: ("max_output_tokens",),
    }[path]
    return Hostile(
        what=what,
        path=path,
        body=body,
        status=200,
        engine=dict.fromkeys(keys, tokens) | seen,
        hidden=("task", "best_of", "use_beam_search"),
        answer=(("x-token-limit", str(tokens)),),
    )


LIMITS = (
    _limited("no length", chat(), CODE),
    _limited("a length beyond the cap", chat(max_tokens=10**9), CODE),
    _limited("a length of 2 to the 64th", chat(max_completion_tokens=2**64), CODE),
    _limited("a length below the cap", chat(max_tokens=7), 7),
    _limited("two lengths: the smaller", chat(max_tokens=10**9, max_completion_tokens=9), 9),
    _limited("the other smaller", chat(max_tokens=9, max_completion_tokens=10**9), 9),
    _limited("a task in the body", chat(task="qa"), QA),
    _limited("min_tokens beyond the cap", chat(min_tokens=10**9), CODE, min_tokens=CODE),
    _limited("min_tokens beyond the length", chat(max_tokens=5, min_tokens=6), 5, min_tokens=5),
    _limited("eight answers share the cap", chat(n=8, max_tokens=CODE), CODE // 8, n=8),
    _limited("eight short answers", chat(n=8, max_tokens=2), 2, n=8),
    _limited("what asks for nothing", chat(best_of=1, echo=False), CODE),
    _limited("an answer that never ends by itself", chat(ignore_eos=True), CODE, ignore_eos=True),
    _limited("a completion without a length", complete(), 16, COMPLETIONS),
    _limited("a completion without end", complete(max_tokens=10**9), CODE, COMPLETIONS),
    _limited(
        "answers times prompts",
        complete(prompt=["a", "b"], n=4, max_tokens=CODE),
        CODE // 8,
        COMPLETIONS,
    ),
    _limited("a response without a length", respond(), CODE, RESPONSES, store=False),
    _limited("a response without end", respond(max_output_tokens=10**9), CODE, RESPONSES),
    *(
        refused(key, value)
        for key in ("max_tokens", "max_completion_tokens")
        for value in (0, -1, "100", True, 1.5, [1], {"a": 1})
    ),
    *(refused("max_output_tokens", value, RESPONSES) for value in (0, -1, "100", True)),
    refused("max_output_tokens", 5),
    refused("max_tokens", 5, RESPONSES),
    *(refused("min_tokens", value) for value in (-1, "1", True)),
    *(refused("n", value) for value in (0, 9, 10**9, "2", True)),
    *(refused("best_of", value) for value in (2, 10**9, 1.0)),
    refused("best_of", 4, COMPLETIONS),
    refused("use_beam_search", True),
    *(refused("ignore_eos", value) for value in (1, "true")),
    refused("ignore_eos", True, RESPONSES),
    refused("top_logprobs", 10**6),
    refused("logprobs", 10**6, COMPLETIONS),
    refused("prompt", ["a"] * 9, COMPLETIONS),
)

TASKS = (
    Hostile(
        what="the task in the header",
        headers=(("x-task", "qa"),),
        body=chat(),
        status=200,
        engine={"max_tokens": QA},
        answer=(("x-task", "qa"), ("x-token-limit", str(QA))),
    ),
    Hostile(
        what="the same task twice",
        headers=(("X-Task", "math"),),
        body=chat(task="math"),
        status=200,
        engine={"max_tokens": MATH},
        answer=(("x-task", "math"),),
    ),
    Hostile(
        what="another task in the header than in the body",
        headers=(("x-task", "code"),),
        body=chat(task="qa"),
        status=400,
        param="task",
    ),
    Hostile(
        what="two headers that differ",
        headers=(("x-task", "code"), ("x-task", "qa")),
        body=chat(),
        status=400,
        param="task",
    ),
    *(
        Hostile(what=f"the task {task[:20]!r}", body=chat(task=task), status=400, param="task")
        for task in ("chess", "CODE", "code\r\nx-admin: 1", "c" * 10_000, "", "maxTokens")
    ),
    Hostile(
        what="an unknown task in the header",
        headers=(("x-task", "chess\xff"),),
        body=chat(),
        status=400,
        param="task",
    ),
    *(refused("task", value) for value in (1, True, ["code"], {"code": 1})),
)
