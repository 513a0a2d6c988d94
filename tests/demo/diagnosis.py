"""What is kept of a run for whoever asks why: the logs of every pod, the events, the objects."""

from pathlib import Path

from tests.cluster import CommandError
from tests.demo import names, settings
from tests.demo.objects import OPERATOR, SYSTEM_NAMESPACE
from tests.demo.place import Place

_DEMO = ("-n", settings.NAMESPACE)
READINGS = {
    "operator.log": ("-n", SYSTEM_NAMESPACE, "logs", f"deployment/{OPERATOR}"),
    "engines.log": (
        *_DEMO,
        "logs",
        f"--selector={names.INSTANCE_LABEL}={settings.NAME}",
        "--all-containers",
        "--prefix",
        "--tail=-1",
    ),
    "events.txt": (*_DEMO, "get", "events", "--sort-by=.lastTimestamp"),
    "fleet.yaml": (*_DEMO, "get", names.PLURAL, settings.NAME, "-o", "yaml"),
    "pods.yaml": (*_DEMO, "get", "pods", "-o", "yaml"),
}


def keep_logs(place: Place, directory: Path) -> None:
    """Write what the cluster still tells into a directory; what it refuses is written instead."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, arguments in READINGS.items():
        try:
            text = place.kubectl(*arguments)
        except CommandError as error:
            text = f"{error}\n"
        (directory / name).write_text(text, encoding="utf-8")
