"""What `start` tells the server that it starts: the variables that an operator would set. Pure."""

from collections.abc import Mapping

from vibethinker_server import names
from vibethinker_server.engine_settings import Device, EngineSettings, Source
from vibethinker_server.one_click.machine import Machine
from vibethinker_server.one_click.options import StartOptions
from vibethinker_server.one_click.settings import choose_gpu

VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


def render_server_environment(settings: EngineSettings, options: StartOptions) -> dict[str, str]:
    """Returns the variables that `serve` reads; paths are absolute."""
    variables = {
        names.ENV_ENGINE: settings.model_dump_json(by_alias=True),
        names.ENV_HOST: options.host,
        names.ENV_POLICY: str(options.policy.absolute()) if options.policy else "",
    }
    if options.api_keys is not None:
        variables[names.ENV_API_KEYS] = str(options.api_keys.absolute())
    return variables


def render_device_environment(
    settings: EngineSettings, machine: Machine, given: Mapping[str, str]
) -> dict[str, str]:
    """Returns the variables that the engine and its libraries read; none that is `given`."""
    wanted: dict[str, str] = {}
    if settings.source is Source.HUGGING_FACE:
        # The model is whole by then, and every further look at the hub only delays the start.
        wanted["HF_HUB_OFFLINE"] = "1"
    gpu = choose_gpu(machine)
    if settings.device is Device.GPU and gpu is not None and len(machine.gpus) > 1:
        # CUDA's own order is by speed, NVML's by bus: only in the latter is the index the same GPU.
        wanted |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", VISIBLE_GPUS: str(gpu.index)}
    if settings.device is Device.CPU and machine.limited_cpus:
        wanted[names.ENV_CPUS] = str(machine.cpus)
    return {name: value for name, value in wanted.items() if name not in given}
