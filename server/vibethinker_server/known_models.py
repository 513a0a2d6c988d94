"""The models that are known by name: what their authors recommend, as data. Pure.

Sources:
    Sampling, longest answer: "Usage Guidelines" in the README of WeiboAI/VibeThinker (GitHub,
        commit 1459e2a). Of "0.6 or 1.0" for the 1.5B we take 0.6, as its own example does. For the
        3B they are those of its benchmarks, and no longest answer is named.
    Context: "Context Length: 131072" of xorbitsai/inference for both. The checkpoint's config.json
        has the last word: vLLM refuses a longer `maxModelLen`.
    Shape of the 1.5B: a Qwen2 of 1.5B; 1,543,714,304 parameters, embeddings counted once.
    Shape of the 3B: "built upon Qwen2.5-Coder-3B" (the same README), so that model's config.json.
    Caps: the resource's presets, which its own table of the same numbers is tested against.

What a value's source does not say is None: the engine's own default then holds. How these meet
clients and generation_config.json: `sampling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vibethinker_server.sampling import Sampling

Caps = Mapping[str, int]

ARTICLE: Final[Caps] = MappingProxyType({"math": 512, "code": 768, "qa": 256})
REASONING: Final[Caps] = MappingProxyType({"math": 16_384, "code": 16_384, "qa": 2048})
PRESETS: Final[Mapping[str, Caps]] = MappingProxyType({"Article": ARTICLE, "Reasoning": REASONING})


@dataclass(frozen=True, slots=True)
class KvShape:
    """What decides the KV of one token: a key and a value in each head of each layer.

    A GGUF header has the same three, as `block_count`, `kv_heads` and `head_size`.
    """

    layers: int
    heads: int
    head_size: int

    @property
    def values_per_token(self) -> int:
        """Numbers that one token keeps."""
        return 2 * self.layers * self.heads * self.head_size


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One model.

    Attributes:
        repository: its name on the hubs.
        aliases: what else files call it: `_name_or_path`, `general.name`.
        parameters: embeddings counted once.
        kv: the shape of its KV cache.
        context_tokens: longest sequence that it was made for.
        answer_tokens: longest answer that its authors recommend.
        sampling: what they recommend.
        caps: recommended caps in tokens by task, by preset.
    """

    repository: str
    aliases: tuple[str, ...]
    parameters: int
    kv: KvShape
    context_tokens: int
    answer_tokens: int | None
    sampling: Sampling
    caps: Mapping[str, Caps]


VIBETHINKER_1_5B: Final = KnownModel(
    repository="WeiboAI/VibeThinker-1.5B",
    aliases=("VibeThinker-1.5B", "VibeThinker 1.5B"),
    parameters=1_543_714_304,
    kv=KvShape(layers=28, heads=2, head_size=128),
    context_tokens=131_072,
    answer_tokens=40_960,
    sampling=Sampling(temperature=0.6, top_p=0.95, top_k=-1),
    caps=PRESETS,
)
VIBETHINKER_3B: Final = KnownModel(
    repository="WeiboAI/VibeThinker-3B",
    aliases=("VibeThinker-3B", "VibeThinker 3B"),
    parameters=3_085_938_688,
    kv=KvShape(layers=36, heads=2, head_size=128),
    context_tokens=131_072,
    answer_tokens=None,
    sampling=Sampling(temperature=1.0, top_p=0.95, top_k=-1),
    caps=PRESETS,
)
KNOWN_MODELS: Final = (VIBETHINKER_1_5B, VIBETHINKER_3B)


def find_known_model(name: str) -> KnownModel | None:
    """Returns the model that `name` is, None: another.

    Args:
        name: a repository, a directory, or what a file says that it holds. A repository of another
            owner is another model, whatever its name: it may be trained further.
    """
    asked = name.rstrip("/").lower()
    # A directory is called as the model is; what lies above it says nothing.
    asked = asked.rsplit("/", 1)[-1] if asked.startswith(("/", "./")) else asked
    for model in KNOWN_MODELS:
        if asked in {one.lower() for one in (model.repository, *model.aliases)}:
            return model
    return None
