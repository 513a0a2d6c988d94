"""The command without a cluster: what is shown, what is refused, and the same bytes each time."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result
from vibethinker_operator.kubectl.__main__ import app

RESOURCE: dict[str, Any] = {
    "apiVersion": "vibethinker.io/v1alpha1",
    "kind": "VibeThinkerDeployment",
    "metadata": {"name": "chat"},
    "spec": {
        "gpu": {"product": "Tesla-T4"},
        "engine": {"maxNumSeqs": 16},
        "scaling": {"maxReplicas": 2, "scaleDownStabilizationSeconds": 30},
    },
}
TITLE = "load.csv: simulated, with constants computed from the card's data sheet, not measured\n"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with a resource and a load that one pod cannot bear; no kubeconfig anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    write_resource()
    times = [*range(20), *(20 + n / 8 for n in range(480)), *range(80, 200)]
    lines = (f"{time},200,300\n" for time in times)
    Path("load.csv").write_text("time,prompt_tokens,output_tokens\n" + "".join(lines))


def write_resource(text: str | None = None, **spec: Any) -> None:
    body = RESOURCE | {"spec": RESOURCE["spec"] | spec}
    Path("cr.yaml").write_text(yaml.safe_dump(body) if text is None else text)


def run(*arguments: str, trace: str = "load.csv") -> Result:
    return CliRunner().invoke(app, ["simulate", "-f", "cr.yaml", "--trace", trace, *arguments])


def document(*arguments: str) -> dict[str, Any]:
    result = run("--format", "json", *arguments)
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def refuse(*arguments: str, trace: str = "load.csv") -> str:
    result = run(*arguments, trace=trace)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.output
    return result.stderr


class TestShown:
    def test_the_title_says_that_nothing_is_measured(self):
        result = run()
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(TITLE)
        assert "620 requests in 0:03:20; Tesla-T4" in result.stdout

    def test_figures_stand_in_rows_and_fleets_in_columns(self):
        table = run("--set", "scaling.maxReplicas=4", "--against", "static:3").stdout
        head = next(line for line in table.splitlines() if "as written" in line)
        assert head.split() == ["as", "written", "scaling.maxReplicas=4", "static", "3"]
        most = next(line for line in table.splitlines() if line.startswith("replicas asked for, m"))
        assert len(most.split()) == 4 + 3
        for figure in ("GPU-hours", "first token in 3 s", "first token, 99 %", "requests refused"):
            assert f"\n{figure} " in table
        assert "static 3: a fleet of one size that lets everybody in" in table

    def test_decisions_say_why_and_what_would_change_them(self):
        shown = run().stdout
        assert "as written: " in shown
        assert "  1 -> 2  " in shown
        assert "would hold at " in shown

    def test_a_reason_of_refusals_has_a_row(self):
        write_resource(scaling={"maxReplicas": 1})
        arm = document()["arms"][0]
        assert arm["refused"] == sum(arm["refused_for"].values()) > 0
        shown = run().stdout
        assert all(f"\n  {reason} " in shown for reason in arm["refused_for"])

    def test_no_answer_is_cut(self):
        assert [arm["dropped"] for arm in document("--against", "static:2")["arms"]] == [0, 0]

    def test_prompts_that_are_too_long_are_counted_and_said(self):
        with Path("load.csv").open("a") as file:
            file.write("201,5000,10\n" * 3)
        assert "3 of 623 requests are longer than engine.maxModelLen (4,096)" in run().stdout
        assert document()["arms"][0]["too_long"] == 3

    def test_a_terminal_gets_a_table_with_lines(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "160")
        shown = run("--against", "static:2")
        assert "│" in shown.stdout
        assert "static 2" in shown.stdout
        assert "as written" in shown.stderr

    def test_the_same_question_has_the_same_answer_to_the_last_byte(self):
        arguments = ("--set", "saturation.requestQueueLength=8", "--out", "one")
        first = run(*arguments)
        picture = Path("one/simulate.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert first.stdout_bytes == run(*arguments).stdout_bytes
        assert picture == Path("one/simulate.png").read_bytes()
        assert run("--format", "json").stdout_bytes == run("--format", "json").stdout_bytes


class TestJson:
    def test_programs_get_every_figure_and_every_change(self):
        answer = document("--set", "scaling.maxReplicas=3", "--seed", "7")
        assert answer["measured"] is False
        assert answer["trace"] == {"name": "load.csv", "requests": 620, "seconds": 200.0}
        assert (answer["seed"], answer["start_seconds"]) == (7, 60.0)
        names = [arm["name"] for arm in answer["arms"]]
        assert names == ["as written", "scaling.maxReplicas=3"]
        assert [arm["replicas_most"] for arm in answer["arms"]] == [2, 3]
        grown = answer["arms"][1]["changes"][0]
        assert set(grown) == {
            "time", "from", "to", "rule", "reason", "message", "counterfactual",
        }  # fmt: skip
        assert (grown["from"], grown["to"]) >= (1, 2)

    def test_what_is_no_number_is_null(self):
        Path("load.csv").write_text("time,prompt_tokens,output_tokens\n0,5000,1\n")
        arm = document()["arms"][0]
        assert (arm["in_time"], arm["first_token_p99_seconds"]) == (None, None)


class TestOptions:
    def test_the_card_replaces_the_resources(self):
        arms = document("--card", "NVIDIA-L4", "--set", "gpu.product=NVIDIA-A10")["arms"]
        assert [arm["card"] for arm in arms] == ["NVIDIA-L4", "NVIDIA-A10"]

    def test_first_replicas_are_the_resources_unless_said(self):
        write_resource(scaling={"minReplicas": 2, "maxReplicas": 3})
        assert document()["arms"][0]["first_replicas"] == 2
        assert document("--first-replicas", "3")["arms"][0]["first_replicas"] == 3
        write_resource(scaling={"mode": "Manual"}, replicas=4)
        assert document()["arms"][0]["first_replicas"] == 4

    def test_copies_and_built_in_traces(self):
        assert document("--copies", "2")["trace"]["requests"] == 1240
        shown = run("--rate", "0.05", trace="ramp")
        assert shown.stdout.startswith("ramp: simulated")

    @pytest.mark.parametrize("change", ["overload.policy=Reject", "spec.overload.policy=Reject"])
    def test_fields_may_begin_with_spec(self, change: str):
        arm = document("--set", change)["arms"][1]
        assert arm["replicas_most"] == 1

    def test_several_fields_change_at_once(self):
        name = "scaling.minReplicas=2, scaling.maxReplicas=2"
        arms = document("--set", "scaling.minReplicas=2", "--set", "scaling.maxReplicas=2")["arms"]
        assert (arms[1]["name"], arms[1]["replicas_mean"]) == (name, 2)


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param("", "0 documents in it", id="empty"),
            pytest.param("a: [", "is no YAML", id="no YAML"),
            pytest.param("!!python/object:os.system {}", "is no YAML", id="a program"),
            pytest.param("[" * 400, "is no YAML", id="too deep"),
            pytest.param("text", "kind None in it", id="a text"),
            pytest.param("- 1\n- 2\n", "kind None in it", id="a list"),
            pytest.param("a: 1\n---\nb: 2\n", "2 documents in it", id="several"),
            pytest.param("apiVersion: v1\nkind: List\n", "kind List in it", id="another kind"),
            pytest.param("#" * 2**21, "more than 1 MiB", id="huge"),
            pytest.param("2026-99-99: 1", "", id="no date"),
        ],
    )
    def test_a_file_without_one_resource_is_refused(self, text: str, said: str):
        write_resource(text)
        assert said in refuse()
        assert "cr.yaml" in refuse()

    def test_a_file_that_is_not_there_or_no_text_is_refused(self):
        Path("cr.yaml").write_bytes(b"\xff\x00\xfe")
        assert "cr.yaml is no YAML" in refuse()
        Path("cr.yaml").unlink()
        assert "cr.yaml: No such file" in refuse()
        Path("cr.yaml").mkdir()
        assert "cr.yaml: Is a directory" in refuse()

    @pytest.mark.parametrize(
        ("spec", "field"),
        [
            ({"scaling": {"maxReplica": 2}}, "spec.scaling.maxReplica: Extra inputs"),
            ({"scaling": {"maxReplicas": 0}}, "spec.scaling.maxReplicas: "),
            ({"scaling": {"minReplicas": 3, "maxReplicas": 2}}, "minReplicas must be <="),
            ({"scaling": 7}, "spec.scaling: "),
            ({"model": {"repository": "weibo/VibeThinker-1.5B"}}, "only of WeiboAI/"),
            ({"model": {"repository": "WeiboAI/VibeThinker-3B"}}, "spec.model: how fast"),
            ({"engine": {"kvCacheMemoryBytes": 2**26}}, "less than one sequence"),
        ],
    )
    def test_a_resource_that_cannot_be_obeyed_is_refused_by_field(
        self, spec: dict[str, Any], field: str
    ):
        write_resource(**spec)
        assert field in refuse()

    @pytest.mark.parametrize("spec", [7, "text", [1]])
    def test_a_spec_that_has_no_fields_is_refused(self, spec: object):
        write_resource(yaml.safe_dump(RESOURCE | {"spec": spec}))
        assert "spec" in refuse()
        assert "spec" in refuse("--set", "scaling.maxReplicas=2")
        assert "spec" in refuse("--card", "NVIDIA-L4")

    def test_an_unknown_card_lists_those_that_are_known(self):
        assert "nothing is known of 'NVIDIA-B200'; name one of Tesla-T4, NVIDIA-L4" in refuse(
            "--card", "NVIDIA-B200"
        )
        assert "spec.gpu.product" in refuse("--card", "no such card")

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("scaling.maxReplicas", "wanted is FIELD=VALUE"),
            ("=3", "wanted is FIELD=VALUE"),
            ("scaling..maxReplicas=3", "wanted is FIELD=VALUE"),
            ("scaling.maxReplicas=[", "the value is no YAML"),
            ("scaling.maxReplicas=many", "spec.scaling.maxReplicas"),
            ("gpu.product.name=x", "spec.gpu.product.name: no such field can be set"),
            ("nothing.of.it=1", "spec.nothing: Extra inputs"),
            ("scaling.minReplicas=9", "minReplicas must be <= maxReplicas"),
        ],
    )
    def test_a_change_that_cannot_be_made_is_refused(self, change: str, said: str):
        assert said in refuse("--set", change)

    @pytest.mark.parametrize("against", ["hpa", "static", "static:", "static:0", "static:1001"])
    def test_another_opponent_is_refused(self, against: str):
        assert "wanted is static:K" in refuse("--against", against)

    def test_a_trace_that_cannot_be_read_is_refused_by_line_and_column(self):
        Path("bad.csv").write_text("time,prompt_tokens,output_tokens\n0,1,1\n1,x,1\n")
        assert "bad.csv, line 3, column prompt_tokens: 'x' is no number" in refuse(trace="bad.csv")
        assert "none of azure-conv, deepseek-r1, step, ramp, daily" in refuse(trace="nowhere.csv")

    @pytest.mark.parametrize(
        "arguments",
        [("--rate", "0"), ("--rate", "nan"), ("--copies", "0"), ("--start-seconds", "-1")],
    )
    def test_options_have_bounds(self, arguments: tuple[str, str]):
        assert "Invalid value" in refuse(*arguments)

    def test_a_picture_that_cannot_be_written_is_said(self, monkeypatch: pytest.MonkeyPatch):
        assert "--out cr.yaml: File exists" in refuse("--out", "cr.yaml")
        Path("taken/simulate.png").mkdir(parents=True)
        assert "simulate.png: Is a directory" in refuse("--out", "taken")
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        assert "a picture needs the extra simulate" in refuse("--out", "pictures")
