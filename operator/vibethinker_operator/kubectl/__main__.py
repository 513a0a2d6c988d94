"""The command `kubectl vibethinker`, which kubectl finds as kubectl-vibethinker on the PATH."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text
from vibethinker_doctor.examination import (
    COULD_NOT_LOOK,
    Examination,
    render_json,
    render_text,
)
from vibethinker_doctor.wording import name_in_cluster

from vibethinker_operator.errors import InvalidSpecError
from vibethinker_operator.kubectl.examining import examine_fleet
from vibethinker_operator.kubectl.fix import patch_resource, render_yaml
from vibethinker_operator.kubectl.reading import ReadingError, connect, gather
from vibethinker_operator.kubectl.simulate import simulate

app = typer.Typer(
    name="kubectl vibethinker", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
STYLES = {"ok": "green", "FOUND": "bold red", "unknown": "yellow", "note": "dim"}


class Format(StrEnum):
    """For people or for programs."""

    TEXT = "text"
    JSON = "json"


@app.callback()
def vibethinker() -> None:
    """Asks about a VibeThinkerDeployment, with your own rights; changes nothing in a cluster."""


@app.command()
def doctor(
    name: Annotated[str, typer.Argument(help="of the VibeThinkerDeployment")],
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="that of the context where not said")
    ] = None,
    context: Annotated[str | None, typer.Option(help="of the kubeconfig")] = None,
    format_: Annotated[Format, typer.Option("--format", help="text or json")] = Format.TEXT,
    fix: Annotated[
        bool, typer.Option("--fix", help="print the resource with the changes; applies nothing")
    ] = False,
) -> None:
    """Says what ails a fleet, by which evidence, and which field to change to what.

    Exit status: 0 nothing is wrong, 1 there are findings, 2 nothing could be looked at.
    """
    try:
        api, usual = connect(context)
        gathered = gather(api, namespace or usual, name)
        examination = examine_fleet(gathered)
    except (ReadingError, InvalidSpecError) as error:
        typer.echo(f"kubectl vibethinker doctor: {error}", err=True)
        raise typer.Exit(COULD_NOT_LOOK) from error
    # With --fix the standard output is the resource alone, so that it can be applied.
    show(examination, format_, aside=fix)
    if fix:
        patched = patch_resource(gathered.resource, examination.findings)
        typer.echo(render_yaml(patched), nl=False)
    raise typer.Exit(examination.status)


def show(examination: Examination, format_: Format, *, aside: bool) -> None:
    """Shows the examination, `aside` on the standard error."""
    if format_ is Format.JSON:
        typer.echo(render_json(examination), err=aside)
        return
    console = Console(stderr=aside, highlight=False, soft_wrap=True)
    for line in render_text(examination, name_in_cluster).splitlines():
        mark = line.split(maxsplit=1)[0] if line.startswith("  ") and line.strip() else ""
        console.print(Text(line, style=STYLES.get(mark, "")))


app.command()(simulate)


def main() -> None:
    """Runs the command."""
    app()


if __name__ == "__main__":
    main()
