import pytest
from vibethinker_operator.errors import InvalidSpecError
from vibethinker_operator.images import DefaultImages, Images, resolve_images

from tests.unit.operator_api.resource import CPU_SPEC, make_resource

DEFAULTS = DefaultImages(package="server:1", engine_gpu="vllm/vllm-openai:v0.33.0")
CPU_WITHOUT_IMAGE = {"engine": {"device": "CPU", "kvCacheMemoryBytes": 2**30}}


def test_a_gpu_fleet_takes_the_operators_default():
    images = resolve_images(make_resource().spec, DEFAULTS)
    assert images == Images(engine="vllm/vllm-openai:v0.33.0", package="server:1")


def test_the_spec_has_the_last_word_on_the_engine():
    images = resolve_images(make_resource(CPU_SPEC).spec, DEFAULTS)
    assert images.engine == "vllm/vllm-openai-cpu:v0.32.0"


def test_a_cpu_fleet_takes_the_default_for_cpu():
    defaults = DefaultImages(package="server:1", engine_gpu="gpu:1", engine_cpu="cpu:1")
    assert resolve_images(make_resource(CPU_WITHOUT_IMAGE).spec, defaults).engine == "cpu:1"


def test_a_cpu_fleet_without_any_image_is_told_which_field_to_set():
    with pytest.raises(InvalidSpecError, match=r"spec\.engine\.image is required"):
        resolve_images(make_resource(CPU_WITHOUT_IMAGE).spec, DEFAULTS)
