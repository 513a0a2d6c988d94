"""Writes docs/server-settings.md: `python -m vibethinker_server.settings_page FILE`.

Options, settings and the policy's fields come from the parser and the types; a test compares the
committed page with a new one.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vibethinker_server import names
from vibethinker_server.command_line import build_parser
from vibethinker_server.engine_settings import EngineSettings
from vibethinker_server.known_models import ARTICLE, KNOWN_MODELS, KnownModel
from vibethinker_server.policy_document import policy_schema
from vibethinker_server.sampling import CHOICES

ENVIRONMENT: Mapping[str, str] = {
    names.ENV_ENGINE: "Engine settings (below) as one JSON object. `serve` needs it; `start` writes"
    " it itself.",
    names.ENV_FILES: f"Directory of the files below; {names.FILES_PATH} where it is unset.",
    names.ENV_POLICY: "A policy file to obey instead of the one below that directory; empty: the"
    " built-in defaults.",
    names.ENV_API_KEYS: "Directory with one file per API key, named as the key is. Unset: the"
    " client port is open.",
    names.ENV_HOST: "Address to listen on with both ports; 0.0.0.0 where it is unset.",
    names.ENV_CPUS: "Processors of a CPU engine; its threads are one fewer, bound to no core.",
    names.ENV_POD_NAME: "The name in the header X-Served-By.",
    names.ENV_HOSTNAME: f"That name, where {names.ENV_POD_NAME} is unset.",
    names.ENV_PREPARE: "What `prepare` is to write, as JSON; the operator's Job sets it.",
    names.ENV_TERMINATION_LOG: "File for the last words of an engine, or of `prepare`, which the"
    " kubelet puts into the pod's status. Unset: nowhere.",
    names.ENV_LLAMA_SERVER: "Where llama-server listens, as host:port;"
    f" {names.LLAMA_SERVER_ADDRESS} where it is unset. Backend LlamaCpp.",
    names.ENV_ENGINE_MEMORY_LIMIT: "Memory limit of llama-server's container, in bytes. Unset:"
    " memory is unknown. Backend LlamaCpp.",
    names.ENV_PARENT: "Process id of the `start` with which `serve` ends.",
    names.ENV_GGUF_CONVERTER: "What `export-gguf --converter` names, where that is not said.",
}
ENGINE_ENVIRONMENT: Mapping[str, str] = {
    "HF_HOME": "Where models are kept; `start` downloads there. ~/.cache/huggingface where unset.",
    "HF_ENDPOINT": "Another hub, such as a mirror.",
    "HF_TOKEN": "Token for models that are private or ask for an account.",
    "HF_HUB_OFFLINE": "1: the hub is not asked. `start` sets it for the engine once the model is"
    " whole.",
    "VLLM_CACHE_ROOT": "Where compiled kernels are kept. ~/.cache/vllm where unset.",
    "CUDA_VISIBLE_DEVICES": "The GPU to use. Unset: `start` takes that with the most free memory.",
}
FILES: Mapping[str, str] = {
    names.POLICY_FILE: "The policy (below). Without it the built-in defaults hold.",
    names.TICKET_KEY_FILE: "Key that session tickets are signed with. Without it they are good on"
    " this server alone.",
    names.FLEET_TOKEN_FILE: f"Token for {names.PATH_FLEET} and {names.PATH_DRAIN}. Without it both"
    " are closed.",
    names.HUB_TOKEN_FILE: "Token for the model hub.",
}
HEAD = """# Server settings

