"""Every outside string that the server uses, spelled once.

The operator spells those that it shares with the server in its own `names`; a contract test
compares the two.
"""

from typing import Final

# What a person types.
PROGRAM: Final = "vibethinker-server"

# Environment.
ENV_ENGINE: Final = "VIBETHINKER_ENGINE"
ENV_PREPARE: Final = "VIBETHINKER_PREPARE"
ENV_TERMINATION_LOG: Final = "VIBETHINKER_TERMINATION_LOG"
ENV_FILES: Final = "VIBETHINKER_FILES"
ENV_POD_NAME: Final = "POD_NAME"
ENV_CPUS: Final = "VIBETHINKER_CPUS"
ENV_API_KEYS: Final = "VIBETHINKER_API_KEYS"
ENV_HOSTNAME: Final = "HOSTNAME"
ENV_HOST: Final = "VIBETHINKER_HOST"
ENV_POLICY: Final = "VIBETHINKER_POLICY"
ENV_PARENT: Final = "VIBETHINKER_PARENT"
ENV_LLAMA_SERVER: Final = "VIBETHINKER_LLAMA_SERVER"
ENV_ENGINE_MEMORY_LIMIT: Final = "VIBETHINKER_ENGINE_MEMORY_LIMIT"
ENV_GGUF_CONVERTER: Final = "VIBETHINKER_GGUF_CONVERTER"

# Files, below FILES_PATH or the directory that ENV_FILES names.
FILES_PATH: Final = "/etc/vibethinker"
POLICY_FILE: Final = "policy/policy.json"
TICKET_KEY_FILE: Final = "fleet/ticket-key"
FLEET_TOKEN_FILE: Final = "fleet/fleet-token"  # noqa: S105 (a file's name)
HUB_TOKEN_FILE: Final = "hub/token"  # noqa: S105 (a file's name)

# Routes of the client port.
PATH_CHAT: Final = "/v1/chat/completions"
PATH_COMPLETIONS: Final = "/v1/completions"
PATH_RESPONSES: Final = "/v1/responses"
PATH_MODELS: Final = "/v1/models"
PATH_HEALTH: Final = "/health"
PATH_PAGE: Final = "/"

# Routes of the ops port.
PATH_METRICS: Final = "/metrics"
PATH_READY: Final = "/-/ready"
PATH_DRAIN: Final = "/-/drain"
PATH_FLEET: Final = "/-/fleet"
PATH_SESSIONS: Final = "/-/sessions"

# Headers, in lower case as ASGI has them.
HEADER_TICKET: Final = b"x-session-ticket"
HEADER_SESSION_ID: Final = b"x-session-id"
HEADER_REJECTED: Final = b"x-rejected-reason"
HEADER_SERVED_BY: Final = b"x-served-by"
HEADER_RETRY_AFTER: Final = b"retry-after"
HEADER_VLLM_PRIORITY: Final = b"x-vllm-priority"
HEADER_AUTHORIZATION: Final = b"authorization"
HEADER_AUTHENTICATE: Final = b"www-authenticate"
HEADER_TASK: Final = b"x-task"
HEADER_PROFILE: Final = b"x-profile"
HEADER_TOKEN_LIMIT: Final = b"x-token-limit"

# What runs the engine, and what of ours the engine loads.
# The newest entry module first: the second one is what it was before vLLM 0.30.
ENGINE_MODULES: Final = (
    "vllm.entrypoints.launchers.api_server.entry",
    "vllm.entrypoints.openai.api_server",
)
LLAMA_SERVER: Final = "llama-server"
# Where llama-server listens: in the pod's own network, which only its containers share.
LLAMA_SERVER_ADDRESS: Final = "127.0.0.1:8080"
MIDDLEWARE: Final = "vibethinker_server.middleware.VibeThinkerMiddleware"

# Reasons of a refusal, which are label values and the X-Rejected-Reason header.
REASON_QUEUE_FULL: Final = "queue_full"
REASON_HARD_LINE: Final = "hard_line"
REASON_MEMORY_LINE: Final = "memory_line"
REASON_KV_HEADROOM: Final = "kv_headroom"
REASON_FIRST_TOKEN: Final = "time_to_first_token"  # noqa: S105 (a reason)
REASON_DRAINING: Final = "draining"
REASON_NOT_READY: Final = "not_ready"
REASONS: Final = (
    REASON_QUEUE_FULL,
    REASON_HARD_LINE,
    REASON_MEMORY_LINE,
    REASON_KV_HEADROOM,
    REASON_FIRST_TOKEN,
    REASON_DRAINING,
    REASON_NOT_READY,
)

