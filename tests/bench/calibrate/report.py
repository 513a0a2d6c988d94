"""The report in words: constants, residuals, and simulated beside measured. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

TERMS = ("step", "token", "kv_token", "sequence", "prompt_pair")


def render(result: Mapping[str, Any]) -> str:
    """Returns the report as text."""
    return "\n".join(_lines(result))


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield result["title"]
    yield "constants (seconds): " + ", ".join(
        f"{name} {result['constants'][name]:.3g}" for name in TERMS
    )
    for where, residuals in result["residuals"].items():
        yield (
            f"residuals, {where}: {residuals['spans']} spans, "
            f"median {residuals['median_relative_error']:.1%}, "
            f"p90 {residuals['p90_relative_error']:.1%}"
        )
    for where, learned in result["operator_learned"].items():
        yield f"the operator's own fit, {where}: {_learned(learned)}"
    yield (
        f"a request costs {result['front_ms']:.1f} ms beside its step on an idle engine "
        "(HTTP, tokens, the client); the simulator has no such term"
    )
    loads = ", ".join(f"{one:.1f}" for one in result["load_average_before_each_part"])
    yield f"the machine's load average before the sweep and before each replay: {loads}"
    yield from _table(result)


def _learned(learned: Mapping[str, Any]) -> str:
    if not learned["learned"]:
        return "too little was seen"
    parts = [f"{name} {value:.3g}" for name, value in learned.items() if name.endswith("_ms")]
    residuals = learned["residuals"]
    return (
        ", ".join(parts) + f"; {residuals['spans']} readings, "
        f"median {residuals['median_relative_error']:.1%}, "
        f"p90 {residuals['p90_relative_error']:.1%}"
    )


def _table(result: Mapping[str, Any]) -> Iterator[str]:
    replay = result["replay"]
    yield (
        f"{replay['trace']}: {replay['requests']} requests in {replay['seconds']:g} s at "
        f"{replay['load']:.0%} of what the model says it carries"
    )
    yield from _rows(result["comparison"])
    yield "the same with constants fitted to the replays' own steps (what is left is no drift):"
    yield from _rows(result["comparison_in_hindsight"])


def _rows(comparison: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'':12} {'measured':>30} {'simulated':>10} {'off':>8} {'spread':>8}  within"
    for name, one in comparison.items():
        runs = " ".join(_value(value) for value in one["measured"])
        yield (
            f"{name:12} {runs:>30} {_value(one['simulated']):>10} {one['difference']:>+8.1%} "
            f"{one['spread']:>8.1%}  {one['allowed']:.0%}: {'yes' if one['met'] else 'NO'}"
        )


def _value(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.1f}"
