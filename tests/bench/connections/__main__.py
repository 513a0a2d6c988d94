"""Does a new replica get its share of a client that keeps its connections? With the rule, without.

    python -m tests.bench.connections   in the demo's box; writes build/bench/connections.json

Real middleware in real pods behind a real Service; the engine is a stub, because connections and
not tokens are what is measured. The operator's part, the lease that closes connections in the
minute after the fleet grew, is given by the client's side program; in the control arm it is not.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.connections.pooled_client import READY_TO_GROW
from tests.bench.connections.shares import CLOSE_RULE_SHARE, NO_RULE_SHARE
from tests.bench.connections.stub_objects import NAME, NAMESPACE, build_stub_fleet
from tests.cluster import Box, start_box
from tests.cluster.images import ENGINE, SERVER
from tests.cluster.progress import say, step
from tests.demo import names
from tests.demo.objects import ImageNames, render_list

OUT = Path("build/bench/connections.json")
CHECKOUT = Path(__file__).parents[3]
TOKEN = "0" * 64
SCRIPT = Path(__file__).parent / "stub_pod.py"


def main() -> int:
    """Measure both arms; exit status 0 if each kept to its share."""
    box = start_box("demo", images=[SERVER, ENGINE])
    try:
        arms = {rule: measure_arm(box, rule) for rule in ("on", "off")}
    finally:
        box.stop()
    held = arms["on"]["new_share"] >= CLOSE_RULE_SHARE
    held = held and arms["off"]["new_share"] <= NO_RULE_SHARE
    result = {"closing_rule_on": arms["on"], "closing_rule_off": arms["off"], "held": held}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for rule, arm in arms.items():
        say(
            f"closing rule {rule}: the new replica answered {arm['new_share']:.0%} of "
            f"{arm['requests_after']} requests within {arm['within_seconds']:.0f} s of Ready"
        )
    return 0 if held else 1


def measure_arm(box: Box, rule: str) -> dict[str, Any]:
    """The shares of one arm, on a fresh fleet of one replica that grows to two.

    Raises:
        CommandError: the fleet did not come up.
        RuntimeError: the client ended without a result, or got no answer.
    """
    images = ImageNames(operator="", package=SERVER.name, engine=ENGINE.name)
    in_namespace = ("-n", NAMESPACE)
    with step(f"closing rule {rule}: one client, one replica, then two"):
        fleet = render_list(build_stub_fleet(images, SCRIPT.read_text(), TOKEN))
        box.kubectl("apply", "--server-side", "-f", "-", stdin=fleet)
        box.kubectl(*in_namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=120s")
        address = box.kubectl(
            *in_namespace, "get", "service", NAME, "-o", "jsonpath={.spec.clusterIP}"
        )
        out = OUT.resolve().with_name(f"connections-{rule}.json")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.unlink(missing_ok=True)
        client = [
            *(sys.executable, "-u", "-m", "tests.bench.connections.pooled_client"),
            *("--kubeconfig", str(box.kubeconfig), "--token", TOKEN, "--rule", rule),
            *("--url", f"http://{address}:{names.CLIENT_PORT}", "--out", str(out)),
        ]
        command = box.enter(client, cwd=CHECKOUT)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == READY_TO_GROW:
                    box.kubectl(*in_namespace, "scale", f"deployment/{NAME}", "--replicas=2")
        box.kubectl("delete", "namespace", NAMESPACE, "--wait=true")
    if process.returncode != 0:
        raise RuntimeError(f"the client of arm {rule!r} ended with {process.returncode}")
    arm: dict[str, Any] = json.loads(out.read_text())
    if arm["new_share"] is None:
        raise RuntimeError(f"nobody answered in arm {rule!r}: {arm['failures']}")
    return arm


if __name__ == "__main__":
    sys.exit(main())
