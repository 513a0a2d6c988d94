"""A trace through the simulator's engine, in the figures of the real one. Pure."""

from vibethinker_simulator.iteration import IterationModel
from vibethinker_simulator.replica import EngineShape, Replica
from vibethinker_simulator.sequence import NEWCOMER, Sequence
from vibethinker_simulator.trace import Trace

from tests.bench.calibrate.served import Answer, Figures, figures_of

LOOK_SECONDS = 0.25
"""How often the use of the pool is read, here and on the real engine's page."""


def rehearse(trace: Trace, shape: EngineShape, speed: IterationModel) -> Figures:
    """Returns the figures of the simulated engine; its use of the pool is read while the trace is.

    Everybody is a newcomer, as in the real run.
    """
    replica = Replica(shape, speed, 0.0)
    ratios, looks = [], 0
    for number, request in enumerate(trace.requests):
        while looks * LOOK_SECONDS <= request.time:
            replica.advance(looks * LOOK_SECONDS)
            ratios.append(replica.kv_usage_ratio)
            looks += 1
        replica.advance(request.time)
        lengths = (request.prompt_tokens, request.output_tokens)
        replica.submit(Sequence(number, request.time, NEWCOMER, *lengths))
    replica.advance(trace.seconds + 1e9)
    answers = [
        Answer(one.arrival, one.first_token_at, at, one.output_tokens)
        for at, one in replica.finished
        if one.first_token_at is not None
    ]
    return figures_of(answers, ratios)
