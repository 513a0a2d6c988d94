import json
from dataclasses import replace
from pathlib import Path

from vibethinker_server import names
from vibethinker_server.engine_settings import Source, parse_engine_settings
from vibethinker_server.one_click.environment import (
    render_device_environment,
    render_server_environment,
)
from vibethinker_server.one_click.machine import Gpu
from vibethinker_server.one_click.options import StartOptions
from vibethinker_server.one_click.settings import choose_settings

from tests.support.machines import CPU_MACHINE, GIB, GPU_MACHINE

GPU = choose_settings(GPU_MACHINE, StartOptions())
CPU = choose_settings(CPU_MACHINE, StartOptions(model="/model"), Source.VOLUME)
TWO_GPUS = replace(GPU_MACHINE, gpus=(*GPU_MACHINE.gpus, Gpu(1, "L4", 22 * GIB, 22 * GIB)))


def test_the_server_reads_the_settings_that_were_picked():
    variables = render_server_environment(GPU, StartOptions())
    assert parse_engine_settings(variables[names.ENV_ENGINE]) == GPU
    assert json.loads(variables[names.ENV_ENGINE])["servedName"] == "vibethinker-1.5b"
    assert variables[names.ENV_HOST] == "127.0.0.1"


def test_without_a_policy_file_the_defaults_are_asked_for_and_no_key():
    variables = render_server_environment(GPU, StartOptions())
    assert variables[names.ENV_POLICY] == ""
    assert names.ENV_API_KEYS not in variables


def test_files_are_named_by_absolute_paths():
    options = StartOptions(policy=Path("p.json"), api_keys=Path("keys"))
    variables = render_server_environment(GPU, options)
    assert variables[names.ENV_POLICY] == str(Path.cwd() / "p.json")
    assert variables[names.ENV_API_KEYS] == str(Path.cwd() / "keys")


def test_the_engine_leaves_the_hub_alone_once_the_model_is_whole():
    assert render_device_environment(GPU, GPU_MACHINE, {}) == {"HF_HUB_OFFLINE": "1"}
    assert render_device_environment(CPU, CPU_MACHINE, {}) == {}


def test_of_several_gpus_the_engine_sees_the_one_that_was_chosen():
    variables = render_device_environment(GPU, TWO_GPUS, {})
    assert variables["CUDA_VISIBLE_DEVICES"] == "1"
    assert variables["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_what_is_set_already_stays():
    given = {"CUDA_VISIBLE_DEVICES": "0", "HF_HUB_OFFLINE": "0", "CUDA_DEVICE_ORDER": "X"}
    assert render_device_environment(GPU, TWO_GPUS, given) == {}


def test_only_where_processors_are_limited_is_their_number_told():
    limited = replace(CPU_MACHINE, cpus=2, limited_cpus=True)
    assert render_device_environment(CPU, limited, {}) == {names.ENV_CPUS: "2"}
