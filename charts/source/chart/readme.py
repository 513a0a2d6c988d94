"""The chart's README: install, every value, uninstall."""

from charts.source.chart.values_table import render_values_table

HEAD = """# vibethinker-operator

Runs VibeThinker-1.5B on vLLM in Kubernetes (1.30 or newer) and keeps its live GPU memory below a
line. This page is generated: `make generate`.

## Install

```sh
helm install vibethinker charts/vibethinker-operator \\
  --namespace vibethinker-system --create-namespace \\
  --set image.registry=REGISTRY --set serverImage.registry=REGISTRY
helm test vibethinker --namespace vibethinker-system
```

One release serves a cluster. With `scope=namespaced` the operator sees the namespaces of
`watchNamespaces` alone, and has no rights beyond them.

## Upgrade

`helm upgrade` brings the CustomResourceDefinition up to date, too, and restarts no server pod: a
fleet keeps the images it runs, and its condition `UpdateAvailable` says how to accept newer ones.

## Uninstall

```sh
helm uninstall vibethinker --namespace vibethinker-system
```

Fleets stay, and serve on: the CustomResourceDefinition is kept, and the pods protect themselves
without an operator. A later install in the same namespace takes them up without a restart; the
Secret `vibethinker-operator-root` there holds what their keys are derived from. Under another
release name, Helm asks for `--take-ownership`.

To take it all out, fleets first, while the operator is there to let them go:

```sh
kubectl delete vtd --all --all-namespaces
helm uninstall vibethinker --namespace vibethinker-system
kubectl delete crd vibethinkerdeployments.vibethinker.io
kubectl delete namespace vibethinker-system
```

## Values

"""


def render_readme() -> str:
    """Returns the chart's README.md."""
    return HEAD + render_values_table()
