"""What a resource may name, set by the cluster's admin: images, download endpoints, priorities.

To write a resource is not to write a pod. The lists stand in a ConfigMap, and a
ValidatingAdmissionPolicy holds resources to them; no process of ours takes part in a write.
"""

from typing import Any

from vibethinker_operator import names

NAME = names.CRD_NAME

IMAGES = "allowedImagePrefixes"
ENDPOINTS = "allowedEndpoints"
PRIORITY_CLASSES = "allowedPriorityClasses"


def build_admission_parameters() -> dict[str, Any]:
    """Returns the admin's lists: one entry a line."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": names.POLICY_PARAMETERS, "namespace": names.OPERATOR_NAMESPACE},
        "data": {
            IMAGES: "vllm/vllm-openai\nvllm/vllm-openai-cpu\nghcr.io/ggml-org/llama.cpp\n",
            ENDPOINTS: (
                "https://huggingface.co\nhttps://www.modelscope.cn\nhttps://www.modelscope.ai\n"
            ),
            PRIORITY_CLASSES: "",
        },
    }


def build_admission_policy() -> dict[str, Any]:
    """Returns the policy that holds resources to the lists."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [names.GROUP],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": [names.PLURAL],
                    }
                ]
            },
            # Labels and finalizers of a resource that was allowed once stay writable: otherwise a
            # list made shorter would keep the garbage collector from deleting it.
            "matchConditions": [
                {
                    "name": "spec-changed",
                    "expression": "request.operation == 'CREATE' || object.spec != oldObject.spec",
                }
            ],
            "variables": [
                _list_variable("images", IMAGES),
                _list_variable("endpoints", ENDPOINTS),
                _list_variable("priorityClasses", PRIORITY_CLASSES),
            ],
            "validations": [_image_rule(), _endpoint_rule(), _priority_rule()],
        },
    }


def build_admission_policy_binding() -> dict[str, Any]:
    """Returns what puts the policy into force everywhere, and refuses all without its lists."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {
            "policyName": NAME,
            "validationActions": ["Deny"],
            "paramRef": {
                "name": names.POLICY_PARAMETERS,
                "namespace": names.OPERATOR_NAMESPACE,
                "parameterNotFoundAction": "Deny",
            },
        },
    }


def _list_variable(name: str, key: str) -> dict[str, str]:
    lines = f"params.data['{key}'].split('\\n').map(line, line.trim()).filter(line, line != '')"
    return {
        "name": name,
        "expression": f"has(params.data) && '{key}' in params.data ? {lines} : []",
    }


def _image_rule() -> dict[str, str]:
    # An entry ends at a border of the name, or `vllm/vllm` would let `vllm/vllm-of-mine` in.
    image = "object.spec.engine.image"
    starts = " || ".join(f"{image}.startsWith(entry + '{end}')" for end in ("/", ":", "@"))
    slash = f"entry.endsWith('/') && {image}.startsWith(entry)"
    allowed = f"variables.images.exists(entry, {image} == entry || {starts} || {slash})"
    return _rule(image, allowed, "images", IMAGES)


def _endpoint_rule() -> dict[str, str]:
    endpoint = "object.spec.model.endpoint"
    return _rule(endpoint, f"{endpoint} in variables.endpoints", "endpoints", ENDPOINTS)


def _priority_rule() -> dict[str, str]:
    priority = "object.spec.scheduling.priorityClassName"
    allowed = f"{priority} in variables.priorityClasses"
    return _rule(priority, allowed, "priorityClasses", PRIORITY_CLASSES)


def _rule(field: str, allowed: str, variable: str, key: str) -> dict[str, str]:
    path = field.removeprefix("object.")
    where = f"{key} in ConfigMap {names.OPERATOR_NAMESPACE}/{names.POLICY_PARAMETERS}"
    return {
        "expression": f"{field} == '' || {allowed}",
        "messageExpression": (
            f"'{path} \"' + {field} + '\" is not allowed: the cluster admin allows ['"
            f" + variables.{variable}.join(', ') + '] ({where})'"
        ),
        "reason": "Forbidden",
    }
