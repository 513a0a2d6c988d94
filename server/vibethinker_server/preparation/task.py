"""What the Job is told, in the variable VIBETHINKER_PREPARE."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from vibethinker_server import names
from vibethinker_server.engine_settings import MODEL, Port, parse_variable


class Format(StrEnum):
    """What the weights are brought to."""

    W8A8 = "W8A8"
    BITS_AND_BYTES = "BitsAndBytes"
    F16 = "F16"
    BF16 = "BF16"
    Q8_0 = "Q8_0"

    @property
    def is_gguf(self) -> bool:
        """Whether it is a file for llama.cpp."""
        return self in {Format.F16, Format.BF16, Format.Q8_0}


class Task(BaseModel):
    """One model, and what is to be made of it.

    Attributes:
        model: repository on the hub, or an absolute path.
        revision: branch, tag or commit; None for a path.
        endpoint: address of another hub; empty: the hub's own.
        format: what the weights are brought to.
        out: where they are written: a directory, or a file for a GGUF format.
        ops_port: port of the page that tells how far it is.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1, pattern=MODEL)]
    revision: str | None = None
    endpoint: str = ""
    format: Format
    out: Path
    ops_port: Port = 9100


def parse_task(text: str) -> Task:
    """Returns the task in the JSON `text`.

    Raises:
        SettingsError: the text is no JSON, or a field is missing, unknown or wrong.
    """
    return parse_variable(Task, names.ENV_PREPARE, text)
