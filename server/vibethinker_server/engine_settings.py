"""The engine's settings, as the operator writes them into the pod's environment."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from vibethinker_server import names

Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]


class Source(StrEnum):
    """Where the weights come from."""

    HUGGING_FACE = "HuggingFace"
    MODEL_SCOPE = "ModelScope"
    VOLUME = "Volume"


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
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class EngineFlags(_Settings):
    """The engine flags that a resource may set; unset is the engine's own default."""

    enforce_eager: bool | None = None
    enable_prefix_caching: bool | None = None
    enable_chunked_prefill: bool | None = None
    max_num_active_seqs: Annotated[int, Field(ge=1)] | None = None
    kv_cache_dtype: KvCacheDataType | None = None
    attention_backend: AttentionBackend | None = None
    optimization_level: Annotated[int, Field(ge=0, le=3)] | None = None
    watermark_percentage: Annotated[int, Field(ge=0, le=20)] | None = None
    seed: int | None = None


class EngineSettings(_Settings):
    """Everything that decides how the engine runs; another value means another pod.

    The text of names.ENV_ENGINE. Bytes in `kv_cache_memory_bytes`, tokens in `max_model_len` and
    `max_num_batched_tokens`, sequences in `max_num_seqs`.
    """

    model: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9/][A-Za-z0-9._/-]*$")]
    revision: str | None = None
    source: Source = Source.HUGGING_FACE
    endpoint: str = ""
    served_name: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]*$")]
    device: Device
    dtype: DataType
    block_size: Annotated[int, Field(ge=1)]
    max_model_len: Annotated[int, Field(ge=1)]
    max_num_seqs: Annotated[int, Field(ge=1)]
    max_num_batched_tokens: Annotated[int, Field(ge=1)]
    gpu_memory_utilization_percentage: Annotated[int, Field(ge=1, le=100)] | None = None
    kv_cache_memory_bytes: Annotated[int, Field(ge=1)] | None = None
    flags: EngineFlags = EngineFlags()
    port: Port = 8000
    ops_port: Port = 9100
    drain_seconds: Seconds = 0

    @model_validator(mode="after")
    def _pool_has_a_size(self) -> Self:
        if self.kv_cache_memory_bytes is None and self.gpu_memory_utilization_percentage is None:
            raise ValueError("kvCacheMemoryBytes or gpuMemoryUtilizationPercentage must be set")
        if self.device is Device.CPU and self.kv_cache_memory_bytes is None:
            raise ValueError("kvCacheMemoryBytes must be set on device CPU")
        return self


def parse_engine_settings(text: str) -> EngineSettings:
    """Returns the settings in the JSON `text`.

    Raises:
        SettingsError: the text is no JSON, or a field is missing, unknown or wrong.
    """
    try:
        return EngineSettings.model_validate_json(text)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(step) for step in part['loc']) or 'document'}: {part['msg']}"
            for part in error.errors()
        )
        raise SettingsError(f"environment variable {names.ENV_ENGINE}: {wrong}") from error
