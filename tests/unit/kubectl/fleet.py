"""A fleet as its API server shows it: resource, Deployment, pods."""

from typing import Any

from tests.unit.doctor.pages import CACHE, render_page
from tests.unit.operating.builders import Body, make_body, make_deployment, make_pod

PAGE = render_page() + 'vibethinker_start_phase{phase="Serving"} 1\n'
SPEC: Body = {
    "engine": {"device": "CPU", "kvCacheMemoryBytes": 2**30, "maxNumSeqs": 8},
    "resources": {"limits": {"memory": "4Gi"}},
}
RESOURCE = make_body(SPEC, resourceVersion="7", creationTimestamp="2026-11-24T04:00:00Z")
DEPLOYMENT = make_deployment(RESOURCE, 1)


def engine_pod(*, ready: bool = True, last: Body | None = None, **state: Any) -> Body:
    """A pod whose engine container is in `state`, and ended as `last` says before."""
    status = {
        "name": "engine",
        "ready": ready,
        "restartCount": 3 if last else 0,
        "state": state or {"running": {}},
        "lastState": {"terminated": last} if last else {},
    }
    return make_pod(ready=ready, containerStatuses=[status])


def page(**changes: float | None) -> str:
    return render_page(CACHE, **changes)
