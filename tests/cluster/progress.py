"""One line for each long step, with the seconds since the program began."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

BEGAN = time.monotonic()
REPEAT_SECONDS = 10.0


def say(message: str) -> None:
    """Print one progress line to standard error, stamped with the elapsed seconds."""
    sys.stderr.write(f"[{time.monotonic() - BEGAN:4.0f}s] {message}\n")
    sys.stderr.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say that a step began, every ten seconds that it still runs, and how long it took."""
    began = time.monotonic()
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(REPEAT_SECONDS):
            say(f"{title} ...")

    say(f"{title} ...")
    ticker = threading.Thread(target=repeat, daemon=True)
    ticker.start()
    try:
        yield
    except BaseException:
        say(f"{title}: failed after {time.monotonic() - began:.0f} s")
        raise
    else:
        say(f"{title}: done in {time.monotonic() - began:.0f} s")
    finally:
        ended.set()
        ticker.join()
