"""docs/reference/findings.md: every finding of the doctor, and what old articles' flags became."""

from collections.abc import Iterator, Mapping

from vibethinker_doctor import gone
from vibethinker_doctor.meanings import MEANINGS

from charts.source.reference.markdown import code, render_page, render_table

TEXT = """What `kubectl vibethinker doctor` and `vibethinker-server doctor` can find, in the order
of the check. The same words are the reason of `Ready` and `Progressing` while a pod's container
ends again and again, and stand in the Event `EngineDied`. Each finding comes with its evidence, and
most with the field to change; [troubleshooting.md](../troubleshooting.md) walks through some."""
FLAGS = """An engine that is given one of these ends at once with `unrecognized arguments` or
`ambiguous option` (tried on vLLM 0.33)."""
VARIABLES = "These do nothing any more; vLLM says so in one line of its log, and goes on."


def render_findings_page() -> str:
    """Returns the page."""
    return render_page(
        "Findings",
        TEXT,
        render_table(("code", "meaning"), ((code(c), text) for c, text in MEANINGS.items())),
        "## Flags of older articles",
        FLAGS,
        render_table(("flag", "instead"), _rows(gone.FLAGS)),
        "## Variables of older articles",
        VARIABLES,
        render_table(("variable", "instead"), _rows(gone.VARIABLES)),
    )


def _rows(table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, instead in table.items():
        yield code(name), f"{instead[0].upper()}{instead[1:]}."
