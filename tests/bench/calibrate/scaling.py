"""A trace made as small as the engine under calibration, with its bursts and its mix. Pure."""

from dataclasses import dataclass, replace

from vibethinker_simulator.iteration import IterationModel
from vibethinker_simulator.replica import EngineShape, Replica
from vibethinker_simulator.sequence import NEWCOMER, Sequence
from vibethinker_simulator.trace import Request, Trace


@dataclass(frozen=True)
class Scale:
    """What a trace's lengths are divided by, and what they are cut at.

    Attributes:
        prompts: Divisor of prompts.
        outputs: Divisor of answers.
        longest_prompt: Tokens.
        longest_output: Tokens.
    """

    prompts: float
    outputs: float
    longest_prompt: int
    longest_output: int

    def shrink(self, request: Request) -> Request:
        """Returns the request with shorter lengths: one token of each at least."""
        prompt = min(max(1, round(request.prompt_tokens / self.prompts)), self.longest_prompt)
        output = min(max(1, round(request.output_tokens / self.outputs)), self.longest_output)
        return request._replace(prompt_tokens=prompt, output_tokens=output)


def shrink(trace: Trace, scale: Scale) -> Trace:
    """Returns the trace with the lengths of each request divided and cut."""
    requests = tuple(scale.shrink(request) for request in trace.requests)
    return replace(trace, requests=requests)


def load_to(
    trace: Trace, shape: EngineShape, speed: IterationModel, *, load: float, seconds: float
) -> Trace:
    """Returns the first requests of a trace, stretched so that they are `load` of what it carries.

    What it carries is how fast the modelled engine computes the same requests if they all come at
    once. Times keep their proportions, so bursts stay bursts.

    Raises:
        ValueError: the trace is too short for so many seconds.
    """
    few, many = 1, len(trace.requests)
    if _makespan(trace.requests, shape, speed) < load * seconds:
        raise ValueError(f"the trace is too short for {seconds:g} s at a load of {load:g}")
    while few < many:
        middle = (few + many) // 2
        if _makespan(trace.requests[:middle], shape, speed) < load * seconds:
            few = middle + 1
        else:
            many = middle
    kept = trace.requests[:few]
    begin, length = kept[0].time, max(kept[-1].time - kept[0].time, 1e-9)
    stretched = tuple(
        one._replace(time=(one.time - begin) * seconds / length if few > 1 else 0.0) for one in kept
    )
    return Trace(trace.name, stretched, seconds)


def _makespan(requests: tuple[Request, ...], shape: EngineShape, speed: IterationModel) -> float:
    replica = Replica(shape, speed, 0.0)
    for number, request in enumerate(requests):
        replica.submit(
            Sequence(number, 0.0, NEWCOMER, request.prompt_tokens, request.output_tokens)
        )
    replica.advance(1e9)
    return replica.now
