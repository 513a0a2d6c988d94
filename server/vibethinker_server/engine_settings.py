"""The engine's settings, as the operator writes them into the pod's environment."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from vibethinker_server import names

# Never a flag, nor a second line: a repository's name, or a path.
MODEL = r"^([A-Za-z0-9][A-Za-z0-9._/-]*|/[^\x00-\x1f\x7f]*)$"
# llama-server is told its pool in tokens before anybody has read the file: a token's keys and
# values are 2 x 28 layers x 2 heads x 128 x 2 bytes, VibeThinker-1.5B's in half precision.
LLAMA_KV_BYTES_PER_TOKEN = 28_672
# llama.cpp rounds its context up to whole multiples of this.
LLAMA_CONTEXT_STEP = 256
_Document = TypeVar("_Document", bound=BaseModel)
Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]


class Source(StrEnum):
    """Where the weights come from."""

    HUGGING_FACE = "HuggingFace"
    MODEL_SCOPE = "ModelScope"
    VOLUME = "Volume"


class Backend(StrEnum):
    """What runs the model: vLLM in this process, or llama-server in a container beside it."""

    VLLM = "VLLM"
    LLAMA_CPP = "LlamaCpp"


class Device(StrEnum):
    """What the engine computes on."""

    GPU = "GPU"
    CPU = "CPU"


class DataType(StrEnum):
    """The type of weights and activations."""

    FLOAT16 = "Float16"
    BFLOAT16 = "BFloat16"
    FLOAT32 = "Float32"


class KvCacheDataType(StrEnum):
    """The type of the KV cache; Auto is that of the model."""

    AUTO = "Auto"
    FP8 = "Fp8"


class AttentionBackend(StrEnum):
    """The kernels that compute attention."""

    FLASH_ATTENTION = "FlashAttention"
    FLASH_INFER = "FlashInfer"
    TRITON = "Triton"


class SettingsError(ValueError):
    """The settings break a rule; the text names each field, what is wrong and where it stands."""


class _Settings(BaseModel):
    # The texts below the fields are those of docs/server-settings.md.
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, use_attribute_docstrings=True
    )


class EngineFlags(_Settings):
    """The engine flags that a resource may set; unset is the engine's own default."""

    enforce_eager: bool | None = None
    """Runs the model uncompiled and without CUDA graphs: starts faster, answers slower."""
    enable_prefix_caching: bool | None = None
    """Keeps the KV of prompts for those that begin alike."""
    enable_chunked_prefill: bool | None = None
    """Splits long prompts, so that running answers go on meanwhile."""
    max_num_active_seqs: Annotated[int, Field(ge=1)] | None = None
    """Sequences that may run at once, below maxNumSeqs."""
    kv_cache_dtype: KvCacheDataType | None = None
    """Type of the KV cache; Fp8 holds twice the tokens."""
    attention_backend: AttentionBackend | None = None
    """Kernels that compute attention."""
    optimization_level: Annotated[int, Field(ge=0, le=3)] | None = None
    """0 starts fastest, 3 answers fastest."""
    watermark_percentage: Annotated[int, Field(ge=0, le=20)] | None = None
    """Share of the KV pool that no new sequence may take."""
    seed: int | None = None
    """Seed of the engine's random numbers."""


