"""Weights that a Job writes first: the pods wait for it, running ones stay, failures are told."""

from typing import Any

import pytest

from tests.unit.operating.builders import Body, make_pod
from tests.unit.operating.ticks import Story

INT8: Body = {"model": {"quantization": {"type": "Int8"}, "cache": {"claimName": "weights"}}}
BITS_AND_BYTES: Body = {
    "model": {"quantization": {"method": "BitsAndBytes"}, "cache": {"claimName": "weights"}}
}
COMPLETE: Body = {"conditions": [{"type": "Complete", "status": "True"}]}
FAILED: Body = {
    "conditions": [
        {"type": "Failed", "status": "True", "message": "Job has reached its backoff limit"}
    ]
}
NO_ROOM = "claim /cache: 1.8 GB are needed and 0.4 GB are free"


def make_preparing_pod(*, ended: str = "", **status: Any) -> Body:
    pod = make_pod("p", ready=False, **status)
    pod["metadata"]["ownerReferences"] = [{"uid": "j-1"}]
    if ended:
        terminated = {"reason": "Error", "exitCode": 2, "message": ended}
        pod["status"] |= {
            "phase": "Failed",
            "containerStatuses": [{"name": "prepare", "state": {"terminated": terminated}}],
        }
    return pod


def job_of(story: Story) -> Any:
    (job,) = [body for (kind, _), body in story.cluster.objects.items() if kind == "Job"]
    return job


@pytest.fixture
def new() -> Story:
    return Story(INT8, deployed=False)


async def test_a_new_fleet_has_its_job_and_everything_but_a_deployment(new):
    await new.tick(3)
    kinds = {kind for kind, _ in new.cluster.objects}
    assert {"Job", "ConfigMap", "Service", "Secret", "PodDisruptionBudget"} <= kinds
    assert "Deployment" not in kinds
    assert new.condition("Ready") == ("False", "PreparingModel")
    assert new.condition("Progressing") == ("True", "PreparingModel")


async def test_it_is_not_written_anew_each_second_while_it_waits(new):
    await new.tick(3)
    new.cluster.calls.clear()
    await new.tick(30)
    assert new.cluster.done("apply") == []
    assert [kind for kind in new.cluster.done("create") if kind != "Event"] == []


async def test_once_the_job_is_complete_the_pods_read_what_it_wrote(new):
    await new.tick(3)
    told = next(
        variable["value"]
        for variable in job_of(new)["spec"]["template"]["spec"]["containers"][0]["env"]
        if variable["name"] == "VIBETHINKER_PREPARE"
    )
    new.job_status = COMPLETE
    await new.tick()
    template = new.cluster.objects["Deployment", "chat"]["spec"]["template"]["spec"]
    engine = next(
        variable["value"]
        for variable in template["containers"][0]["env"]
        if variable["name"] == "VIBETHINKER_ENGINE"
    )
    path = told.split('"out":"')[1].split('"')[0]
    assert path.startswith("/cache/prepared/")
    assert f'"model":"{path}"' in engine
    assert '"source":"Volume"' in engine
    assert new.cluster.told[-1] == "ModelPrepared"


async def test_its_progress_is_in_the_status(new):
    await new.tick(2)
    new.preparing_pods = [make_preparing_pod()]
    new.scraper.readings["p"] = {"start_phase": "PreparingModel", "prepared_ratio": 0.43}
    await new.tick(11)
    start = new.status["start"]
    assert (start["pod"], start["phase"], start["progressPercentage"]) == (
        "chat-p",
        "PreparingModel",
        45,
    )


async def test_a_failed_job_is_told_with_its_own_words_and_waits_for_a_person(new):
    await new.tick(2)
    new.preparing_pods = [make_preparing_pod(ended=NO_ROOM)]
    new.job_status = FAILED
    await new.tick(11)
    (ready,) = [c for c in new.status["conditions"] if c["type"] == "Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "PreparationFailed")
    assert NO_ROOM in ready["message"]
    assert "kubectl delete job" in ready["message"]
    assert new.condition("Stalled") == ("True", "PreparationFailed")
    assert new.cluster.told.count("PreparationFailed") >= 1


async def test_a_deleted_job_is_made_again(new):
    await new.tick(2)
    new.job_status = FAILED
    name = job_of(new)["metadata"]["name"]
    del new.cluster.objects["Job", name]
    new.job_status = {}
    await new.tick(2)
    assert job_of(new)["metadata"]["name"] == name


async def test_running_pods_stay_as_they_are_until_the_weights_are_there():
    story = Story({})
    await story.tick(2)
    before = story.cluster.objects["Deployment", "chat"]["spec"]["template"]
    story.edit(INT8)
    await story.tick(11)
    assert story.cluster.objects["Deployment", "chat"]["spec"]["template"] == before
    assert story.condition("Ready") == ("True", "Serving")
    assert story.condition("Progressing") == ("True", "PreparingModel")
    story.job_status = FAILED
    await story.tick(11)
    assert story.cluster.objects["Deployment", "chat"]["spec"]["template"] == before
    assert story.condition("Ready") == ("True", "Serving")
    assert story.condition("Progressing") == ("False", "PreparationFailed")
    story.job_status = COMPLETE
    await story.tick(2)
    assert story.cluster.objects["Deployment", "chat"]["spec"]["template"] != before


async def test_another_format_is_another_job_and_the_deployment_waits_again():
    story = Story(INT8, deployed=False)
    story.job_status = COMPLETE
    await story.tick(3)
    before = story.cluster.objects["Deployment", "chat"]["spec"]["template"]
    story.edit(BITS_AND_BYTES)
    story.job_status = {}
    await story.tick(2)
    jobs = [name for kind, name in story.cluster.objects if kind == "Job"]
    assert len(jobs) == 2
    assert story.cluster.objects["Deployment", "chat"]["spec"]["template"] == before
