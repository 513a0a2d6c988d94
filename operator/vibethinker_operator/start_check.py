"""Whether the cluster lets the operator begin: its resource is there, and may be watched. I/O.

Without this check a missing CustomResourceDefinition would be a warning among others, and the
operator would stand there, healthy, and serve nobody, also once somebody brought it.
"""

from collections.abc import Iterable

from vibethinker_operator import names
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.errors import ClusterError, ForbiddenError, NotFoundError
from vibethinker_operator.paths import resources_path


async def require_resources(cluster: Cluster, namespaces: Iterable[str]) -> None:
    """Returns once resources can be listed in each namespace; none named: in all of them.

    Raises:
        ClusterError: they cannot; the message says why and what to do.
    """
    for namespace in tuple(namespaces) or ("",):
        try:
            await cluster.check_list(resources_path(namespace))
        except NotFoundError as error:
            raise ClusterError(
                f"this cluster has no CustomResourceDefinition {names.CRD_NAME}: install it"
                " (with the chart, crds.enabled=true; without it, kubectl apply --server-side"
                " -f manifests/crd)"
            ) from error
        except ForbiddenError as error:
            raise ForbiddenError(_forbidden(namespace, error)) from error


def _forbidden(namespace: str, error: ForbiddenError) -> str:
    if not namespace:
        return (
            f"the operator may not list {names.PLURAL} in every namespace: give its account the"
            " rights (with the chart, scope=cluster), or name its namespaces in"
            f" VIBETHINKER_NAMESPACES (scope=namespaced). {error}"
        )
    return (
        f"VIBETHINKER_NAMESPACES names {namespace}, where the operator may not list"
        f" {names.PLURAL}: give its account the rights there (with the chart, scope=namespaced and"
        f" watchNamespaces), or take it off the list. {error}"
    )
