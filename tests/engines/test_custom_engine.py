"""A user's own engine, as docs/engines.md shows it."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from dartune.config import CustomEngineConfig
from dartune.engines.factory import build_engine
from dartune.errors import ConfigError
from dartune.types import Key, Request, SamplingParams

DOCS = Path(__file__).parents[2] / "docs" / "engines.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the module of the docs."""
    (code,) = re.findall(r"```python\n(# my_engine\.py\n.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "my_engine.py").write_text(code, encoding="utf-8")
    (tmp_path / "other.py").write_text("number = 3\ndef nothing(config): return config\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("my_engine", "other"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_example_of_the_docs_answers() -> None:
    engine = build_engine(CustomEngineConfig(name="my_engine:Subprocess", options={"command": ["cat"]}), [])

    async def ask() -> str:
        await engine.start()
        request = Request(key=Key("q", 0), prompt="What is 1 + 1?", seed=1, params=SamplingParams())
        try:
            return (await engine.generate(request)).text
        finally:
            await engine.aclose()

    assert asyncio.run(ask()) == "What is 1 + 1?"
    assert engine.model == "cat"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "nosuch_module:Engine",
            r"engine.name: nosuch_module:Engine cannot be found \(No module named 'nosuch_module'",
        ),
        ("other:Engine", "other:Engine cannot be found .*has no attribute 'Engine'.*expected module:attribute"),
        ("other:number", "other:number is a int; expected a class or function"),
        ("other:nothing", "other:nothing made a CustomEngineConfig; expected a dartune.engines.base.Engine"),
    ],
)
def test_what_is_no_engine_is_one_clear_line(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_engine(CustomEngineConfig(name=name), [])
