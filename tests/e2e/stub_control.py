"""A stub engine with the door that the stub keeps for tests open."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.engine_process import POLICY, EngineProcess, free_port, package_site, start_engine
from tests.e2e.test_engine_stub import SETTINGS, SHAPE, STUB, serving, site_packages


@dataclass(frozen=True)
class Stub:
    """A serving stub engine.

    Attributes:
        engine: the server around it.
        door: address of the stub's own door.
    """

    engine: EngineProcess
    door: str

    def fill_memory(self, ratio: float | None) -> None:
        """Sets the KV use that the engine reports; None: what it really uses."""
        self._post("load", {"kvUsage": ratio})

    def allow_steps(self, steps: int | None) -> None:
        """Lets it make so many more steps, a token of every answer each; None: run by itself."""
        self._post("pace", {"steps": steps})

    def bodies(self) -> list[Any]:
        """Returns the bodies of requests as they reached the engine, oldest first."""
        return list(self.engine.client.get(f"{self.door}/bodies").json())

    def _post(self, path: str, body: Any) -> None:
        self.engine.client.post(f"{self.door}/{path}", json=body).raise_for_status()


@contextmanager
def serving_stub(
    directory: Path, policy: dict[str, Any] = POLICY, **environment: str
) -> Iterator[Stub]:
    """Starts a stub engine with `policy` and waits until it serves."""
    site, port = directory / "site", free_port()
    site.mkdir(parents=True)
    with start_engine(
        directory,
        pythonpath=[STUB, package_site(site), *site_packages()],
        settings=SETTINGS,
        environment=SHAPE | {"STUB_PORT": str(port)} | environment,
        policy=policy,
    ) as engine:
        serving(engine)
        engine.sweep(policy)
        yield Stub(engine, f"http://127.0.0.1:{port}/stub")
