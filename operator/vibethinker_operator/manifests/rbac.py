"""Rights: the operator's, each of them used, and roles for people."""

from typing import Any

from vibethinker_operator import names

RBAC_GROUP = "rbac.authorization.k8s.io"
RBAC_VERSION = f"{RBAC_GROUP}/v1"

READ = ["get", "list", "watch"]
WATCH = ["list", "watch"]
APPLY = ["create", "patch"]
"""Server-side apply is a patch, and a create where the object is not there yet."""


def build_operator_roles() -> list[dict[str, Any]]:
    """Returns the operator's rights in all namespaces, and those in its own.

    Secrets may only be created: the operator cannot read one of any fleet, and of its own
    namespace only the root key, by name. Nothing may be deleted: owner references do that.
    """
    everywhere = [
        _rule(names.GROUP, names.PLURAL, READ),
        _rule(names.GROUP, f"{names.PLURAL}/status", ["patch"]),
        _rule("apps", "deployments", [*READ, *APPLY]),
        _rule("apps", "deployments/scale", ["get", "patch"]),
        _rule("", "pods", [*WATCH, "patch"]),
        _rule("", "configmaps", APPLY),
        _rule("", "services", APPLY),
        _rule("", "secrets", ["create"]),
        _rule("", "events", ["create"]),
        _rule("batch", "jobs", [*WATCH, "create"]),
        _rule("policy", "poddisruptionbudgets", APPLY),
    ]
    root_key = _rule("", "secrets", ["get"]) | {"resourceNames": [names.ROOT_SECRET]}
    metadata = {"name": names.OPERATOR_NAME, "namespace": names.OPERATOR_NAMESPACE}
    return [
        _cluster_role(names.OPERATOR_NAME, everywhere),
        {"apiVersion": RBAC_VERSION, "kind": "Role", "metadata": metadata, "rules": [root_key]},
    ]


def build_operator_role_bindings() -> list[dict[str, Any]]:
    """Returns what gives the operator's ServiceAccount its roles."""
    metadata = {"name": names.OPERATOR_NAME}
    return [
        _binding("ClusterRole", metadata),
        _binding("Role", metadata | {"namespace": names.OPERATOR_NAMESPACE}),
    ]


def build_user_roles() -> list[dict[str, Any]]:
    """Returns roles for people, which add themselves to the cluster's view, edit and admin."""
    status = f"{names.PLURAL}/status"
    scale = f"{names.PLURAL}/scale"
    write = ["create", "update", "patch", "delete", "deletecollection"]
    view = [_rule(names.GROUP, names.PLURAL, READ), _rule(names.GROUP, status, ["get"])]
    edit = [
        _rule(names.GROUP, names.PLURAL, write),
        _rule(names.GROUP, scale, ["get", "update", "patch"]),
    ]
    return [
        _cluster_role("vibethinker-view", view, aggregate_to=("view",)),
        _cluster_role("vibethinker-edit", edit, aggregate_to=("edit", "admin")),
    ]


def _rule(group: str, resource: str, verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": verbs}


def _cluster_role(
    name: str, rules: list[dict[str, Any]], aggregate_to: tuple[str, ...] = ()
) -> dict[str, Any]:
    labels = {f"{RBAC_GROUP}/aggregate-to-{role}": "true" for role in aggregate_to}
    metadata = {"name": name} | ({"labels": labels} if labels else {})
    return {
        "apiVersion": RBAC_VERSION,
        "kind": "ClusterRole",
        "metadata": metadata,
        "rules": rules,
    }


def _binding(kind: str, metadata: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": RBAC_VERSION,
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": kind, "name": names.OPERATOR_NAME},
        "subjects": [
            {
                "kind": "ServiceAccount",
                "name": names.OPERATOR_NAME,
                "namespace": names.OPERATOR_NAMESPACE,
            }
        ],
    }
