"""dartune: difficulty-aware rejection tuning, from problems with known answers to a training set and its proof.

The names in `__all__` are the public surface; each loads its module when it is first used, so that `import dartune`
costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Case",
    "CurationJob",
    "DartuneError",
    "Difficulty",
    "Engine",
    "EvaluationJob",
    "Grade",
    "Grader",
    "Job",
    "MarkingJob",
    "Observer",
    "Query",
    "Recipe",
    "Request",
    "Response",
    "RunFolder",
    "Sample",
    "SamplingParams",
    "Target",
    "Verdict",
    "__version__",
    "build_engine",
    "curate",
    "equivalent",
    "evaluate_model",
    "grade",
    "grade_many",
    "import_pool",
    "load_queries",
    "load_recipe",
    "load_template",
    "mark_file",
    "push_sets",
    "run_recipe",
    "sample_pool",
    "train",
]

if TYPE_CHECKING:
    from dartune.config import Recipe
    from dartune.curation.curate import curate
    from dartune.curation.hub import push_sets
    from dartune.curation.job import CurationJob
    from dartune.engines.base import Engine
    from dartune.engines.factory import build_engine
    from dartune.errors import DartuneError
    from dartune.evaluation.run import EvaluationJob, evaluate_model
    from dartune.grading import Case, Grader, equivalent, grade, grade_many
    from dartune.importing import import_pool
    from dartune.marking import MarkingJob, mark_file
    from dartune.pipeline.folder import RunFolder
    from dartune.pipeline.run import Observer, run_recipe
    from dartune.prompts import load_template
    from dartune.queries import load_queries
    from dartune.recipes import load_recipe
    from dartune.sampling.job import Job
    from dartune.sampling.run import sample_pool
    from dartune.training import train
    from dartune.types import (
        Difficulty,
        Grade,
        Query,
        Request,
        Response,
        Sample,
        SamplingParams,
        Target,
        Verdict,
    )
else:
    # Hidden from the type checker, which would take any misspelt name for one of these.
    _HOMES = {
        "config": ("Recipe",),
        "curation.curate": ("curate",),
        "curation.hub": ("push_sets",),
        "curation.job": ("CurationJob",),
        "engines.base": ("Engine",),
        "engines.factory": ("build_engine",),
        "errors": ("DartuneError",),
        "evaluation.run": ("EvaluationJob", "evaluate_model"),
        "grading": ("Case", "Grader", "equivalent", "grade", "grade_many"),
        "importing": ("import_pool",),
        "marking": ("MarkingJob", "mark_file"),
        "pipeline.folder": ("RunFolder",),
        "pipeline.run": ("Observer", "run_recipe"),
        "prompts": ("load_template",),
        "queries": ("load_queries",),
        "recipes": ("load_recipe",),
        "sampling.job": ("Job",),
        "sampling.run": ("sample_pool",),
        "training": ("train",),
        "types": (
            "Difficulty",
            "Grade",
            "Query",
            "Request",
            "Response",
            "Sample",
            "SamplingParams",
            "Target",
            "Verdict",
        ),
    }
    _HOME_OF = {name: f"dartune.{module}" for module, names in _HOMES.items() for name in names}

    def __getattr__(name):
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
