"""Ends the server together with the `start` that a person sees: a lost one would keep the GPU."""

import ctypes
import os
import signal

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def end_with(parent: str) -> None:
    """Has Linux send SIGTERM once the process `parent` is gone; an empty text asks for nothing.

    Raises:
        ProcessLookupError: it is gone already.
    """
    if not parent:
        return
    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):
        raise ProcessLookupError(f"process {parent}, which started this one, is gone")
