"""The model that real engines serve in the tests, written once into the cache."""

import sys
from pathlib import Path

from tests.cluster.cache import cached, key_of
from tests.cluster.commands import run
from tests.cluster.images import engine_site
from tests.cluster.images.python_site import find_python
from tests.cluster.progress import step

WRITER = Path(__file__).parent / "toy_model.py"
SERVER = Path(__file__).parents[2] / "server"
EXPORTER = SERVER / "vibethinker_server" / "checkpoint"
GGUF_NAME = "toy.gguf"


def toy_model() -> Path:
    """Return the directory of the model, in the layout of Hugging Face; 18 MB, bfloat16.

    It has VibeThinker-1.5B's KV geometry (28,672 bytes a token), a context of 4096 tokens and
    random weights. Answers mostly run to max_tokens; a logit_bias on its eos_token_id stops one.
    """
    packages = engine_site()

    def build(target: Path) -> None:
        with step("writing the test model"):
            environment = {"PYTHONPATH": str(packages), "HF_HUB_OFFLINE": "1"}
            run([find_python(), "-P", WRITER, target], env=environment)
        for file in target.iterdir():
            file.chmod(0o644)  # pods read it as a user of their own

    return cached("model", key_of(WRITER), build)


def toy_gguf() -> Path:
    """Return the same model as a GGUF file in half precision, written by our own command."""
    source = toy_model()

    def build(target: Path) -> None:
        with step("exporting the test model as GGUF"):
            out = str(target / GGUF_NAME)
            place = ["--model", str(source), "--out", out, "--outtype", "f16"]
            command = [sys.executable, "-m", "vibethinker_server", "export-gguf", *place]
            run(command, env={"PYTHONPATH": str(SERVER)})
        (target / GGUF_NAME).chmod(0o644)

    return cached("gguf", key_of(WRITER, EXPORTER), build) / GGUF_NAME
