"""Weights that a Job writes once and every replica then reads: what they are, and where. Pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from vibethinker_operator import names
from vibethinker_operator.api import Model, Source

DIGEST_LENGTH: Final = 12


@dataclass(frozen=True, kw_only=True)
class PreparedModel:
    """Weights in a format that the model's own files do not have.

    Attributes:
        format: `W8A8`, `BitsAndBytes`, or the outtype of a GGUF file.
        gguf: whether it is one GGUF file; else a directory in the layout of the hub.
        digest: hash of what it is made from, and how: another one is another file.
        path: where pods find it, below the mounted cache.
    """

    format: str
    gguf: bool
    digest: str
    path: str


def find_prepared_model(model: Model) -> PreparedModel | None:
    """Returns what is to be written before the fleet can start; None: nothing."""
    if model.gguf is not None:
        return _prepared(model, model.gguf.outtype.value, gguf=True)
    if model.quantization is not None:
        return _prepared(model, model.quantization.method.value, gguf=False)
    return None


def _prepared(model: Model, format_: str, *, gguf: bool) -> PreparedModel:
    of_volume = model.source is Source.VOLUME
    made_from = {
        "source": model.source.value,
        "model": [model.volume.claim_name, model.volume.path] if of_volume else model.repository,
        "revision": None if of_volume else model.revision,
        "format": format_,
        "claim": model.cache.claim_name,
    }
    digest = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:DIGEST_LENGTH]
    title = model.served_name if of_volume else model.repository.rsplit("/", 1)[-1]
    stem = "".join(c if c.isalnum() or c in "._-" else "-" for c in title)
    path = f"{names.PREPARED_PATH}/{stem}-{format_.lower()}-{digest}" + (".gguf" if gguf else "")
    return PreparedModel(format=format_, gguf=gguf, digest=digest, path=path)
