"""The demo in a cluster of its own, which vanishes when it ends."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import Box, start_box
from tests.cluster.images import ENGINE, OPERATOR, SERVER
from tests.cluster.model import toy_model
from tests.demo.objects import ImageNames, Object, build_claim, build_local_volume
from tests.demo.place import find_url

CHECKOUT = Path(__file__).parents[2]


class BoxPlace:
    """A box with the project's images built and loaded."""

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._box = Box("demo")
        self.images = ImageNames(operator=OPERATOR.name, package=SERVER.name, engine=ENGINE.name)

    @property
    def box(self) -> Box:
        """The box itself."""
        return self._box

    def start(self) -> None:
        self._box = start_box("demo", images=[OPERATOR, SERVER, ENGINE])

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self._box.kubectl(*arguments, stdin=stdin)

    def provide_model(self) -> Sequence[Object]:
        return [
            build_local_volume(toy_model()),
            build_claim(storage_class="", mode="ReadWriteMany"),
        ]

    def drive(self, out: Path) -> int:
        driver = [
            *(sys.executable, "-u", "-m", "tests.demo.drive"),
            *("--kubeconfig", str(self._box.kubeconfig)),
            *("--url", find_url(self)),
            *("--out", str(out)),
        ]
        return subprocess.run(self._box.enter(driver, cwd=CHECKOUT), check=False).returncode

    def leave(self) -> None:
        if not self._keep:
            self._box.stop()
