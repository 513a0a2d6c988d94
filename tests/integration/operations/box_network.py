"""Runs Python functions whose connections begin inside a box: its addresses answer nowhere else."""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from tests.cluster import Box

CLONE_NEWNET = 0x40000000
THREADS = 32

P = ParamSpec("P")
R = TypeVar("R")


class BoxNetwork:
    """Threads of this process that live in a box's network namespace, and in no other of its."""

    def __init__(self, box: Box) -> None:
        namespace = f"/proc/{box.pid}/ns/net"
        self._threads = ThreadPoolExecutor(THREADS, initializer=_enter, initargs=(namespace,))

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Returns what `function` returns inside."""
        return self.begin(function, *args, **kwargs).result()

    def begin(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Begins `function` inside, and returns its future."""
        return self._threads.submit(function, *args, **kwargs)

    def close(self) -> None:
        """Waits for what runs."""
        self._threads.shutdown()


def _enter(namespace: str) -> None:
    # os.setns came with Python 3.12. It moves the calling thread alone.
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns into {namespace}")
    finally:
        os.close(descriptor)
