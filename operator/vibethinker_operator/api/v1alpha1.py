"""`VibeThinkerDeployment`: the one source of the CRD and of everything read from a resource."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from vibethinker_operator import names
from vibethinker_operator.api.auth import Auth
from vibethinker_operator.api.base import ApiModel, Rule, list_map, rules
from vibethinker_operator.api.engine import Engine, Gpu
from vibethinker_operator.api.model import Model
from vibethinker_operator.api.profiles import Profile, ProfileKind
from vibethinker_operator.api.scaling import Overload, Rollout, Saturation, Scaling, TokenLimits
from vibethinker_operator.api.scheduling import Scheduling
from vibethinker_operator.api.sessions import Sessions
from vibethinker_operator.api.status import Status
from vibethinker_operator.api.workload import Resources, Service
from vibethinker_operator.errors import InvalidSpecError


def _answer_fits(task: str) -> Rule:
    return Rule(
        rule=f"!has(self.tokenLimits.{task}) || self.tokenLimits.{task} < self.engine.maxModelLen",
        message=f"tokenLimits.{task} must be < engine.maxModelLen: prompt and answer share it",
        fieldPath=f".tokenLimits.{task}",
    )


_IS_LLAMA_CPP = "(has(self.engine.backend) && self.engine.backend == 'LlamaCpp')"


class Spec(ApiModel):
    """What is wanted. Every field has a default, so `spec: {}` is one replica on one GPU."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _answer_fits("math"),
            _answer_fits("code"),
            _answer_fits("qa"),
            Rule(
                rule="self.tokenLimits.others.all(t, t.tokens < self.engine.maxModelLen)",
                message="tokenLimits.others must be < engine.maxModelLen: prompt and answer share"
                " it",
                fieldPath=".tokenLimits.others",
            ),
            Rule(
                rule="size(self.auth.apiKeysSecretRef.name) > 0"
                " || self.profiles.all(p, size(p.apiKeys) == 0)",
                message="profiles may list apiKeys only where auth.apiKeysSecretRef names the"
                " Secret that holds them",
                fieldPath=".profiles",
            ),
            Rule(
                rule="self.profiles.all(p, p.apiKeys.all(k,"
                " self.profiles.exists_one(q, k in q.apiKeys)))",
                message="profiles may list each of apiKeys once: a key is bound to one profile",
                fieldPath=".profiles",
            ),
            Rule(
                rule="size(self.sessions.trustedHeader) == 0"
                " || size(self.auth.apiKeysSecretRef.name) > 0",
                message="sessions.trustedHeader is trusted from callers with an API key only: name"
                " the Secret in auth.apiKeysSecretRef",
                fieldPath=".sessions.trustedHeader",
            ),
            Rule(
                rule=f"{_IS_LLAMA_CPP} || !has(self.model.gguf)",
                message="model.gguf is read with engine.backend LlamaCpp only",
                fieldPath=".model.gguf",
            ),
            Rule(
                rule=f"!({_IS_LLAMA_CPP}) || !has(self.model.quantization)",
                message="model.quantization is vLLM's: with engine.backend LlamaCpp set"
                " model.gguf.outtype to Q8_0",
                fieldPath=".model.quantization",
            ),
            Rule(
                rule=f"!({_IS_LLAMA_CPP}) || has(self.model.gguf)"
                " || (self.model.source == 'Volume'"
                " && self.model.volume.path.lowerAscii().endsWith('.gguf'))",
                message="model.gguf is required with engine.backend LlamaCpp, unless source is"
                " Volume and model.volume.path names a .gguf file",
                fieldPath=".model.gguf",
            ),
            Rule(
                rule="self.engine.device != 'CPU' || has(self.resources.limits.memory)",
                message="resources.limits.memory is required with engine.device CPU: memory in use"
                " is measured against it",
                fieldPath=".resources.limits.memory",
            ),
            Rule(
                rule="self.engine.device != 'CPU' || !has(self.resources.limits.memory)"
                " || !has(self.engine.kvCacheMemoryBytes)"
                " || sign(quantity(string(self.resources.limits.memory))"
                ".sub(self.engine.kvCacheMemoryBytes)) > 0",
                message="resources.limits.memory must be > engine.kvCacheMemoryBytes: the engine"
                " needs memory beside its KV cache",
                fieldPath=".resources.limits.memory",
            ),
        )
    )

    model: Model = Model()
    """Which weights are served, and where they come from."""

    engine: Engine = Engine()
    """How vLLM runs."""

    gpu: Gpu = Gpu()
    """Which card a replica takes: always one."""

    profiles: Annotated[
        tuple[Profile, ...], Field(min_length=1, max_length=8, json_schema_extra=list_map("name"))
    ] = (Profile(name="webui", kind=ProfileKind.WEB_UI),)
    """Whose system prompt holds: chosen by API key, else by the header X-Profile, else the
    first."""

    token_limits: TokenLimits = TokenLimits()
    """Most tokens that one request may generate, by task."""

    saturation: Saturation = Saturation()
    """When the fleet counts as saturated: scaling and admission both read this block."""

    scaling: Scaling = Scaling()
    """How the number of replicas is chosen."""

    overload: Overload = Overload()
    """What happens once a line stays crossed."""

    sessions: Sessions = Sessions()
    """Who counts as known."""

    auth: Auth = Auth()
    """Who may use the fleet."""

    rollout: Rollout = Rollout()
    """How pods are replaced."""

    service: Service = Service()
    """How clients reach the fleet."""

    scheduling: Scheduling = Scheduling()
    """Where pods may run."""

    resources: Resources = Resources()
    """What the engine container asks for, and what it may use at most."""

    replicas: Annotated[int, Field(ge=0, le=1000, json_schema_extra={"format": "int32"})] = 1
    """Number of replicas in modes Manual and Advisory. Mode Auto does not read it."""


