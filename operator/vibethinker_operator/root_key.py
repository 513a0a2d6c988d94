"""The one secret of the operator: every ticket key and fleet token is derived from it. I/O."""

import base64
import secrets

from vibethinker_operator import names
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.errors import ClusterError

ROOT_KEY_BYTES = 32


async def ensure_root_key(cluster: Cluster, namespace: str) -> bytes:
    """Returns the root key, made on the very first start and read ever after.

    Raises:
        ClusterError: the Secret can be neither read nor created, or holds no usable key.
    """
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": names.ROOT_SECRET, "namespace": namespace},
    }
    found = await cluster.read(manifest)
    if found is None:
        fresh = base64.b64encode(secrets.token_bytes(ROOT_KEY_BYTES)).decode()
        await cluster.create(manifest | {"data": {names.ROOT_SECRET_KEY: fresh}})
        # Read back: another process may have created it a moment before.
        found = await cluster.read(manifest) or {}
    return _decode(found.get("data", {}).get(names.ROOT_SECRET_KEY, ""), namespace)


def _decode(encoded: str, namespace: str) -> bytes:
    key = base64.b64decode(encoded)
    if len(key) < ROOT_KEY_BYTES:
        raise ClusterError(
            f"Secret {namespace}/{names.ROOT_SECRET} has no {names.ROOT_SECRET_KEY} of at least "
            f"{ROOT_KEY_BYTES} bytes: delete it and restart the operator, which makes a new one"
        )
    return key
