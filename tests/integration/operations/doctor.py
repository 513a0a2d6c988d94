"""`kubectl vibethinker doctor`, as a person in the box runs it."""

import os
import subprocess
import sys

from tests.cluster import Box
from tests.integration.operations.fleet import NAMESPACE


def doctor(
    box: Box, name: str, *more: str, namespace: str = NAMESPACE
) -> subprocess.CompletedProcess[str]:
    """What it says of the fleet `name`."""
    command = [sys.executable, "-m", "vibethinker_operator.kubectl", "doctor", name]
    return subprocess.run(
        box.enter([*command, "-n", namespace, *more]),
        env={**os.environ, "KUBECONFIG": str(box.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
