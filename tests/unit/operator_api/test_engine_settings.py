import json
import re

from hypothesis import given
from hypothesis import strategies as st
from vibethinker_operator.resources.engine_settings import (
    escape_expansion,
    render_engine_settings,
    render_engine_variable,
)

from tests.unit.operator_api.resource import CPU_SPEC, make_resource


def expand_as_kubernetes_does(text: str, environment: dict[str, str]) -> str:
    """Kubernetes' `third_party/forked/golang/expansion`: `$$` is `$`, `$(NAME)` is a value."""

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return environment.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", replacement, text)


@given(st.text(alphabet=st.sampled_from("$()A x"), max_size=20))
def test_no_text_is_changed_by_kubernetes_on_its_way_into_the_pod(text):
    assert expand_as_kubernetes_does(escape_expansion(text), {"A": "secret", "A A": "x"}) == text


def test_the_settings_of_a_default_fleet():
    assert render_engine_settings(make_resource().spec) == {
        "model": "WeiboAI/VibeThinker-1.5B",
        "revision": "main",
        "source": "HuggingFace",
        "endpoint": "",
        "servedName": "vibethinker-1.5b",
        "backend": "VLLM",
        "device": "GPU",
        "dtype": "Float16",
        "blockSize": 16,
        "maxModelLen": 4096,
        "maxNumSeqs": 128,
        "maxNumBatchedTokens": 4096,
        "gpuMemoryUtilizationPercentage": 85,
        "kvCacheMemoryBytes": None,
        "flags": {},
        "port": 8000,
        "opsPort": 9100,
        "drainSeconds": 1034,
    }


def test_only_flags_that_were_set_travel():
    spec = make_resource({"engine": {"flags": {"enforceEager": False, "seed": 0}}}).spec
    assert render_engine_settings(spec)["flags"] == {"enforceEager": False, "seed": 0}


def test_the_variable_is_the_settings_as_json():
    spec = make_resource(CPU_SPEC).spec
    assert json.loads(render_engine_variable(spec)) == render_engine_settings(spec)
