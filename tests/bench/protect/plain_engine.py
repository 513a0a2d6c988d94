"""vLLM alone, with the same arguments as ours but for what makes it ours."""

import os
import runpy
import sys
from importlib.util import find_spec

from vibethinker_server import names
from vibethinker_server.engine_args import render_engine_args, render_engine_environment
from vibethinker_server.engine_settings import parse_engine_settings

# With their values.
OURS = ("--middleware", "--scheduling-policy")


def main() -> None:
    """Runs it in this process; further arguments are vLLM's."""
    settings = parse_engine_settings(os.environ[names.ENV_ENGINE])
    os.environ.update(render_engine_environment(settings, os.environ, None))
    os.environ["VLLM_PLUGINS"] = ""  # none: ours is found where the tests' Python is
    given = render_engine_args(settings, 2048)
    kept = list(given)
    for name in OURS:
        at = kept.index(name)
        del kept[at : at + 2]
    module = next(name for name in names.ENGINE_MODULES if find_spec(name) is not None)
    sys.argv[:] = [module, *kept, *sys.argv[1:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
