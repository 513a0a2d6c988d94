"""What the operator writes into its Job is what the command in it reads, and what it tells back."""

import json
from typing import Any

import pytest
from prometheus_client import generate_latest
from vibethinker_operator.api import GgufOutType, QuantizationMethod, StartPhase, parse_deployment
from vibethinker_operator.prepared_model import find_prepared_model
from vibethinker_operator.resources.preparation_job import HOPELESS_EXIT, render_preparation
from vibethinker_operator.samples import Sample, parse_fleet_page
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.preparation.page import PHASE_DOWNLOADING, PHASE_PREPARING, Standing
from vibethinker_server.preparation.run import HOPELESS
from vibethinker_server.preparation.task import Format, parse_task

CLAIM = {"cache": {"claimName": "weights"}}
INT8 = [{"quantization": {"method": method.value}} for method in QuantizationMethod]
GGUF = [{"gguf": {"outtype": outtype.value}} for outtype in GgufOutType]
VOLUME = {"source": "Volume", "volume": {"claimName": "models", "path": "a/b"}}


def render(model: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "chat", "namespace": "team", "uid": "u", "generation": 3}
    resource = parse_deployment({"metadata": metadata, "spec": {"model": CLAIM | model}})
    prepared = find_prepared_model(resource.spec.model)
    assert prepared is not None
    return render_preparation(resource, prepared)


@pytest.mark.parametrize("model", [*INT8, *GGUF, INT8[0] | VOLUME])
def test_the_command_reads_what_the_operator_means(model):
    written = render(model)
    read = parse_task(json.dumps(written))
    assert read.model_dump(mode="json", by_alias=True) == written
    assert read.format.is_gguf == ("gguf" in model) == str(read.out).endswith(".gguf")


def test_every_format_of_the_resource_is_one_that_the_command_knows_and_no_other():
    assert {render(model)["format"] for model in [*INT8, *GGUF]} == set(Format)


def test_the_operator_reads_how_far_it_is():
    standing = Standing()
    page = generate_latest(standing.registry)
    sample = parse_fleet_page(page, pod_uid="p", time=1.0)
    assert isinstance(sample, Sample)
    assert (sample.start_phase, sample.prepared_ratio) == (PHASE_DOWNLOADING, None)
    standing.report(Progress("quantizing", 43, 100))
    sample = parse_fleet_page(generate_latest(standing.registry), pod_uid="p", time=1.0)
    assert isinstance(sample, Sample)
    assert (sample.start_phase, sample.prepared_ratio) == (PHASE_PREPARING, 0.43)
    assert {PHASE_DOWNLOADING, PHASE_PREPARING} <= set(StartPhase)


def test_both_mean_the_same_by_the_exit_status_of_bad_input():
    assert HOPELESS == HOPELESS_EXIT
