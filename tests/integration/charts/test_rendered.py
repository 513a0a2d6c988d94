"""What the chart renders: manifests/ by default, valid for every install, and each value obeyed."""

from collections.abc import Mapping
from typing import Any

import kubernetes_validate
import pytest
import yaml
from vibethinker_operator.manifests import render_tree
from vibethinker_operator.settings import read_settings

from charts.source.rules.alert import RUNBOOK_MARKER
from tests.cluster.binaries import kubernetes_version
from tests.cluster.commands import CommandError
from tests.integration.charts.helm import CHART, INSTALLS, environment_of, find, template

KUBERNETES = [kubernetes_version(), "1.30.0"]
HELMS_OWN = {
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
}
WITHOUT_SCHEMA = {"monitoring.coreos.com/v1", "vibethinker.io/v1alpha1"}


def key_of(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def without_helms_own(manifest: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(manifest["metadata"])
    labels = {k: v for k, v in metadata.pop("labels", {}).items() if k not in HELMS_OWN}
    annotations = metadata.pop("annotations", {})
    assert set(annotations) <= {"helm.sh/resource-policy"}
    return manifest | {"metadata": metadata, "labels": labels}


def manifests() -> list[dict[str, Any]]:
    tree = render_tree()
    paths = [path for path in tree if not path.startswith(("samples/", "kustomization"))]
    return [d for path in paths for d in yaml.load_all(tree[path], Loader=yaml.CSafeLoader)]


def test_by_default_it_installs_what_manifests_do_object_by_object():
    hooks = {"Pod"}
    rendered = {key_of(m): without_helms_own(m) for m in template() if m["kind"] not in hooks}
    expected = {key_of(m): without_helms_own(m) for m in manifests()}
    # Helm makes the namespace (--create-namespace), and objects of a whole cluster need no label.
    del expected["Namespace", "", "vibethinker-system"]
    assert set(rendered) == set(expected)
    (container,) = rendered["Deployment", "vibethinker-system", "vibethinker-operator"]["spec"][
        "template"
    ]["spec"]["containers"]
    assert container.pop("imagePullPolicy") == "IfNotPresent"
    ours = {"app.kubernetes.io/name", "app.kubernetes.io/part-of"}
    for key, manifest in expected.items():
        labels = rendered[key].pop("labels")
        wanted = manifest.pop("labels")
        assert {k: v for k, v in labels.items() if k in wanted or k not in ours} == wanted, key
        assert rendered[key] == manifest, key


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("path", INSTALLS, ids=lambda path: path.stem)
def test_every_install_is_valid_without_an_unknown_field(path, version):
    judged = 0
    for manifest in template("--values", str(path)):
        if manifest["apiVersion"] not in WITHOUT_SCHEMA:
            kubernetes_validate.validate(manifest, version, strict=True)
            judged += 1
    assert judged > 8


def test_an_unknown_field_would_be_found():
    # The control arm of the test above.
    deployment = find(template(), "Deployment")
    deployment["spec"]["template"]["spec"]["affinty"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, kubernetes_version(), strict=True)


@pytest.mark.parametrize("path", INSTALLS, ids=lambda path: path.stem)
def test_every_install_gives_the_operator_an_environment_it_starts_with(path):
    environment = environment_of(find(template("--values", str(path)), "Deployment"))
    read_settings({**environment, "OPERATOR_NAMESPACE": "vibethinker-system"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "image.tagg=v1"], ["/image", "'tagg' not allowed"]),
        (["--set", "imagee.tag=v1"], ["'imagee' not allowed"]),
        (["--set", "image.tag=2"], ["/image/tag", "got number, want string"]),
        (["--set", "crds.enabled=maybe"], ["/crds/enabled", "got string, want boolean"]),
        (["--set", "scope=everywhere"], ["/scope", "cluster", "namespaced"]),
        (["--set", "extraEnv[0].nam=A"], ["/extraEnv/0", "'nam' not allowed"]),
        (
            ["--set", "sample.spec.scaling.maxReplica=2"],
            ["/sample/spec/scaling", "'maxReplica' not allowed"],
        ),
        (
            ["--set", "watchNamespaces={team-a}"],
            ["watchNamespaces is [team-a] with scope=cluster", "set scope=namespaced"],
        ),
        (
            ["--set", "defaultEngineImage.gpu.tag="],
            ["defaultEngineImage.gpu: a tag or a digest is required"],
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_path_and_what_to_do(options, said):
    with pytest.raises(CommandError) as caught:
        template(*options)
    for part in said:
        assert part in str(caught.value)


def test_a_digest_wins_over_a_tag_and_a_registry_stands_before():
    digest = "sha256:" + "0" * 64
    options = ("--set", f"image.registry=r.example/team,image.tag=v9,image.digest={digest}")
    deployment = find(template(*options), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"r.example/team/vibethinker-operator@{digest}"


def test_the_crd_is_kept_unless_told_otherwise():
    annotations = find(template(), "CustomResourceDefinition")["metadata"]["annotations"]
    assert annotations == {"helm.sh/resource-policy": "keep"}
    gone = find(template("--set", "crds.keep=false"), "CustomResourceDefinition")
    assert "annotations" not in gone["metadata"]
    left_out = template("--set", "crds.enabled=false")
    assert "CustomResourceDefinition" not in {each["kind"] for each in left_out}


def test_a_namespaced_operator_has_rights_in_its_namespaces_and_no_wider_ones():
    objects = template("--values", str(CHART / "ci" / "namespaced-values.yaml"))
    assert not [m for m in objects if m["kind"].startswith("Cluster")]
    roles = {key_of(m)[1:]: m["rules"] for m in objects if m["kind"] == "Role"}
    assert set(roles) == {
        ("vibethinker-system", "vibethinker-operator"),
        ("fleets", "vibethinker-operator-fleets"),
        ("more-fleets", "vibethinker-operator-fleets"),
    }
    everywhere = find(template(), "ClusterRole", "vibethinker-operator")["rules"]
    assert roles["fleets", "vibethinker-operator-fleets"] == everywhere
    own = roles["vibethinker-system", "vibethinker-operator"]
    secrets = [(rule["verbs"], rule.get("resourceNames")) for rule in own]
    assert secrets == [(["get"], ["vibethinker-operator-root"]), (["create"], None)]
    assert {key_of(m)[1:] for m in objects if m["kind"] == "RoleBinding"} == set(roles)
    variable = environment_of(find(objects, "Deployment"))["VIBETHINKER_NAMESPACES"]
    assert variable == "fleets,more-fleets"


def test_a_namespaced_operator_told_nothing_more_watches_its_own_namespace():
    objects = template("--set", "scope=namespaced", namespace="team-a")
    variable = environment_of(find(objects, "Deployment"))["VIBETHINKER_NAMESPACES"]
    assert variable == "team-a"
    fleets = find(objects, "Role", "vibethinker-operator-fleets")
    assert fleets["metadata"]["namespace"] == "team-a"


def test_texts_of_extra_objects_rules_and_dashboards_are_not_run_as_templates():
    objects = template("--values", str(CHART / "ci" / "everything-values.yaml"))
    notes = find(objects, "ConfigMap", "vibethinker-notes")
    assert notes["data"]["kept"] == "{{ templates in here are not run }}"


def test_every_rules_file_and_every_dashboard_is_installed_as_it_is_but_for_the_runbooks_place():
    place = "https://runbooks.example.org/alerts"
    values = str(CHART / "ci" / "monitoring-values.yaml")
    objects = template("--values", values, "--set", f"prometheusRule.runbookBaseUrl={place}")
    rules = {m["metadata"]["name"]: m["spec"] for m in objects if m["kind"] == "PrometheusRule"}
    files = {
        path.stem: yaml.safe_load(path.read_text().replace(RUNBOOK_MARKER, place))
        for path in CHART.glob("rules/*.yaml")
    }
    assert rules == files
    assert files
    boards = {
        name: text
        for m in objects
        if m["kind"] == "ConfigMap" and "grafana_dashboard" in m["metadata"]["labels"]
        for name, text in m["data"].items()
    }
    assert {name: text.rstrip("\n") for name, text in boards.items()} == {
        f"vibethinker-{path.name}": path.read_text().rstrip("\n")
        for path in CHART.glob("dashboards/*.json")
    }
