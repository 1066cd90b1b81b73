"""Every library that is imported is declared where it is needed, and nothing else is."""

import ast
import re
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

BROUGHT_BY = {"pydantic_core": "pydantic"}
"""Modules of libraries that cannot be had in another version than the one their parent names."""
HOSTS = {"lighteval": "it calls the adapter, which cannot be used without it; its pins exclude ours"}
"""Programs that load a module of ours, and are therefore there where it is used."""
EXTRAS_WITH_LIBRARIES = ("hf", "datasets", "train", "http", "ray", "diverse")
EXTRAS_APART = ("vllm",)
"""Libraries that exclude versions that we pin: they are used and tested in environments of their own."""


def names(requirements: list[str]) -> set[str]:
    """Import names of requirements, our own extras left out."""
    found = {re.split(r"[\[<>=! ]", requirement)[0].replace("-", "_") for requirement in requirements}
    return found - {"dartune"}


def imported() -> set[str]:
    found = set()
    for path in (REPOSITORY / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).split(".")[0])
    return (
        {BROUGHT_BY.get(name, name) for name in found}
        - set(sys.stdlib_module_names)
        - {"dartune"}
        - HOSTS.keys()
        - apart()
    )


def apart() -> set[str]:
    return set().union(*(names(PROJECT["optional-dependencies"][extra]) for extra in EXTRAS_APART))


def declared() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    return names(PROJECT["dependencies"]).union(*(names(extras[extra]) for extra in EXTRAS_WITH_LIBRARIES))


def test_imports_are_declared_and_declarations_imported() -> None:
    assert imported() == declared()


def test_extras_apart_are_imported_and_in_no_other_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "src").rglob("*.py"))
    assert [name for name in apart() if not re.search(rf"^ *(?:from|import) {name}\b", sources, re.MULTILINE)] == []
    assert [extra for extra in extras if extra not in EXTRAS_APART and apart() & names(extras[extra])] == []


def test_all_and_dev_hold_every_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    assert extras["all"] == ["dartune[hf,datasets,train,http,ray,diverse]"]
    assert extras["dev"][0] == "dartune[all]"


def test_constraints_pin_every_declared_library_exactly() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []
    assert "torch==2.13.0" in pins
    development = names(PROJECT["optional-dependencies"]["dev"])
    assert {name.lower() for name in declared() | development} <= names(pins) | {n.lower() for n in names(pins)}
