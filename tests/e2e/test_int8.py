"""The toy model as INT8: made by the command, compared with its makers', served by real vLLM."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.model import toy_model
from tests.e2e import int8_engines, real_engine
from tests.e2e.engine_process import EngineProcess
from tests.e2e.int8_engines import Answers, bitsandbytes_site, make_engineer

HERE = Path(__file__).parent
# Each INT8 engine's start costs half a minute.
FLOORS = {"w8a8": 0.5, "bitsandbytes": 0.5}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The toy model by each method, written as a Job in a pod does; and what was said."""
    directory = tmp_path_factory.mktemp("int8")
    engineer = make_engineer(directory)
    made = {}
    for method in int8_engines.METHODS:
        out = directory / method
        asked = ("--model", str(toy_model()), "--out", str(out), "--method", method)
        done = engineer.run("quantize", *asked)
        assert done.returncode == 0, done.stderr
        assert f"INT8 ({method}): weights" in done.stdout
        print(done.stdout)
        made[method] = out
    return made


@pytest.fixture(scope="module")
def comparison(checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    engineer = make_engineer(tmp_path_factory.mktemp("reader"), bitsandbytes_site())
    asked = [toy_model(), *(checkpoints[method] for method in int8_engines.METHODS)]
    done = engineer.run_python(str(HERE / "read_int8.py"), *map(str, asked))
    lines = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    assert lines, done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("REPORT "))


def test_bitsandbytes_form_is_its_own_quantizers_bit_for_bit(comparison: Any):
    found = comparison["bitsandbytes"]
    # 28 layers, 7 weights each, with SCB and weight_format.
    assert len(found["compared"]) == 28 * 7 * 3
    assert found["differing"] == []


def test_torch_reads_w8a8_and_no_weight_is_off_by_more_than_half_a_step(comparison: Any):
    assert 0.4 < comparison["largest_error"] < 0.5001


def test_the_config_says_of_bitsandbytes_what_transformers_says(
    comparison: Any, checkpoints: dict[str, Path]
):
    config = json.loads((checkpoints["bitsandbytes"] / "config.json").read_text())
    assert config["quantization_config"] == comparison["config"]


@dataclass(frozen=True)
class Served:
    """What one engine answered and said of its weights."""

    answers: Answers
    weights_bytes: float | None
    log: str


@pytest.fixture
def served(vllm: EngineProcess) -> Served:
    """The model as it is, on the engine that all tests share."""
    return Served(_reference(vllm), real_engine.page(vllm).get(int8_engines.WEIGHTS), "")


_references: dict[int, Answers] = {}


def _reference(engine: EngineProcess) -> Answers:
    if engine.port not in _references:
        _references[engine.port] = int8_engines.ask(engine)
    return _references[engine.port]


@pytest.fixture(scope="module", params=int8_engines.METHODS)
def quantized(
    request: pytest.FixtureRequest,
    checkpoints: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, EngineProcess]]:
    """An engine that serves the model by one method."""
    model = checkpoints[request.param]
    directory = tmp_path_factory.mktemp(request.param)
    with int8_engines.serving(directory, model) as engine:
        yield request.param, engine


def test_greedy_tokens_are_mostly_those_of_the_model_as_it_is(
    served: Served, quantized: tuple[str, EngineProcess]
):
    method, engine = quantized
    found = served.answers.agreement(int8_engines.ask(engine, served.answers))
    print(f"{method}: {found} over {len(served.answers.after)} next tokens")
    assert found.next_tokens >= FLOORS[method]
