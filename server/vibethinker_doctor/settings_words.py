"""Texts of an engine that refuses its settings, its flags or its checkpoint. Pure.

Sources: `config/scheduler.py`, `config/model.py`, `config/vllm.py`, `platforms/cuda.py`,
`model_executor/model_loader` of vLLM; argparse.
"""

import re
from collections.abc import Mapping

from vibethinker_doctor import gone
from vibethinker_doctor.amounts import COUNT, NUMBER, batched_tokens, length_within, sequences
from vibethinker_doctor.engine_facts import EngineFacts
from vibethinker_doctor.finding import Finding, Severity
from vibethinker_doctor.words import Change, Meaning, Said, Word, plain

IMAGE, DTYPE = "engine.image", "engine.dtype"
LENGTH, BATCH = "engine.maxModelLen", "engine.maxNumBatchedTokens"
ACTIVE = "engine.flags.maxNumActiveSeqs"

PLUGINS = {"bitsandbytes": "vllm-bnb-plugin", "gguf": "vllm-gguf-plugin"}
"""What vLLM read itself before 0.28 (bitsandbytes) and 0.24 (GGUF), and now reads by a plugin."""


def _explain_flags(said: Said, _engine: EngineFacts) -> Meaning:
    flags = [part.partition("=")[0] for part in said["flags"].split() if part.startswith("-")]
    known = [flag for flag in flags if flag in gone.FLAGS]
    if known:
        remedy = "; ".join(f"{flag}: {gone.FLAGS[flag]}" for flag in known)
        return Meaning(cause=f"this engine has no {', '.join(known)} any more", remedy=remedy)
    return Meaning(
        cause=f"this engine takes no {said['flags'].strip()}",
        remedy="leave it out, or run an engine version that knows it (the condition EngineSupported"
        " names the tested ones)",
        change=Change(IMAGE),
        code="FlagUnknown",
    )


def _explain_ambiguous(said: Said, _engine: EngineFacts) -> Meaning:
    flag = said["flag"].partition("=")[0]
    remedy = gone.FLAGS.get(flag, "leave it out, or spell it in full")
    return Meaning(cause=f"this engine has no {flag} any more", remedy=f"{flag}: {remedy}")


def _explain_switch(said: Said, _engine: EngineFacts) -> Meaning:
    flag = said["flag"]
    return Meaning(
        cause=f"{flag} takes no value any more ({said['value']} was given)",
        remedy=f"write {flag} to turn it on, --no-{flag.removeprefix('--')} to turn it off",
    )


def _explain_missing_plugin(said: Said, _engine: EngineFacts) -> Meaning:
    method = said["method"]
    plugin = PLUGINS.get(method)
    if plugin is None:
        remedy = "serve a checkpoint that this engine reads: unquantised, or compressed-tensors"
        return Meaning(
            cause=f"this engine reads no {method}", remedy=remedy, code="QuantizationUnknown"
        )
    return Meaning(
        cause=f"vLLM itself reads no {method} any more, and its plugin is missing",
        remedy=f"put {plugin} into the engine's packages, or serve a compressed-tensors (W8A8)"
        " checkpoint, which needs none",
    )


def _explain_capability(said: Said, _engine: EngineFacts) -> Meaning:
    return Meaning(
        cause=f"this GPU cannot compute {said['method']}",
        remedy="serve a checkpoint of another method: W8A8 (compressed-tensors) runs from"
        " capability 7.5 on",
    )


def _explain_mismatch(said: Said, _engine: EngineFacts) -> Meaning:
    return Meaning(
        cause=f"the checkpoint is quantised by {said['found']}, and {said['asked']} was asked for",
        remedy="leave --quantization out: the checkpoint says it itself",
    )


def _explain_seats(said: Said, _engine: EngineFacts) -> Meaning:
    tokens, seats = int(said["tokens"]), int(said["seats"])
    return Meaning(
        cause=f"{seats} sequences take one token each a step, and a step may have {tokens}",
        remedy="let a step have more tokens",
        change=Change(BATCH, batched_tokens(seats)),
    )


def _explain_long_prompt(said: Said, _engine: EngineFacts) -> Meaning:
    tokens, length = int(said["tokens"]), int(said["length"])
    return Meaning(
        cause=f"without chunked prefill a prompt of {length} tokens must fit a step of {tokens}",
        remedy="turn chunked prefill on again, or let a step have more tokens",
        change=Change(BATCH, batched_tokens(length)),
    )


def _explain_active(said: Said, _engine: EngineFacts) -> Meaning:
    return Meaning(
        cause=f"{said['active']} sequences are to be active, and {said['seats']} can run",
        remedy="let no more be active than can run",
        change=Change(ACTIVE, sequences(int(said["seats"]))),
    )


def _explain_context(said: Said, _engine: EngineFacts) -> Meaning:
    asked, has = int(said["asked"]), int(float(said["has"]))
    return Meaning(
        cause=f"the model's context is {has} tokens, and {asked} were asked for",
        remedy="make the longest sequence no longer than the model's context",
        change=Change(LENGTH, length_within(has)),
    )


