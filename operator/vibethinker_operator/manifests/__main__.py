"""Writes the installation's YAML: `python -m vibethinker_operator.manifests DIRECTORY`."""

import sys
from pathlib import Path

from vibethinker_operator.manifests.tree import render_tree


def main(arguments: list[str]) -> None:
    """Writes every file of the tree below the one directory named."""
    if len(arguments) != 1:
        sys.exit("usage: python -m vibethinker_operator.manifests DIRECTORY")
    root = Path(arguments[0])
    for path, text in render_tree().items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
