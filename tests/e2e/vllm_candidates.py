"""Run inside an engine's packages: says which tokens vLLM finds likeliest, place by place.

Usage: vllm_candidates.py MODEL DTYPE. Reads {"count": N, "asked": [[prompt, answer], …]} (numbers
of tokens) on stdin; writes one list of {token: logarithm of its probability}, the likeliest first,
for each place of each answer.
"""

import importlib
import json
import sys
from typing import Any


def main() -> None:
    """Writes the report."""
    vllm: Any = importlib.import_module("vllm")
    model, dtype = sys.argv[1:]
    request = json.load(sys.stdin)
    count = request["count"]
    engine = vllm.LLM(
        model=model,
        dtype=dtype,
        max_model_len=512,
        max_num_seqs=8,
        block_size=32,
        kv_cache_memory_bytes=64 * 2**20,
        enforce_eager=True,
    )
    prompts = [{"prompt_token_ids": prompt + answer} for prompt, answer in request["asked"]]
    wanted = vllm.SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=count)
    found = []
    for output, (prompt, _) in zip(engine.generate(prompts, wanted), request["asked"], strict=True):
        for candidates in output.prompt_logprobs[len(prompt) :]:
            # The token that stands there is added where it is not among them.
            order = sorted(candidates.items(), key=lambda item: item[1].rank)[:count]
            found.append({token: each.logprob for token, each in order})
    print("REPORT " + json.dumps(found))


if __name__ == "__main__":
    main()
