"""Which file holds what. Pure: paths to texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from vibethinker_operator.crd import build_crd
from vibethinker_operator.manifests.admission import (
    build_admission_parameters,
    build_admission_policy,
    build_admission_policy_binding,
)
from vibethinker_operator.manifests.installation import (
    build_metrics_service,
    build_namespace,
    build_operator_deployment,
    build_service_account,
)
from vibethinker_operator.manifests.rbac import (
    build_operator_role_bindings,
    build_operator_roles,
    build_user_roles,
)
from vibethinker_operator.manifests.samples import SAMPLES, Sample

Documents = Sequence[Mapping[str, Any]]

HEADER = "# Written by `make generate` from operator/vibethinker_operator: change it there.\n"


class _Dumper(yaml.SafeDumper):
    """Writes equal values out each time (no anchors) and long texts as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (the signature is PyYAML's)
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def render_tree() -> dict[str, str]:
    """Returns every file of the installation: path below manifests/ to text."""
    installed: dict[str, Documents] = {
        "crd/vibethinkerdeployments.yaml": [build_crd()],
        "operator/namespace.yaml": [build_namespace()],
        "operator/service-account.yaml": [build_service_account()],
        "operator/deployment.yaml": [build_operator_deployment()],
        "operator/metrics-service.yaml": [build_metrics_service()],
        "policy/admission-policy.yaml": [
            build_admission_policy(),
            build_admission_policy_binding(),
        ],
        "policy/admission-parameters.yaml": [build_admission_parameters()],
        "rbac/operator.yaml": [*build_operator_roles(), *build_operator_role_bindings()],
        "rbac/users.yaml": build_user_roles(),
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(installed),
    }
    files = installed | {"kustomization.yaml": [kustomization]}
    return {
        **{path: HEADER + render_documents(documents) for path, documents in files.items()},
        **{f"samples/{sample.file}": _render_sample(sample) for sample in SAMPLES},
    }


def _render_sample(sample: Sample) -> str:
    comment = "".join(f"# {line}".rstrip() + "\n" for line in sample.comment.splitlines())
    return comment + render_documents([sample.resource, *sample.beside])


def render_documents(documents: Sequence[Any]) -> str:
    """Returns the documents as YAML, as it stands in every generated file."""
    return yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, width=100, default_flow_style=False
    )
