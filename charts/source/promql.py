"""PromQL as text: laid out for people, and with Grafana's variables filled in for a parser."""

import re
from collections.abc import Mapping

import promql_parser


def format_expression(expression: str) -> str:
    """Returns the expression over as many lines as it takes to read it.

    Raises:
        ValueError: it is no PromQL.
    """
    return promql_parser.parse(expression).prettify()


def fill_variables(expression: str, values: Mapping[str, str]) -> str:
    """Returns the expression with Grafana's `$name` and `${name}` filled in.

    Raises:
        KeyError: a variable has no value.
    """
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values[found[1] or found[2]], expression)
