"""The boards keep to the conventions of Grafana's ecosystem, and ask only for what exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest

from charts.source.dashboards.files import render_files
from charts.source.dashboards.page import picture_name
from charts.source.promql import list_metrics, parse_nodes
from charts.source.rules.recording import RECORDING_RULES
from tests.contract.charts.exported import exported_series
from tests.support.boards import BOARDS, BoardPanel, Json, list_expressions, list_panels

PANELS = [pytest.param(panel, id=panel.title) for panel in list_panels()]
VLLM = re.compile("vllm:")
"""What tests/integration/dashboards asks a real engine for."""

MISSION_METRICS = (
    "gpu_util",
    "memory_used_ratio",
    "time_to_first_token",
    "request_queue_length",
)


@pytest.fixture(params=BOARDS, ids=str)
def board(request: pytest.FixtureRequest) -> Json:
    return BOARDS[request.param]


def test_the_committed_boards_are_the_generated_ones():
    written = render_files()
    assert written == {path: Path(path).read_text(encoding="utf-8") for path in written}
    assert set(BOARDS) == {Path(path).stem for path in written if path.endswith(".json")}
    assert render_files() == written


def test_every_panel_has_its_picture_and_there_is_no_other():
    pictures = {picture_name(panel.board, panel.json["title"]) for panel in list_panels()}
    assert pictures == {path.name for path in Path("docs/dashboards").iterdir()}


def test_a_board_has_a_stable_name_and_the_tags_that_join_vllms_links(board: Json):
    assert board["uid"].startswith("vibethinker-")
    assert board["tags"] == ["vibethinker", "vllm"]
    assert board.get("id") is None
    assert "__inputs" not in board
    assert board["editable"] is False


def test_a_board_shows_the_last_hour_with_one_crosshair(board: Json):
    assert board["time"] == {"from": "now-1h", "to": "now"}
    assert (board["refresh"], board["graphTooltip"]) == ("30s", 1)


def test_a_board_leads_to_its_sibling_and_to_vllms(board: Json):
    links = {link["tags"][0]: link for link in board["links"]}
    assert set(links) == {"vibethinker", "vllm"}
    assert all(link["keepTime"] and link["includeVars"] for link in links.values())


def test_the_first_variable_is_the_data_source_and_the_others_narrow_each_other(board: Json):
    first, *others = board["templating"]["list"]
    assert (first["name"], first["type"], first["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    names = [variable["name"] for variable in others]
    expected = ["namespace", "deployment", "pod"]
    assert names == [name for name in expected if name in names]
    for before, variable in zip(names, others[1:], strict=False):
        assert f"${before}" in variable["query"]
    assert all(v["multi"] and v["includeAll"] and v["allValue"] == ".*" for v in others)


def test_every_data_source_is_the_variable(board: Json):
    sources = list(find_values(board, "datasource"))
    assert len(sources) > len(board["panels"])
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def find_values(node: object, key: str) -> Iterator[object]:
    """Yields what stands under `key`, however deep."""
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == key)
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from find_values(child, key)


def test_marks_over_every_graph_tell_steps_and_reject_windows(board: Json):
    marks = {mark["name"]: mark for mark in board["annotations"]["list"]}
    assert set(marks) == {"Scale-out", "Scale-in", "Reject window"}
    assert all(mark["enable"] and mark["titleFormat"] for mark in marks.values())


def test_every_expression_is_promql(board: Json):
    for expression in list_expressions(board):
        assert list(parse_nodes(expression)), expression


def test_rates_are_taken_over_what_grafana_shows(board: Json):
    for expression in list_expressions(board):
        windows = re.findall(r"\b(?:rate|increase|irate|delta)\([^\[]*\[([^\]]*)\]", expression)
        assert set(windows) <= {"$__rate_interval", "$__range"}, expression


def test_nothing_is_divided_by_what_may_be_zero(board: Json):
    for expression in list_expressions(board):
        for node in parse_nodes(expression):
            if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "/":
                assert str(node.rhs).rstrip(")").endswith("> 0"), expression


def test_no_label_is_renamed_by_a_clash(board: Json):
    assert "exported_" not in str(board)


def test_only_variables_that_are_there_are_used(board: Json):
    known = {variable["name"] for variable in board["templating"]["list"]}
    for expression in list_expressions(board):
        used = set(re.findall(r"\$\{?(?!__)(\w+)", expression))
        assert used <= known, expression


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_has_a_unit_and_says_what_it_shows_and_from_what(panel: BoardPanel):
    text, _, source = panel.json["description"].rpartition("\n\n")
    assert text.endswith(".")
    assert panel.json["fieldConfig"]["defaults"]["unit"]
    metrics = {name for expression in panel.expressions for name in list_metrics(expression)}
    assert set(re.findall(r"`([^`]+)`", source)) == metrics
    assert metrics


@pytest.mark.parametrize("panel", PANELS)
def test_only_a_judged_tile_has_thresholds(panel: BoardPanel):
    defaults = panel.json["fieldConfig"]["defaults"]
    judged = defaults.get("color", {}).get("mode") == "thresholds"
    assert judged == ("thresholds" in defaults)
    assert not judged or panel.json["type"] == "stat"
    if panel.json["type"] == "stat" and not judged:
        assert defaults["color"] == {"mode": "fixed", "fixedColor": "blue"}


@pytest.mark.parametrize("panel", PANELS)
def test_no_figure_is_drawn_where_there_is_none(panel: BoardPanel):
    (mapping,) = panel.json["fieldConfig"]["defaults"]["mappings"]
    assert mapping["options"] == {"match": "nan", "result": {"text": "No traffic", "index": 0}}


def test_titles_are_told_apart_and_panels_do_not_overlap(board: Json):
    panels = board["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(0 <= x < 24 for x, _ in cells)
    titles = [panel["title"] for panel in panels if panel["type"] != "row"]
    assert len(titles) == len(set(titles))


def test_the_four_metrics_of_the_mission_have_panels_of_their_names():
    titles = [panel["title"] for panel in BOARDS["fleet"]["panels"]]
    assert set(MISSION_METRICS) <= set(titles)


def test_live_memory_is_held_against_the_fleets_own_line_with_the_raw_ratio_beside():
    (panel,) = (
        p for p in BOARDS["fleet"]["panels"] if p["title"] == "Live memory against its line"
    )
    asked = [list_metrics(target["expr"])[0] for target in panel["targets"]]
    assert asked == [
        "vibethinker_fleet_memory_used_ratio",
        "vibethinker_device_memory_used_ratio",
        "vibethinker_fleet_memory_line_ratio",
    ]


def test_a_row_of_the_table_of_pods_leads_to_vllms_board_of_that_instance():
    (table,) = (panel for panel in BOARDS["fleet"]["panels"] if panel["type"] == "table")
    (link,) = (
        link
        for override in table["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "links"
        for link in each["value"]
    )
    assert link["url"].startswith("/d/vllm-instances?")
    assert "var-instance=${__data.fields.Instance}" in link["url"]


def test_every_series_asked_for_is_exported_or_recorded():
    known = exported_series() | {rule.record for rule in RECORDING_RULES}
    for board in BOARDS.values():
        for expression in list_expressions(board):
            asked = {name for name in list_metrics(expression) if not VLLM.match(name)}
            assert asked <= known, expression
