"""What the answer to each kind of request has to be, and whether one is. Pure."""

from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
CHUNKS_END = b"0\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
CLOSES = b"\r\nconnection: close"


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
    if got.count(b"data: ") != kind.events:
        return f"{got.count(b'data: ')} events, not {kind.events}"
    return None if b"data: [DONE]" in got else "no end of the stream"


def require_right(kind: Kind, got: bytes | bytearray) -> None:
    """Raises WrongAnswerError for a whole answer that is not what `kind` says."""
    fault = find_fault(kind, got)
    if fault is not None:
        raise WrongAnswerError(f"{fault}: {bytes(got[:600])!r}")
