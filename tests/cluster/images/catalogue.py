"""Every image of the tests. To add one: its name, what it depends on, how it is written."""

from typing import BinaryIO

from tests.cluster.binaries import SOURCE, kubernetes_binaries
from tests.cluster.components import PAUSE_IMAGE
from tests.cluster.images.archive import Tree, write_archive
from tests.cluster.images.debian import base_inputs, base_layer
from tests.cluster.images.image import Image


def _write_pause(sink: BinaryIO) -> None:
    layer = Tree(kubernetes_binaries(), leave_out=("kube*",))
    write_archive(sink, PAUSE_IMAGE, [layer], {"Entrypoint": ["/pause"], "User": "65535:65535"})


def _write_base(sink: BinaryIO) -> None:
    write_archive(sink, BASE.name, [base_layer()], {"Cmd": ["/bin/sh"]})


PAUSE = Image(
    name=PAUSE_IMAGE,
    inputs=lambda: (SOURCE / "pause",),
    write=_write_pause,
    gigabytes=0.01,
)
BASE = Image(
    name="vibethinker.io/base:test",
    inputs=base_inputs,
    write=_write_base,
    gigabytes=0.6,
    prepare=lambda: str(base_layer()),
)
ALL = (PAUSE, BASE)
