"""A real one-node Kubernetes for tests and the demo: start it, enter it, load images into it."""

from tests.cluster.box import Box
from tests.cluster.capabilities import CapabilityError
from tests.cluster.commands import CommandError
from tests.cluster.process import BoxError
from tests.cluster.start import start_box

__all__ = ["Box", "BoxError", "CapabilityError", "CommandError", "start_box"]
