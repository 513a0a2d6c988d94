"""What the committed Markdown holds: code blocks, links, headings."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class CodeBlock:
    """One fenced block, and where it stands."""

    path: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Document:
    """One page, by its path from the repository's root."""

    path: str
    text: str

    @property
    def blocks(self) -> tuple[CodeBlock, ...]:
        return tuple(
            CodeBlock(self.path, self.text.count("\n", 0, m.start()) + 1, m[2], _unindent(m))
            for m in FENCE.finditer(self.text)
        )

    @property
    def prose(self) -> str:
        """The text without its blocks."""
        return FENCE.sub("", self.text)

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(LINK.findall(SPAN.sub("", self.prose)))

    @property
    def commands(self) -> str:
        """Everything that is set as code, a command that goes on over lines in one."""
        code = [*SPAN.findall(self.prose), *(block.text for block in self.blocks)]
        return "\n".join(code).replace("\\\n", " ")

    @property
    def headings(self) -> tuple[tuple[int, str], ...]:
        return tuple((len(marks), title) for marks, title in HEADING.findall(self.prose))


def _unindent(match: re.Match[str]) -> str:
    indent = len(match[1])
    return "".join(line[indent:] for line in match[3].splitlines(keepends=True))


def read_document(path: str) -> Document:
    return Document(path, Path(path).read_text(encoding="utf-8"))


def read_documents() -> tuple[Document, ...]:
    """Returns every page for people: those of the root, and all below docs/."""
    paths = [*sorted(Path().glob("*.md")), *sorted(Path("docs").rglob("*.md"))]
    return tuple(read_document(path.as_posix()) for path in paths)
