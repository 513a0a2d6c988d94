"""Every code of a finding in a sentence: what the reference lists. Pure."""

from collections.abc import Mapping
from typing import Final

MEANINGS: Final[Mapping[str, str]] = {
    # The path's questions.
    "MaxModelLenAboveLine": "One sequence may be longer than the 4096 tokens that are planned for.",
    "RequestsAboveMaxNumSeqs": "More requests are in than can run at once.",
    "PreemptionStorm": "Running requests throw each other out of the KV cache.",
    "KvNotReleased": "KV blocks are held though nobody is served.",
    "SessionsNotReleased": "Requests are in flight that the engine does not work on.",
    "MemoryNotReleased": "Live memory stays above what it was after the start.",
    "ProcessMemoryGrows": "The server's processes grow with every request.",
    # What the engine says.
    "KvCacheTooSmall": "One sequence of full length does not fit the KV pool that was set.",
    "MaxModelLenTooLarge": "One sequence of full length does not fit the memory that is left.",
    "NoMemoryForKvCache": "Weights and activations leave nothing for the KV cache.",
    "DeviceMemoryTaken": "Another process holds memory of the device.",
    "DeviceMemoryMoves": "Another process gave memory back while the engine measured.",
    "HostMemoryTooSmall": "The machine's memory does not hold the KV cache.",
    "SamplerOutOfMemory": "The card has no room for the logits of so many sequences.",
    "WeightsTooLarge": "The weights do not fit the card.",
    "CudaOutOfMemory": "The GPU's memory ran out.",
    "FlagGone": "A flag of an older vLLM; what replaced it is said.",
    "FlagUnknown": "This engine version does not know a flag.",
    "FlagTakesNoValue": "A flag that is a switch was given a value.",
    "QuantizationPluginMissing": "vLLM reads this quantisation by a plugin that is not there.",
    "QuantizationUnknown": "vLLM does not read this quantisation.",
    "QuantizationNotOnThisGpu": "The GPU cannot compute this quantisation.",
    "QuantizationMismatch": "The checkpoint is quantised otherwise than was asked for.",
    "BFloat16NotOnThisGpu": "The GPU does not compute in BFloat16.",
    "BatchedTokensBelowSequences": "A step has fewer tokens than sequences that run.",
    "BatchedTokensBelowLength": "A prompt must fit a step, and does not.",
    "ActiveSequencesAboveSequences": "More sequences are to be active than can run.",
    "MaxModelLenAboveModel": "The model's own context is shorter.",
    "DriverTooOld": "The node's NVIDIA driver is older than the engine needs.",
    "SharedMemoryFull": "The shared memory (/dev/shm) is full.",
    "DiskFull": "A disk is full.",
    "PortTaken": "Another process has the port.",
    "CompilerMissing": "A C compiler is missing.",
    "PythonHeadersMissing": "Python's headers are missing.",
    "EngineProcessKilled": "A process of the engine was killed from outside.",
    "EngineFailed": "An error that is not in this table; its line is the evidence.",
    "EngineDead": "The engine answers no more, or says itself that it is dead.",
    "VariableGone": "A variable of an older vLLM does nothing.",
    "PracticeGone": "An advice of older articles that has no place any more.",
    # What Kubernetes says.
    "OOMKilled": "The kernel ended the container at its memory limit.",
    "ImageNotPulled": "An image cannot be pulled.",
    "ContainerConfigMissing": "A Secret or ConfigMap that the pod needs is missing.",
    "QuotaExceeded": "The namespace's quota lets no further pod in.",
    "PodSecurityRefused": "The namespace's Pod Security level refuses the pod.",
    "PodRefused": "The API server refuses the pod.",
    "NoFreeGpu": "No node has a free GPU.",
    "NodeMemoryTooSmall": "No node has the memory asked for.",
    "NodeCpuTooSmall": "No node has the processors asked for.",
    "NodesTainted": "The nodes' taints are not tolerated.",
    "NoNodeSelected": "No node has the labels asked for.",
    "Unschedulable": "No node takes the pod.",
    # The device's arithmetic.
    "MemoryOverDevice": "Weights, KV pool and the rest exceed the device.",
}
"""Code to meaning, in the order of the check."""
