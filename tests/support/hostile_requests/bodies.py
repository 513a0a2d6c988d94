"""Bodies that are no JSON object, or too much of one."""

import gzip
import json

from tests.support.hostile_requests.request import CODE, Hostile, chat


def _unreadable(what: str, body: bytes, status: int = 400) -> Hostile:
    return Hostile(what=what, body=body, status=status)


BODIES = (
    _unreadable("no body", b""),
    _unreadable("a list", b"[]"),
    _unreadable("null", b"null"),
    _unreadable("a text", b'"hi"'),
    _unreadable("half an object", b'{"messages": [{"role": "user", "content": "hi"}]'),
    _unreadable("a byte order mark", b"\xef\xbb\xbf" + chat()),
    _unreadable("UTF-16", chat().decode().encode("utf-16")),
    _unreadable("no UTF-8", b'{"messages": "\xff"}'),
    _unreadable("NaN", b'{"temperature": NaN, "messages": []}'),
    _unreadable("half a character", b'{"messages": [{"role": "user", "content": "\\ud800"}]}'),
    _unreadable("a hundred thousand lists deep", b'{"stop": ' + b"[" * 100_000),
    _unreadable("300 lists deep", b'{"stop": ' + b"[" * 300 + b"]" * 300 + b"}"),
    _unreadable("a number of 5,000 digits", b'{"seed": ' + b"9" * 5_000 + b"}"),
    _unreadable("one byte too many", b" " * (2**20 + 1), 413),
    Hostile(what="an object of nothing", body=b"{}", status=400, param="messages"),
    Hostile(
        what="a number beyond all",
        body=b'{"temperature": 1e999, "messages": [{"role": "user", "content": "hi"}]}',
        status=400,
        param="temperature",
    ),
    Hostile(
        what="80,000 keys",
        body=json.dumps({str(number): 0 for number in range(80_000)}).encode(),
        status=400,
        param="0",
    ),
    Hostile(
        what="gzip",
        headers=(("content-encoding", "gzip"),),
        body=gzip.compress(chat()),
        status=415,
    ),
    Hostile(
        what="the same key twice: the last counts, capped",
        body=b'{"messages": [{"role": "user", "content": "hi"}], '
        b'"max_tokens": 1, "max_tokens": 999999}',
        status=200,
        engine={"max_tokens": CODE},
    ),
    Hostile(
        what="null for what may be left out",
        body=chat(max_tokens=None, stop=None, tools=None, temperature=None),
        status=200,
        engine={"max_tokens": CODE},
        hidden=("stop", "tools", "temperature"),
    ),
)
