"""The fourth question: is there cache or memory that was not released? Pure.

Three places can keep what nobody needs any more: blocks of the KV pool, the device beside the pool,
and the processes' own memory. Each is measured against the moment when the engine began to serve,
and only while nobody is served.
"""

from collections.abc import Iterator

from vibethinker_doctor.amounts import MIB, show_bytes
from vibethinker_doctor.answer import Answer, found, ok, unknown
from vibethinker_doctor.engine_readings import EngineReadings
from vibethinker_doctor.finding import Finding

UNRELEASED = "4. Is there cache that was not released?"

LIVE_TOLERANCE_RATIO = 0.05
"""Share of the device by which its use may lie above that after the start: allocators keep some."""
RESIDENT_TOLERANCE_BYTES = 64 * MIB
"""Growth per 1,000 requests that is no leak."""
WARMING_UP_BYTES = 128 * MIB
"""Growth in all that the first crowds bring about once: 25 MiB measured with vLLM 0.32 on a CPU."""
FEWEST_FINISHED = 200
"""Requests before which the processes' growth is their warming up."""


def ask_unreleased(readings: EngineReadings, earlier: EngineReadings | None = None) -> Answer:
    """Answers by the KV blocks, the device and the processes of an idle engine.

    Args:
        readings: the engine now.
        earlier: the same some seconds before; tells requests that stand still from those that run.
    """
    if readings.idle is None:
        return unknown(UNRELEASED, "the page shows no requests in flight: is the engine up?")
    stuck = None if earlier is None else _find_stuck(earlier, readings)
    if stuck is not None:
        return found(UNRELEASED, stuck)
    if not readings.idle:
        return unknown(
            UNRELEASED,
            f"ask again once nothing runs ({readings.running or 0} requests do now): what is in use"
            " is no leak",
        )
    evidence = "; ".join(_list_evidence(readings))
    finding = _find_kept_blocks(readings, evidence) or _find_growth(readings, evidence)
    if finding is not None:
        return found(UNRELEASED, finding)
    if readings.kv_usage_ratio is None:
        return unknown(UNRELEASED, "the page must show vllm:kv_cache_usage_perc")
    return ok(UNRELEASED, evidence)


def live_growth_bytes(readings: EngineReadings) -> int | None:
    """Returns live memory now minus after the start; None: not known."""
    if readings.live_bytes is None or readings.live_after_start_bytes is None:
        return None
    return readings.live_bytes - readings.live_after_start_bytes


def resident_growth_bytes(readings: EngineReadings) -> float | None:
    """Returns the growth of the processes per 1,000 requests; None: not known, or too few."""
    now, start = readings.resident_bytes, readings.resident_after_start_bytes
    if now is None or start is None or not readings.finished:
        return None
    return (now - start) * 1000 / readings.finished


def _find_stuck(earlier: EngineReadings, now: EngineReadings) -> Finding | None:
    """Returns requests that are let in while the engine, in both readings, works on nothing."""
    held = min(earlier.in_flight or 0, now.in_flight or 0)
    works = any((earlier.running, earlier.waiting, now.running, now.waiting))
    if not held or works or now.steps is None or now.steps != earlier.steps:
        return None
    return Finding(
        code="SessionsNotReleased",
        cause=f"{held} requests are let in and not ended, and the engine works on none of them",
        evidence=f"vibethinker_requests_in_flight {now.in_flight}, running 0, waiting 0, engine"
        f" steps {now.steps} in two readings",
        remedy="their clients read no answer: end those connections; a drain ends them all",
    )


def _find_kept_blocks(readings: EngineReadings, evidence: str) -> Finding | None:
    usage = readings.kv_usage_ratio
    if not usage:
        return None
    return Finding(
        code="KvNotReleased",
        cause=f"{usage:.1%} of the KV cache is held, though nobody is served",
        evidence=evidence,
        remedy="restart this server; if it comes back, report it with the requests that were cut"
        " before",
    )


def _find_growth(readings: EngineReadings, evidence: str) -> Finding | None:
    # The processes first: on a CPU their memory is the device's, and this tells more.
    resident = resident_growth_bytes(readings)
    if resident is not None and _grows(readings, resident):
        return Finding(
            code="ProcessMemoryGrows",
            cause=f"the server's processes grow by {show_bytes(resident)} per 1,000 requests",
            evidence=evidence,
            remedy="restart this server before its memory limit does, and report what its clients"
            " send",
        )
    live, device = live_growth_bytes(readings), readings.device_bytes
    if live is not None and device is not None and live > device * LIVE_TOLERANCE_RATIO:
        return Finding(
            code="MemoryNotReleased",
            cause=f"live memory is {show_bytes(live)} above what it was after the start, though"
            " nobody is served",
            evidence=evidence,
            remedy="restart this server; if it comes back, compute fewer tokens a step",
            field="engine.maxNumBatchedTokens",
        )
    return None


def _grows(readings: EngineReadings, per_thousand: float) -> bool:
    finished = readings.finished or 0
    grown = per_thousand * finished / 1000
    enough = finished >= FEWEST_FINISHED and grown > WARMING_UP_BYTES
    return enough and per_thousand > RESIDENT_TOLERANCE_BYTES


def _list_evidence(readings: EngineReadings) -> Iterator[str]:
    usage, live = readings.kv_usage_ratio, live_growth_bytes(readings)
    resident, finished = resident_growth_bytes(readings), readings.finished
    yield f"KV in use {'unknown' if usage is None else f'{usage:.1%}'}"
    yield f"live memory {_signed(live)} since the start"
    yield f"processes {_signed(resident)} per 1,000 requests of {finished or 0}"
    if readings.collections is not None:
        stuck = readings.uncollectable_objects
        yield f"Python's gc: {readings.collections} full runs, {stuck} objects uncollectable"


def _signed(byte_count: float | None) -> str:
    if byte_count is None:
        return "unknown"
    sign = "-" if byte_count < 0 else "+"
    return sign + show_bytes(abs(byte_count))
