"""Chart.yaml: what the chart is, for Helm and Artifact Hub."""

from typing import Any

from vibethinker_operator import names
from vibethinker_operator.manifests.installation import OPERATOR_IMAGE, PACKAGE_IMAGE, VERSION
from vibethinker_operator.manifests.samples import SAMPLES
from vibethinker_operator.manifests.tree import render_documents

HEADER = "# Written by `make generate` from charts/source/chart: change it there.\n"
KUBERNETES = ">=1.30.0-0"
"""ValidatingAdmissionPolicy is stable from here on."""

DESCRIPTION = (
    "Runs VibeThinker-1.5B on vLLM and keeps its live GPU memory below a line: the fleet grows,"
    " or new sessions wait"
)


def render_chart_file() -> str:
    """Returns the text of Chart.yaml."""
    return HEADER + render_documents([build_chart()])


def build_chart() -> dict[str, Any]:
    """Returns Chart.yaml."""
    return {
        "apiVersion": "v2",
        "name": names.OPERATOR_NAME,
        "description": DESCRIPTION,
        "type": "application",
        "version": VERSION,
        "appVersion": VERSION,
        "kubeVersion": KUBERNETES,
        "keywords": ["vllm", "llm", "inference", "autoscaling", "gpu", "operator"],
        "annotations": _annotations(),
    }


def _annotations() -> dict[str, str]:
    images = [
        {"name": image.partition(":")[0], "image": image}
        for image in (OPERATOR_IMAGE, PACKAGE_IMAGE)
    ]
    resource = {
        "kind": names.KIND,
        "version": names.VERSION,
        "name": names.CRD_NAME,
        "displayName": "VibeThinker deployment",
        "description": "A fleet of vLLM servers, scaled and protected by live GPU memory",
    }
    return {
        "artifacthub.io/license": "Apache-2.0",
        "artifacthub.io/operator": "true",
        "artifacthub.io/category": "ai-machine-learning",
        "artifacthub.io/prerelease": "true",
        "artifacthub.io/crds": render_documents([[resource]]),
        "artifacthub.io/crdsExamples": render_documents([[SAMPLES[0].resource]]),
        "artifacthub.io/images": render_documents([images]),
        "artifacthub.io/changes": render_documents([["First release of the chart"]]),
    }
