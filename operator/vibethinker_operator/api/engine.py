"""`spec.engine` and `spec.gpu`: how vLLM runs, and on what."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from vibethinker_operator.api.base import ApiModel, LabelKey, LabelValue, Rule, list_map, rules


class Device(StrEnum):
    """What the engine computes on."""

    GPU = "GPU"
    CPU = "CPU"


class Backend(StrEnum):
    """Which engine answers."""

    VLLM = "VLLM"
    LLAMA_CPP = "LlamaCpp"


class Dtype(StrEnum):
    """Number format of weights and activations."""

    FLOAT16 = "Float16"
    BFLOAT16 = "BFloat16"
    FLOAT32 = "Float32"


class KvCacheDtype(StrEnum):
    """Number format of the KV cache."""

    AUTO = "Auto"
    FP8 = "Fp8"


class AttentionBackend(StrEnum):
    """Attention kernels of vLLM."""

    FLASH_ATTENTION = "FlashAttention"
    FLASH_INFER = "FlashInfer"
    TRITON = "Triton"


class PullSecret(ApiModel):
    """A Secret with registry credentials."""

    name: Annotated[
        str,
        Field(
            min_length=1, max_length=253, pattern=r"^vibethinker-[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
        ),
    ]
    """Name of a Secret in this namespace; starts with `vibethinker-`."""


class Flags(ApiModel):
    """Further vLLM options: each typed, each rendered by the server, nothing free-form.

    Unset means vLLM's own default.
    """

    enforce_eager: bool | None = None
    """--enforce-eager: no CUDA graphs and no compilation. Faster start, slower tokens."""

    enable_prefix_caching: bool | None = None
    """--enable-prefix-caching: reuse the KV cache of a prompt's start. vLLM's default is on."""

    enable_chunked_prefill: bool | None = None
    """--enable-chunked-prefill: split long prompts over steps. vLLM's default is on."""

    max_num_active_seqs: Annotated[int, Field(ge=1, le=1024)] | None = None
    """--max-num-active-seqs: sequences that run at once, where that is to be fewer than
    maxNumSeqs, which sizes buffers and CUDA graphs."""

    kv_cache_dtype: KvCacheDtype | None = None
    """--kv-cache-dtype. Fp8 halves the KV cache; needs a card of compute capability 8.9."""

    attention_backend: AttentionBackend | None = None
    """--attention-backend: kernels to use in place of vLLM's choice."""

    optimization_level: Annotated[int, Field(ge=0, le=3)] | None = None
    """-O0 to -O3: 0 starts fastest, higher levels compile more. vLLM's default is 2."""

    watermark_percentage: Annotated[int, Field(ge=0, le=20)] | None = None
    """--watermark: share of KV blocks kept free when a waiting request is let in, against
    preemption."""

    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """--seed of the engine's random numbers."""


LLAMA_POOL_STEP_BYTES: Final = 256 * 28_672
"""llama.cpp's pool comes in steps of 256 tokens, of 28,672 bytes each (resources.llama_args)."""

# CEL cannot ask for the size of an object.
_NO_FLAG_IS_SET = " && ".join(f"!has(self.flags.{to_camel(name)})" for name in Flags.model_fields)