Everything that `{program}` can be told. This page is generated from the code: `make generate`.
"""
ENGINE_TEXT = """On the command line of `start` each is `--set FIELD=VALUE`, such as
`--set maxModelLen=8192 --set flags.enforceEager=true`. In a pod the operator writes them, from
`spec.engine`.
"""
POLICY_TEXT = """A JSON object: the file of `start --policy`, or `{file}` in a pod, which the
operator writes. The names are the resource's. Bounds are wider than the resource's, so that an
older server obeys a newer operator.
"""
POLICY_EXAMPLE_TEXT = """What holds without a file, and an app with a preset beside it:
"""
POLICY_EXAMPLE: Mapping[str, Any] = {
    "generation": 1,
    "saturation": {
        "memoryUsedPercentage": 75,
        "memoryRecoverPercentage": 65,
        "requestQueueLength": 4,
        "sustainedSeconds": 10,
    },
    "overload": {"policy": "ScaleOutThenReject", "maxQueuedRequests": 64},
    "tokenLimits": dict(ARTICLE),
    "defaultTask": "code",
    "profiles": [
        {"name": "webui", "kind": "WebUI"},
        {"name": "app", "kind": "App", "systemPrompt": "You are a coding assistant."},
    ],
}


MODELS_TEXT = """Requests that set none of
{choices}
get what the model's authors recommend. One that sets any of them is left as it is: what it leaves
open is the engine's default, which vLLM takes from the checkpoint's generation_config.json.
`profiles[].sampling` holds instead of the model's own in the same way: whole. A model is known by
the policy's `repository`, else by the engine settings' own, a directory by `_name_or_path` in its
config.json; any other has the engine's defaults alone.
"""
MODELS_CAPS = """Caps are tokens of math, code and qa. The resource's presets hold them to three
quarters of `maxModelLen`.
"""
MODELS_HEAD = (
    "model", "temperature", "top_p", "top_k", "context", "longest answer", "caps of Article",
    "caps of Reasoning",
)  # fmt: skip


def render_settings_page() -> str:
    """Returns the page."""
    engine, policy = EngineSettings.model_json_schema(by_alias=True), policy_schema()
    sections = (
        HEAD.format(program=names.PROGRAM),
        "## Command line\n",
        *_commands(build_parser()),
        "## Engine settings\n",
        ENGINE_TEXT,
        _table(("field", "value", "default", "meaning"), _fields(engine, engine)),
        "## Policy\n",
        POLICY_TEXT.format(file=names.POLICY_FILE),
        _table(("field", "value", "default", "meaning"), _fields(policy, policy)),
        POLICY_EXAMPLE_TEXT,
        f"```json\n{json.dumps(POLICY_EXAMPLE, indent=2)}\n```\n",
        "## Models\n",
        MODELS_TEXT.format(choices=", ".join(f"`{key}`" for key in CHOICES)),
        _table(MODELS_HEAD, map(_model, KNOWN_MODELS)),
        MODELS_CAPS,
        "## Environment\n",
        _table(("variable", "meaning"), _code_first(ENVIRONMENT)),
        "Of the engine and its libraries, those that matter most:\n",
        _table(("variable", "meaning"), _code_first(ENGINE_ENVIRONMENT)),
        "## Files\n",
        f"Below `{names.FILES_PATH}`, or the directory that `{names.ENV_FILES}` names:\n",
        _table(("file", "meaning"), _code_first(FILES)),
    )
    return "\n".join(sections)


def _model(model: KnownModel) -> tuple[str, ...]:
    sampling = model.sampling
    numbers = (sampling.temperature, sampling.top_p, sampling.top_k)
    caps = (", ".join(map(str, caps.values())) for caps in model.caps.values())
    return (
        f"`{model.repository}`",
        *("–" if number is None else f"{number}" for number in numbers),
        f"{model.context_tokens:,}",
        "–" if model.answer_tokens is None else f"{model.answer_tokens:,}",
        *caps,
    )


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001
    helps = {choice.dest: choice.help for choice in commands._choices_actions}  # noqa: SLF001
    yield _table((names.PROGRAM, "meaning"), _options(parser))
    for name, command in commands.choices.items():
        text = str(helps[name])
        yield f"### {name}\n\n{text[0].upper()}{text[1:]}.\n"
        options = list(_options(command))
        if options:
            yield _table(("option", "meaning"), options)


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    for action in parser._actions:  # noqa: SLF001 (argparse has no other list of them)
        if not action.option_strings or isinstance(action, argparse._HelpAction):  # noqa: SLF001
            continue
        value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
        if action.choices:
            value = "|".join(action.choices)
        yield f"`{f'{action.option_strings[0]} {value}'.strip()}`", _option_text(action)


def _option_text(action: argparse.Action) -> str:
    text = str(action.help)
    has_default = action.default not in (None, False, [], argparse.SUPPRESS)
    return f"{text} (default `{action.default}`)" if has_default else text


def _fields(
    schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, ...]]:
    """Yields path, value, default and text of every field, those of nested objects after it."""
    required = schema.get("required", ())
    for name, given in schema["properties"].items():
        field = _resolve(given, root)
        nested = field if "properties" in field else _resolve(field.get("items", {}), root)
        default = "required" if name in required else _default(given)
        text = field.get("description", "")
        if "properties" in nested:
            yield f"`{prefix}{name}`", "list" if "items" in field else "object", default, text
            yield from _fields(nested, root, f"{prefix}{name}{'[]' if 'items' in field else ''}.")
        else:
            yield f"`{prefix}{name}`", _value(field, root), default, text


def _resolve(field: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the field with what it refers to, and without the null of one that may be unset."""
    options = [one for one in field.get("anyOf", ()) if one.get("type") != "null"]
    merged: dict[str, Any] = {**field, **(options[0] if len(options) == 1 else {})}
    reference = merged.pop("$ref", None)
    if reference is not None:
        merged = {**root["$defs"][reference.rsplit("/", 1)[1]], **merged}
    return merged


def _default(given: Mapping[str, Any]) -> str:
    value = given.get("default")
    if isinstance(value, Mapping) or value in (None, [], ""):
        return "unset"
    return f"`{value}`"


def _value(field: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if "patternProperties" in field:
        (values,) = field["patternProperties"].values()
        return f"object of {_value(_resolve(values, root), root)}"
    if "items" in field:
        return f"list of {_value(_resolve(field['items'], root), root)}"
    low, high = field.get("minimum"), field.get("maximum")
    kind = str(field["type"])
    if low is not None:
        return f"{kind}, {low} to {high}" if high is not None else f"{kind}, {low} or more"
    return kind


def _code_first(rows: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    return ((f"`{name}`", text) for name, text in rows.items())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def main(arguments: list[str]) -> None:
    """Writes the page to the one file named."""
    if len(arguments) != 1:
        sys.exit("usage: python -m vibethinker_server.settings_page FILE")
    Path(arguments[0]).write_text(render_settings_page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
