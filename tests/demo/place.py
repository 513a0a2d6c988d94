"""Where the demo runs: a cluster that it can speak to, and a way to run the driver inside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.demo import names, settings
from tests.demo.objects import ImageNames, Object


class CouldNotRunError(Exception):
    """The demo may not or cannot run there; the message says why and what to do."""


class Place(Protocol):
    """A cluster for one run."""

    @property
    def images(self) -> ImageNames:
        """References that this cluster's nodes can run."""

    def start(self) -> None:
        """Make the cluster reachable, with the images where its nodes find them."""

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints; raises `CommandError` where it fails."""

    def provide_model(self) -> Sequence[Object]:
        """The objects that give the namespace a claim with the test model."""

    def drive(self, out: Path) -> int:
        """Run traffic and recorder to their end; the recordings are in `out` then."""

    def leave(self) -> None:
        """Take away what the run brought."""


def find_url(place: Place) -> str:
    """The Service's address; by its number, since not every cluster of ours has DNS."""
    address = place.kubectl(
        *("-n", settings.NAMESPACE, "get", "service", settings.NAME),
        *("-o", "jsonpath={.spec.clusterIP}"),
    )
    return f"http://{address}:{names.CLIENT_PORT}"
