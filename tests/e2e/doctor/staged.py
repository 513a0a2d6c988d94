"""Real vLLM made to fail at its start, as a person could make it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vibethinker_doctor.engine_facts import read_engine_facts
from vibethinker_doctor.finding import Finding, Severity
from vibethinker_doctor.last_words import find_last_words
from vibethinker_doctor.termination import decode_finding

from tests.cluster.images import engine_site
from tests.e2e.engine_process import EngineProcess, package_site
from tests.e2e.real_engine import READY_SECONDS, SMALL_POLICY, settings, start_limited_engine


@dataclass(frozen=True)
class Death:
    """A start that failed: exit code, log, and what stands in its termination log."""

    exit_code: int
    log: str
    kept: str
    settings: dict[str, Any]

    @property
    def from_log(self) -> Finding:
        """What the doctor finds first in the log."""
        found = find_last_words(self.log, read_engine_facts(self.settings))
        return next(one for one in found if one.severity is Severity.ERROR)

    @property
    def from_termination_log(self) -> Finding | None:
        return decode_finding(self.kept)


def apply_remedy(finding: Finding, changes: dict[str, Any]) -> dict[str, Any]:
    """The settings with the one field changed that the finding names."""
    assert finding.field is not None
    assert finding.value is not None
    return changes | {finding.field.removeprefix("engine."): finding.value}


def fail_to_start(directory: Path, changes: dict[str, Any], **how: Any) -> Death:
    """Starts it with `changes` in its settings, and waits for its end."""
    with started(directory, changes, **how) as engine:
        exit_code = engine.process.wait(timeout=READY_SECONDS)
        log = engine.log.read_text(errors="replace")
    kept = directory / "termination-log"
    return Death(exit_code, log, kept.read_text() if kept.exists() else "", settings() | changes)


@contextmanager
def started(
    directory: Path,
    changes: dict[str, Any],
    *,
    environment: dict[str, str] | None = None,
    first_on_path: Path | None = None,
) -> Iterator[EngineProcess]:
    """Real vLLM with `changes` in its settings, on its way up, limited where that can be."""
    directory.mkdir(exist_ok=True)
    (directory / "site").mkdir()
    variables = {
        "VIBETHINKER_CPUS": "2",
        "VIBETHINKER_TERMINATION_LOG": str(directory / "termination-log"),
    }
    with start_limited_engine(
        directory,
        pythonpath=[
            *([first_on_path] if first_on_path else []),
            package_site(directory / "site"),
            engine_site(),
        ],
        settings=settings() | changes,
        environment=variables | (environment or {}),
        # Nobody is sent away: what is looked for is what comes of that.
        policy=SMALL_POLICY | {"overload": {"policy": "ScaleOut", "maxQueuedRequests": 64}},
    ) as engine:
        yield engine


def starts(directory: Path, changes: dict[str, Any]) -> bool:
    """Whether it serves with `changes`."""
    with started(directory, changes) as engine:
        engine.wait_for(lambda: engine.phase() == "Serving", READY_SECONDS)
    return True
