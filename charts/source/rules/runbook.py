"""The page of one alert: what a woken person reads."""

import textwrap
from collections.abc import Iterator

from charts.source.promql import format_expression
from charts.source.rules.alert import Alert, Command
from charts.source.rules.recording import RECORDING_RULES

WIDTH = 110
FILL_IN = (
    "In the commands, NAMESPACE and NAME are the alert's labels `namespace` and `name`, and POD is"
    " a pod's name. The figures are examples."
)


def render_runbook(alert: Alert) -> str:
    """Returns the page of `alert`."""
    return "\n".join(
        [
            "<!-- Written by `make generate` from charts/source/rules: change it there. -->",
            f"# {alert.name}\n",
            _fill(alert.threshold),
            *_render_facts(alert),
            "## What it means\n",
            _fill(alert.meaning),
            "## What to look at\n",
            alert.look_at,
            "## What to do\n",
            alert.act,
            "## How to take over by hand\n",
            _fill(FILL_IN),
            "\n".join(_render_command(command) for command in alert.by_hand),
        ]
    )


def _render_facts(alert: Alert) -> Iterator[str]:
    yield f"Severity **{alert.severity}**. It fires once this has held for {alert.for_}:\n"
    yield f"```promql\n{format_expression(alert.expression)}\n```\n"
    for rule in RECORDING_RULES:
        if rule.record in alert.expression:
            yield _fill(f"`{rule.record}`: {rule.text}")
    if alert.keep_firing_for:
        yield _fill(
            f"It goes on firing for {alert.keep_firing_for} after that ends, so that it does not"
            " come and go."
        )


def _render_command(command: Command) -> str:
    return f"{_fill(command.why)}\n```sh\n{command.command}\n```\n"


def _fill(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"
