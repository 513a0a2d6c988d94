"""What the engine runs with once everything that the spec leaves open is settled. Pure."""

from dataclasses import dataclass
from typing import Final

from vibethinker_operator import names
from vibethinker_operator.api import Backend, Device, Dtype, Model, Source, Spec
from vibethinker_operator.prepared_model import find_prepared_model

HUB_DEFAULT_REVISION: Final = "main"
"""The default branch on Hugging Face. ModelScope's has another name, so there it is left open."""


@dataclass(frozen=True, kw_only=True)
class EffectiveEngine:
    """Settings of the engine, none of them open.

    Attributes:
        model: repository, or the path of weights that lie in a volume.
        local: whether it is such a path: nothing is downloaded then.
        revision: branch, tag or commit; None where there is none (a volume) or the hub's own
            default is meant.
        gpu_memory_utilization_percentage: None where it is not what sizes the KV cache.
        kv_cache_memory_bytes: None where vLLM computes it from the utilization.
    """

    backend: Backend
    model: str
    local: bool
    revision: str | None
    device: Device
    dtype: Dtype
    block_size: int
    max_model_len: int
    max_num_seqs: int
    max_num_batched_tokens: int
    gpu_memory_utilization_percentage: int | None
    kv_cache_memory_bytes: int | None


def resolve_engine(spec: Spec) -> EffectiveEngine:
    """Returns the settings that the fleet's engines run with."""
    engine = spec.engine
    gpu = engine.device is Device.GPU
    sized_by_utilization = gpu and engine.kv_cache_memory_bytes is None
    local = _local_path(spec.model)
    return EffectiveEngine(
        backend=engine.backend or Backend.VLLM,
        model=local or spec.model.repository,
        local=local is not None,
        revision=None if local else _revision(spec.model),
        device=engine.device,
        dtype=engine.dtype or (Dtype.FLOAT16 if gpu else Dtype.BFLOAT16),
        block_size=engine.block_size or (16 if gpu else 32),
        max_model_len=engine.max_model_len,
        max_num_seqs=engine.max_num_seqs,
        max_num_batched_tokens=engine.max_num_batched_tokens,
        gpu_memory_utilization_percentage=(
            engine.gpu_memory_utilization_percentage if sized_by_utilization else None
        ),
        kv_cache_memory_bytes=engine.kv_cache_memory_bytes,
    )


def _local_path(model: Model) -> str | None:
    prepared = find_prepared_model(model)
    if prepared is not None:
        return prepared.path
    return locate_volume(model) if model.source is Source.VOLUME else None


def locate_volume(model: Model) -> str:
    """Returns where a pod finds the files of source Volume."""
    return f"{names.MODEL_PATH}/{model.volume.path}".rstrip("/")


def _revision(model: Model) -> str | None:
    if model.source is Source.MODEL_SCOPE and model.revision == HUB_DEFAULT_REVISION:
        return None
    return model.revision
