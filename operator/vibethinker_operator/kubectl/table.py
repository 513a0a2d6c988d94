"""A table on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_table(
    title: str, above: Sequence[str], rows: Sequence[Sequence[str]], below: Sequence[str]
) -> bool:
    """Prints rows, of which the first is the head; returns False, and prints none, in a pipe."""
    console = Console(highlight=False)
    if not console.is_terminal:
        return False
    table = Table(show_edge=False)
    for place, name in enumerate(rows[0]):
        table.add_column(Text(name), justify="right" if place else "left")
    for row in rows[1:]:
        table.add_row(*(Text(cell) for cell in row))
    console.print(Text(title, style="bold"))
    for line in above:
        console.print(Text(line, style="yellow" if line.startswith("note:") else ""))
    console.print(table)
    for line in below:
        console.print(Text(line), soft_wrap=True)
    return True
