"""The demo: a real fleet grows on memory, protects its sessions and shrinks without a cut.

    python -m tests.demo             in a cluster of its own (Linux, root)
    CLUSTER=current CONTEXT=NAME OPERATOR_IMAGE=… SERVER_IMAGE=… ENGINE_IMAGE=… python -m tests.demo

Writes samples.csv, requests.csv, timeline.png and result.json into build/demo. KEEP=1 leaves the
cluster standing. Exit status 0 only if every claim held.
"""

import os
import sys
import time

from tests.cluster import BoxError, CapabilityError, CommandError
from tests.cluster.progress import say, step
from tests.demo import settings
from tests.demo.box_place import BoxPlace
from tests.demo.current_place import CurrentPlace
from tests.demo.diagnosis import keep_logs
from tests.demo.install import install
from tests.demo.machine import Peak, watch_memory
from tests.demo.place import CouldNotRunError, Place
from tests.demo.timeline import write_timeline
from tests.demo.verdict import conclude

GIB = 1 << 30
COULD_NOT_RUN = 3


def main() -> int:
    """Run the demo; the process's exit status."""
    began = time.monotonic()
    out = settings.OUT.resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        place = choose_place()
        with watch_memory() as peak:
            place.start()
            try:
                install(place, out)
                place.drive(out)
            finally:
                keep_logs(place, out / "logs")
                with step("taking the demo down"):
                    place.leave()
    except (BoxError, CapabilityError, CommandError, CouldNotRunError) as error:
        say(f"the demo could not run: {error}")
        return COULD_NOT_RUN
    status = conclude(out, describe_run(time.monotonic() - began, peak))
    say(f"picture: {write_timeline(out).relative_to(settings.OUT.resolve().parents[1])}")
    return status


def choose_place() -> Place:
    """The user's own cluster where CLUSTER=current asks for it, a box of our own otherwise."""
    cluster = os.environ.get("CLUSTER", "")
    if cluster == "current":
        return CurrentPlace(os.environ.get("CONTEXT", ""), os.environ)
    if cluster:
        raise CouldNotRunError(f"CLUSTER={cluster} is not known: leave it out or say `current`")
    return BoxPlace(keep=bool(os.environ.get("KEEP")))


def describe_run(seconds: float, peak: Peak) -> dict[str, float]:
    """The run's own figures for result.json."""
    return {
        "minutes": round(seconds / 60, 1),
        "memory_peak_gib": round(peak.highest / GIB, 2),
        "memory_before_gib": round(peak.before / GIB, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
