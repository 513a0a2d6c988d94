"""What the chart and manifests/ share, as named templates: the same functions say both.

The templates that people read are written by hand; what they include from here is whatever the
operator's own manifests say, so a new port, right or probe reaches both by itself.
"""

from collections.abc import Mapping
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.crd import build_crd
from vibethinker_operator.manifests.admission import (
    build_admission_policy,
    build_admission_policy_binding,
)
from vibethinker_operator.manifests.installation import (
    LABELS,
    build_metrics_service,
    build_operator_deployment,
)
from vibethinker_operator.manifests.rbac import build_operator_roles, build_user_roles
from vibethinker_operator.manifests.tree import render_documents

HEADER = (
    "{{- /* Written by `make generate` from operator/vibethinker_operator: change it there. */}}"
)
ACTION = "{{"


def render_facts() -> str:
    """Returns templates/_facts.tpl."""
    return _render(
        {
            "labels": LABELS,
            **_deployment_facts(),
            **_role_facts(),
            "metricsService": build_metrics_service()["spec"],
            "admissionPolicy": build_admission_policy()["spec"],
            "admissionPolicyBinding": build_admission_policy_binding()["spec"],
        }
    )


def render_crd() -> str:
    """Returns templates/_crd.tpl."""
    return _render({"customResourceDefinition": build_crd()["spec"]})


def _deployment_facts() -> dict[str, Any]:
    """Returns the operator's Deployment without what a release sets in it."""
    deployment = dict(build_operator_deployment()["spec"])
    pod = dict(deployment.pop("template")["spec"])
    (container,) = pod.pop("containers")
    return {
        "deployment": deployment,
        "tolerations": pod.pop("tolerations"),
        "volumes": pod.pop("volumes"),
        "pod": pod,
        "volumeMounts": container.pop("volumeMounts"),
        "container": {k: v for k, v in container.items() if k not in ("image", "env", "resources")},
    }


def _role_facts() -> dict[str, Any]:
    everywhere, own = build_operator_roles()
    view, edit = build_user_roles()
    return {
        "fleetRules": everywhere["rules"],
        "ownRules": own["rules"],
        "viewRole": {"labels": view["metadata"]["labels"], "rules": view["rules"]},
        "editRole": {"labels": edit["metadata"]["labels"], "rules": edit["rules"]},
    }


def _render(facts: Mapping[str, Any]) -> str:
    return "\n".join((HEADER, *(define(name, fact) for name, fact in facts.items()))) + "\n"


def define(name: str, fact: Any) -> str:
    """Returns a named template that is `fact` in YAML.

    Raises:
        ValueError: there is something in it that Helm would run.
    """
    text = render_documents([fact]).rstrip("\n")
    if ACTION in text:
        raise ValueError(f"{name} has {ACTION} in it, which Helm would run: spell it otherwise")
    # Where the manifests name their namespace, a release has its own.
    text = text.replace(names.OPERATOR_NAMESPACE, "{{ .Release.Namespace }}")
    return f'{{{{- define "vibethinker.{name}" -}}}}\n{text}\n{{{{- end }}}}'
