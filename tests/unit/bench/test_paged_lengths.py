import gzip
import io
import json
import random
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.bench.paged.__main__ import CAPS, main, measure, pool_of_card, read_tables, read_trace
from tests.bench.paged.lengths import (
    LONGEST,
    Request,
    group,
    parse_azure,
    parse_table,
    render_table,
)
from tests.bench.paged.packing import compare
from tests.bench.paged.servegen import couple, pair_client
from tests.bench.paged.sources import SOURCES

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44"


def drawn_requests(number: int) -> list[Request]:
    drawn = random.Random(7)  # noqa: S311 (lengths, nothing secret)
    return [
        Request(1, int(drawn.lognormvariate(6, 1.2)) + 1, int(drawn.lognormvariate(5, 1.5)) + 1)
        for _ in range(number)
    ]


def pack(path: Path, files: Mapping[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(f"model/{name}")
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
    return path


def test_a_cell_keeps_weight_and_mean_lengths():
    cells = group([Request(1, 10, 20), Request(3, 50, 100), Request(1, 300, 20)])
    assert cells == [Request(4, 40, 80), Request(1, 300, 20)]


def test_a_table_says_of_a_workload_what_the_workload_itself_says():
    requests = drawn_requests(20_000)
    table = parse_table(render_table(group(requests), "drawn"))
    assert len(table) < 300
    for cap in CAPS:
        own, grouped = (compare(given, pool_of_card(), cap) for given in (requests, table))
        assert grouped["refused_share"] == own["refused_share"]
        assert grouped["answers_longer_than_cap"] == own["answers_longer_than_cap"]
        for way, figures in own["ways"].items():
            found = grouped["ways"][way]["sequences"]
            assert found == pytest.approx(figures["sequences"], rel=0.02), way


def test_longer_than_the_longest_share_a_cell():
    far, farther = Request(1, 2 * LONGEST, 3 * LONGEST), Request(1, 4 * LONGEST, 9 * LONGEST)
    assert len(group([far, farther])) == 1


def test_azures_form_is_read_also_without_a_last_line_feed(tmp_path):
    assert list(parse_azure(AZURE.splitlines())) == [Request(1, 374, 44)]
    packed = tmp_path / "trace.csv.gz"
    packed.write_bytes(gzip.compress(AZURE.encode()))
    plain = tmp_path / "trace.csv"
    plain.write_text(AZURE, encoding="utf-8")
    assert read_trace(packed) == read_trace(plain) == [Request(1, 374, 44)]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        pytest.param("a,b\n1,2\n", "ContextTokens, GeneratedTokens", id="another table"),
        pytest.param("", "no column", id="empty"),
        pytest.param(AZURE.splitlines()[0], "no request", id="a head alone"),
        pytest.param(AZURE.replace("44", "many"), "many", id="no number"),
    ],
)
def test_a_trace_that_is_none_is_refused_and_says_why(tmp_path, capsys, text, wrong):
    trace = tmp_path / "trace.csv"
    trace.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main([str(trace)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert str(trace) in said
    assert wrong in said


def test_both_distributions_are_run_through_by_one_number():
    pairs = list(couple({10: 0.5, 20: 0.5}, {1: 0.25, 2: 0.5, 3: 0.25}))
    assert pairs == [(0.25, 10, 1), (0.25, 10, 2), (0.25, 20, 2), (0.25, 20, 3)]


def test_shares_that_do_not_sum_to_one_are_brought_to_it():
    assert sum(share for share, _, _ in couple({1: 2.0, 2: 1.0}, {5: 0.3, 6: 0.3})) == 1


def test_a_client_counts_by_its_rate_and_by_the_distributions_of_its_hour(tmp_path):
    lengths = {
        "0": {"input_tokens": "{10: 1.0}", "output_tokens": "{5: 1.0}"},
        "21600": {"input_tokens": "{30: 1.0}", "output_tokens": "{7: 1.0}"},
    }
    rates = "0,0,0,,0,0\n600,0.5,1,Gamma,1,1\n21000,0.5,1,,0,0\n21600,1.0,1,,0,0\n"
    wanted = [Request(600, 10, 5), Request(600, 30, 7)]
    assert list(pair_client(rates, lengths)) == wanted
    files = {"chunk-0-trace.csv": rates, "chunk-0-dataset.json": json.dumps(lengths)}
    archive = pack(tmp_path / "model.tar.gz", files)
    assert read_trace(archive) == wanted


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        pytest.param({}, "no request", id="empty"),
        pytest.param({"chunk-0-trace.csv": "0,1,1,,0,0"}, "chunk-0-dataset.json", id="half"),
        pytest.param(
            {
                "chunk-0-trace.csv": "0,1,1,,0,0",
                "chunk-0-dataset.json": '{"0": {"input_tokens": "{1: ", "output_tokens": "{}"}}',
            },
            "no Python dict",
            id="cut off",
        ),
    ],
)
def test_an_archive_that_is_none_is_refused_and_says_why(tmp_path, capsys, files, wrong):
    with pytest.raises(SystemExit) as ended:
        main([str(pack(tmp_path / "model.tar.gz", files))])
    assert ended.value.code == 2
    assert wrong in capsys.readouterr().err


def test_rates_before_any_distribution_are_refused():
    with pytest.raises(ValueError, match="second 0 of the day"):
        list(pair_client("0,1,1,,0,0", {"600": {}}))


def test_the_tables_kept_here_have_the_means_that_their_sources_state():
    # 19,366 requests; 16.0 a second over a day. Means as the traces' authors' data give them.
    tables = read_tables()
    assert set(tables) == set(SOURCES)
    stated = {"azure-conv-2023": (19_366, 1155, 211), "servegen-deepseek-r1": (1.38e6, 1268, 1527)}
    for name, (count, prompt, answer) in stated.items():
        weight = sum(one.weight for one in tables[name])
        assert weight == pytest.approx(count, rel=0.005)
        for lengths, mean in ((1, prompt), (2, answer)):
            found = sum(one.weight * one[lengths] for one in tables[name]) / weight
            assert found == pytest.approx(mean, rel=0.005)


def test_paged_comes_within_two_percent_of_the_floor_on_every_trace():
    for by_cap in measure(read_tables())["traces"].values():
        for figures in by_cap.values():
            assert figures["ways"]["paged"]["of_floor"] > 0.98
            assert figures["ways"]["max_model_len"]["of_floor"] < 0.5
