"""Runs inside the fleet's network: traffic, recorder and live table, until the story is told.

    python -m tests.demo.drive --kubeconfig FILE --url http://SERVICE:8000 --out build/demo

Writes samples.csv and requests.csv and judges nothing. Exit status 1: a phase overran its bound.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from tests.demo import settings
from tests.demo.crowd import Crowd
from tests.demo.kubeapi import Access, open_api, read_account, read_kubeconfig
from tests.demo.phases import PhaseTimeoutError, Story
from tests.demo.recorder import Recorder
from tests.demo.rows import Request, Sample, open_rows
from tests.demo.session import Ledger
from tests.demo.table import HEADER, render_decision, render_sweep

RECORDED = "recording complete"
LINE_EVERY_SECONDS = 3.0


def main() -> int:
    """Record one run; the process's exit status."""
    options = _parse_options()
    access = (
        read_kubeconfig(options.kubeconfig, options.context)
        if options.kubeconfig
        else read_account()
    )
    try:
        asyncio.run(_record(access, options.url, options.out))
    except PhaseTimeoutError as error:
        print(f"stopped: {error}", flush=True)
        return 1
    finally:
        print(RECORDED, flush=True)
        _wait_for_collection(options.out, options.hold_seconds)
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--kubeconfig", type=Path, help="default: the pod's service account")
    parser.add_argument("--context", default="")
    parser.add_argument("--url", required=True, help="the Service's address")
    parser.add_argument("--out", type=Path, default=settings.OUT)
    parser.add_argument(
        "--hold-seconds", type=float, default=0.0, help="stay this long for somebody to collect"
    )
    return parser.parse_args()


def _wait_for_collection(out: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not (out / "collected").exists():
        time.sleep(1)


def _wall_clock() -> Callable[[], float]:
    """Unix seconds that never step back: the wall's time once, then the monotonic clock."""
    offset = time.time() - time.monotonic()  # noqa: TID251  (this process's edge)
    return lambda: offset + time.monotonic()


async def _record(access: Access, url: str, out: Path) -> None:
    clock = _wall_clock()
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(open_api(access))
        write_samples = stack.enter_context(open_rows(out / "samples.csv", Sample))
        write_requests = stack.enter_context(open_rows(out / "requests.csv", Request))
        ledger = Ledger(
            write=lambda request: write_requests([request]),
            clock=clock,
            phase=lambda: story.phase,
        )
        recorder = Recorder(
            api=api,
            namespace=settings.NAMESPACE,
            name=settings.NAME,
            clock=clock,
            phase=lambda: story.phase,
            write=write_samples,
        )
        crowd = Crowd(url=url, model=settings.SERVED_NAME, load=settings.LOAD, ledger=ledger)
        story = Story(
            crowd=crowd,
            ledger=ledger,
            load=settings.LOAD,
            clock=clock,
            fleet=lambda: recorder.latest,
        )
        await _until_first_ends(story.run(), recorder.run(), _show(recorder, ledger, clock()))


async def _until_first_ends(*works: Coroutine[object, object, None]) -> None:
    """Run all until one ends or fails; its failure is raised, the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    ended, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for task in ended:
        task.result()


async def _show(recorder: Recorder, ledger: Ledger, began: float) -> None:
    print(HEADER, flush=True)
    last: tuple[object, ...] = ()
    shown_at = 0.0
    while True:
        await asyncio.sleep(1)
        fleet: Sequence[Sample] = recorder.latest
        if not fleet:
            continue
        first = fleet[0]
        now = (first.phase, first.desired, first.ready_replicas, len(fleet), first.decision_reason)
        if now != last or first.time - shown_at >= LINE_EVERY_SECONDS:
            print(render_sweep(fleet, began=began, rejected=ledger.rejected_total), flush=True)
            shown_at = first.time
        if first.decision_message and now != last:
            print(render_decision(first), flush=True)
        last = now


if __name__ == "__main__":
    sys.exit(main())
