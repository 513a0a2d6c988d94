"""Resources for tests of the builders."""

from typing import Any

from vibethinker_operator.api import VibeThinkerDeployment, parse_deployment
from vibethinker_operator.images import Images
from vibethinker_operator.resources import TemplateChoice, choose_template

UID = "6d1c3c0a-0f5e-4b8e-9d5b-0b1f2a3c4d5e"
IMAGES = Images(engine="vllm/vllm-openai:v0.33.0", package="vibethinker-server:0.1.0")
NEWER = Images(engine="vllm/vllm-openai:v0.34.0", package="vibethinker-server:0.2.0")

CPU_SPEC: dict[str, Any] = {
    "engine": {
        "device": "CPU",
        "image": "vllm/vllm-openai-cpu:v0.32.0",
        "kvCacheMemoryBytes": 2**30,
    },
    "resources": {"limits": {"memory": "6Gi"}},
}
VOLUME_SPEC: dict[str, Any] = {
    "model": {"source": "Volume", "volume": {"claimName": "models", "path": "vibethinker"}}
}
GGUF_SPEC: dict[str, Any] = {
    "model": {"gguf": {"outtype": "Q8_0"}, "cache": {"claimName": "weights"}}
}
LLAMA_SPEC: dict[str, Any] = GGUF_SPEC | {
    "engine": {
        "backend": "LlamaCpp",
        "device": "CPU",
        "maxNumSeqs": 4,
        "kvCacheMemoryBytes": 2**30,
    },
    "resources": {"limits": {"memory": "6Gi", "cpu": "3500m"}},
}


def make_resource(
    spec: dict[str, Any] | None = None,
    *,
    name: str = "chat",
    annotations: dict[str, str] | None = None,
) -> VibeThinkerDeployment:
    metadata = {"name": name, "namespace": "team", "uid": UID, "generation": 3}
    return parse_deployment(
        {"metadata": metadata | {"annotations": annotations or {}}, "spec": spec or {}}
    )


def choose_first(resource: VibeThinkerDeployment) -> TemplateChoice:
    return choose_template(resource, offered=IMAGES, stored=None)


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Returns `base` with the field at the dotted `path` set."""
    first, _, rest = path.partition(".")
    return base | {first: changed(base.get(first, {}), rest, value) if rest else value}
