"""Run inside an engine's packages: says where an INT8 checkpoint differs from its makers' own.

Usage: read_int8.py SOURCE W8A8 BITSANDBYTES. Writes one JSON object: the tensors that were compared
with bitsandbytes' own `Linear8bitLt`, and those of them that differ in any bit; the largest error
of a W8A8 weight in steps; what transformers' own config says of 8 bits.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

torch: Any = importlib.import_module("torch")
bitsandbytes: Any = importlib.import_module("bitsandbytes")
safetensors: Any = importlib.import_module("safetensors.torch")
transformers: Any = importlib.import_module("transformers")


def load(directory: str) -> dict[str, Any]:
    """Returns every tensor of a checkpoint."""
    found: dict[str, Any] = {}
    for file in sorted(Path(directory).glob("*.safetensors")):
        found |= safetensors.load_file(file)
    return found


def quantize(weight: Any) -> dict[str, Any]:
    """Returns what bitsandbytes saves of a linear layer of this weight."""
    rows, columns = weight.shape
    layer = bitsandbytes.nn.Linear8bitLt(columns, rows, bias=False, has_fp16_weights=False)
    layer.weight = bitsandbytes.nn.Int8Params(weight, requires_grad=False)
    saved: dict[str, Any] = layer.to("cpu").state_dict()
    return saved


def compare_bitsandbytes(source: dict[str, Any], ours: dict[str, Any]) -> dict[str, list[str]]:
    """Returns the names of all tensors that were compared, and of those that differ."""
    compared, differing = [], []
    for scales in [name for name in ours if name.endswith(".SCB")]:
        layer = scales.removesuffix(".SCB")
        for key, theirs in quantize(source[f"{layer}.weight"]).items():
            name = f"{layer}.{key}"
            compared.append(name)
            mine = ours.get(name)
            if mine is None or mine.dtype != theirs.dtype or not torch.equal(mine, theirs):
                differing.append(name)
    return {"compared": compared, "differing": differing}


def largest_error(source: dict[str, Any], ours: dict[str, Any]) -> float:
    """Returns how far a W8A8 weight is off at most, in steps of its row's scale."""
    found = 0.0
    for scales in [name for name in ours if name.endswith(".weight_scale")]:
        name = scales.removesuffix("_scale")
        error = (ours[name].double() * ours[scales].double() - source[name].double()).abs()
        found = max(found, float((error / ours[scales].double()).max()))
    return found


def main() -> None:
    """Writes the report."""
    source, w8a8, bnb = map(load, sys.argv[1:])
    config = transformers.BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=["lm_head"])
    report = {
        "bitsandbytes": compare_bitsandbytes(source, bnb),
        "largest_error": largest_error(source, w8a8),
        "config": config.to_dict(),
    }
    print("REPORT " + json.dumps(report))


if __name__ == "__main__":
    main()
