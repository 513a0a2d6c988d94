"""What the answer to each kind of request has to be, and whether one is. Pure."""

from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
CHUNKS_END = b"0\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
CLOSES = b"\r\nconnection: close"
EVENT = b"data: "
LAST_EVENT = b"data: [DONE]"


class WrongAnswerError(Exception):
    """A contestant answered something else than it has to: its figures would mean nothing."""


@dataclass(frozen=True)
class Kind:
    """One kind of request, and what its answer has to be.

    Attributes:
        events: `data:` lines of a stream, None: the answer is no stream.
        closes: whether the answer ends its connection; the next request then opens one.
    """

    request: bytes
    status: int = 200
    events: int | None = None
    closes: bool = False


def is_whole(got: bytes | bytearray) -> bool:
    """Returns whether head and body of one answer are all there."""
    head_end = got.find(HEAD_END)
    if head_end < 0:
        return False
    head = bytes(got[:head_end]).lower()
    at = head.find(LENGTH)
    if at < 0:
        return got.endswith(CHUNKS_END)
    length = head[at + len(LENGTH) :].split(b"\r\n", 1)[0]
    return len(got) >= head_end + len(HEAD_END) + int(length)


def find_fault(kind: Kind, got: bytes | bytearray) -> str | None:
    """Returns what is wrong with a whole answer, None: nothing."""
    if got[9:12] != b"%d" % kind.status:
        return f"not a {kind.status}"
    head = bytes(got[: got.find(HEAD_END)]).lower()
    if kind.closes != (CLOSES in head):
        return "does not close its connection" if kind.closes else "closes its connection"
    if kind.events is None:
        return None if got.rstrip(b"\r\n0").endswith(b"}") else "no JSON object"
    return _find_stream_fault(kind.events, got)


def join_chunks(got: bytes | bytearray) -> bytes:
    """Returns the body of a chunked answer without the lines between its chunks."""
    body, at = b"", got.find(HEAD_END) + len(HEAD_END)
    while (end := got.find(b"\r\n", at)) >= 0:
        size = int(got[at:end], 16)
        body += got[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return body


def _find_stream_fault(events: int, got: bytes | bytearray) -> str | None:
    text: bytes | bytearray = got
    if text.count(EVENT) != events or LAST_EVENT not in text:
        # A proxy may have cut its chunks anywhere, also within what is looked for.
        text = join_chunks(got)
    if text.count(EVENT) != events:
        return f"{text.count(EVENT)} events, not {events}"
    return None if LAST_EVENT in text else "no end of the stream"


def require_right(kind: Kind, got: bytes | bytearray) -> None:
    """Raises WrongAnswerError for a whole answer that is not what `kind` says."""
    fault = find_fault(kind, got)
    if fault is not None:
        raise WrongAnswerError(f"{fault}: {bytes(got[:600])!r}")
