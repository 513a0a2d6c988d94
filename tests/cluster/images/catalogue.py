"""Every image of the tests. To add one: its name, what it depends on, how it is written."""

from functools import partial
from pathlib import Path
from typing import IO

from tests.cluster.binaries import SOURCE, kubernetes_binaries
from tests.cluster.components import PAUSE_IMAGE
from tests.cluster.images.archive import Tree, write_archive
from tests.cluster.images.containerfile import build_inputs, build_target, write_target
from tests.cluster.images.debian import base_inputs, base_layer
from tests.cluster.images.image import Image
from tests.cluster.images.llama_server import llama_inputs, llama_server
from tests.cluster.images.python_site import site

# Where the base's own Python looks for packages.
DIST_PACKAGES = "usr/local/lib/python3.11/dist-packages"
ENGINE_REQUIREMENTS = Path(__file__).parent / "engine" / "requirements.txt"
STUB_REQUIREMENTS = Path(__file__).parent / "stub_engine" / "requirements.txt"
STUB_PACKAGES = Path(__file__).parents[2] / "support" / "stub_engine"
# No resource may name environment variables: the stub's own come with its image. Answers are as
# long as they are asked for, twenty tokens a second, and tests set the KV use on this port.
STUB_LOAD_PORT = 8999
STUB_ENVIRONMENT = (f"STUB_PORT={STUB_LOAD_PORT}", "STUB_ANSWER_TOKENS=100000")
# Where the stock image of llama.cpp has it, as its entrypoint.
LLAMA_SERVER_PROGRAM = "/app/llama-server"
# PyPI's torch needs the CUDA libraries that it is linked with, also on a CPU; these are loaded
# on a GPU only, or never (1.6 GB).
ENGINE_LEAVE_OUT = (
    "*.a",
    "nvidia/cu13/bin",
    "nvidia/cu13/include",
    "nvidia/cu13/lib/*.alt.*",
    "nvidia/cu13/lib/libcheckpoint*",
    "nvidia/cu13/lib/libcufftw*",
    "nvidia/cu13/lib/libcusolver*",
    "nvidia/cu13/lib/libnvblas*",
    "nvidia/cu13/lib/libnvperf*",
    "nvidia/cu13/lib/libpcsampling*",
    "nvidia/cu13/nvvm",
    "nvidia/cudnn/include",
    "nvidia/cudnn/lib/libcudnn_*",
    "torch/bin/protoc*",
    "torch/include",
    "triton",
    "triton-*.dist-info",
)


def _write_pause(sink: IO[bytes]) -> None:
    layer = Tree(kubernetes_binaries(), leave_out=("kube*",))
    write_archive(sink, PAUSE_IMAGE, [layer], {"Entrypoint": ["/pause"], "User": "65535:65535"})


def _write_base(sink: IO[bytes]) -> None:
    write_archive(sink, BASE.name, [base_layer()], {"Cmd": ["/bin/sh"]})


def engine_site() -> Path:
    """Return the directory of vLLM for CPUs and its requirements, installed on first use."""
    return site("engine", ENGINE_REQUIREMENTS, gigabytes=8)


def _engine_layer() -> Tree:
    return Tree(engine_site(), target=DIST_PACKAGES, leave_out=ENGINE_LEAVE_OUT)


def _write_engine(sink: IO[bytes]) -> None:
    write_archive(sink, ENGINE.name, [base_layer(), _engine_layer()], {"Cmd": ["/bin/sh"]})


def _stub_site() -> Path:
    return site("stub-engine", STUB_REQUIREMENTS, gigabytes=0.1)


def _write_stub_engine(sink: IO[bytes]) -> None:
    packages = (_stub_site(), STUB_PACKAGES)
    trees = [Tree(each, DIST_PACKAGES, leave_out=("*__pycache__",)) for each in packages]
    config = {"Cmd": ["/bin/sh"], "Env": list(STUB_ENVIRONMENT)}
    write_archive(sink, STUB_ENGINE.name, [base_layer(), *trees], config)


def _write_llama_server(sink: IO[bytes]) -> None:
    program = Tree(llama_server() / "llama-server", target=LLAMA_SERVER_PROGRAM.lstrip("/"))
    config = {"Entrypoint": [LLAMA_SERVER_PROGRAM]}
    write_archive(sink, LLAMA_SERVER.name, [base_layer(), program], config)


PAUSE = Image(
    name=PAUSE_IMAGE,
    inputs=lambda: (SOURCE / "pause",),
    write=_write_pause,
    gigabytes=0.01,
)
BASE = Image(
    name="vibethinker.io/base:test",
    inputs=base_inputs,
    write=_write_base,
    gigabytes=0.6,
    prepare=lambda: str(base_layer()),
)
ENGINE = Image(
    name="vibethinker.io/engine-cpu:0.32.0",
    inputs=lambda: (ENGINE_REQUIREMENTS, *ENGINE_LEAVE_OUT, *base_inputs()),
    write=_write_engine,
    gigabytes=11,
    prepare=lambda: str(engine_site()),
)
# Tagged as a version that the operator knows as tested: it behaves like that one.
STUB_ENGINE = Image(
    name="vibethinker.io/stub-engine:v0.33.0",
    inputs=lambda: (STUB_REQUIREMENTS, STUB_PACKAGES, *STUB_ENVIRONMENT, *base_inputs()),
    write=_write_stub_engine,
    gigabytes=0.7,
    prepare=lambda: str(_stub_site()),
)
# Not in ALL: who wants no llama.cpp does not wait for its compiler.
LLAMA_SERVER = Image(
    name="vibethinker.io/llama-server:test",
    inputs=lambda: (*llama_inputs(), LLAMA_SERVER_PROGRAM, *base_inputs()),
    write=_write_llama_server,
    gigabytes=0.7,
    prepare=lambda: str(llama_server()),
)


def _from_dockerfile(target: str) -> Image:
    name = f"vibethinker.io/{target}:dev"
    return Image(
        name=name,
        inputs=lambda: (*build_inputs(), *base_inputs()),
        write=partial(write_target, name=name),
        gigabytes=1,
        prepare=partial(build_target, target, name),
    )


OPERATOR = _from_dockerfile("operator")
SERVER = _from_dockerfile("server")
ALL = (PAUSE, BASE, OPERATOR, SERVER, ENGINE, STUB_ENGINE)
