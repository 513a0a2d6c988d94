"""`kubectl vibethinker simulate`: what a resource would do on a trace. Needs no cluster."""

import re
from collections.abc import Mapping
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from vibethinker_simulator import rehearsal

from vibethinker_operator.errors import InvalidSpecError
from vibethinker_operator.kubectl.gathered import Body
from vibethinker_operator.kubectl.progress import Progress
from vibethinker_operator.kubectl.resource_file import (
    ResourceFileError,
    parse_resource,
    read_resource,
    set_fields,
)
from vibethinker_operator.kubectl.table import print_table

COULD_NOT_SIMULATE = 2
PICTURE = "simulate.png"
_STATIC = re.compile(r"static:([1-9][0-9]{0,2}|1000)")


class Format(StrEnum):
    """For people or for programs."""

    TEXT = "text"
    JSON = "json"


class UsageError(Exception):
    """An option says nothing that can be done."""


def simulate(
    *,
    file: Annotated[Path, typer.Option("--filename", "-f", help="with a VibeThinkerDeployment")],
    trace: Annotated[
        str,
        typer.Option(
            help="a CSV with columns time (seconds), prompt_tokens, output_tokens, or one of"
            f" {', '.join(rehearsal.NAMES)}"
        ),
    ],
    card: Annotated[str, typer.Option(help="in place of spec.gpu.product")] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="a field to change and its value: scaling.maxReplicas=8"),
    ] = None,
    against: Annotated[
        str, typer.Option(help="static:K, a fleet of K that lets everybody in")
    ] = "",
    rate: Annotated[
        float, typer.Option(min=0.01, max=50, help="requests a second of made-up traces")
    ] = 4.0,
    copies: Annotated[
        int, typer.Option(min=1, max=100, help="of the trace at once, each shifted in time")
    ] = 1,
    start_seconds: Annotated[
        float, typer.Option(min=0, max=7200, help="until a new pod serves")
    ] = 60.0,
    first_replicas: Annotated[
        int, typer.Option(min=0, max=1000, help="Ready at the start; 0: as the resource says")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help=f"directory for a picture, {PICTURE}")] = None,
    seed: Annotated[int, typer.Option(help="of where connections are placed")] = 1,
    format_: Annotated[Format, typer.Option("--format", help="text or json")] = Format.TEXT,
) -> None:
    """Rehearses a resource on a trace, with the operator's own decisions; needs no cluster.

    Nothing of it is measured. Exit status: 0 it was simulated, 2 it could not be.
    """
    try:
        body = read_resource(file)
        written = set_fields(body, {"gpu.product": card}) if card else body
        load = rehearsal.find_trace(trace, rate)
        question = rehearsal.Question(
            resource=parse_resource(written),
            trace=rehearsal.superpose(load, copies) if copies > 1 else load,
            changed=_change(written, _parse_changes(changes or [])),
            static=_parse_against(against),
            first_replicas=first_replicas or None,
            start_seconds=start_seconds,
            seed=seed,
        )
        if out is not None:
            _make_place(out)
        with Progress(question.trace.seconds) as progress:
            comparison = rehearsal.rehearse(question, progress.report)
        if out is not None:
            _draw(comparison, out / PICTURE)
    except (
        UsageError,
        ResourceFileError,
        InvalidSpecError,
        rehearsal.TraceError,
        rehearsal.BlueprintError,
    ) as error:
        typer.echo(f"kubectl vibethinker simulate: {error}", err=True)
        raise typer.Exit(COULD_NOT_SIMULATE) from error
    show(comparison, format_)


def show(comparison: rehearsal.Comparison, format_: Format) -> None:
    """Shows the comparison: as a table with lines on a terminal, plainly in a pipe."""
    if format_ is Format.JSON:
        typer.echo(rehearsal.render_json(comparison))
    elif not print_table(
        comparison.title,
        rehearsal.list_facts(comparison),
        rehearsal.list_rows(comparison),
        rehearsal.list_changes(comparison),
    ):
        typer.echo(rehearsal.render_text(comparison))


def _parse_changes(changes: list[str]) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for change in changes:
        field, equals, value = change.partition("=")
        if not equals or not all(field.split(".")):
            raise UsageError(f"--set {change}: wanted is FIELD=VALUE, as scaling.maxReplicas=8")
        try:
            parsed[field.removeprefix("spec.")] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UsageError(f"--set {change}: the value is no YAML") from error
    return parsed


def _change(written: Body, changes: Mapping[str, Any]) -> rehearsal.NamedResource | None:
    if not changes:
        return None
    name = ", ".join(f"{field}={value}" for field, value in changes.items())
    return name, parse_resource(set_fields(written, changes))


def _parse_against(against: str) -> int | None:
    if not against:
        return None
    found = _STATIC.fullmatch(against)
    if found is None:
        raise UsageError(f"--against {against}: wanted is static:K, with K from 1 to 1000")
    return int(found[1])


def _make_place(directory: Path) -> None:
    # Before anything is played: a day of requests is a long time to wait for a refusal.
    if find_spec("matplotlib") is None:
        raise UsageError("--out: a picture needs the extra simulate (matplotlib)")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {directory}: {error.strerror or error}") from error


def _draw(comparison: rehearsal.Comparison, path: Path) -> None:
    try:
        rehearsal.save_picture(comparison, path)
    except OSError as error:
        raise UsageError(f"--out: {path}: {error.strerror or error}") from error
