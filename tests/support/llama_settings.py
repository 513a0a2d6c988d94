"""Engine settings of backend LlamaCpp for tests: two slots, a pool of 2,048 tokens."""

from typing import Any

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
