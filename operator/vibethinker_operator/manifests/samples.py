"""Resources to start from. A test asks the real API server to take each."""

from dataclasses import dataclass
from typing import Any, Final

from vibethinker_operator import names


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A resource, what is to be said about it, and the objects that belong beside it."""

    file: str
    comment: str
    name: str
    spec: dict[str, Any]
    beside: tuple[dict[str, Any], ...] = ()

    @property
    def resource(self) -> dict[str, Any]:
        """The resource."""
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": self.name},
            "spec": self.spec,
        }


def build_claim(name: str, size: str) -> dict[str, Any]:
    """Returns a claim of the cluster's default class that every replica may mount."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": size}},
        },
    }


ROLE_PROMPT: Final = (
    "You are a competitive programming assistant. Read the problem carefully, reason step by step"
    " about constraints and edge cases, choose an algorithm that meets the limits, and answer with"
    " correct and complete code."
)

HPA_COMMENT: Final = """\
Somebody else decides the size: a HorizontalPodAutoscaler writes it through /scale, and the
operator drains a pod before it goes. So spec.replicas is not written here, nor kept in Git.

The metric must be served by an adapter, such as prometheus-adapter with this rule; until one is
there, the HPA holds the fleet between its bounds and says FailedGetPodsMetric:

  - seriesQuery: vibethinker_request_queue_length{namespace!="",pod!=""}
    resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
    metricsQuery: sum(avg_over_time(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)

The queue, not memory: an HPA scales by the quotient of a ratio that holds the weights, too, and
so asks for too few and hardly ever lets go. Mode Auto has neither fault."""