class Metadata(ApiModel):
    """What the operator reads of an object's metadata."""

    model_config = ConfigDict(extra="ignore")

    name: str
    namespace: str
    uid: str
    generation: int = 0
    annotations: dict[str, str] = Field(default={})


class VibeThinkerDeployment(ApiModel):
    """A fleet of vLLM servers of VibeThinker-1.5B, held below a line of live memory."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra=rules(
            Rule(
                rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')"
                " && size(self.metadata.name) <= 40",
                message="metadata.name must have at most 40 characters, a-z, 0-9 and '-', and start"
                " with a letter: the names of its Service and other objects are made from it",
                fieldPath=".metadata.name",
            )
        ),
    )

    metadata: Metadata
    spec: Spec = Spec()
    """What is wanted."""

    status: Status = Status()
    """What the operator observed and decided."""


def parse_deployment(body: Mapping[str, Any]) -> VibeThinkerDeployment:
    """Returns the resource in `body`, as the API server sends it.

    A status that cannot be read counts as empty: anybody with the right to write it may have
    written nonsense, and the operator derives it anew.

    Raises:
        InvalidSpecError: the spec is not one that this operator understands; the message names
            every field at fault.
    """
    try:
        spec = Spec.model_validate(body.get("spec") or {})
    except ValidationError as error:
        raise InvalidSpecError(_describe(error)) from error
    return VibeThinkerDeployment(
        metadata=Metadata.model_validate(body["metadata"]),
        spec=spec,
        status=parse_status(body.get("status") or {}),
    )


def parse_status(status: Mapping[str, Any]) -> Status:
    """Returns the status in `status`; an empty one where it cannot be read."""
    try:
        return Status.model_validate(status)
    except ValidationError:
        return Status()


def _describe(error: ValidationError) -> str:
    faults = (
        f"spec.{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    )
    return f"{names.KIND} cannot be read: {'; '.join(faults)}"
