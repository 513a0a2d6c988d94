"""What is told, to whom, in which order, and by which exit status."""

import json
import re
from dataclasses import replace
from pathlib import Path

import vibethinker_doctor
from vibethinker_doctor.answer import found, ok, unknown
from vibethinker_doctor.examination import (
    COULD_NOT_LOOK,
    FINDINGS,
    HEALTHY,
    Examination,
    render_json,
    render_text,
)
from vibethinker_doctor.finding import Finding, Severity
from vibethinker_doctor.meanings import MEANINGS
from vibethinker_doctor.wording import (
    name_in_cluster,
    name_on_machine,
    tell_in_cluster,
    tell_on_machine,
)

ERROR = Finding(
    code="KvCacheTooSmall",
    cause="it does not fit",
    evidence="ValueError: …",
    remedy="enlarge the pool",
    field="engine.kvCacheMemoryBytes",
    value=1024,
)
WARNING = replace(ERROR, code="MaxModelLenAboveLine", severity=Severity.WARNING)
CODE = re.compile(r'(?:code=|other_codes=\(|^        )"([A-Z][A-Za-z0-9]+)",', re.MULTILINE)


def test_the_same_finding_names_the_field_as_its_reader_writes_it():
    assert tell_in_cluster(ERROR) == (
        "it does not fit; remedy: enlarge the pool: set spec.engine.kvCacheMemoryBytes to 1024"
    )
    assert tell_on_machine(ERROR) == (
        "it does not fit; remedy: enlarge the pool: --set kvCacheMemoryBytes=1024"
    )


def test_a_field_without_a_value_is_named_all_the_same():
    open_ = replace(ERROR, value=None)
    assert name_in_cluster(open_) == "change spec.engine.kvCacheMemoryBytes"
    assert name_on_machine(open_) == "--set kvCacheMemoryBytes=…"


def test_a_machine_has_no_replicas_and_no_image():
    for field in ("scaling.maxReplicas", "resources.limits.memory", "engine.image"):
        assert name_on_machine(replace(ERROR, field=field)) is None
    assert name_in_cluster(replace(ERROR, field=None)) is None


def test_errors_come_before_warnings_and_each_code_once():
    path = (ok("1?", "yes"), found("2?", WARNING))
    again = replace(ERROR, evidence="another line")
    examination = Examination(subject="x", path=path, last_words=(ERROR,), cluster=(again,))
    assert examination.findings == (ERROR, WARNING)
    assert examination.status == FINDINGS


def test_all_well_and_nothing_seen_are_two_things():
    assert Examination(subject="x", path=(ok("1?", "yes"), unknown("2?", "y"))).status == HEALTHY
    assert Examination(subject="x", path=(unknown("1?", "a page"),)).status == COULD_NOT_LOOK


def test_people_read_questions_then_findings():
    examination = Examination(
        subject="engine at x", path=(found("2. Long?", WARNING),), notes=("no log",)
    )
    text = render_text(examination, name_in_cluster)
    assert text.splitlines()[0] == "engine at x"
    assert "  FOUND    2. Long?" in text
    assert "  note     no log" in text
    assert "1. MaxModelLenAboveLine (Warning): it does not fit" in text
    assert "   change:   set spec.engine.kvCacheMemoryBytes to 1024" in text


def test_programs_read_the_same():
    document = json.loads(render_json(Examination(subject="x", path=(found("2?", WARNING),))))
    assert document["status"] == FINDINGS
    assert document["path"][0]["finding"] == "MaxModelLenAboveLine"
    assert document["findings"][0]["field"] == "engine.kvCacheMemoryBytes"
    assert document["findings"][0]["severity"] == "Warning"


def test_every_code_is_explained_and_no_other():
    package = Path(next(iter(vibethinker_doctor.__path__)))
    sources = [f.read_text() for f in package.glob("*.py") if f.name != "meanings.py"]
    codes = {code for source in sources for code in CODE.findall(source)} | {"OOMKilled"}
    assert codes == set(MEANINGS)