SAMPLES: Final = (
    Sample(
        file="t4.yaml",
        comment="One NVIDIA T4, the smallest card that serves the model well, to begin with.\n"
        "It never asks for a second card, and says so in ScalingLimited. While it is full, new\n"
        "sessions wait and the ones that run go on. With more cards, raise maxReplicas.\n\n"
        "  kubectl apply -f t4.yaml\n"
        "  kubectl get vtd chat -w",
        name="chat",
        spec={
            "gpu": {"product": "Tesla-T4"},
            "scaling": {"maxReplicas": 1},
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}},
        },
    ),
    Sample(
        file="t4-few-sequences.yaml",
        comment="A T4 with room for 16 sequences: memory reaches 39 % of the card at most, so the\n"
        "75 % line cannot be crossed. MemoryLineReachable says so, and the queue decides.",
        name="few",
        spec={
            "gpu": {"product": "Tesla-T4"},
            "engine": {"maxNumSeqs": 16},
            "scaling": {"maxReplicas": 2},
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}},
        },
    ),
    Sample(
        file="cpu.yaml",
        comment="Without a GPU, to try things out: slow, but real. Memory in use is measured\n"
        "against the limit: 4 GiB of KV cache beside 3.1 GB of weights and the engine's processes.",
        name="chat-cpu",
        spec={
            "engine": {
                "image": "vllm/vllm-openai-cpu:v0.32.0",
                "device": "CPU",
                "maxNumSeqs": 64,
                "kvCacheMemoryBytes": 4 * 2**30,
            },
            # A processor takes its time: a wait of half a minute is no sign of overload here.
            "profiles": [{"name": "webui", "kind": "WebUI", "timeToFirstTokenSeconds": 30}],
            "scaling": {"maxReplicas": 2},
            "resources": {
                "requests": {"cpu": "2", "memory": "10Gi"},
                "limits": {"memory": "10Gi"},
            },
        },
    ),
    Sample(
        file="int8.yaml",
        comment="Eight-bit weights: 1.8 GB in place of 3.1 GB, so a T4 holds 14 % more tokens.\n"
        "A Job writes them once into the claim, status.start tells how far it is, and the pods\n"
        "start when it is done. With more than one node the claim has to be ReadWriteMany.",
        name="int8",
        spec={
            "model": {
                "quantization": {"type": "Int8", "method": "W8A8"},
                "cache": {"claimName": "vibethinker-weights"},
            },
            "gpu": {"product": "Tesla-T4"},
            "scaling": {"maxReplicas": 2},
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}},
        },
        beside=(build_claim("vibethinker-weights", "20Gi"),),
    ),
    Sample(
        file="llama-cpp.yaml",
        comment="A small machine without a GPU: llama.cpp on a GGUF file of 1.6 GB, which a Job\n"
        "writes into the claim. 1 GiB of KV cache holds nine sequences of 4,096 tokens.",
        name="small",
        spec={
            "model": {
                "gguf": {"outtype": "Q8_0"},
                "cache": {"claimName": "vibethinker-gguf"},
            },
            "engine": {
                "backend": "LlamaCpp",
                "device": "CPU",
                "maxNumSeqs": 8,
                "kvCacheMemoryBytes": 2**30,
            },
            "profiles": [{"name": "webui", "kind": "WebUI", "timeToFirstTokenSeconds": 30}],
            "scaling": {"maxReplicas": 2},
            "resources": {
                "requests": {"cpu": "4", "memory": "4Gi"},
                "limits": {"cpu": "4", "memory": "4Gi"},
            },
        },
        beside=(build_claim("vibethinker-gguf", "20Gi"),),
    ),
    Sample(
        file="app-preset.yaml",
        comment="An app's fleet: its system prompt always comes first, and clients cannot bring\n"
        "another. Each entry of the Secret is one API key; its name is what metrics show.\n\n"
        "  kubectl create secret generic vibethinker-contest-keys \\\n"
        "    --from-literal=judge=$(openssl rand -hex 24)",
        name="contest",
        spec={
            "gpu": {"product": "Tesla-T4"},
            "auth": {"apiKeysSecretRef": {"name": "vibethinker-contest-keys"}},
            "profiles": [
                {
                    "name": "contest",
                    "kind": "App",
                    "systemPrompt": ROLE_PROMPT,
                    "apiKeys": ["judge"],
                }
            ],
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}},
        },
    ),
    Sample(
        file="webui-and-app.yaml",
        comment="One card for both: people bring their own system prompt, the app has a preset.\n"
        "The key `app` is bound to the preset, whatever header its holder sends; other keys\n"
        "choose by X-Profile, and get webui where they name none.\n\n"
        "  kubectl create secret generic vibethinker-shared-keys \\\n"
        "    --from-literal=app=$(openssl rand -hex 24) \\\n"
        "    --from-literal=people=$(openssl rand -hex 24)",
        name="shared",
        spec={
            "gpu": {"product": "Tesla-T4"},
            "auth": {"apiKeysSecretRef": {"name": "vibethinker-shared-keys"}},
            "profiles": [
                {"name": "webui", "kind": "WebUI", "systemPrompt": ROLE_PROMPT},
                {
                    "name": "app",
                    "kind": "App",
                    "systemPrompt": ROLE_PROMPT,
                    "clientSystemMessages": "Drop",
                    "apiKeys": ["app"],
                },
            ],
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}},
        },
    ),
    Sample(
        file="advisory-fleet.yaml",
        comment="A fleet of 40 that is scaled elsewhere: the operator decides and reports, and\n"
        "changes nothing. status.decision has its advice: compare it with what you do. Mode Auto\n"
        "acts on it.\n"
        "Replicas stay as written here; refusals are counted (admission_would_reject), not made.",
        name="large",
        spec={
            "replicas": 40,
            "gpu": {"product": "NVIDIA-L4"},
            "scaling": {"mode": "Advisory", "minReplicas": 20, "maxReplicas": 60},
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}},
        },
    ),
    Sample(
        file="manual-hpa.yaml",
        comment=HPA_COMMENT,
        name="elastic",
        spec={
            "gpu": {"product": "NVIDIA-L4"},
            "scaling": {"mode": "Manual"},
            "resources": {"requests": {"cpu": "2", "memory": "8Gi"}},
        },
        beside=(
            {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "elastic"},
                "spec": {
                    "scaleTargetRef": {
                        "apiVersion": names.API_VERSION,
                        "kind": names.KIND,
                        "name": "elastic",
                    },
                    "minReplicas": 2,
                    "maxReplicas": 6,
                    "metrics": [
                        {
                            "type": "Pods",
                            "pods": {
                                "metric": {"name": "vibethinker_request_queue_length"},
                                "target": {"type": "AverageValue", "averageValue": "4"},
                            },
                        }
                    ],
                },
            },
        ),
    ),
)
