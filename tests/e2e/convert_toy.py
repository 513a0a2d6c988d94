"""llama.cpp's converter for the tests' model, whose tokenizer was trained here.

It knows how a tokenizer splits text by a hash of what it makes of one sentence, and refuses any
other: that one answer is given here. LLAMA_CPP names the directory of the converter.
"""

import importlib
import os
import runpy
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Converts as the converter's own command line says."""
    source = Path(os.environ["LLAMA_CPP"])
    sys.path[:0] = [str(source / "gguf-py"), str(source)]
    base: Any = importlib.import_module("conversion.base")
    base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
    runpy.run_path(str(source / "convert_hf_to_gguf.py"), run_name="__main__")


if __name__ == "__main__":
    main()
