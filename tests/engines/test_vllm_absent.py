"""The engine `vllm` where vLLM is not installed; its own tests are in tests_vllm."""

import importlib.util

import pytest

from dartune.config import VllmEngineConfig
from dartune.engines.factory import build_engine
from dartune.errors import MissingExtra
from dartune.models import model_identity


def test_a_missing_vllm_is_named_with_the_command_that_brings_it() -> None:
    if importlib.util.find_spec("vllm") is not None:
        pytest.skip("vLLM is installed here")
    with pytest.raises(MissingExtra, match=r"^vllm is not installed; mend it with: pip install 'dartune\[vllm\]'$"):
        build_engine(VllmEngineConfig(model="world:teacher-a"), [])


def test_a_model_of_the_hub_is_identified_by_its_revision() -> None:
    assert model_identity("owner/model", "owner/model", "0123456789abcdef") == "owner/model@0123456789ab"
    assert model_identity("owner/model", "owner/model", None) == "owner/model@unknown"
