"""What a box needs before fleets run in it: GPUs that its node offers, and strict namespaces."""

import json

from tests.cluster import Box

GPUS = "64"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def offer_gpus(box: Box) -> None:
    """Has the node offer GPUs, which a stub engine never looks for."""
    capacity = [{"op": "add", "path": "/status/capacity/nvidia.com~1gpu", "value": GPUS}]
    patch = ("--subresource=status", "--type=json", "-p", json.dumps(capacity))
    box.kubectl("patch", "node", box.name, *patch)


def make_namespace(box: Box, name: str) -> None:
    """Makes a namespace that admits only pods that keep to Pod Security "restricted"."""
    metadata = {"name": name, "labels": RESTRICTED}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    box.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
