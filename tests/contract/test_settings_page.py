"""The committed page of settings is the generated one, and leaves nothing out."""

import json
from dataclasses import replace
from pathlib import Path

from vibethinker_server import names, settings_page
from vibethinker_server.engine_settings import EngineFlags, EngineSettings
from vibethinker_server.policy_document import parse_policy
from vibethinker_server.serve import DEFAULT_POLICY
from vibethinker_server.settings_page import render_settings_page

PAGE = render_settings_page()


def test_the_committed_page_is_the_generated_one():
    assert Path("docs/server-settings.md").read_text(encoding="utf-8") == PAGE


def test_every_variable_and_every_file_is_on_it():
    variables = {value for name, value in vars(names).items() if name.startswith("ENV_")}
    assert set(settings_page.ENVIRONMENT) == variables
    files = {value for name, value in vars(names).items() if name.endswith(("_FILE", "_KEY_FILE"))}
    assert set(settings_page.FILES) == files


def test_every_field_of_the_engine_is_explained():
    for model in (EngineSettings, EngineFlags):
        for name, field in model.model_fields.items():
            assert field.description, name
            assert field.alias is not None
            row = next(line for line in PAGE.splitlines() if f"{field.alias}`" in line)
            assert field.description in row


def test_no_row_lacks_its_last_cell():
    assert not [line for line in PAGE.splitlines() if line.endswith("|  |")]


def test_the_example_of_a_policy_is_what_holds_without_a_file_but_for_its_app():
    example = parse_policy(json.dumps(settings_page.POLICY_EXAMPLE))
    web, app = example.profiles
    assert app.system_prompt
    assert replace(example, profiles=(web,), generation=0) == DEFAULT_POLICY
