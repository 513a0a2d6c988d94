"""Every string that others see or that several modules share, spelled once.

Enumerated values of the resource itself (modes, policies, devices) are types in `api`; this
module holds what stands outside it: groups, labels, annotations, ports, file paths, reasons.
"""

from typing import Final

# The resource.
GROUP: Final = "vibethinker.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "VibeThinkerDeployment"
PLURAL: Final = "vibethinkerdeployments"
CRD_NAME: Final = f"{PLURAL}.{GROUP}"
SINGULAR: Final = "vibethinkerdeployment"
SHORT_NAME: Final = "vtd"
CATEGORY: Final = "vibethinker"

# Field managers of server-side apply. The scaler owns `.spec.replicas` and nothing else: an apply
# that stops naming a field gives it up, and the fleet would fall to the API's default of one.
OPERATOR_MANAGER: Final = "vibethinker-operator"
SCALER_MANAGER: Final = "vibethinker-scaler"

# Labels of everything that belongs to one fleet.
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
SERVER_NAME: Final = "vibethinker-server"
SERVER_COMPONENT: Final = "server"
PREPARE_NAME: Final = "vibethinker-prepare"
PREPARE_COMPONENT: Final = "prepare"
OPERATOR_NAME: Final = "vibethinker-operator"

# Annotations on pods.
ANNOTATION_DRAIN_SINCE: Final = f"{GROUP}/drain-since"
ANNOTATION_POD_DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"

# Annotations on the Deployment: what its pod template was rendered from, and the template itself.
ANNOTATION_IMAGES: Final = f"{GROUP}/images"
ANNOTATION_TEMPLATE: Final = f"{GROUP}/template"
ANNOTATION_TEMPLATE_INPUTS: Final = f"{GROUP}/template-inputs"

# Annotation on the resource: the update that its owner accepts, as UpdateAvailable names it.
ANNOTATION_ACCEPT_UPDATE: Final = f"{GROUP}/accept-update"

# Ports of a server pod.
CLIENT_PORT: Final = 8000
CLIENT_PORT_NAME: Final = "http"
OPS_PORT: Final = 9100
OPS_PORT_NAME: Final = "ops"
# llama-server's, on the pod's loopback only.
LLAMA_PORT: Final = 8080

# Routes of the ops port, and the one of the client port that probes use.
PATH_READY: Final = "/-/ready"
PATH_DRAIN: Final = "/-/drain"
PATH_FLEET: Final = "/-/fleet"
PATH_METRICS: Final = "/metrics"
PATH_HEALTH: Final = "/health"

# Containers and files of a server pod.
ENGINE_CONTAINER: Final = "engine"
INJECT_CONTAINER: Final = "inject"
PROXY_CONTAINER: Final = "proxy"
PREPARE_CONTAINER: Final = "prepare"
PACKAGE_SOURCE: Final = "/opt/vibethinker/package"
PACKAGE_PATH: Final = "/vibethinker"
HOME_PATH: Final = "/home/vibethinker"
CACHE_PATH: Final = "/cache"
PREPARED_PATH: Final = f"{CACHE_PATH}/prepared"
MODEL_PATH: Final = "/model"
TERMINATION_LOG: Final = "/dev/termination-log"
POLICY_PATH: Final = "/etc/vibethinker/policy"
POLICY_KEY: Final = "policy.json"
FLEET_PATH: Final = "/etc/vibethinker/fleet"
FLEET_TICKET_KEY: Final = "ticket-key"
FLEET_TOKEN: Final = "fleet-token"  # noqa: S105 (the name of a key, not a secret)
HUB_PATH: Final = "/etc/vibethinker/hub"
HUB_TOKEN: Final = "token"  # noqa: S105 (the name of a key, not a secret)
API_KEYS_PATH: Final = "/etc/vibethinker/keys"
SERVER_MODULE: Final = "vibethinker_server"
ENV_ENGINE: Final = "VIBETHINKER_ENGINE"
ENV_PREPARE: Final = "VIBETHINKER_PREPARE"
ENV_TERMINATION_LOG: Final = "VIBETHINKER_TERMINATION_LOG"
ENV_ENGINE_MEMORY_LIMIT: Final = "VIBETHINKER_ENGINE_MEMORY_LIMIT"
ENV_POD_NAME: Final = "POD_NAME"
ENV_CPUS: Final = "VIBETHINKER_CPUS"
ENV_API_KEYS: Final = "VIBETHINKER_API_KEYS"

