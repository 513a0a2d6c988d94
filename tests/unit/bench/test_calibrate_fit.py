import json
import random

import pytest
from vibethinker_simulator.iteration import IterationModel

from tests.bench.calibrate.fitting import FitError, errors, fit, summarize
from tests.bench.calibrate.learning import Page, learn, read_works, render
from tests.bench.calibrate.step_log import Step, read_log, spans

TRUE = IterationModel(0.015, 0.0002, 1.5e-6, 0.0008, 3.1e-7, "made up")


def make_steps(count: int, noise: float = 0.0, model: IterationModel = TRUE) -> list[Step]:
    chance = random.Random(7)  # noqa: S311 (a reproducible draw, not a secret)
    steps = []
    for number in range(count):
        sequences = chance.choice([0, 1, 4, 16])
        prompt = chance.choice([0, 24, 128, 512]) if sequences else chance.choice([24, 300, 512])
        kv_tokens, pairs = sequences * chance.randint(20, 900), prompt * chance.randint(16, 2000)
        seconds = model.mixed_step(prompt, pairs, kv_tokens, sequences)
        seconds *= 1 + noise * chance.uniform(-1, 1)
        steps.append(Step(float(number), seconds, prompt, pairs, kv_tokens, sequences, 0.1))
    return steps


def constants(model: IterationModel) -> list[float]:
    return [model.step, model.token, model.kv_token, model.sequence, model.prompt_pair]


def test_the_fit_recovers_known_constants():
    found = fit(spans(make_steps(400), 0.2), "a test")
    assert constants(found) == pytest.approx(constants(TRUE), rel=1e-6)
    assert found.source == "a test"


def test_steps_that_jitter_move_the_constants_little():
    found = fit(spans(make_steps(3000, noise=0.1), 0.2), "a test")
    assert constants(found) == pytest.approx(constants(TRUE), rel=0.1)
    off = summarize(errors(found, spans(make_steps(3000, noise=0.1), 0.2)))
    assert 0 < off.median < off.p90 < 0.1


def test_no_constant_is_negative_where_a_term_costs_nothing():
    free = IterationModel(0.015, 0.0002, 0.0, 0.0, 0.0, "made up")
    found = fit(spans(make_steps(400, noise=0.05, model=free), 0.2), "a test")
    assert min(constants(found)) >= 0
    assert found.step == pytest.approx(0.015, rel=0.05)


def test_nothing_is_fitted_to_nothing():
    with pytest.raises(FitError, match="no span"):
        fit([], "a test")


def test_residuals_are_sizes():
    off = summarize([-0.3, 0.1, 0.2, -0.1, 0.0])
    assert (off.spans, off.median, off.p90) == (5, 0.1, 0.3)


def test_spans_last_as_long_as_they_must_and_a_rest_is_left_out():
    steps = [Step(0.0, 0.3, 0, 0.0, 0, 1, 0.0)] * 7
    assert [len(span) for span in spans(steps, 0.5)] == [2, 2, 2]


def scheduled(at: float) -> str:
    work = {"kv": 0.5, "prompt": 3, "pairs": 4.5, "kv_tokens": 10, "sequences": 1}
    return json.dumps({"at": at, **work})


def done(at: float, *, left: bool) -> str:
    return json.dumps({"done": at, "left": left})


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        pytest.param(
            [scheduled(1), done(2, left=True), scheduled(2.5), done(4, left=False)],
            [1.5, 1.5],
            id="until the next one",
        ),
        pytest.param(
            [scheduled(1), done(2, left=False), scheduled(9), done(10, left=False)],
            [1, 1],
            id="a pause is no step",
        ),
        pytest.param(
            [scheduled(1), scheduled(1.5), done(2, left=True), done(3, left=False)],
            [0.5, 1.5],
            id="scheduled ahead",
        ),
        pytest.param([scheduled(1), done(2, left=True), scheduled(3)], [1 + 1], id="not ended"),
        pytest.param([scheduled(1), done(2, left=False), '{"at": 3, "k'], [1], id="cut line"),
    ],
)
def test_a_step_lasts(lines, seconds):
    assert [step.seconds for step in read_log(lines)] == pytest.approx(seconds)


def make_page(second: int, steps: int) -> Page:
    series = {
        "vibethinker_requests_running": 4,
        "vibethinker_engine_steps_total": steps,
        "vibethinker_prompt_tokens_total": 100 * (second // 3) + 7 * second,
        "vibethinker_generation_tokens_total": 4 * steps,
        'vibethinker_memory_bytes{kind="kv_used"}': 1000 + 10 * (second % 7),
        'vibethinker_memory_bytes{kind="kv_idle"}': 9000 - 10 * (second % 7),
    }
    return Page(float(second), "".join(f"{name} {value}\n" for name, value in series.items()))


def test_the_operators_fit_reads_the_same_pages():
    works = read_works(make_page(second, 50 * second + second % 5) for second in range(120))
    assert len(works) == 119
    assert sum(work.steps for _, work in works) == 50 * 119 + 119 % 5
    told = render(learn(works), works, 28_672)
    assert told["learned"]
    assert told["residuals"]["spans"] == 119


def test_of_a_minute_too_few_it_says_nothing():
    works = read_works(make_page(second, 50 * second) for second in range(20))
    assert render(learn(works), works, 28_672) == {"learned": False}
