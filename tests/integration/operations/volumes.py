"""Directories of this machine as claims that pods of one namespace mount."""

import json
from pathlib import Path

from tests.cluster import Box
from tests.integration.operations.fleet import NAMESPACE


def let_in(place: Path) -> None:
    """Lets every user of the machine, and so a pod's, into `place` and what pytest keeps it in."""
    for directory in (place, *place.parents[:3]):
        directory.chmod(directory.stat().st_mode | 0o055)


def offer_directory(box: Box, claim: str, directory: Path, namespace: str = NAMESPACE) -> None:
    """Makes the claim `claim`, whose volume is `directory`; any user may write there."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o777)
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{claim}"},
        "spec": {
            "capacity": {"storage": "8Gi"},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "claimRef": {"namespace": namespace, "name": claim},
            "hostPath": {"path": str(directory), "type": "Directory"},
        },
    }
    request = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": claim, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    document = {"apiVersion": "v1", "kind": "List", "items": [volume, request]}
    box.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(document))
