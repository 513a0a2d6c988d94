"""Markdown of the generated pages."""

from collections.abc import Iterable, Sequence

GENERATED = "This page is generated from the code: `make generate`."


def render_page(title: str, *parts: str) -> str:
    """Returns a page: its title, what made it, and its parts with an empty line between."""
    return "\n\n".join((f"# {title}", GENERATED, *(part.strip("\n") for part in parts))) + "\n"


def render_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; a bar in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def code(text: object) -> str:
    """Returns `text` as code."""
    return f"`{text}`"