# Secrets that a resource may name start so: a person who may write the resource, but may not read
# Secrets, cannot have some other Secret of the namespace mounted into a pod.
SECRET_PREFIX: Final = "vibethinker-"  # noqa: S105 (the start of a name)

# The operator's own installation.
OPERATOR_NAMESPACE: Final = "vibethinker-system"
ROOT_SECRET: Final = "vibethinker-operator-root"  # noqa: S105 (the name of a Secret)
ROOT_SECRET_KEY: Final = "root-key"  # noqa: S105 (the name of a key)
HEALTH_PORT: Final = 8080
METRICS_PORT: Final = 9090
PATH_HEALTHZ: Final = "/healthz"
POLICY_PARAMETERS: Final = "vibethinker-admission-policy"

# Metrics of a fleet, labelled with its namespace and name. Counters end in `_total` on the page.
METRIC_REPLICAS: Final = "vibethinker_fleet_replicas"
METRIC_MIN_REPLICAS: Final = "vibethinker_fleet_min_replicas"
METRIC_MAX_REPLICAS: Final = "vibethinker_fleet_max_replicas"
METRIC_MEMORY_USED: Final = "vibethinker_fleet_memory_used_ratio"
METRIC_MEMORY_LINE: Final = "vibethinker_fleet_memory_line_ratio"
METRIC_QUEUE: Final = "vibethinker_fleet_request_queue_length"
METRIC_QUEUE_LINE: Final = "vibethinker_fleet_request_queue_line"
METRIC_DECISION: Final = "vibethinker_fleet_decision"
METRIC_CONDITION: Final = "vibethinker_fleet_condition"
METRIC_SCALE_STEPS: Final = "vibethinker_fleet_scale_steps"
METRIC_SCALE_REVERSALS: Final = "vibethinker_fleet_scale_reversals"
METRIC_OLDEST_SAMPLE: Final = "vibethinker_fleet_oldest_sample_timestamp_seconds"
LABEL_FLEET: Final = ("namespace", "name")

# Metrics of the operator itself.
METRIC_LAST_ROUND: Final = "vibethinker_operator_last_round_timestamp_seconds"
METRIC_FAILED_TICKS: Final = "vibethinker_operator_failed_ticks"
METRIC_SKIPPED_TICKS: Final = "vibethinker_operator_skipped_ticks"
METRIC_REFUSED_SAMPLES: Final = "vibethinker_operator_refused_samples"
METRIC_FAILED_WRITES: Final = "vibethinker_operator_failed_writes"
METRIC_TICK_SECONDS: Final = "vibethinker_operator_tick_duration_seconds"
METRIC_SCRAPE_SECONDS: Final = "vibethinker_operator_scrape_duration_seconds"
METRIC_API_SECONDS: Final = "vibethinker_operator_api_request_duration_seconds"


def policy_config_map(name: str) -> str:
    """Returns the name of the ConfigMap that holds the policy of the fleet `name`."""
    return f"{name}-policy"


def fleet_secret(name: str, uid: str) -> str:
    """Returns the name of the Secret that holds the keys of the fleet `name` with this `uid`.

    A resource that is deleted and made again has other keys: its pods must never find the old ones.
    """
    return f"{name}-fleet-{uid[:8]}"


def prepare_job(name: str, digest: str) -> str:
    """Returns the name of the Job that writes the weights `digest` for the fleet `name`."""
    return f"{name}-prepare-{digest[:8]}"


def selector_labels(name: str) -> dict[str, str]:
    """Returns the labels that select the server pods of the fleet `name`, and nothing else."""
    return {LABEL_NAME: SERVER_NAME, LABEL_INSTANCE: name}


def child_labels(name: str) -> dict[str, str]:
    """Returns the labels of every object made for the fleet `name`."""
    return {
        **selector_labels(name),
        LABEL_COMPONENT: SERVER_COMPONENT,
        LABEL_MANAGED_BY: OPERATOR_NAME,
    }


def prepare_labels(name: str) -> dict[str, str]:
    """Returns the labels of the Job that prepares weights for the fleet `name`, and of its pods.

    No Service and no Deployment selects them.
    """
    return {
        LABEL_NAME: PREPARE_NAME,
        LABEL_INSTANCE: name,
        LABEL_COMPONENT: PREPARE_COMPONENT,
        LABEL_MANAGED_BY: OPERATOR_NAME,
    }
