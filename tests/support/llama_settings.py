"""Engine settings of backend LlamaCpp for tests: two slots, a pool of 2,048 tokens."""

from pathlib import Path
from typing import Any

import gguf
from vibethinker_server.engine_settings import LLAMA_KV_BYTES_PER_TOKEN

POOL_TOKENS = 2048
LLAMA: dict[str, Any] = {
    "model": "/models/vibethinker.gguf",
    "source": "Volume",
    "servedName": "vibethinker-1.5b",
    "backend": "LlamaCpp",
    "device": "CPU",
    "dtype": "Float16",
    "blockSize": 1,
    "maxModelLen": 1024,
    "maxNumSeqs": 2,
    "maxNumBatchedTokens": 1024,
    "kvCacheMemoryBytes": POOL_TOKENS * LLAMA_KV_BYTES_PER_TOKEN,
    "drainSeconds": 30,
}
# What tests' other settings say of a GPU.
NO_GPU = {"gpuMemoryUtilizationPercentage": None}


def write_gguf(file: Path) -> Path:
    """Writes a file that has VibeThinker-1.5B's header, and no weights."""
    writer = gguf.GGUFWriter(file, "qwen2")
    writer.add_block_count(28)
    writer.add_embedding_length(1536)
    writer.add_head_count(12)
    writer.add_head_count_kv(2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
