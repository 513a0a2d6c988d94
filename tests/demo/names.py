"""Every outside string that the demo needs, as the product's own pages spell them.

Written down here a second time on purpose: a demo that imported the operator's names would agree
with a misspelled one.
"""

GROUP = "vibethinker.io"
VERSION = "v1alpha1"
PLURAL = "vibethinkerdeployments"
KIND = "VibeThinkerDeployment"
INSTANCE_LABEL = "app.kubernetes.io/instance"
NAME_LABEL = "app.kubernetes.io/name"
SERVER_NAME = "vibethinker-server"
DRAIN_SINCE = "vibethinker.io/drain-since"
OPS_PORT = 9100
CLIENT_PORT = 8000

LIVE = "vibethinker_memory_used_ratio"
RAW = "vibethinker_device_memory_used_ratio"
MEMORY_BYTES = "vibethinker_memory_bytes"
QUEUE = "vibethinker_request_queue_length"
RUNNING = "vibethinker_requests_running"
IN_FLIGHT = "vibethinker_requests_in_flight"
REJECTED = "vibethinker_admission_rejected_total"
DRAINING = "vibethinker_draining"
SERIES = (LIVE, RAW, MEMORY_BYTES, QUEUE, RUNNING, IN_FLIGHT, REJECTED, DRAINING)