# Metrics. None may begin with `vllm:`, which vLLM unregisters when its engine starts.
PREFIX: Final = "vibethinker_"
METRIC_MEMORY_USED: Final = "vibethinker_memory_used_ratio"
METRIC_DEVICE_MEMORY_USED: Final = "vibethinker_device_memory_used_ratio"
METRIC_DEVICE_MEMORY: Final = "vibethinker_device_memory_bytes"
METRIC_MEMORY: Final = "vibethinker_memory_bytes"
METRIC_WEIGHTS: Final = "vibethinker_weights_bytes"
METRIC_KV_TOKEN: Final = "vibethinker_kv_token_bytes"  # noqa: S105 (a metric)
METRIC_KV_POOL: Final = "vibethinker_kv_pool_tokens"
METRIC_QUEUE: Final = "vibethinker_request_queue_length"
METRIC_RUNNING: Final = "vibethinker_requests_running"
METRIC_IN_FLIGHT: Final = "vibethinker_requests_in_flight"
METRIC_BACKLOG: Final = "vibethinker_prefill_backlog_tokens"
METRIC_FINISHED: Final = "vibethinker_requests_finished"
METRIC_REJECTED: Final = "vibethinker_admission_rejected"
METRIC_WOULD_REJECT: Final = "vibethinker_admission_would_reject"
METRIC_PROMPT_TOKENS: Final = "vibethinker_prompt_tokens"
METRIC_GENERATION_TOKENS: Final = "vibethinker_generation_tokens"
METRIC_STEPS: Final = "vibethinker_engine_steps"
METRIC_PEER_SESSIONS: Final = "vibethinker_peer_sessions"
METRIC_KV_COMMITTED: Final = "vibethinker_kv_committed_tokens"
METRIC_PREDICTED_TTFT: Final = "vibethinker_predicted_time_to_first_token_seconds"
METRIC_SESSIONS: Final = "vibethinker_known_sessions"
METRIC_GENERATION: Final = "vibethinker_policy_generation"
METRIC_DRAINING: Final = "vibethinker_draining"
METRIC_LOAD_ERRORS: Final = "vibethinker_load_errors"
METRIC_ERRORS: Final = "vibethinker_server_errors"
METRIC_PHASE: Final = "vibethinker_start_phase"
METRIC_GPU_UTIL: Final = "vibethinker_gpu_util"
METRIC_MAX_NUM_SEQS: Final = "vibethinker_max_num_seqs"
METRIC_MAX_MODEL_LEN: Final = "vibethinker_max_model_len"
METRIC_MEMORY_AFTER_START: Final = "vibethinker_memory_after_start_bytes"
METRIC_RESIDENT: Final = "vibethinker_resident_memory_bytes"
METRIC_RESIDENT_AFTER_START: Final = "vibethinker_resident_memory_after_start_bytes"
METRIC_TTFT: Final = "vibethinker_time_to_first_token_seconds"
METRIC_TTFT_OBJECTIVE: Final = "vibethinker_time_to_first_token_objective_seconds"
METRIC_KEY_REQUESTS: Final = "vibethinker_api_key_requests"
METRIC_UNAUTHORIZED: Final = "vibethinker_unauthorized_requests"
METRIC_TRUNCATED: Final = "vibethinker_truncated_answers"

# Told to the operator by the pod that prepares weights, and to nobody else.
SERIES_PREPARED: Final = "vibethinker_prepared_ratio"

LABEL_KIND: Final = "kind"
LABEL_REASON: Final = "reason"
LABEL_PHASE: Final = "phase"
LABEL_WHERE: Final = "where"
LABEL_TASK: Final = "task"
LABEL_KEY: Final = "key"
LABEL_PROFILE: Final = "profile"

# Where an error of ours was caught, which are label values.
WHERE_DEVICE_MEMORY: Final = "device_memory"
WHERE_ENGINE_STATS: Final = "engine_stats"
WHERE_READINGS: Final = "readings"
WHERE_REQUEST: Final = "request"
WHERE_OPS: Final = "ops"
WHERE_PEERS: Final = "peers"
