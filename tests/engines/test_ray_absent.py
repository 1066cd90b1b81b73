"""The engine `ray` where Ray is not installed."""

import subprocess
import sys

import pytest

from dartune.config import FakeEngineConfig, RayEngineConfig
from dartune.engines.factory import build_engine
from dartune.errors import MissingExtra
from dartune.grading.remote import RemoteGrader

MISSING = r"^ray is not installed; mend it with: pip install 'dartune\[ray\]'$"


def test_a_missing_ray_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=MISSING):
        build_engine(RayEngineConfig(engine=FakeEngineConfig()), [])
    with pytest.raises(MissingExtra, match=MISSING):
        RemoteGrader(1, None)


def test_ray_is_not_imported_before_it_is_needed() -> None:
    code = """
import sys
import dartune.cluster, dartune.engines.ray, dartune.grading.remote
from dartune.config import FakeEngineConfig, RayEngineConfig
from dartune.engines.factory import build_engine
build_engine(RayEngineConfig(engine=FakeEngineConfig()), [])
assert "ray" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
