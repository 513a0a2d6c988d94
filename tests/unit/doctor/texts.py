"""The ends of engines: each text as it is written, and what it comes to on a GPU.

`spelled` are the pieces in which the text stands in vLLM's own source (0.32), for the test that
holds them exact; empty where another program writes it.
"""

from dataclasses import dataclass

from vibethinker_doctor.finding import Value

LENGTH, POOL = "engine.maxModelLen", "engine.kvCacheMemoryBytes"
SHARE, SEQUENCES = "engine.gpuMemoryUtilizationPercentage", "engine.maxNumSeqs"
BATCH, IMAGE = "engine.maxNumBatchedTokens", "engine.image"


@dataclass(frozen=True)
class End:
    code: str
    text: str
    field: str | None = None
    value: Value | None = None
    spelled: tuple[str, ...] = ()


ENDS = (
    End(
        "FlagGone",
        "entry.py: error: unrecognized arguments: --swap-space 4",
    ),
    End(
        "FlagGone",
        "entry.py: error: ambiguous option: --device could match --device-ids,"
        " --device-memory-utilization",
    ),
    End(
        "FlagUnknown",
        "entry.py: error: unrecognized arguments: --from-the-future",
        IMAGE,
    ),
    End(
        "FlagTakesNoValue",
        "entry.py: error: argument --enable-chunked-prefill/--no-enable-chunked-prefill:"
        " ignored explicit argument 'True'",
    ),
    End(
        "QuantizationPluginMissing",
        "Value error, Unknown quantization method: bitsandbytes. Must be one of ['awq', 'fp8'].",
        spelled=("Unknown quantization method: {self.quantization}. Must ", "be one of {"),
    ),
    End(
        "QuantizationPluginMissing",
        "ValueError: Load format `gguf` is not supported",
        spelled=("Load format `{load_format}` is not supported",),
    ),
    End(
        "QuantizationPluginMissing",
        "vibethinker-server serve: /model/config.json: quantization_config.quant_method is"
        " bitsandbytes, for which this engine lacks vllm-bnb-plugin and bitsandbytes: use an image",
    ),
    End(
        "QuantizationUnknown",
        "Value error, Unknown quantization method: exl2. Must be one of ['awq', 'fp8'].",
        spelled=("Unknown quantization method: {self.quantization}. Must ",),
    ),
    End(
        "QuantizationNotOnThisGpu",
        "ValueError: The quantization method fp8 is not supported for the current GPU. Minimum"
        " capability: 89. Current capability: 75.",
        spelled=(
            "The quantization method {model_config.quantization} ",
            "is not supported for the current GPU. Minimum ",
            "capability: {",
        ),
    ),
    End(
        "QuantizationMismatch",
        "Value error, Quantization method specified in the model config (compressed-tensors) does"
        " not match the quantization method specified in the `quantization` argument (awq).",
        spelled=(
            "Quantization method specified in the model config ",
            "({quant_method}) does not match the quantization ",
            "method specified in the `quantization` argument ",
        ),
    ),
    End(
        "BFloat16NotOnThisGpu",
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0."
        " Your Tesla T4 GPU has compute capability 7.5.",
        "engine.dtype",
        "Float16",
        spelled=(
            "Bfloat16 is only supported on GPUs ",
            "with compute capability of at least 8.0. ",
        ),
    ),
    End(
        "BatchedTokensBelowSequences",
        "Value error, max_num_batched_tokens (64) must be greater than or equal to max_num_seqs"
        " (128).",
        BATCH,
        128,
        spelled=(
            "max_num_batched_tokens ({self.max_num_batched_tokens}) must ",
            "be greater than or equal to max_num_seqs ",
        ),
    ),
    End(
        "BatchedTokensBelowLength",
        "Value error, max_num_batched_tokens (1024) is smaller than max_model_len (4096). This"
        " effectively limits the maximum sequence length to max_num_batched_tokens",
        BATCH,
        4096,
        spelled=(
            "max_num_batched_tokens ({self.max_num_batched_tokens}) is ",
            "smaller than max_model_len ({max_model_len}). ",
        ),
    ),
    End(
        "ActiveSequencesAboveSequences",
        "Value error, max_num_active_seqs (64) cannot be greater than max_num_seqs (32).",
        "engine.flags.maxNumActiveSeqs",
        32,
        spelled=(
            "max_num_active_seqs ({self.max_num_active_seqs}) cannot be ",
            "greater than max_num_seqs ({self.max_num_seqs}).",
        ),
    ),
    End(
        "MaxModelLenAboveModel",
        "Value error, User-specified max_model_len (200000) is greater than the derived"
        " max_model_len (max_position_embeddings=131072.0 or model_max_length=None in model's"
        " config.json).",
        LENGTH,
        131_072,
        spelled=(
            "User-specified max_model_len ({max_model_len}) is greater ",
            "than the derived max_model_len ({max_len_key}=",
        ),
    ),
    End(
        "MaxModelLenTooLarge",
        "To serve at least one request with the model's max seq len (8192), (0.22 GiB KV cache is"
        " needed, which is larger than the available KV cache memory (0.06 GiB). Based on the"
        " available memory, the estimated maximum model length is 1184. Try increasing"
        " `gpu_memory_utilization`",
        LENGTH,
        1184,
        spelled=(
            "To serve at least one request with the model's max seq len ",
            "({max_model_len}), ({format_gib(needed_memory)} GiB KV ",
            "cache is needed, which is larger than the available KV cache ",
            "memory ({format_gib(available_memory)} GiB). {estimated_msg}",
            "the estimated maximum model length is {estimated_max_len}. ",
        ),
    ),
    End(
        "NoMemoryForKvCache",
        "ValueError: No available memory for the cache blocks. Try increasing"
        " `gpu_memory_utilization` when initializing the engine",
        SHARE,
        90,
        spelled=("No available memory for the cache blocks. ", "Try increasing `gpu_memory_util"),
    ),
    End(
        "DeviceMemoryTaken",
        "ValueError: Free memory on device cuda:0 (6.0/14.56 GiB) on startup is less than desired"
        " GPU memory utilization (0.85, 12.38 GiB). Decrease GPU memory utilization",
        SHARE,
        40,
        spelled=(
            "Free memory on device {init_snapshot.device_} ",
            " GiB) on startup ",
            "is less than desired GPU memory utilization ",
        ),
    ),
    End(
        "DeviceMemoryTaken",
        "ValueError: Available memory on node 0 (8.0/16.0 GiB) on startup is less than desired CPU"
        " memory utilization (0.92, 14.72 GiB).",
        SHARE,
        49,
        spelled=("Available memory on node {", "is less than desired CPU memory utilization "),
    ),
    End(
        "DeviceMemoryMoves",
        "AssertionError: Error in memory profiling. Initial free memory 3.1 GiB, current free"
        " memory 9.9 GiB.",
        spelled=("Error in memory profiling. ", "Initial free memory {"),
    ),
    End(
        "HostMemoryTooSmall",
        "ValueError: Available memory on node 0 (3.2/23.5 GiB) on kv cache allocation is less than"
        " requested memory for kv (8.0 GiB). Decrease --kv-cache-memory-bytes",
        POOL,
        2621 * 2**20,
        spelled=(" GiB) on kv cache", " allocation is less than requested memory for kv "),
    ),
    # Of 0.33, which is not installed here.
    End(
        "HostMemoryTooSmall",
        "ValueError: The worker already uses 5.1 GiB (model weights and runtime), more than the"
        " requested 4.0 GiB.",
        SHARE,
    ),
    End(
        "SamplerOutOfMemory",
        "RuntimeError: CUDA out of memory occurred when warming up sampler with 256 dummy"
        " requests. Please try lowering `max_num_seqs`",
        SEQUENCES,
        128,
        spelled=(
            "CUDA out of memory occurred when warming up sampler with ",
            "{num_reqs} dummy requests. Please try lowering ",
        ),
    ),
    End(
        "WeightsTooLarge",
        "ERROR Failed to load model - not enough GPU memory. Try lowering --gpu-memory-utilization",
        spelled=("Failed to load model - not enough GPU memory. ",),
    ),
    End(
        "CudaOutOfMemory",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 594.00 MiB. GPU 0 has a"
        " total capacity of 14.56 GiB of which 211.56 MiB is free.",
        BATCH,
        2048,
    ),
    End(
        "CudaOutOfMemory",
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.",
        BATCH,
        2048,
    ),
    End(
        "DriverTooOld",
        "RuntimeError: The NVIDIA driver on your system is too old (found version 12020).",
        IMAGE,
    ),
    End(
        "DriverTooOld",
        "RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime version",
        IMAGE,
    ),
    End(
        "SharedMemoryFull",
        "OSError: [Errno 28] No space left on device: '/psm_1b2c3d4e'",
    ),
    End(
        "SharedMemoryFull",
        "RuntimeError: unable to write to file </torch_77_1>: No space left on device (28)",
    ),
    End("DiskFull", "OSError: [Errno 28] No space left on device: '/cache/huggingface/x'"),
    End("PortTaken", "OSError: [Errno 98] Address already in use"),
    End("PortTaken", "ERROR: [Errno 98] ... ('127.0.0.1', 8000): address already in use"),
    End("CompilerMissing", "RuntimeError: Failed to find C compiler. Please specify via CC"),
    End("PythonHeadersMissing", "fatal error: Python.h: No such file or directory"),
    End(
        "EngineProcessKilled",
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core"
        " proc(s): {'EngineCore': -9}",
        "resources.limits.memory",
        spelled=("Failed core proc(s): {finished}",),
    ),
    End(
        "VariableGone",
        "WARNING [interface.py:1457] Unknown vLLM environment variable detected: VLLM_USE_V1",
        spelled=("Unknown vLLM environment variable detected: ",),
    ),
    End("PracticeGone", "AttributeError: 'Qwen2ForCausalLM' has no 'to_bettertransformer'"),
)
