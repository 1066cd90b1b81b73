"""What marking a file came to; kept beside the output as its manifest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dartune.files import write_json
from dartune.types import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingReport:
    """One marked file in numbers."""

    out: str
    n_rows: int
    verdicts: Mapping[Verdict, int]
    """How many rows got each verdict, most frequent first."""
    rules: Mapping[str, int]
    """How many rows each rule decided, most frequent first."""
    n_graded: int
    """Rows that this call graded; earlier ones may have graded the others."""
    elapsed_s: float
    """Seconds that grading took this call; with 0 rows graded, the file was there already."""
    job: Mapping[str, object]
    """Identity of the job."""

    @property
    def share_correct(self) -> float:
        """Rows whose verdict is `correct` over all rows, in [0, 1]."""
        return self.verdicts.get("correct", 0) / self.n_rows

    @property
    def rows_per_s(self) -> float:
        """Rows that this call graded in a second; 0 where it graded none."""
        return self.n_graded / self.elapsed_s if self.elapsed_s else 0.0


def manifest_path(out: Path) -> Path:
    """Where the manifest of an output is."""
    return out.with_name(f"{out.name}.manifest.json")


def write_manifest(out: Path, report: MarkingReport) -> None:
    """Keep what does not depend on how many calls it took."""
    kept = {"n_rows": report.n_rows, "verdicts": report.verdicts, "rules": report.rules, "job": report.job}
    write_json(manifest_path(out), kept)


def read_manifest(out: Path) -> MarkingReport | None:
    """What the manifest of an output says, or None where there is none."""
    try:
        stored = json.loads(manifest_path(out).read_text(encoding="utf-8"))
        return MarkingReport(out=str(out), n_graded=0, elapsed_s=0.0, **stored)
    except (OSError, ValueError, TypeError):
        return None
