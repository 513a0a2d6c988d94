"""The policy document that a server under test starts with: the CRD's defaults, as they travel."""

from typing import Any

SATURATION: dict[str, Any] = {
    "memoryUsedPercentage": 75,
    "memoryRecoverPercentage": 65,
    "requestQueueLength": 4,
    "sustainedSeconds": 10,
}
POLICY: dict[str, Any] = {
    "generation": 3,
    "saturation": SATURATION,
    "overload": {"policy": "ScaleOutThenReject", "maxQueuedRequests": 64},
    "tokenLimits": {"math": 512, "code": 768, "qa": 256},
}
