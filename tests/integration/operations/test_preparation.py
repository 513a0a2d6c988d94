"""Weights that a Job writes: whole after a kill, one for two fleets, never under running pods."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from vibethinker_server.checkpoint.int8_layout import Method
from vibethinker_server.checkpoint.quantization import quantize

from tests.integration.operations.fleet import NAMESPACE, Fleet, build_fleet
from tests.integration.operations.kube import Object, wait_for
from tests.integration.operations.volumes import let_in, offer_directory
from tests.support.checkpoints import CONFIG, write_checkpoint

JOBS = "/apis/batch/v1/namespaces/{}/jobs"
# Large enough to be caught in the middle: some 400 MB.
LARGE = CONFIG | {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 8,
    "num_hidden_layers": 12,
    "vocab_size": 2048,
}
OTHER = CONFIG | {"architectures": ["LlamaForCausalLM"]}


def int8(path: str) -> dict[str, Any]:
    volume = {"source": "Volume", "volume": {"claimName": "sources", "path": path}}
    return {"model": {"quantization": {}, "cache": {"claimName": "weights"}} | volume}


FLEETS: dict[str, dict[str, Any]] = {
    "prepared": int8("small"),
    "prepared-too": int8("small"),
    "killed": int8("large"),
    "other-model": int8("other"),
    "nowhere": int8("nothing"),
    "running": {},
}


@pytest.fixture(scope="module")
def place(box, tmp_path_factory) -> Iterator[Path]:
    """The two claims' directories; every user of the machine may look into them."""
    place = tmp_path_factory.mktemp("claims")
    let_in(place)
    write_checkpoint(place / "sources" / "small")
    write_checkpoint(place / "sources" / "large", LARGE)
    write_checkpoint(place / "sources" / "other", OTHER)
    offer_directory(box, "sources", place / "sources")
    offer_directory(box, "weights", place / "weights")
    yield place
    for claim in ("sources", "weights"):
        box.kubectl("delete", "pvc", claim, "-n", NAMESPACE, "--wait=false")
        box.kubectl("delete", "pv", f"{NAMESPACE}-{claim}", "--wait=false")


@pytest.fixture(scope="module")
def made(place: Path, fleets: dict[str, Fleet]) -> dict[str, Fleet]:
    """The fleets, with their claims' directories there."""
    return fleets


def preparing_pods(fleet: Fleet) -> list[Object]:
    path = f"/api/v1/namespaces/{NAMESPACE}/pods"
    ours = f"{fleet.instance},app.kubernetes.io/component=prepare"
    return fleet.kube.list_items(path, labelSelector=ours)


def jobs(fleet: Fleet) -> list[Object]:
    return fleet.kube.list_items(JOBS.format(NAMESPACE), labelSelector=fleet.instance)


def test_a_killed_job_is_run_again_and_its_result_is_whole(made, place, tmp_path):
    fleet = made["killed"]
    weights = place / "weights" / "prepared"
    wait_for(lambda: list(weights.glob("*.partial")), "weights half-way", seconds=180, every=0.02)
    (pod,) = preparing_pods(fleet)
    where = ("-n", NAMESPACE, pod["metadata"]["name"])
    fleet.kube.box.kubectl("delete", "pod", *where, "--grace-period=0", "--force")
    fleet.wait_ready(1)
    assert len({p["metadata"]["uid"] for p in [pod, *preparing_pods(fleet)]}) == 2
    out = place / "weights" / Path(fleet.status()["engine"]["model"]).relative_to("/cache")
    expected = tmp_path / "undisturbed"
    quantize(place / "sources" / "large", expected, Method.W8A8, lambda _: None)
    assert {f.name for f in out.iterdir()} == {f.name for f in expected.iterdir()}
    assert all((out / f.name).read_bytes() == f.read_bytes() for f in expected.iterdir())
    assert not list(weights.glob("*.partial"))


def test_the_pods_read_what_the_job_wrote_and_the_events_tell_of_it(made, place):
    fleet = made["prepared"]
    (pod,) = fleet.wait_ready(1)
    path = fleet.status()["engine"]["model"]
    (engine,) = pod["spec"]["containers"]
    (settings,) = (v["value"] for v in engine["env"] if v["name"] == "VIBETHINKER_ENGINE")
    assert json.loads(settings)["model"] == path
    config = json.loads(
        (place / "weights" / path.removeprefix("/cache/") / "config.json").read_text()
    )
    assert config["quantization_config"]["quant_method"] == "compressed-tensors"
    page = fleet.kube.network.call(
        httpx.get, f"http://{pod['status']['podIP']}:9100/metrics", timeout=5
    ).text
    assert 'vibethinker_start_phase{phase="Serving"} 1.0' in page
    assert fleet.events("ModelPrepared")


def test_two_fleets_of_one_claim_and_one_model_find_the_same_weights(made):
    one, two = made["prepared"], made["prepared-too"]
    one.wait_ready(1)
    two.wait_ready(1)
    assert one.status()["engine"]["model"] == two.status()["engine"]["model"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("other-model", "LlamaForCausalLM"),
        ("nowhere", "/model/nothing: there is no such directory"),
    ],
)
def test_weights_that_cannot_be_written_say_why_and_are_not_tried_for_ever(made, name, words):
    fleet = made[name]
    ready = fleet.wait_condition("Ready", "False", "PreparationFailed")
    print(ready["message"])
    assert words in ready["message"]
    assert fleet.condition("Stalled")["status"] == "True"
    assert len(preparing_pods(fleet)) == 1  # bad input is final
    assert fleet.deployment() is None
    assert fleet.events("PreparationFailed")


def test_running_pods_stay_while_other_weights_are_written_and_when_that_fails(made):
    fleet = made["running"]
    (before,) = fleet.wait_ready(1)
    fleet.kube.apply(build_fleet("running", **int8("other")))
    fleet.wait_condition("Progressing", "False", "PreparationFailed")
    assert fleet.condition("Ready")["status"] == "True"
    (after,) = fleet.pods()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    fleet.kube.apply(build_fleet("running", **int8("small")))
    uid = before["metadata"]["uid"]
    wait_for(lambda: all(p["metadata"]["uid"] != uid for p in fleet.pods()), "other pods")
    assert len(jobs(fleet)) == 2
