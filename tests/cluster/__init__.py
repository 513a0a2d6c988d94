"""A real one-node Kubernetes for tests and the demo: start it, enter it, load images into it."""

from tests.cluster.box import Box, BoxError, start_box
from tests.cluster.capabilities import CapabilityError
from tests.cluster.commands import CommandError

__all__ = ["Box", "BoxError", "CapabilityError", "CommandError", "start_box"]
