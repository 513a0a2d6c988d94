import pytest
from pydantic import ValidationError
from vibethinker_operator.errors import SettingsError
from vibethinker_operator.settings import read_settings

NEEDED = {"OPERATOR_NAMESPACE": "vibethinker-system", "VIBETHINKER_PACKAGE_IMAGE": "server:1"}


def test_two_variables_are_enough():
    settings = read_settings(NEEDED | {"PATH": "/bin"})
    assert settings.namespace == "vibethinker-system"
    assert settings.engine_image_gpu == "vllm/vllm-openai:v0.33.0"
    assert settings.engine_image_cpu == ""
    assert settings.namespaces == ()
    assert settings.loop_seconds == 1.0


def test_namespaces_are_split_at_commas_and_trimmed():
    settings = read_settings(NEEDED | {"VIBETHINKER_NAMESPACES": " team-a, team-b,"})
    assert settings.namespaces == ("team-a", "team-b")


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        pytest.param({}, "VIBETHINKER_PACKAGE_IMAGE", id="missing"),
        pytest.param(NEEDED | {"VIBETHINKER_PACKAGE_IMAGE": "a b"}, "PACKAGE_IMAGE", id="space"),
        pytest.param(NEEDED | {"VIBETHINKER_LOOP_SECONDS": "soon"}, "LOOP_SECONDS", id="no number"),
        pytest.param(NEEDED | {"VIBETHINKER_LOOP_SECONDS": "0"}, "LOOP_SECONDS", id="no time"),
    ],
)
def test_an_unusable_environment_names_its_variable(environment, named):
    with pytest.raises(SettingsError, match=named):
        read_settings(environment)


def test_settings_cannot_be_changed():
    settings = read_settings(NEEDED)
    with pytest.raises(ValidationError, match="frozen"):
        settings.loop_seconds = 2.0  # type: ignore[misc]
