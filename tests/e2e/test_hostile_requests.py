"""The table of hostile requests over real sockets: our server around the stub engine."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.engine_process import EngineProcess, package_site, start_engine
from tests.e2e.test_engine_stub import SETTINGS, SHAPE, STUB, serving, site_packages
from tests.support.hostile_requests import (
    APP_POLICY,
    HOSTILE,
    POLICY,
    SERVED_NAME,
    UNDER_PROFILES,
    Hostile,
)

CASES = [
    *((POLICY, one) for one in HOSTILE),
    *((APP_POLICY, one) for one in UNDER_PROFILES),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    directory = tmp_path_factory.mktemp("hostile")
    (directory / "site").mkdir()
    paths = [STUB, package_site(directory / "site"), *site_packages()]
    with start_engine(
        directory,
        pythonpath=paths,
        settings=SETTINGS | {"servedName": SERVED_NAME},
        environment=SHAPE | {"STUB_STEP_SECONDS": "0.001"},
    ) as running:
        serving(running)
        yield running


def answer_of(engine: EngineProcess, hostile: Hostile) -> tuple[int, dict[str, str], bytes]:
    """Returns status, headers and body; a connection of its own, as some are closed on us."""
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=60)
    try:
        connection.putrequest(hostile.method, hostile.path)
        headers = (("content-type", "application/json"), *hostile.headers)
        for name, value in (*headers, ("content-length", str(len(hostile.body)))):
            connection.putheader(name, value.encode("latin-1"))
        try:
            connection.endheaders(hostile.body)
        except (BrokenPipeError, ConnectionResetError):
            assert hostile.status == 413  # answered before all of it was sent
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("policy", "hostile"), [pytest.param(policy, one, id=one.what) for policy, one in CASES]
)
def test_nobody_gets_around_the_contract(
    engine: EngineProcess, policy: dict[str, Any], hostile: Hostile
):
    engine.sweep(policy)
    status, headers, body = answer_of(engine, hostile)
    assert status == hostile.status, body
    assert dict(hostile.answer).items() <= headers.items()
    if status != 200 and hostile.method != "HEAD":
        assert json.loads(body)["error"]["param"] == hostile.param


def test_the_server_counts_no_error_of_its_own(engine: EngineProcess):
    page = engine.client.get(engine.ops("/metrics?name[]=vibethinker_server_errors_total")).text
    assert "vibethinker_server_errors_total" not in page
