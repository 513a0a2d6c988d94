"""Is the simulated engine like a real one? Fits its constants here, and replays a trace in both.

    python -m tests.bench.calibrate                           the toy model on this machine's CPU
    python -m tests.bench.calibrate --device GPU --model DIR --site DIR
                                                              a model on the GPU at hand

Real vLLM in our server; writes build/bench/calibration.json. Its constants are those of this
machine and this model, and are never written into the product.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from vibethinker_simulator.builtin_traces import azure_conv
from vibethinker_simulator.iteration import IterationModel
from vibethinker_simulator.replica import EngineShape
from vibethinker_simulator.trace import Trace

from tests.bench.calibrate import learning
from tests.bench.calibrate.client import connected
from tests.bench.calibrate.comparison import Compared, compare
from tests.bench.calibrate.fitting import SPAN_SECONDS, errors, fit, summarize
from tests.bench.calibrate.learning import Page
from tests.bench.calibrate.rehearsal import rehearse
from tests.bench.calibrate.report import render
from tests.bench.calibrate.rig import Device, Rig, cpu, gpu, running, shape_of
from tests.bench.calibrate.scaling import load_to, shrink
from tests.bench.calibrate.served import Figures, figures_of
from tests.bench.calibrate.step_log import Step, spans
from tests.bench.calibrate.sweep import Swept, sweep
from tests.cluster.progress import say, step
from tests.e2e.engine_process import values
from tests.e2e.real_engine import wait_until_idle

OUT = Path("build/bench/calibration.json")
LOAD: Final = 0.7
KV_USED: Final = 'vibethinker_memory_bytes{kind="kv_used"}'


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and compares; exit status 0 once there are figures, be the goal met or not."""
    options = _parse(arguments)
    device = cpu() if options.device == "CPU" else gpu(options.model, options.site)
    with step(f"{device.rig}: start"), running(device) as rig:
        result = calibrate(rig, device, options.seconds, options.runs)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(render(result) + "\n")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.calibrate")
    parser.add_argument("--seconds", type=float, default=600.0, help="length of the replay")
    parser.add_argument("--runs", type=int, default=3, help="replays by the real engine")
    parser.add_argument("--device", choices=("CPU", "GPU"), default="CPU")
    parser.add_argument("--model", type=Path, help="GPU: the model's directory")
    parser.add_argument("--site", type=Path, help="GPU: the directory of vLLM's packages")
    options = parser.parse_args(arguments)
    if options.device == "GPU" and not (options.model and options.site):
        parser.error("--device GPU needs --model and --site")
    return options


def calibrate(rig: Rig, device: Device, seconds: float, runs: int) -> dict[str, Any]:
    """Returns everything that was measured and simulated."""
    shape, loads = shape_of(rig.page()), [os.getloadavg()[0]]
    with step("sweep"):
        swept = sweep(rig)
    speed = fit(swept.spans, f"fitted on a {device.rig}, {device.machine}")
    trace = load_to(shrink(azure_conv(), device.scale), shape, speed, load=LOAD, seconds=seconds)
    simulated = rehearse(trace, shape, speed)
    say(f"simulated: {json.dumps(simulated)}")
    measured: list[Figures] = []
    logs: list[Step] = []
    pages: list[Page] = []
    for number in range(1, runs + 1):
        wait_until_idle(rig.engine)
        loads.append(os.getloadavg()[0])
        begun = time.monotonic()
        with step(f"replay {number} of {runs}: {len(trace.requests)} requests"):
            figures, read = asyncio.run(_replay(rig, trace, shape))
        measured.append(figures)
        pages += read
        logs += rig.steps(begun, time.monotonic())
        say(f"measured: {json.dumps(figures)}")
    hindsight = fit(spans(logs, SPAN_SECONDS), "fitted to the steps of the replays themselves")
    return {
        **_describe(device, shape, speed, trace),
        **_judge(swept, speed, logs, pages),
        "load_average_before_each_part": loads,
        "simulated": simulated,
        "comparison": _render(compare(measured, simulated)),
        "constants_in_hindsight": asdict(hindsight),
        "comparison_in_hindsight": _render(compare(measured, rehearse(trace, shape, hindsight))),
    }


def _render(compared: Mapping[str, Compared]) -> dict[str, Any]:
    return {name: one.render() for name, one in compared.items()}


async def _replay(rig: Rig, trace: Trace, shape: EngineShape) -> tuple[Figures, list[Page]]:
    pages: list[Page] = []
    begun = time.monotonic()
    async with connected(rig, pages) as client:
        answers = await client.replay(trace)
    # As in the rehearsal: while requests come.
    last = begun + trace.requests[-1].time
    read = [values(page.text) for page in pages if page.time <= last]
    pool = shape.pool_tokens * values(pages[0].text)["vibethinker_kv_token_bytes"]
    return figures_of(answers, [one[KV_USED] / pool for one in read]), pages


def _judge(
    swept: Swept, speed: IterationModel, replayed: Sequence[Step], pages: Sequence[Page]
) -> dict[str, Any]:
    token_bytes = values(swept.pages[0].text)["vibethinker_kv_token_bytes"]
    counted = [values(page.text)["vibethinker_engine_steps_total"] for page in swept.pages]
    found = {}
    for where, given in {"sweep": swept.pages, "replay": pages}.items():
        works = learning.read_works(given)
        found[where] = learning.render(learning.learn(works), works, token_bytes)
    kept = spans(replayed, SPAN_SECONDS)
    return {
        "residuals": {
            "sweep (fitted to)": summarize(errors(speed, swept.spans)).render(),
            "replay (not fitted to)": summarize(errors(speed, kept)).render(),
        },
        "operator_learned": found,
        "front_ms": swept.front_seconds * 1e3,
        "steps": {"in_the_log": swept.steps, "by_the_counter": counted[-1] - counted[0]},
    }


def _describe(
    device: Device, shape: EngineShape, speed: IterationModel, trace: Trace
) -> dict[str, Any]:
    return {
        "title": f"Calibration on a {device.rig}: real vLLM measured, its model simulated",
        "machine": {
            "device": device.kind,
            "machine": device.machine,
            "cpus": os.cpu_count(),
        },
        "engine": asdict(shape),
        "asked_through": "our server over HTTP, with ignore_eos and max_tokens below its cap",
        "constants": asdict(speed),
        "replay": {
            "trace": trace.name,
            "requests": len(trace.requests),
            "seconds": trace.seconds,
            "load": LOAD,
            "scale": asdict(device.scale),
        },
    }


if __name__ == "__main__":
    sys.exit(main())
