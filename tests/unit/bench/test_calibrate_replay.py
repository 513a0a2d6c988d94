import pytest
from vibethinker_simulator.builtin_traces import azure_conv
from vibethinker_simulator.iteration import CARDS, IterationModel
from vibethinker_simulator.replica import EngineShape
from vibethinker_simulator.trace import Request, Trace

from tests.bench.calibrate.comparison import compare
from tests.bench.calibrate.rehearsal import rehearse
from tests.bench.calibrate.report import render
from tests.bench.calibrate.scaling import Scale, load_to, shrink
from tests.bench.calibrate.served import FIGURES, Answer, figures_of, percentile

SPEED = IterationModel(0.015, 0.0002, 1.5e-6, 0.0008, 3.1e-7, "made up")
SHAPE = EngineShape(max_num_seqs=16, max_num_batched_tokens=512, block_size=32, num_blocks=292)
SCALE = Scale(prompts=4, outputs=4, longest_prompt=2048, longest_output=256)


def small_trace(load: float = 0.7, seconds: float = 60.0) -> Trace:
    return load_to(shrink(azure_conv(), SCALE), SHAPE, SPEED, load=load, seconds=seconds)


@pytest.mark.parametrize(
    ("prompt", "output", "shrunk"),
    [
        pytest.param(400, 80, (100, 20), id="divided"),
        pytest.param(1, 1, (1, 1), id="one token at least"),
        pytest.param(14_050, 1_500, (2048, 256), id="cut"),
    ],
)
def test_lengths_are_divided_and_cut(prompt, output, shrunk):
    found = SCALE.shrink(Request(3.0, prompt, output, 5))
    assert (found.prompt_tokens, found.output_tokens) == shrunk
    assert (found.time, found.session) == (3.0, 5)


def test_a_trace_is_stretched_to_the_load_and_keeps_its_bursts():
    small = small_trace()
    kept = azure_conv().requests[: len(small.requests)]
    begin, stretch = kept[0].time, 60 / (kept[-1].time - kept[0].time)
    times = [(one.time - begin) * stretch for one in kept]
    assert [one.time for one in small.requests] == pytest.approx(times)
    assert small.seconds == 60


def test_twice_the_load_is_about_twice_the_requests():
    half, full = small_trace(load=0.4), small_trace(load=0.8)
    assert len(full.requests) / len(half.requests) == pytest.approx(2, rel=0.2)


def test_a_trace_that_is_too_short_is_refused():
    short = Trace("short", (Request(0.0, 10, 10, 0),), 1.0)
    with pytest.raises(ValueError, match="too short"):
        load_to(short, SHAPE, SPEED, load=0.7, seconds=60)


def test_an_idle_engine_gives_the_figures_by_hand():
    trace = Trace("one", (Request(0.0, 100, 41, 0), Request(9.0, 100, 41, 1)), 10.0)
    told = rehearse(trace, SHAPE, SPEED)
    first = SPEED.alone(100, 512) * 1e3
    assert [told["ttft_p50_ms"], told["ttft_p99_ms"]] == pytest.approx([first, first])
    gap = SPEED.decode_steps(40, 100, 1) * 1e3 / 40
    assert told["itl_p50_ms"] == pytest.approx(gap)
    # Half a second later 129 tokens or so are five blocks of 32.
    assert told["kv_max"] == pytest.approx(5 / 292)


def test_a_busier_engine_answers_later():
    calm, busy = (rehearse(small_trace(load), SHAPE, SPEED) for load in (0.3, 0.9))
    assert all(calm[name] < busy[name] for name in FIGURES)


def test_figures_are_of_requests():
    answers = [Answer(0, 0.1, 1.1, 11), Answer(0, 0.3, 0.3, 1), Answer(1, 1.2, 1.4, 2)]
    told = figures_of(answers, [0.1, 0.3])
    expected = [200, 300, 100, 200, 0.2, 0.3]
    assert [told[name] for name in FIGURES] == pytest.approx(expected)


def test_percentiles_are_values_that_were_measured():
    values = list(range(1, 101))
    assert [percentile(values, one) for one in (50, 99, 100)] == [50, 99, 100]
    assert percentile([5.0], 1) == 5


@pytest.mark.parametrize(
    ("runs", "simulated", "met"),
    [
        pytest.param([100, 101, 102], 110, True, id="within ten percent"),
        pytest.param([100, 101, 102], 112, False, id="beyond"),
        pytest.param([80, 100, 110], 125, True, id="within the runs' own spread"),
        pytest.param([80, 100, 110], 131, False, id="beyond that"),
        pytest.param([100], 91, True, id="one run has no spread"),
    ],
)
def test_the_goal(runs, simulated, met):
    found = compare([{"x": run} for run in runs], {"x": simulated})["x"]
    assert found.met is met
    assert found.measured == tuple(runs)


def test_a_run_that_served_nothing_is_not_compared():
    with pytest.raises(ValueError, match="nothing was served"):
        compare([{"x": 0.0}], {"x": 1.0})


def test_the_report_names_the_rig_and_what_missed():
    compared = compare([{"itl_p50_ms": 100.0}], {"itl_p50_ms": 150.0})
    rendered = {name: one.render() for name, one in compared.items()}
    off = {"spans": 3, "median_relative_error": 0.04, "p90_relative_error": 0.1}
    text = render(
        {
            "title": "Calibration on a CPU rig",
            "constants": {name: 0.001 for name in SPEED.__slots__ if name != "source"},
            "residuals": {"sweep": off},
            "operator_learned": {
                "sweep": {"learned": False},
                "replay": {"learned": True, "step_ms": 15.0, "residuals": off},
            },
            "front_ms": 9.0,
            "replay": {"trace": "t", "requests": 3, "seconds": 60, "load": 0.7},
            "load_average_before_each_part": [1.5],
            "comparison": rendered,
            "comparison_in_hindsight": rendered,
        }
    )
    assert text.startswith("Calibration on a CPU rig")
    assert "+50.0%" in text
    assert text.endswith("10%: NO")


def test_no_card_of_the_product_was_calibrated_here():
    assert all("not measured" in card.source for card in CARDS.values())
