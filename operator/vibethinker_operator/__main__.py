"""Starts the operator: `vibethinker-operator`."""

import os
import sys
from typing import Any, cast

import kopf

from vibethinker_operator import handlers, names
from vibethinker_operator.errors import SettingsError
from vibethinker_operator.logs import configure_logs
from vibethinker_operator.settings import read_settings


def main() -> None:
    """Runs until SIGTERM. Exits with 2 where the environment is unusable."""
    configure_logs()
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.exit(f"vibethinker-operator: {error}")
    kopf.run(
        registry=handlers.REGISTRY,
        memo=kopf.Memo(operator_settings=settings),
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        liveness_endpoint=f"http://0.0.0.0:{names.HEALTH_PORT}{names.PATH_HEALTHZ}",
        standalone=True,
        # Kopf would make one up from the user's name, and a pod's user has none.
        identity=cast("Any", names.OPERATOR_NAME),
    )


if __name__ == "__main__":
    main()
