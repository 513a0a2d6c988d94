"""Everything measured, as build/bench/middleware.json has it: one object a contestant. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.bench.middleware import peer
from tests.bench.middleware.apps import AGAIN, BARE, BASE, OURS
from tests.bench.middleware.document import render_aims, render_contestant
from tests.bench.middleware.figures import (
    Figure,
    Missing,
    is_within_noise,
    per_step,
    subtract,
    summarize,
)
from tests.bench.middleware.in_process import JSON_ALONE
from tests.bench.middleware.in_process import LONG as LONG_IN_PROCESS
from tests.bench.middleware.in_process import SHORT as SHORT_IN_PROCESS
from tests.bench.middleware.rounds import Cost
from tests.bench.middleware.scenarios import KEEP_ALIVE, LONG, SHORT, SIZES, Measured

US, MS, MB, KB = 1e6, 1e3, 1e6, 1e3
STREAMS = 5000
AT_MOST = {"added_us_per_request_1k": 25.0, "added_us_per_request_16k": 60.0}
AT_LEAST = {"rejects_per_second": 30_000.0}
# Of two equal ones, the second stands for what the first seems to add.
COMPARED = {BARE: AGAIN, OURS: OURS, BASE: BASE}

Known = dict[str, Figure | Missing]


def build_report(measured: Measured, no_peer: str | None) -> dict[str, Any]:
    """Returns one object a contestant; `no_peer` says why the peer could not be measured."""
    figures = {name: build_figures(measured, name) for name in COMPARED}
    figures[BARE] |= _floor(measured)
    figures[peer.NAME] = (
        _peer_figures(measured) if no_peer is None else _unmeasured(figures[OURS], no_peer)
    )
    documents = {name: render_contestant(known) for name, known in figures.items()}
    documents[OURS]["aims"] = render_aims(figures[OURS], at_most=AT_MOST, at_least=AT_LEAST)
    chunk, noise = figures[OURS]["added_us_per_chunk"], figures[BARE]["added_us_per_chunk"]
    assert isinstance(chunk, Figure)
    assert isinstance(noise, Figure)
    documents[OURS]["aims"]["added_us_per_chunk"] = {
        "at_most": "noise",
        "held": is_within_noise(chunk, noise),
    }
    documents[OURS]["reject_us"] = _where_a_refusal_goes(measured)
    return documents


def build_figures(measured: Measured, name: str) -> Known:
    """Returns every figure of a contestant that is a Python application."""
    one = COMPARED[name]
    known: Known = {}
    for size in SIZES:
        costs = measured.requests[size]
        known[f"added_us_per_request_{size}"] = _added(costs[one], costs[BARE])
        known[f"cpu_us_per_request_{size}"] = _summary(costs[name], lambda cost: cost.cpu_seconds)
    known["added_us_per_chunk"] = _added_per_chunk(measured, one)
    known["added_latency_us_1k"] = _added_latency(measured, one)
    known |= _refusals(measured, name)
    known |= _memory(measured, name)
    return known | _in_process(measured, name)


def build_run(measured: Measured) -> dict[str, Any]:
    """Returns what the figures are to be read with: the generator's own rate, and JSON's cost."""
    rates = {
        f"requests_per_second_{how}": _plain(summarize([cost.per_second for cost in costs]))
        for how, costs in measured.generator.items()
    }
    samples = measured.in_process
    alone = {
        f"json_alone_us_{size}": _plain(summarize(_times(samples[size][JSON_ALONE], US)))
        for size in SIZES
    }
    rounds = {
        "requests": [len(measured.requests[size][BARE]) for size in SIZES],
        "chunks": len(measured.chunks[BARE]),
        "refusals": len(measured.refusals[BARE]),
        "mixed": len(measured.mixed[BARE]),
        "in_process": len(samples["reject"][BARE]),
    }
    return {"rounds": rounds, "generator": rates, **alone}


def _plain(figure: Figure) -> dict[str, float]:
    return {key: round(getattr(figure, key), 1) for key in ("median", "low", "high")}


def _times(samples: Sequence[float], factor: float) -> list[float]:
    return [sample * factor for sample in samples]


def _summary(costs: Sequence[Cost], read: Callable[[Cost], float], factor: float = US) -> Figure:
    return summarize(_times([read(cost) for cost in costs], factor))


def _cpu_us(costs: Sequence[Cost]) -> list[float]:
    return [cost.cpu_seconds * US for cost in costs]


def _added(costs: Sequence[Cost], base: Sequence[Cost]) -> Figure:
    return subtract(_cpu_us(costs), _cpu_us(base))


def _chunk_us(measured: Measured, name: str) -> list[float]:
    short, long = zip(*measured.chunks[name], strict=True)
    return per_step(_cpu_us(long), _cpu_us(short), LONG - SHORT)


def _added_per_chunk(measured: Measured, name: str) -> Figure:
    return subtract(_chunk_us(measured, name), _chunk_us(measured, BARE))


def _added_latency(measured: Measured, name: str) -> Figure:
    def middle(one: str) -> list[float]:
        return [cost.latency_seconds(0.5) * US for cost in measured.alone[one]]

    return subtract(middle(name), middle(BARE))


def _refusals(measured: Measured, name: str) -> Known:
    refusals, mixed = measured.refusals[name], measured.mixed[name]
    return {
        "rejects_per_second": _summary(refusals, lambda cost: cost.per_second, 1),
        "rejects_per_cpu_second": _summary(refusals, lambda cost: 1 / cost.cpu_seconds, 1),
        "rejects_generator_busy_ratio": _summary(refusals, lambda cost: cost.asking_ratio, 1),
        "p99_ms_mixed": _p99(mixed),
        "p99_ms_mixed_refused": _p99(mixed, 0),
        "p99_ms_mixed_served": _p99(mixed, 1),
    }


def _p99(costs: Sequence[Cost], kind: int | None = None) -> Figure | Missing:
    try:
        return _summary(costs, lambda cost: cost.latency_seconds(0.99, kind), MS)
    except ValueError as error:
        return Missing(f"the machine was too busy: a round's {error}")


def _floor(measured: Measured) -> Known:
    kept = measured.refusals[KEEP_ALIVE]
    return {
        "rejects_per_second_keep_alive": _summary(kept, lambda cost: cost.per_second, 1),
        "rejects_per_cpu_second_keep_alive": _summary(kept, lambda cost: 1 / cost.cpu_seconds, 1),
        "new_connection_us": _added(measured.refusals[BARE], kept),
    }


def _where_a_refusal_goes(measured: Measured) -> dict[str, float]:
    """Returns the CPU time of one refusal of ours by who spends it."""
    refusals = measured.refusals
    return {
        "web_server_and_one_request": _plain(summarize(_cpu_us(refusals[KEEP_ALIVE])))["median"],
        "new_connection": _plain(_added(refusals[BARE], refusals[KEEP_ALIVE]))["median"],
        "middleware": _plain(_added(refusals[OURS], refusals[BARE]))["median"],
    }


def _memory(measured: Measured, name: str) -> Known:
    memory = measured.memory[name]
    known: Known = {"rss_mb_idle": summarize([memory.idle_bytes / MB])}
    if memory.open_bytes is None:
        missing = Missing(memory.reason)
        return known | {"rss_mb_5000_streams": missing, "kb_per_stream": missing}
    grown = (memory.open_bytes - memory.idle_bytes) / STREAMS / KB
    return known | {
        "rss_mb_5000_streams": summarize([memory.open_bytes / MB]),
        "kb_per_stream": summarize([grown]),
    }


def _in_process(measured: Measured, name: str) -> Known:
    samples, one = measured.in_process, COMPARED[name]

    def chunk_us(who: str) -> list[float]:
        long = samples[f"{LONG_IN_PROCESS} chunks"][who]
        short = samples[f"{SHORT_IN_PROCESS} chunks"][who]
        return _times(per_step(long, short, LONG_IN_PROCESS - SHORT_IN_PROCESS), US)

    known: Known = {
        f"added_us_per_request_{size}_in_process": subtract(
            _times(samples[size][one], US), _times(samples[size][BARE], US)
        )
        for size in SIZES
    }
    known["added_us_per_chunk_in_process"] = subtract(chunk_us(one), chunk_us(BARE))
    rejects = [1 / seconds for seconds in samples["reject"][name]]
    return known | {"rejects_per_second_in_process": summarize(rejects)}


def _peer_figures(measured: Measured) -> Known:
    """Returns the peer's figures: what its own process spends is what it adds."""
    known: Known = {}
    for size in SIZES:
        costs = measured.requests[size][peer.NAME]
        known[f"added_us_per_request_{size}"] = summarize(_cpu_us(costs))
    known["added_us_per_chunk"] = summarize(_chunk_us(measured, peer.NAME))
    known["added_latency_us_1k"] = _added_latency(measured, peer.NAME)
    for key in ("rejects_per_second", "rejects_per_cpu_second", "p99_ms_mixed"):
        known[key] = Missing(peer.NO_REFUSALS)
    for key in ("added_us_per_request_1k", "added_us_per_chunk", "rejects_per_second"):
        known[f"{key}_in_process"] = Missing(peer.ANOTHER_PROCESS)
    return known | _memory(measured, peer.NAME)


def _unmeasured(keys: Known, reason: str) -> Known:
    return dict.fromkeys(keys, Missing(reason))
