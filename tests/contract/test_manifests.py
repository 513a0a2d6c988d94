"""The committed installation: generated, complete, and with no more rights than are used."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml
from vibethinker_operator.manifests import render_tree
from vibethinker_operator.settings import read_settings

MANIFESTS = Path("manifests")
TREE = render_tree()


def documents_of(path: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(TREE[path]) if document]


INSTALLED = [
    document
    for path in TREE
    if not path.startswith(("samples/", "kustomization"))
    for document in documents_of(path)
]


def installed(kind: str) -> list[dict[str, Any]]:
    return [document for document in INSTALLED if document["kind"] == kind]


def test_the_committed_files_are_the_generated_ones():
    committed = {
        str(path.relative_to(MANIFESTS)): path.read_text()
        for path in MANIFESTS.rglob("*")
        if path.is_file()
    }
    assert committed == TREE


def test_kustomize_builds_everything_that_is_to_be_installed():
    built = subprocess.run(
        ["kubectl", "kustomize", str(MANIFESTS)], check=True, capture_output=True, text=True
    )
    names = sorted((d["kind"], d["metadata"]["name"]) for d in yaml.safe_load_all(built.stdout))
    assert names == sorted((d["kind"], d["metadata"]["name"]) for d in INSTALLED)


def test_no_rule_is_wider_than_a_list_of_names():
    for role in installed("ClusterRole") + installed("Role"):
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"], role


def test_the_operator_reads_one_secret_by_name_and_otherwise_only_creates_them():
    (role,) = installed("Role")
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "verbs": ["get"],
            "resourceNames": ["vibethinker-operator-root"],
        }
    ]
    everywhere = next(
        r for r in installed("ClusterRole") if r["metadata"]["name"] == "vibethinker-operator"
    )
    secrets = [rule["verbs"] for rule in everywhere["rules"] if rule["resources"] == ["secrets"]]
    assert secrets == [["create"]]


def test_the_operator_can_delete_nothing_and_write_no_spec_of_ours():
    rules = [
        rule
        for role in installed("ClusterRole")
        if role["metadata"]["name"] == "vibethinker-operator"
        for rule in role["rules"]
    ]
    assert not [rule for rule in rules if "delete" in rule["verbs"]]
    assert {
        tuple(rule["verbs"]) for rule in rules if rule["resources"] == ["vibethinkerdeployments"]
    } == {("get", "list", "watch")}


def test_every_binding_gives_an_existing_role_to_the_existing_account():
    roles = {(r["kind"], r["metadata"]["name"]) for r in INSTALLED if r["kind"].endswith("Role")}
    (account,) = installed("ServiceAccount")
    for binding in installed("ClusterRoleBinding") + installed("RoleBinding"):
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in roles
        (subject,) = binding["subjects"]
        assert subject["name"] == account["metadata"]["name"]
        assert subject["namespace"] == account["metadata"]["namespace"]


def test_the_operators_environment_is_one_it_starts_with():
    (deployment,) = installed("Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {v["name"]: v.get("value", "vibethinker-system") for v in container["env"]}
    settings = read_settings(environment)
    assert settings.namespace == "vibethinker-system"
    assert settings.package_image == "vibethinker-server:0.1.0"


def test_the_operators_images_carry_the_version_of_the_distribution():
    version = next(
        line.split('"')[1]
        for line in Path("pyproject.toml").read_text().splitlines()
        if line.startswith("version = ")
    )
    text = json.dumps(installed("Deployment"))
    assert f"vibethinker-operator:{version}" in text
    assert f"vibethinker-server:{version}" in text


def test_two_operators_never_run_at_once():
    (deployment,) = installed("Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_the_operator_does_not_watch_itself():
    labels = [document["metadata"].get("labels", {}) for document in INSTALLED]
    assert not [entry for entry in labels if "app.kubernetes.io/managed-by" in entry]
