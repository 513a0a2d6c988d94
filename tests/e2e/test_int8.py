"""The toy model as INT8: made by the command, compared with its makers', served by real vLLM."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.checkpoint.safetensors_header import read_header

from tests.cluster.model import toy_model
from tests.e2e import int8_engines, real_engine
from tests.e2e.engine_process import EngineProcess
from tests.e2e.int8_engines import Answers, bitsandbytes_site, make_engineer

HERE = Path(__file__).parent
# Random weights: the likeliest token is often barely so, and a little rounding makes it another.
FLOORS = {"w8a8": 0.75, "bitsandbytes": 0.75}
CHECK = """
import os
from vibethinker_server.engine_settings import parse_engine_settings
from vibethinker_server.quantization_check import check_quantization
check_quantization(parse_engine_settings(os.environ["VIBETHINKER_ENGINE"]), os.environ)
print("let pass")
"""


def weights_bytes(directory: Path) -> int:
    """Returns the bytes of a checkpoint's tensors."""
    files = directory.glob("*.safetensors")
    return sum(tensor.byte_count for file in files for tensor in read_header(file))


W8A8 = "w8a8"
BITSANDBYTES = pytest.param("bitsandbytes", marks=pytest.mark.thorough)


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


@pytest.fixture(scope="module")
def reference(started: tuple[EngineProcess, list[str]]) -> Answers:
    """What the model as it is answers, on the engine that all tests share."""
    engine, _ = started
    real_engine.wait_until_idle(engine)
    return int8_engines.ask(engine)


@pytest.fixture(scope="module", params=[W8A8, BITSANDBYTES])
def quantized(
    request: pytest.FixtureRequest,
    checkpoints: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, EngineProcess]]:
    """An engine that serves the model by one method, in 16 bits: W8A8 knows no others."""
    method: str = request.param
    directory = tmp_path_factory.mktemp(method)
    with int8_engines.serving(directory, checkpoints[method], dtype="BFloat16") as engine:
        yield method, engine


def test_greedy_tokens_are_mostly_those_of_the_model_as_it_is(
    reference: Answers, quantized: tuple[str, EngineProcess]
):
    method, engine = quantized
    found = reference.agreement(int8_engines.ask(engine, reference))
    print(f"{method}: {found} over {len(reference.after)} next tokens")
    assert found.next_tokens >= FLOORS[method]


def test_our_metric_shows_the_bytes_that_int8_saves(
    vllm: EngineProcess, quantized: tuple[str, EngineProcess], checkpoints: dict[str, Path]
):
    method, engine = quantized
    before, after = real_engine.page(vllm), real_engine.page(engine)
    if int8_engines.WEIGHTS not in before:
        pytest.skip("no cgroup with a memory limit can be made here: memory is rightly unknown")
    # The shared engine computes in 32 bits.
    assert before[int8_engines.WEIGHTS] == 2 * weights_bytes(toy_model())
    assert after[int8_engines.WEIGHTS] == weights_bytes(checkpoints[method])
    print(f"{method}: {after[int8_engines.WEIGHTS]:.0f} bytes of weights")


def test_an_engine_without_the_plugin_refuses_before_it_starts(
    checkpoints: dict[str, Path], tmp_path: Path
):
    engineer = make_engineer(tmp_path)
    settings = {**real_engine.settings(), "model": str(checkpoints["bitsandbytes"])}
    engineer.environment["VIBETHINKER_ENGINE"] = json.dumps(settings)
    refused = engineer.run("serve")
    assert refused.returncode == 2
    assert "lacks vllm-bnb-plugin and bitsandbytes: use an image with" in refused.stderr
    engineer.environment["PYTHONPATH"] += f":{bitsandbytes_site()}"
    assert engineer.run_python("-c", CHECK).stdout == "let pass\n"
