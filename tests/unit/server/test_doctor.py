"""`doctor` beside an engine: what it reads, says and returns."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from vibethinker_server import __main__ as command
from vibethinker_server import doctor
from vibethinker_server.doctor import DoctorOptions, examine, find_server, read_log
from vibethinker_server.one_click.machine import Driver, InstalledEngine, Machine

from tests.unit.doctor.pages import render_page

PHASE = 'vibethinker_start_phase{phase="Serving"} 1\n'


class Pages(ThreadingHTTPServer):
    """Both ports of a server in one: pages by path."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, str]] = {"/health": (200, "")}
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        status, body = self.server.pages.get(self.path, (404, ""))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[Pages]:
    server = Pages()
    server.pages["/metrics"] = (200, render_page() + PHASE)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def options(pages: Pages, tmp_path: Path) -> DoctorOptions:
    log = tmp_path / "api.log"
    log.write_text("INFO all is well\n")
    return DoctorOptions(url=pages.url, client_url=pages.url, log=log, format="text")


def run(options: DoctorOptions, *more: str) -> int:
    where = ("--url", str(options.url), "--client-url", str(options.client_url))
    return command.main(["doctor", *where, "--log", str(options.log), *more])


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    for name in ("POD_NAME", "VIBETHINKER_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "BETWEEN_READINGS_SECONDS", 0.0)


def test_a_healthy_engine_is_0_and_shows_its_evidence(
    options: DoctorOptions, capsys: pytest.CaptureFixture[str]
):
    assert run(options) == 0
    shown = capsys.readouterr().out
    questions = [line for line in shown.splitlines() if line.startswith("  ok")]
    assert [line.split()[1] for line in questions] == ["1.", "2.", "3.", "4.", "Does"]
    assert "nothing is wrong" in shown


def test_findings_are_1_and_name_what_to_say_to_start(
    options: DoctorOptions, pages: Pages, capsys: pytest.CaptureFixture[str]
):
    pages.pages["/metrics"] = (200, render_page(max_model_len=8192) + PHASE)
    assert run(options) == 1
    assert "--set maxModelLen=4096" in capsys.readouterr().out


def test_in_a_pod_they_name_the_resources_field(
    options: DoctorOptions,
    pages: Pages,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("POD_NAME", "chat-a")
    pages.pages["/metrics"] = (200, render_page(max_model_len=8192) + PHASE)
    assert run(options) == 1
    assert "set spec.engine.maxModelLen to 4096" in capsys.readouterr().out


def test_nobody_there_and_no_log_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    nowhere = DoctorOptions(
        url="http://127.0.0.1:9", client_url=None, log=tmp_path / "none", format="text"
    )
    assert doctor.doctor(nowhere, {}) == 2
    shown = capsys.readouterr().out
    assert "--url names another address" in shown
    assert "--log names another" in shown


def test_a_dead_start_is_read_from_its_log_with_the_flags_it_was_started_with(tmp_path: Path):
    log = tmp_path / "api.log"
    log.write_text(
        "INFO vibethinker_server.serve: starting vllm --model m --max-model-len 4096"
        " --kv-cache-memory-bytes 67108864 --gpu-memory-utilization 0.85\n"
        "ValueError: To serve at least one request with the model's max seq len (4096), (0.11 GiB"
        " KV cache is needed, which is larger than the available KV cache memory (0.06 GiB).\n"
        "RuntimeError: Engine core initialization failed. See root cause above.\n"
    )
    examination = examine(
        DoctorOptions(url="http://127.0.0.1:9", client_url=None, log=log, format="text"), {}
    )
    assert examination.status == 1
    assert examination.findings[0].code == "KvCacheTooSmall"


def test_an_engine_that_died_under_a_living_server(options: DoctorOptions, pages: Pages):
    pages.pages["/health"] = (503, "")
    assert [f.code for f in examine(options, {}).findings] == ["EngineDead"]


def test_a_server_on_its_way_up_is_not_called_dead(options: DoctorOptions, pages: Pages):
    phase = PHASE.replace("Serving", "StartingEngine")
    pages.pages["/metrics"] = (200, phase)
    pages.pages["/health"] = (503, "")
    examination = examine(options, {})
    assert not examination.findings
    assert "its phase is StartingEngine" in examination.notes[0]


def test_a_variable_of_an_old_article_is_found(options: DoctorOptions):
    examination = examine(options, {"VLLM_USE_V1": "1"})
    assert [f.code for f in examination.findings] == ["VariableGone"]


def test_requests_that_stand_still_are_looked_at_twice(options: DoctorOptions, pages: Pages):
    pages.pages["/metrics"] = (200, render_page(in_flight=3) + PHASE)
    assert [f.code for f in examine(options, {}).findings] == ["SessionsNotReleased"]


def test_a_driver_that_is_too_old_for_the_installed_engine(options: DoctorOptions):
    engine = InstalledEngine("vllm", "0.33.0", (13, 0))
    old = Machine(python="python", engine=engine, driver=Driver("550.54.15", (12, 4)))
    (finding,) = examine(options, {}, old).findings
    assert finding.code == "DriverTooOld"
    assert "driver 550.54.15 runs CUDA 12.4 at most" in finding.evidence
    assert "driver 580 or newer" in finding.remedy
    new = Machine(python="python", engine=engine, driver=Driver("580.1", (13, 0)))
    assert not examine(options, {}, new).findings


def test_programs_get_json(options: DoctorOptions, capsys: pytest.CaptureFixture[str]):
    assert run(options, "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == 0
    assert len(document["path"]) == 4


def test_it_is_the_pods_ports_where_nobody_says_otherwise(options: DoctorOptions):
    unsaid = DoctorOptions(url=None, client_url=None, log=options.log, format="text")
    pod = find_server(unsaid, {"VIBETHINKER_ENGINE": "{}"})
    assert pod == ("http://127.0.0.1:9100", "http://127.0.0.1:8000")


def test_of_a_long_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "LOG_BYTES", 4)
    log = tmp_path / "log"
    log.write_bytes(b"start\xffend\n")
    assert read_log(log) == ("end\n", ())
