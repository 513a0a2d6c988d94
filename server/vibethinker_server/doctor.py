"""`doctor`: looks at the engine beside it and says what ails it, and what to change. I/O.

It reads what anybody on this machine may read: the ops page, /health, the log, this environment.
"""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vibethinker_doctor.card_arithmetic import ask_arithmetic, read_card
from vibethinker_doctor.engine_facts import read_flags
from vibethinker_doctor.engine_readings import EngineReadings, read_engine
from vibethinker_doctor.examination import Examination, render_json, render_text
from vibethinker_doctor.finding import Finding
from vibethinker_doctor.health import find_dead
from vibethinker_doctor.last_words import find_last_words
from vibethinker_doctor.machine_words import find_old_driver
from vibethinker_doctor.path import walk_path
from vibethinker_doctor.settings_words import find_gone_variables
from vibethinker_doctor.wording import name_in_cluster, name_on_machine

from vibethinker_server import names
from vibethinker_server.last_words import read_facts
from vibethinker_server.one_click.machine import Machine
from vibethinker_server.one_click.machine_reading import read_machine
from vibethinker_server.phases import Phase

LOOPBACK_PORTS = ((9100, 8000), (8081, 8080))
"""Ops port and client port: in a pod, and as `start` picks them."""
TIMEOUT_SECONDS = 5.0
BETWEEN_READINGS_SECONDS = 2.0
LOG_BYTES = 4 * 2**20
"""Of the end of a log: a failed start writes some hundred lines after its cause."""
SERVING = {Phase.SERVING.value, Phase.DRAINING.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOptions:
    """What a person said to `doctor`.

    Attributes:
        url: of the ops port; None: wherever a server of this machine listens.
        client_url: of the client port, likewise.
        log: the log to read.
        format: text or json.
    """

    url: str | None
    client_url: str | None
    log: Path
    format: str


def doctor(options: DoctorOptions, environment: Mapping[str, str]) -> int:
    """Shows what was found; returns 0 where nothing is wrong, 1 with findings, 2: nothing seen."""
    examination = examine(options, environment, read_machine(environment))
    in_pod = names.ENV_POD_NAME in environment
    if options.format == "json":
        print(render_json(examination))
    else:
        text = render_text(examination, name_in_cluster if in_pod else name_on_machine)
        print(text, end="")
    return examination.status


def examine(
    options: DoctorOptions, environment: Mapping[str, str], machine: Machine | None = None
) -> Examination:
    """Returns what was found of the engine that the options name, on `machine` if that is told."""
    ops_url, client_url = find_server(options, environment)
    page = fetch(ops_url, names.PATH_METRICS)
    log, log_note = read_log(options.log)
    facts = read_facts(environment) if names.ENV_ENGINE in environment else read_flags(log)
    words = (
        *find_last_words(log, facts),
        *(() if machine is None else check_driver(machine)),
        *find_gone_variables(environment),
    )
    if page is None:
        note = f"nobody answers at {ops_url}{names.PATH_METRICS}: --url names another address"
        told = EngineReadings(max_model_len=facts.max_model_len, max_num_seqs=facts.max_num_seqs)
        return Examination(
            subject=f"engine at {ops_url}",
            path=walk_path(told),
            last_words=words,
            notes=(note, *log_note),
        )
    readings, earlier = settle(ops_url, read_engine(page.body))
    dead, dead_note = check_health(client_url, readings)
    return Examination(
        subject=f"engine at {ops_url}, phase {readings.phase or 'unknown'}",
        path=walk_path(readings, earlier),
        last_words=(*words, *dead),
        arithmetic=(ask_arithmetic(read_card(readings), on_cpu=facts.device == "CPU"),),
        notes=(*dead_note, *log_note),
    )


def check_driver(machine: Machine) -> tuple[Finding, ...]:
    """Returns that the driver is too old for the engine that is installed here."""
    driver, engine = machine.driver, machine.engine
    if driver is None or engine is None or engine.cuda is None:
        return ()
    finding = find_old_driver(driver.version, driver.cuda, str(engine), engine.cuda)
    return () if finding is None else (finding,)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    status: int
    body: str


def fetch(url: str, path: str) -> Page | None:
    """Returns what `path` below `url` answers, None: nobody does."""
    address = urlsplit(url)
    secure = address.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", address.path.rstrip("/") + path)
        answer = connection.getresponse()
        return Page(answer.status, answer.read().decode(errors="replace"))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def find_server(options: DoctorOptions, environment: Mapping[str, str]) -> tuple[str, str]:
    """Returns the addresses of ops port and client port: as said, or of who answers here."""
    ports = LOOPBACK_PORTS[0]
    if options.url is None and names.ENV_ENGINE not in environment:
        ready = (p for p in LOOPBACK_PORTS if fetch(loopback(p[0]), names.PATH_READY) is not None)
        ports = next(ready, ports)
    return options.url or loopback(ports[0]), options.client_url or loopback(ports[1])


def loopback(port: int) -> str:
    """Returns the address of a port of this machine."""
    return f"http://127.0.0.1:{port}"


def settle(url: str, readings: EngineReadings) -> tuple[EngineReadings, EngineReadings | None]:
    """Returns the readings, and earlier ones where only two together tell who stands still."""
    if not readings.in_flight or readings.running or readings.waiting:
        return readings, None
    time.sleep(BETWEEN_READINGS_SECONDS)
    page = fetch(url, names.PATH_METRICS)
    return (readings, None) if page is None else (read_engine(page.body), readings)


def check_health(url: str, readings: EngineReadings) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Returns that the engine is dead, and what could not be told."""
    if readings.phase not in SERVING:
        return (), (f"the server is not serving yet: its phase is {readings.phase or 'unknown'}",)
    answer = fetch(url, names.PATH_HEALTH)
    status = None if answer is None else answer.status
    came = "no answer" if status is None else f"status {status}"
    finding = find_dead(status, f"GET {url}{names.PATH_HEALTH}: {came}")
    return (() if finding is None else (finding,)), ()


def read_log(file: Path) -> tuple[str, tuple[str, ...]]:
    """Returns the end of a log, and a note where there is none."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - LOG_BYTES))
            return log.read().decode(errors="replace"), ()
    except OSError as error:
        return "", (f"no log at {file} ({error.strerror}): --log names another",)
