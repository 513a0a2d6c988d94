"""What does our middleware cost, beside nothing, beside the usual way, and beside a real proxy?

    python -m tests.bench.middleware   writes build/bench/middleware.json, in about three minutes

Costs are CPU time of the process that serves, so that what else runs here counts little; rates and
latencies are what a client sees. Traffic stays on loopback, the server on one core, the load
generator on the other. Aims that are missed are said in the JSON; only a contestant that answers
wrongly fails the run.
"""

import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.bench.middleware import scenarios
from tests.bench.middleware.apps import OURS, write_files
from tests.bench.middleware.arena import Arena
from tests.bench.middleware.document import KEYS
from tests.bench.middleware.peer import install_peer
from tests.bench.middleware.processes import choose_cores, find_server_python
from tests.bench.middleware.report import build_report, build_run
from tests.bench.middleware.scenarios import Measured
from tests.bench.middleware.streams import require_descriptors
from tests.cluster.capabilities import CapabilityError
from tests.cluster.commands import CommandError
from tests.cluster.commands import run as run_program
from tests.cluster.images.python_site import site
from tests.cluster.progress import say, step

OUT = Path("build/bench/middleware.json")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
GIGABYTES = 0.1
# A proxy has every stream twice: once to each side.
DESCRIPTORS = 2 * scenarios.STREAMS


def main() -> int:
    """Measure every contestant and write the JSON; exit status 0 if all answered rightly."""
    packages = site("bench-server", REQUIREMENTS, GIGABYTES)
    peer, no_peer = _install_peer()
    cores, began = choose_cores(), os.getloadavg()
    # Where the limit is lower, the streams say so themselves.
    with suppress(Exception):
        require_descriptors(DESCRIPTORS)
    os.sched_setaffinity(0, {cores.generator})
    with tempfile.TemporaryDirectory(prefix="bench-middleware-") as scratch:
        files, logs = Path(scratch, "files"), Path(scratch, "logs")
        write_files(files)
        logs.mkdir()
        measured = measure(Arena(packages, peer, files, logs, cores))
    run = {
        "python": describe_python(),
        "load_average_before": began,
        "load_average_after": os.getloadavg(),
        "seconds_a_round": scenarios.SECONDS,
        "connections": scenarios.CONNECTIONS,
        **build_run(measured),
    }
    report = {**build_report(measured, no_peer), "run": run}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    tell(report)
    return 0


def measure(arena: Arena) -> Measured:
    """Returns all that there is to measure, in the order of how much each disturbs the next."""
    measured = Measured()
    with step("requests and chunks without sockets"):
        measured.in_process = scenarios.measure_in_process(arena)
    with step("the load generator alone"):
        measured.generator = scenarios.measure_generator(arena)
    with step("requests and chunks over sockets"):
        ticket = scenarios.measure_serving(arena, measured)
    with step("refusals, alone and mixed"):
        scenarios.measure_full(arena, measured, ticket)
    with step(f"{scenarios.STREAMS} open streams"):
        measured.memory = scenarios.measure_memory(arena)
    return measured


def tell(report: dict[str, Any]) -> None:
    """Says the figures that were asked for, and which aims held."""
    for name, document in report.items():
        if name != "run":
            told = (f"{key} {document[key]}" for key in KEYS)
            say(f"{name}: {', '.join(told)}")
    for key, aim in report[OURS]["aims"].items():
        say(f"aim {key} {aim}")


def describe_python() -> str:
    """Returns which Python served, for figures move with it."""
    return run_program([find_server_python(), "-c", "import sys; print(sys.version)"]).strip()


def _install_peer() -> tuple[Path | None, str | None]:
    try:
        return install_peer(), None
    except (CommandError, CapabilityError) as error:
        reason = str(error).splitlines()[0]
        say(f"the peer cannot be installed, so its figures are null: {error}")
        return None, f"it could not be installed: {reason}"


if __name__ == "__main__":
    sys.exit(main())
