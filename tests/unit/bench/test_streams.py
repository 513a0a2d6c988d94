import pytest

from tests.bench.middleware.streams import StreamError, open_streams, require_descriptors
from tests.support.scripted_server import scripted_server

FIRST = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: {}\n\r\n"
REFUSED = b"HTTP/1.1 429 No\r\ncontent-length: 8\r\n\r\ndata: {}"


def test_a_stream_is_open_once_its_first_chunk_has_come():
    with scripted_server(FIRST) as port, open_streams(port, b"x", 1, seconds=5):
        pass


@pytest.mark.parametrize(
    ("answer", "why"),
    [(REFUSED, "refused"), (b"", "ended by itself"), (FIRST[:30], "ended by itself")],
)
def test_a_stream_that_is_none_is_not_counted(answer: bytes, why: str):
    with (
        scripted_server(answer, ends=True) as port,
        pytest.raises(StreamError, match=why),
        open_streams(port, b"x", 1, seconds=5),
    ):
        pass


def test_more_streams_than_the_system_allows_are_refused_with_its_limit():
    with pytest.raises(StreamError, match="open files are allowed"):
        require_descriptors(10**12)
