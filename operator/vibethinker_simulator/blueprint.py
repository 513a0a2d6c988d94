"""What every pod of a simulated fleet is like, from its resource and its card. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.api import Device, Source, Spec, VibeThinkerDeployment
from vibethinker_operator.figures import settle_figures
from vibethinker_operator.fit import assess_fit
from vibethinker_operator.kv import assess_capacity
from vibethinker_operator.resources import render_policy
from vibethinker_operator.resources.engine_settings import render_engine_settings
from vibethinker_server.engine_settings import EngineSettings, parse_engine_settings
from vibethinker_server.load import DeviceMemory
from vibethinker_server.policy import Policy
from vibethinker_server.policy_document import parse_policy

from vibethinker_simulator.iteration import CARDS, IterationModel
from vibethinker_simulator.replica import EngineShape
from vibethinker_simulator.trace import Request

SPEED_KNOWN_OF: Final = "WeiboAI/VibeThinker-1.5B"
"""What `iteration.CARDS` was computed for."""


class BlueprintError(ValueError):
    """Nothing can be said of what such a pod would do; the text names the field at fault."""


class UnknownCardError(BlueprintError):
    """Nothing says how fast the card is, or how much memory it has."""


@dataclass(frozen=True)
class Blueprint:
    """What a pod is made of.

    Attributes:
        settings: Its engine's settings, as the operator writes them.
        policy: What it is told to obey.
        shape: What bounds its engine.
        speed: How long a step takes.
        device: The card's memory and what is in use on it; the KV pool counts whole.
        pool_bytes: Of that, the KV pool.
        token_bytes: KV of one token.
        limit_tokens: Most tokens of an answer.
    """

    settings: EngineSettings
    policy: Policy
    shape: EngineShape
    speed: IterationModel
    device: DeviceMemory
    pool_bytes: int
    token_bytes: int
    limit_tokens: int

    @property
    def objective_seconds(self) -> float:
        """The longest wait for a first token that the first profile allows."""
        return self.policy.profiles[0].first_token_seconds

    def find_attainable(self, requests: Iterable[Request], seconds: float) -> list[bool]:
        """Returns, by request, whether its first token comes within `seconds` on an idle pod."""
        prompts = [request.prompt_tokens for request in requests]
        chunk = self.shape.max_num_batched_tokens
        able = {tokens: self.speed.alone(tokens, chunk) <= seconds for tokens in set(prompts)}
        return [able[tokens] for tokens in prompts]

    def live_ratio(self, kv_usage_ratio: float) -> float:
        """Returns `memory_used_ratio` of a pod with so much of its KV pool in use."""
        idle = self.pool_bytes * (1 - kv_usage_ratio)
        return (self.device.used_bytes - idle) / self.device.total_bytes


def build_blueprint(
    resource: VibeThinkerDeployment, speed: IterationModel | None = None
) -> Blueprint:
    """Returns what the pods of `resource` are like on the card that it names.

    Args:
        resource: The fleet; `spec.gpu.product` names the card.
        speed: How long a step takes; by the card's data sheet where it is not given.

    Raises:
        UnknownCardError: the card is not one of `iteration.CARDS`, or its memory is not known.
        BlueprintError: nothing is known of the model or the device, or no engine can start there.
    """
    spec = resource.spec
    speed = speed or _find_speed(spec)
    figures, capacity = settle_figures(spec), assess_capacity(spec)
    device, rest, token = figures.device_bytes, figures.non_kv_bytes, figures.kv_token_bytes
    if capacity is None or device is None or rest is None or token is None:
        raise UnknownCardError(_say_unknown(spec))
    obstacle = assess_fit(spec).obstacle
    if obstacle is not None:
        raise BlueprintError(f"spec.engine: {obstacle}")
    settings = parse_engine_settings(json.dumps(render_engine_settings(spec)))
    policy = parse_policy(json.dumps(render_policy(resource)))
    return Blueprint(
        settings=settings,
        policy=policy,
        shape=EngineShape(
            max_num_seqs=settings.max_num_seqs,
            max_num_batched_tokens=settings.max_num_batched_tokens,
            block_size=settings.block_size,
            num_blocks=capacity.tokens // settings.block_size,
        ),
        speed=speed,
        device=DeviceMemory(device, rest + capacity.pool_bytes),
        pool_bytes=capacity.pool_bytes,
        token_bytes=token,
        limit_tokens=policy.token_limits[policy.default_task],
    )


def _find_speed(spec: Spec) -> IterationModel:
    if spec.engine.device is not Device.GPU:
        raise BlueprintError(
            f"spec.engine.device: how fast a {spec.engine.device} is, is not known"
        )
    model = "a volume's model" if spec.model.source is Source.VOLUME else spec.model.repository
    if model != SPEED_KNOWN_OF:
        raise BlueprintError(
            f"spec.model: how fast {model} is, is not known; only of {SPEED_KNOWN_OF} is it"
        )
    speed = CARDS.get(spec.gpu.product)
    if speed is None:
        raise UnknownCardError(_say_unknown(spec))
    return speed


def _say_unknown(spec: Spec) -> str:
    known = ", ".join(CARDS)
    return f"spec.gpu.product: nothing is known of {spec.gpu.product!r}; name one of {known}"
