"""`spec.model`: which weights are served, and where they come from."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.base import ApiModel, ObjectName, Quantity, Rule, SecretName, rules


class Source(StrEnum):
    """Where the weights come from."""

    HUGGING_FACE = "HuggingFace"
    MODEL_SCOPE = "ModelScope"
    VOLUME = "Volume"


class HubToken(ApiModel):
    """The Secret whose key `token` opens the hub."""

    name: SecretName = ""
    """Name of a Secret in this namespace; only its key `token` is mounted, as a file.
    Starts with `vibethinker-`, so that no other Secret can be named. Empty: no token."""


class Cache(ApiModel):
    """Where downloaded weights and compiled kernels are kept."""

    claim_name: ObjectName = ""
    """PersistentVolumeClaim to keep them in, shared by all replicas (ReadWriteMany for more than
    one node). Empty: a directory that lives and dies with the pod."""

    size_limit: Quantity = "10Gi"
    """Largest size of that directory where no claim is named. The fp16 weights are 3.1 GB, and
    a download needs room for its parts."""


class Volume(ApiModel):
    """A volume that holds the weights already (source Volume)."""

    claim_name: ObjectName = ""
    """PersistentVolumeClaim with the model's files, mounted read-only."""

    path: Annotated[
        str,
        Field(
            max_length=255,
            pattern=r"^(([A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*)?$",
        ),
    ] = ""
    """Directory of the model in that volume, relative to its root. Empty: the root itself."""


class QuantizationType(StrEnum):
    """Number format that linear layers are brought to before they are served."""

    INT8 = "Int8"


class QuantizationMethod(StrEnum):
    """Who computes with the eight bits."""

    W8A8 = "W8A8"
    BITS_AND_BYTES = "BitsAndBytes"


class Quantization(ApiModel):
    """Eight-bit weights, written once by a Job into `cache.claimName` and served from there."""

    type: QuantizationType = QuantizationType.INT8
    """Number format of the linear layers; embeddings stay as they are."""

    method: QuantizationMethod = QuantizationMethod.W8A8
    """W8A8 (compressed-tensors) is what vLLM computes with by itself. BitsAndBytes saves the same
    memory and is slower; the engine image must bring vllm-bnb-plugin and bitsandbytes, which the
    stock one does not."""


class GgufOutType(StrEnum):
    """Number format of a GGUF file."""

    F16 = "F16"
    BF16 = "BF16"
    Q8_0 = "Q8_0"


class Gguf(ApiModel):
    """The file that llama.cpp reads, written once by a Job into `cache.claimName`."""

    outtype: GgufOutType = GgufOutType.Q8_0
    """Number format: Q8_0 takes half of F16."""


_NAME = r"[A-Za-z0-9][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*"


def _written_once(field: str) -> Rule:
    return Rule(
        rule=f"!has(self.{field}) || size(self.cache.claimName) > 0",
        message=f"cache.claimName is required with {field}: the weights are written there once, for"
        " all replicas",
        fieldPath=".cache.claimName",
    )


def _not_from_model_scope(field: str) -> Rule:
    return Rule(
        rule=f"!has(self.{field}) || self.source != 'ModelScope'",
        message=f"source must be HuggingFace (endpoint may name a mirror) or Volume with {field}:"
        " the Job that writes it downloads from no other",
        fieldPath=".source",
    )


class Model(ApiModel):
    """Which weights are served, and where they come from."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="self.repository.lowerAscii() != 'weibo/vibethinker-1.5b'",
                message=(
                    "repository weibo/VibeThinker-1.5B does not exist:"
                    " did you mean WeiboAI/VibeThinker-1.5B?"
                ),
                fieldPath=".repository",
            ),
            Rule(
                rule="self.source != 'Volume' || size(self.volume.claimName) > 0",
                message="volume.claimName is required with source Volume: name the claim that"
                " holds the model's files",
                fieldPath=".volume.claimName",
            ),
            _written_once("quantization"),
            _written_once("gguf"),
            _not_from_model_scope("quantization"),
            _not_from_model_scope("gguf"),
            Rule(
                rule="!self.revision.contains('..')",
                message="revision may not contain '..': give a branch, a tag or a commit",
                fieldPath=".revision",
            ),
        )
    )

    repository: Annotated[str, Field(max_length=96, pattern=rf"^{_NAME}/{_NAME}$")] = (
        "WeiboAI/VibeThinker-1.5B"
    )
    """Model repository as organization/name, without a scheme. Not read with source Volume."""

    revision: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
    ] = "main"
    """Branch, tag or commit of the repository. `main` means the hub's own default branch; in
    production give the 40 hexadecimal digits of a commit."""

    served_name: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")
    ] = "vibethinker-1.5b"
    """Name that clients send as `model`."""

    source: Source = Source.HUGGING_FACE
    """HuggingFace and ModelScope download at start; Volume reads a claim that holds the files."""

    endpoint: Annotated[
        str,
        Field(
            max_length=253,
            pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?$",
        ),
    ] = ""
    """Address of a mirror of the hub. Empty: the hub's own. The cluster's admin lists the
    allowed ones in the ConfigMap vibethinker-admission-policy."""

    token_secret_ref: HubToken = HubToken()
    """Secret with the hub's access token; VibeThinker-1.5B itself needs none."""

    cache: Cache = Cache()
    """Where downloaded weights and compiled kernels are kept."""

    volume: Volume = Volume()
    """The volume of source Volume."""

    quantization: Quantization | None = None
    """Eight-bit weights in place of the checkpoint's own, for vLLM. Unset: as the checkpoint is."""

    gguf: Gguf | None = None
    """The file to write for engine.backend LlamaCpp. Unset there: volume.path names a GGUF file."""