def _explain_variable(said: Said, _engine: EngineFacts) -> Meaning | None:
    remedy = gone.VARIABLES.get(said["name"])
    if remedy is None:
        return None
    cause = f"the variable {said['name']} does nothing any more"
    return Meaning(cause=cause, remedy=remedy)


def _explain_practice(said: Said, _engine: EngineFacts) -> Meaning:
    cause = f"{said[0]} is of another time"
    return Meaning(cause=cause, remedy=gone.PRACTICES["BetterTransformer"])


def find_gone_variables(environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Returns a finding if variables of older versions are set, which then do nothing."""
    names = [name for name in gone.VARIABLES if name in environment]
    if not names:
        return ()
    finding = Finding(
        code="VariableGone",
        cause=f"{', '.join(names)} does nothing any more",
        evidence=" ".join(f"{name}={environment[name]}" for name in names),
        remedy="; ".join(f"{name}: {gone.VARIABLES[name]}" for name in names),
        severity=Severity.WARNING,
    )
    return (finding,)


SETTINGS_WORDS = (
    Word(
        code="FlagGone",
        other_codes=("FlagUnknown",),
        pattern=re.compile(r"error: unrecognized arguments: (?P<flags>.+)"),
        explain=_explain_flags,
    ),
    Word(
        code="FlagGone",
        pattern=re.compile(r"error: ambiguous option: (?P<flag>--[\w=-]+) could match"),
        explain=_explain_ambiguous,
    ),
    Word(
        code="FlagTakesNoValue",
        pattern=re.compile(
            r"error: argument (?P<flag>--[\w-]{1,60})[^:]{0,300}:"
            r" ignored explicit argument '(?P<value>[^']{0,80})'"
        ),
        explain=_explain_switch,
    ),
    Word(
        code="QuantizationPluginMissing",
        other_codes=("QuantizationUnknown",),
        pattern=re.compile(r"Unknown quantization method: (?P<method>[\w-]+)\. Must be one of"),
        explain=_explain_missing_plugin,
    ),
    Word(
        code="QuantizationPluginMissing",
        other_codes=("QuantizationUnknown",),
        pattern=re.compile(r"Load format `(?P<method>[\w-]+)` is not supported"),
        explain=_explain_missing_plugin,
    ),
    Word(
        # Our own server's, which looks before it starts the engine.
        code="QuantizationPluginMissing",
        other_codes=("QuantizationUnknown",),
        pattern=re.compile(
            r"quantization_config\.quant_method is (?P<method>[\w-]+), for which this engine lacks"
        ),
        explain=_explain_missing_plugin,
    ),
    Word(
        code="QuantizationNotOnThisGpu",
        pattern=re.compile(
            r"The quantization method (?P<method>[\w-]+) is not supported for the current GPU\."
            r" Minimum capability:"
        ),
        explain=_explain_capability,
    ),
    Word(
        code="QuantizationMismatch",
        pattern=re.compile(
            r"Quantization method specified in the model config \((?P<found>[\w-]+)\) does not"
            r" match the quantization method specified in the `quantization` argument"
            r" \((?P<asked>[\w-]+)\)"
        ),
        explain=_explain_mismatch,
    ),
    Word(
        code="BFloat16NotOnThisGpu",
        pattern=re.compile(
            r"Bfloat16 is only supported on GPUs with compute capability of at least 8\.0\."
        ),
        explain=plain(
            "this GPU does not compute in BFloat16", "compute in Float16", Change(DTYPE, "Float16")
        ),
    ),
    Word(
        code="BatchedTokensBelowSequences",
        pattern=re.compile(
            rf"max_num_batched_tokens \((?P<tokens>{COUNT})\) must be greater than or equal to"
            rf" max_num_seqs \((?P<seats>{COUNT})\)"
        ),
        explain=_explain_seats,
    ),
    Word(
        code="BatchedTokensBelowLength",
        pattern=re.compile(
            rf"max_num_batched_tokens \((?P<tokens>{COUNT})\) is smaller than max_model_len"
            rf" \((?P<length>{COUNT})\)"
        ),
        explain=_explain_long_prompt,
    ),
    Word(
        code="ActiveSequencesAboveSequences",
        pattern=re.compile(
            rf"max_num_active_seqs \((?P<active>{COUNT})\) cannot be greater than max_num_seqs"
            rf" \((?P<seats>{COUNT})\)"
        ),
        explain=_explain_active,
    ),
    Word(
        code="MaxModelLenAboveModel",
        pattern=re.compile(
            rf"User-specified max_model_len \((?P<asked>{COUNT})\) is greater than the derived"
            rf" max_model_len \(\w+=(?P<has>{NUMBER})"
        ),
        explain=_explain_context,
    ),
)

PASSING_WORDS = (
    Word(
        code="VariableGone",
        pattern=re.compile(r"Unknown vLLM environment variable detected: (?P<name>\w+)"),
        explain=_explain_variable,
        severity=Severity.WARNING,
    ),
    Word(
        code="PracticeGone",
        pattern=re.compile(r"\b(?:to_bettertransformer|BetterTransformer)\b"),
        explain=_explain_practice,
        severity=Severity.WARNING,
    ),
)
"""Texts of an engine that goes on all the same."""
