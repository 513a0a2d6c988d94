"""Traces from files: what is read, and what is refused with which words."""

import gzip
from pathlib import Path

import pytest
from vibethinker_simulator.builtin_traces import find_trace
from vibethinker_simulator.trace_file import TraceError, read_trace

HEAD = "time,prompt_tokens,output_tokens\n"
GOOD = HEAD + "0,10,20\n"
COMPRESSED = gzip.compress((HEAD + "0,10,20\n" * 1000).encode(), mtime=0)


def write(directory: Path, content: str | bytes, name: str = "trace.csv") -> Path:
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "no column time, prompt_tokens, output_tokens", id="empty"),
        pytest.param(HEAD, "no request in it", id="header only"),
        pytest.param("time,prompt_tokens\n0,1\n", "no column output_tokens", id="column missing"),
        pytest.param("0,10,20\n1,10,20\n", "its first line must be time,", id="no header"),
        pytest.param(GOOD + "1,x,20\n", "line 3, column prompt_tokens: 'x'", id="text"),
        pytest.param(GOOD + "1,10\n", "line 3, column output_tokens", id="line too short"),
        pytest.param(GOOD + "1,,20\n", "line 3, column prompt_tokens: ''", id="nothing"),
        pytest.param(HEAD + "nan,1,1\n", "line 2, column time: 'nan' is not finite", id="nan"),
        pytest.param(HEAD + "inf,1,1\n", "line 2, column time: 'inf' is not finite", id="inf"),
        pytest.param(HEAD + "0,-1,1\n", "line 2, column prompt_tokens: -1", id="negative prompt"),
        pytest.param(HEAD + "0,0,1\n", "line 2, column prompt_tokens: 0", id="no prompt"),
        pytest.param(HEAD + "0,1,-9\n", "line 2, column output_tokens: -9", id="negative answer"),
        pytest.param(HEAD + "0,1,1e9\n", "line 2, column output_tokens: 1e+09", id="endless"),
        pytest.param(HEAD + "0,1e308,1\n", "line 2, column prompt_tokens: 1", id="out of range"),
        pytest.param(HEAD + "0,1,1\n1e12,1,1\n", "times are in seconds", id="a thousand years"),
        pytest.param(HEAD + "-1e308,1,1\n1e308,1,1\n", "times are in seconds", id="for ever"),
        pytest.param(HEAD + f"0,{'1' * 200_000},1\n", "trace.csv, line 2: ", id="endless field"),
        pytest.param(b"\xff\xfe\x00", "trace.csv: ", id="not UTF-8"),
        pytest.param(HEAD.encode() + b"0,1,\xe9\n", "trace.csv: ", id="Latin-1"),
        pytest.param("\x00" * 100, "no column time", id="zeros"),
        pytest.param(COMPRESSED, "trace.csv: ", id="gzip without its suffix"),
    ],
)
def test_what_is_no_trace_is_refused_with_file_line_and_column(
    tmp_path: Path, content: str | bytes, said: str
):
    with pytest.raises(TraceError) as refused:
        read_trace(write(tmp_path, content))
    assert "trace.csv" in str(refused.value)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(COMPRESSED[:-9], id="truncated"),
        pytest.param(COMPRESSED[:12] + b"\xff" * 20 + COMPRESSED[32:], id="damaged"),
        pytest.param(GOOD.encode(), id="not compressed"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_damaged_archive_is_refused_by_name(tmp_path: Path, content: bytes):
    with pytest.raises(TraceError, match=r"trace\.csv\.gz"):
        read_trace(write(tmp_path, content, "trace.csv.gz"))


def test_a_directory_and_a_missing_file_are_refused_by_name(tmp_path: Path):
    with pytest.raises(TraceError, match="directory"):
        read_trace(tmp_path)
    with pytest.raises(TraceError, match=r"nowhere\.csv"):
        read_trace(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("name", ["nowhere.csv", "x" * 5000, "a/b/c"])
def test_a_name_that_is_no_trace_lists_those_that_are(name: str):
    with pytest.raises(TraceError, match="azure-conv, deepseek-r1, step, ramp, daily"):
        find_trace(name, 1.0)


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path):
    path = write(tmp_path, "model,output_tokens,time,prompt_tokens\nm,20,7.5,10\nm,21,8.0,11\n")
    trace = read_trace(path)
    assert [request[:3] for request in trace.requests] == [(0.0, 10, 20), (0.5, 11, 21)]
    assert (trace.name, trace.seconds) == ("trace.csv", 1.0)


def test_times_need_no_order_and_no_beginning(tmp_path: Path):
    path = write(tmp_path, HEAD + "1700000012.5,3,3\n1700000010,1,1\n1700000011,2,2\n")
    requests = read_trace(path).requests
    assert [request.time for request in requests] == [0.0, 1.0, 2.5]
    assert [request.prompt_tokens for request in requests] == [1, 2, 3]


def test_sessions_are_kept_where_a_column_names_them(tmp_path: Path):
    path = write(
        tmp_path,
        "time,prompt_tokens,output_tokens,session\n0,1,1,ann\n1,1,1,bob\n2,1,1,ann\n3,1,1,\n",
    )
    assert [request.session for request in read_trace(path).requests] == [0, 1, 0, 2]


def test_an_answer_of_no_token_counts_as_one(tmp_path: Path):
    assert read_trace(write(tmp_path, HEAD + "0,5,0\n")).requests[0].output_tokens == 1


@pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz"])
def test_plain_and_compressed_read_alike(tmp_path: Path, name: str):
    text = (HEAD + "0,10,20\n3,30,40\n").encode()
    path = write(tmp_path, gzip.compress(text) if name.endswith(".gz") else text, name)
    assert [request.time for request in read_trace(path).requests] == [0.0, 3.0]


def test_the_mark_that_spreadsheets_begin_files_with_is_no_part_of_a_column(tmp_path: Path):
    assert read_trace(write(tmp_path, "\ufeff" + GOOD)).requests[0].prompt_tokens == 10


def test_a_long_file_is_read_to_its_end(tmp_path: Path):
    path = write(tmp_path, HEAD + "".join(f"{n / 100},9,9\n" for n in range(30_000)))
    assert len(read_trace(path).requests) == 30_000
