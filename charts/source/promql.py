"""PromQL as text and as a tree, with Grafana's variables filled in so that a parser reads it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import promql_parser

RANGES: Final = {"__rate_interval": "1m", "__range": "1h", "__interval": "30s"}
"""Grafana's own variables, with what they are in a board that shows an hour."""


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
    found = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
    return found.sub(lambda match: values[match[1] or match[2]], expression)


def parse_nodes(expression: str) -> Iterator[promql_parser.Expr]:
    """Yields every node of the expression, whatever its variables stand for.

    Raises:
        ValueError: it is no PromQL.
    """
    filled = re.sub(r"\$\{?(?!__)\w+\}?", "any", expression)
    nodes: list[promql_parser.Expr] = []
    promql_parser.walk(promql_parser.parse(fill_variables(filled, RANGES)), nodes.append)
    yield from nodes


def list_metrics(expression: str) -> list[str]:
    """Returns the names of the series that the expression asks for, each once, as they come."""
    nodes = parse_nodes(expression)
    selectors = [node for node in nodes if isinstance(node, promql_parser.VectorSelector)]
    return list(dict.fromkeys(node.name for node in selectors if node.name))