class EngineSettings(_Settings):
    """Everything that decides how the engine runs; another value means another pod.

    The text of names.ENV_ENGINE. Bytes in `kv_cache_memory_bytes`, tokens in `max_model_len` and
    `max_num_batched_tokens`, sequences in `max_num_seqs`.
    """

    model: Annotated[str, Field(min_length=1, pattern=MODEL)]
    """Repository on the hub, or an absolute path."""
    revision: str | None = None
    """Branch, tag or commit of the repository."""
    source: Source = Source.HUGGING_FACE
    """Where the weights come from; Volume is a directory."""
    endpoint: str = ""
    """Address of another hub, such as a mirror."""
    served_name: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]*$")]
    """The model's name in requests."""
    backend: Backend = Backend.VLLM
    """What runs the model; LlamaCpp serves a GGUF file and passes over dtype and blockSize."""
    device: Device
    """What the engine computes on; CPU under LlamaCpp."""
    dtype: DataType
    """Type of weights and activations."""
    block_size: Annotated[int, Field(ge=1)]
    """Tokens of one KV block; on a CPU a multiple of 32."""
    max_model_len: Annotated[int, Field(ge=1)]
    """Tokens of prompt and answer together."""
    max_num_seqs: Annotated[int, Field(ge=1)]
    """Sequences that run at once; more of them wait."""
    max_num_batched_tokens: Annotated[int, Field(ge=1)]
    """Tokens that one step of the engine computes."""
    gpu_memory_utilization_percentage: Annotated[int, Field(ge=1, le=100)] | None = None
    """Share of the GPU that the engine takes at its start."""
    kv_cache_memory_bytes: Annotated[int, Field(ge=1)] | None = None
    """Size of the KV pool, instead of what that share leaves; required on a CPU."""
    flags: EngineFlags = EngineFlags()
    """Further flags; unset is the engine's own default."""
    port: Port = 8000
    """Port for clients."""
    ops_port: Port = 9100
    """Port for metrics, probes and the operator."""
    drain_seconds: Seconds = 0
    """Time for the requests in flight once the process is told to end."""

    @model_validator(mode="after")
    def _pool_has_a_size(self) -> Self:
        if self.kv_cache_memory_bytes is None and self.gpu_memory_utilization_percentage is None:
            raise ValueError("kvCacheMemoryBytes or gpuMemoryUtilizationPercentage must be set")
        if self.device is Device.CPU and self.kv_cache_memory_bytes is None:
            raise ValueError("kvCacheMemoryBytes must be set on device CPU")
        return self

    @model_validator(mode="after")
    def _llama_cpp_gets_what_it_takes(self) -> Self:
        if self.backend is Backend.LLAMA_CPP:
            wrong = list(_wrong_for_llama_cpp(self))
            if wrong:
                raise ValueError(f"backend LlamaCpp: {'; '.join(wrong)}")
        return self

    @property
    def llama_context_tokens(self) -> int:
        """Tokens that llama-server's KV pool holds, a whole multiple of LLAMA_CONTEXT_STEP."""
        tokens = (self.kv_cache_memory_bytes or 0) // LLAMA_KV_BYTES_PER_TOKEN
        return tokens // LLAMA_CONTEXT_STEP * LLAMA_CONTEXT_STEP


def _wrong_for_llama_cpp(settings: EngineSettings) -> Iterator[str]:
    """Yields what llama-server cannot be given, with what to write instead."""
    if not settings.model.startswith("/") or not settings.model.endswith(".gguf"):
        yield "model must be the absolute path of a .gguf file"
    if settings.source is not Source.VOLUME or settings.revision or settings.endpoint:
        yield "source must be Volume, without revision and endpoint: a file is served"
    if settings.device is not Device.CPU:
        yield "device must be CPU"
    if settings.gpu_memory_utilization_percentage is not None:
        yield "gpuMemoryUtilizationPercentage must be left out"
    given = settings.flags.model_dump(exclude_none=True, by_alias=True)
    if given:
        yield f"flags are vLLM's; leave out {', '.join(sorted(given))}"
    tokens = settings.llama_context_tokens
    if tokens < settings.max_model_len:
        yield (
            f"kvCacheMemoryBytes holds {tokens} tokens ({LLAMA_KV_BYTES_PER_TOKEN} bytes each) and"
            f" maxModelLen is {settings.max_model_len}; raise the one or lower the other"
        )


def parse_engine_settings(text: str) -> EngineSettings:
    """Returns the settings in the JSON `text`.

    Raises:
        SettingsError: the text is no JSON, or a field is missing, unknown or wrong.
    """
    return parse_variable(EngineSettings, names.ENV_ENGINE, text)


def parse_variable(model: type[_Document], variable: str, text: str) -> _Document:
    """Returns what the JSON `text` of an environment variable holds.

    Raises:
        SettingsError: the text is no JSON, or a field is missing, unknown or wrong.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(step) for step in part['loc']) or 'document'}: {part['msg']}"
            for part in error.errors()
        )
        raise SettingsError(f"environment variable {variable}: {wrong}") from error