class Engine(ApiModel):
    """How vLLM runs."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.maxNumBatchedTokens >= self.maxNumSeqs",
                message="maxNumBatchedTokens must be >= maxNumSeqs: every running sequence takes"
                " one token a step",
                fieldPath=".maxNumBatchedTokens",
            ),
            Rule(
                rule="!has(self.flags.enableChunkedPrefill) || self.flags.enableChunkedPrefill"
                " || self.maxNumBatchedTokens >= self.maxModelLen",
                message="maxNumBatchedTokens must be >= maxModelLen where"
                " flags.enableChunkedPrefill is false: a prompt must fit one step",
                fieldPath=".maxNumBatchedTokens",
            ),
            Rule(
                rule="!has(self.flags.maxNumActiveSeqs)"
                " || self.flags.maxNumActiveSeqs <= self.maxNumSeqs",
                message="flags.maxNumActiveSeqs must be <= maxNumSeqs",
                fieldPath=".flags.maxNumActiveSeqs",
            ),
            Rule(
                rule="self.device != 'CPU' || has(self.kvCacheMemoryBytes)",
                message="kvCacheMemoryBytes is required with device CPU: there is no card whose"
                " size could tell",
                fieldPath=".kvCacheMemoryBytes",
            ),
            Rule(
                rule="self.device != 'CPU' || !has(self.blockSize) || self.blockSize % 32 == 0",
                message="blockSize must be a multiple of 32 with device CPU: attention on CPU"
                " takes no other",
                fieldPath=".blockSize",
            ),
            Rule(
                rule="!has(self.backend) || self.backend != 'LlamaCpp' || self.device == 'CPU'",
                message="device must be CPU with backend LlamaCpp: on a GPU, vLLM serves",
                fieldPath=".device",
            ),
            Rule(
                rule="!has(self.backend) || self.backend != 'LlamaCpp'"
                " || !has(self.kvCacheMemoryBytes)"
                f" || self.kvCacheMemoryBytes / {LLAMA_POOL_STEP_BYTES} * 256 >= self.maxModelLen",
                message="kvCacheMemoryBytes must hold maxModelLen tokens with backend LlamaCpp, of"
                " 28,672 bytes each",
                fieldPath=".kvCacheMemoryBytes",
            ),
            Rule(
                rule="!has(self.backend) || self.backend != 'LlamaCpp' || !has(self.dtype)",
                message="dtype is not read with backend LlamaCpp: leave it out, model.gguf.outtype"
                " is the weights' format",
                fieldPath=".dtype",
            ),
            Rule(
                rule=f"!has(self.backend) || self.backend != 'LlamaCpp' || ({_NO_FLAG_IS_SET})",
                message="flags are vLLM's own: leave them out with backend LlamaCpp",
                fieldPath=".flags",
            ),
            Rule(
                rule="self.device == 'CPU' || !has(self.dtype) || self.dtype != 'Float32'",
                message="dtype Float32 is for device CPU only: on a GPU it doubles weights and KV"
                " cache and gains nothing",
                fieldPath=".dtype",
            ),
            Rule(
                rule="self.device != 'CPU' || !has(self.flags.attentionBackend)",
                message="flags.attentionBackend is for device GPU only: leave it out",
                fieldPath=".flags.attentionBackend",
            ),
            Rule(
                rule="self.device != 'CPU' || !has(self.flags.kvCacheDtype)"
                " || self.flags.kvCacheDtype == 'Auto'",
                message="flags.kvCacheDtype Fp8 is for device GPU only: leave it out",
                fieldPath=".flags.kvCacheDtype",
            ),
        )
    )

    backend: Backend | None = None
    """VLLM, or LlamaCpp for machines without a GPU: llama-server on a GGUF file, behind the same
    policy. Unset: VLLM."""

    image: Annotated[
        str, Field(max_length=255, pattern=r"^([a-z0-9]([A-Za-z0-9._:/@-]*[A-Za-z0-9])?)?$")
    ] = ""
    """Engine image, a stock one: vLLM's, into which our part is copied when a pod starts, or
    llama.cpp's server, which our part stands beside. Empty: the
    operator's default for the device. The cluster's admin lists the allowed ones in the ConfigMap
    vibethinker-admission-policy; in production give a digest."""

    image_pull_secrets: Annotated[
        tuple[PullSecret, ...], Field(max_length=4, json_schema_extra=list_map("name"))
    ] = ()
    """Secrets with registry credentials."""

    device: Device = Device.GPU
    """GPU, or CPU for tests and small fleets."""

    dtype: Dtype | None = None
    """Number format. Unset: Float16 on GPU (a T4 has no BFloat16), BFloat16 on CPU. Float32, on CPU
    only, doubles the memory of weights and KV cache and is many times faster on processors that
    have neither AVX512_BF16 nor AMX."""

    block_size: Annotated[int, Field(ge=16, le=256, multiple_of=16)] | None = None
    """Tokens in one block of KV cache. Unset: 16 on GPU, 32 on CPU (multiples of 32 only)."""

    max_model_len: Annotated[int, Field(ge=256, le=131_072)] = 4096
    """Longest sequence in tokens, prompt and answer together."""

    max_num_seqs: Annotated[int, Field(ge=1, le=1024)] = 128
    """Sequences that one replica can run at once; more wait in its queue."""

    max_num_batched_tokens: Annotated[int, Field(ge=64, le=131_072)] = 4096
    """Tokens in one step of the engine. More: prompts are read faster, tokens come less
    evenly."""

    gpu_memory_utilization_percentage: Annotated[int, Field(ge=10, le=97)] = 85
    """Share of the card that vLLM reserves when it starts; what weights and activations leave
    of it becomes KV cache. Not read where kvCacheMemoryBytes is set, nor on CPU."""

    kv_cache_memory_bytes: Annotated[int, Field(ge=64 * 2**20, le=2**40)] | None = None
    """Exact size of the KV cache, in bytes as vLLM takes it (4 GiB: 4294967296); a plain number,
    because decisions are computed with it. Required on CPU. Unset on GPU: from
    gpuMemoryUtilizationPercentage."""

    flags: Flags = Flags()
    """Further vLLM options, each typed."""


class Gpu(ApiModel):
    """Which card a replica takes: always one, the model needs no more."""

    product: LabelValue = ""
    """Value of the node label nvidia.com/gpu.product, such as Tesla-T4 or NVIDIA-L4. Empty: any
    card. Naming it keeps cards of one fleet equal, and lets the operator say before the first
    start whether the memory line can be reached."""

    resource_name: LabelKey = "nvidia.com/gpu"
    """Extended resource of the device plugin; for MIG for example nvidia.com/mig-1g.10gb."""
