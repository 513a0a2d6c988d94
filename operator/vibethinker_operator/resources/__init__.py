"""The objects that make up a fleet, as plain dictionaries for server-side apply. All pure."""

from vibethinker_operator.resources.configuration import (
    build_fleet_secret,
    build_policy_config_map,
    render_policy,
)
from vibethinker_operator.resources.deployment import build_deployment
from vibethinker_operator.resources.network import (
    build_pod_disruption_budget,
    build_service,
    render_url,
)
from vibethinker_operator.resources.preparation_job import build_preparation_job
from vibethinker_operator.resources.template import (
    StoredTemplate,
    TemplateChoice,
    choose_template,
    hash_template_inputs,
    parse_stored_template,
)

__all__ = [
    "StoredTemplate",
    "TemplateChoice",
    "build_deployment",
    "build_fleet_secret",
    "build_pod_disruption_budget",
    "build_policy_config_map",
    "build_preparation_job",
    "build_service",
    "choose_template",
    "hash_template_inputs",
    "parse_stored_template",
    "render_policy",
    "render_url",
]
