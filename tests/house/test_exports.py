"""What packages offer exists, is documented, and is what the public surface says."""

import ast
import importlib
import inspect
import itertools
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import dartune

PUBLIC = {
    "Case", "CurationJob", "DartuneError", "Difficulty", "Engine", "EvaluationJob", "Grade", "Grader", "Job",
    "MarkingJob", "Observer", "Query", "Recipe", "Request", "Response", "RunFolder", "Sample", "SamplingParams",
    "Target", "Verdict", "__version__", "build_engine", "curate", "equivalent", "evaluate_model", "grade", "grade_many",
    "import_pool", "load_queries", "load_recipe", "load_template", "mark_file", "push_sets", "run_recipe",
    "sample_pool", "train",
}  # fmt: skip
PACKAGES = sorted(module.name for module in pkgutil.walk_packages(dartune.__path__, "dartune.") if module.ispkg)


def exporting() -> list[ModuleType]:
    return [module for module in map(importlib.import_module, PACKAGES) if hasattr(module, "__all__")]


def documented_constants(package: ModuleType) -> set[str]:
    """Names that have a docstring under their assignment in a module of the package."""
    found = set()
    for path in Path(str(package.__file__)).parent.glob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for node, after in itertools.pairwise(body):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_the_public_surface_is_what_we_say() -> None:
    assert set(dartune.__all__) == PUBLIC
    assert dartune.__all__ == sorted(dartune.__all__)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_names_load_and_are_the_same_for_the_type_checker(name: str) -> None:
    assert name in dir(dartune)
    if name == "__version__":
        return
    homes = {
        alias.name: node.module
        for node in ast.walk(ast.parse(inspect.getsource(dartune)))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert getattr(dartune, name) is getattr(importlib.import_module(str(homes[name])), name)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = dartune.nosuch


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_it_is_for(package: str) -> None:
    assert (importlib.import_module(package).__doc__ or "").strip()


@pytest.mark.parametrize("package", exporting(), ids=lambda module: module.__name__)
def test_exported_names_exist_and_are_documented(package: ModuleType) -> None:
    constants = documented_constants(package)
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            # A dataclass without a docstring gets its signature for one.
            assert (value.__doc__ or "").strip(), name
            assert not (value.__doc__ or "").startswith(f"{name}("), name
        else:
            assert name in constants, f"{name} has no docstring under it"
