"""The layers of DESIGN: an import points down, or stays in its own package."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "dartune"

LAYERS = (
    ("errors", "types", "versions", "visible"),
    ("files",),
    ("config",),
    ("allocation", "cluster", "decontamination", "difficulty", "methods", "stopping"),
    ("engines", "grading", "models", "pool", "prompts", "queries", "recipes", "world"),
    ("adapters", "curation", "importing", "llm_judge", "marking", "sampling"),
    ("analysis", "evaluation", "planning", "simulation", "training"),
    ("measuring", "pipeline"),
    ("cli",),
    ("__main__",),
)
"""From the bottom up. Packages of one layer do not know each other, except for SIDEWAYS."""

SIDEWAYS = {
    ("methods", "allocation"): "a recipe's method is one of the policies",
    ("methods", "difficulty"): "a recipe's method needs the fail rate",
    ("methods", "stopping"): "a recipe's method may give queries up",
    ("stopping", "difficulty"): "a query is given up by the posterior of its pass rate",
    ("models", "world"): "a model's name may stand for a packaged one",
    ("prompts", "models"): "the chat template is the model's",
    ("queries", "world"): "the world's sets are named sets",
    ("engines", "models"): "a model's name becomes its folder",
    ("engines", "queries"): "recorded responses stand in the same kinds of file as queries",
    ("analysis", "evaluation"): "the report shows scores with their intervals",
    ("analysis", "planning"): "a plan is shown as tables and a figure",
    ("simulation", "planning"): "both start from a file of pass rates",
}

PURE = (
    "allocation", "cluster.router", "curation.choose", "curation.preference", "decontamination", "difficulty",
    "evaluation.metrics", "evaluation.paired", "evaluation.significance", "evaluation.tries", "grading.comparison",
    "grading.expressions", "grading.extraction", "grading.judges", "grading.spelling", "importing.matching",
    "methods", "planning.advice", "planning.forecast", "planning.giving_up", "planning.outlook", "planning.rests",
    "planning.shapes", "planning.tries", "planning.variants", "sampling.account", "sampling.budget",
    "sampling.ledger", "sampling.orders", "sampling.phases", "stopping", "training.packing", "training.speed",
    "types",
)  # fmt: skip
"""Decisions: functions of their arguments, without files, clocks, chance or processes."""
IMPURE = {"asyncio", "datetime", "io", "os", "pathlib", "random", "shutil", "socket", "subprocess", "threading", "time"}


class Import(NamedTuple):
    importer: str
    imported: str


def modules() -> dict[str, str]:
    """Name without `dartune.` -> source. The package itself, which offers everything lazily, is left out."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts).removesuffix("__init__").rstrip(".") if parts[-1] == "__init__" else ".".join(parts)
        if name:
            found[name] = path.read_text(encoding="utf-8")
    return found


def imports(importer: str, source: str) -> Iterator[Import]:
    """Every import, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(importer, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer}: relative import; write the whole name"
            if node.module == "dartune":
                yield from (Import(importer, f"dartune.{alias.name}") for alias in node.names)
            else:
                yield Import(importer, str(node.module))


def layer(package: str) -> int:
    return next(i for i, packages in enumerate(LAYERS) if package in packages)


def fault(found: Import) -> str | None:
    """What is wrong with an import, or None."""
    root, _, rest = found.imported.partition(".")
    package, target = found.importer.split(".")[0], rest.split(".")[0]
    if root != "dartune" or target in {"", "__version__", package} or (package, target) in SIDEWAYS:
        return None
    if layer(target) < layer(package):
        return None
    return f"dartune.{found.importer} imports {found.imported}: {package} must not know {target}"


def all_imports() -> list[Import]:
    return [found for name, source in modules().items() for found in imports(name, source)]


def test_every_package_has_a_layer() -> None:
    assert {name.split(".")[0] for name in modules()} == {package for packages in LAYERS for package in packages}


def test_imports_point_down() -> None:
    assert [problem for found in all_imports() if (problem := fault(found))] == []


def test_every_sideways_import_is_used() -> None:
    used = {(i.importer.split(".")[0], i.imported.split(".")[1]) for i in all_imports() if i.imported.count(".")}
    assert SIDEWAYS.keys() <= used


@pytest.mark.parametrize(
    "source",
    [
        "import dartune.grading.grader",
        "from dartune.grading import grade",
        "from dartune import cli",
        "def f():\n    from dartune.sampling.job import Job",
    ],
)
def test_an_upward_or_sideways_import_is_a_fault(source: str) -> None:
    assert [fault(found) for found in imports("engines.fake", source)] != [None]


@pytest.mark.parametrize("name", PURE)
def test_decisions_have_no_side(name: str) -> None:
    parts = {module: source for module, source in modules().items() if f"{module}.".startswith(f"{name}.")}
    assert parts
    for module, source in parts.items():
        used = {found.imported.split(".")[0] for found in imports(module, source)}
        assert used & IMPURE == set(), module
