"""What an image is to the box: a name, what its key depends on, and how it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.cluster.cache import key_of


def _nothing() -> None:
    return


@dataclass(frozen=True)
class Image:
    """One container image of the tests.

    Attributes:
        name: repository and tag, as pods name it.
        inputs: returns everything the content depends on (see `cache.key_of`).
        write: writes the image as an uncompressed docker-archive, after `prepare`.
        gigabytes: room (10^9 bytes) that it takes in containerd, its copy as content included.
        prepare: builds the long part, and leaves it in the cache.
    """

    name: str
    inputs: Callable[[], Sequence[Path | str]]
    write: Callable[[IO[bytes]], None]
    gigabytes: float
    prepare: Callable[[], object] = _nothing

    @property
    def key(self) -> str:
        """Hash of everything the content depends on."""
        return key_of(self.name, *self.inputs())

    @property
    def keyed_name(self) -> str:
        """The same image under a tag of its content, by which it is known to be there."""
        return f"{self.name.rpartition(':')[0]}:key-{self.key}"
