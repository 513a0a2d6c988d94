from pathlib import Path

import pytest

from tests.demo.rows import Request, Sample, open_rows, read_rows
from tests.unit.demo.made_up_recording import make_requests, make_samples


@pytest.mark.parametrize(("kind", "make"), [(Sample, make_samples), (Request, make_requests)])
def test_rows_come_back_as_written(tmp_path: Path, kind, make):
    path = tmp_path / "rows.csv"
    with open_rows(path, kind) as append:
        append(make()[:20])
        append(make()[20:40])
    assert [round_floats(row) for row in read_rows(path, kind)] == [
        round_floats(row) for row in make()[:40]
    ]


def round_floats(row: Sample | Request) -> dict[str, object]:
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in vars(row).items()}


def test_unknown_is_an_empty_cell_and_not_zero(tmp_path: Path):
    path = tmp_path / "rows.csv"
    with open_rows(path, Sample) as append:
        append([Sample(time=1.0, pod="a", live=None, queue=0)])
    row = read_rows(path, Sample)[0]
    assert row.live is None
    assert row.queue == 0


def test_a_cell_that_does_not_parse_is_named(tmp_path: Path):
    path = tmp_path / "rows.csv"
    with open_rows(path, Sample) as append:
        append([Sample(time=1.0, pod="a")])
    path.write_text(path.read_text().replace("1.0000", "soon"))
    with pytest.raises(ValueError, match=r"rows.csv:2, column time"):
        read_rows(path, Sample)


def test_a_missing_column_is_named(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text("time,pod\n1,a\n")
    with pytest.raises(ValueError, match=r"columns missing: .*live"):
        read_rows(path, Sample)
