"""The reader: four times a second, device memory and the memory line, in a thread of its own."""

import logging
from collections.abc import Callable, Mapping
from threading import Event

from vibethinker_server import names
from vibethinker_server.device_memory import DeviceProbe
from vibethinker_server.line import fold_line
from vibethinker_server.process_memory import read_resident_bytes
from vibethinker_server.runtime import Runtime
from vibethinker_server.weights import find_weights

INTERVAL_SECONDS = 0.25

log = logging.getLogger(__name__)


class Reader:
    """Reads what no request should wait for, and keeps the runtime's readings new."""

    def __init__(
        self,
        runtime: Runtime,
        probe: DeviceProbe,
        environment: Mapping[str, str],
        read_resident: Callable[[], int | None] = read_resident_bytes,
    ) -> None:
        self._read_resident = read_resident
        self._runtime = runtime
        self._probe = probe
        self._environment = environment

    def run(self, stop: Event) -> None:
        """Reads until `stop` is set. An error costs one reading and is counted."""
        while not stop.wait(INTERVAL_SECONDS):
            try:
                self.read(self._runtime.clock.monotonic())
            except Exception:
                what = "a reading failed; the next one is due"
                self._runtime.count_error(names.WHERE_READINGS, log, what)

    def read(self, now: float) -> None:
        """Takes one reading at `now`."""
        runtime = self._runtime
        if runtime.weights is None and not runtime.answering:
            runtime.weights = find_weights(runtime.settings, self._environment)
        self._read_device()
        if runtime.answering and runtime.after_start is None:
            runtime.note_start(self._read_resident())
        ratio = runtime.load().memory_used_ratio
        runtime.line = fold_line(runtime.line, now, ratio, runtime.fleet.policy.saturation)

    def _read_device(self) -> None:
        runtime = self._runtime
        try:
            runtime.device = self._probe.read_memory()
            runtime.gpu_util_ratio = self._probe.read_utilization_ratio()
        except Exception:
            runtime.device = runtime.gpu_util_ratio = None
            what = "device memory could not be read; memory is unknown"
            runtime.count_error(names.WHERE_DEVICE_MEMORY, log, what)
