"""The work of a job that is not finished: a folder beside its output.

    OUT.partial/
      job.json                                    identity of the job, and its number of rows
      grades-000000000000-000000012345.jsonl      [answer, verdict, rule] of rows 0 to 12345, both included

Invariants:
- A part is written whole under another name, fsynced, and renamed; parts never change, and follow each other without a
  gap.
- Only one process has the folder at a time.
- The folder goes when the output is in its place.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from dartune.errors import DataError, WriteError
from dartune.files import lock_folder, sync, write_atomic, write_error, write_json, write_text
from dartune.marking.job import MarkingJob, difference
from dartune.marking.sources import Source
from dartune.marking.writing import columns_of, find_writer
from dartune.types import Grade


class WorkFolder:
    """Exclusive use of the work of one job for as long as it is open."""

    def __init__(self, job: MarkingJob) -> None:
        """Open or make the folder.

        Raises FolderBusy where another process has it, DataError where it belongs to another job or cannot be made.
        """
        self.path = job.out.with_name(f"{job.out.name}.partial")
        self.identity = job.identity()
        self._out = job.out
        try:
            self._lock = lock_folder(self.path)
        except WriteError as error:  # before anything is graded, it is the name that is at fault
            raise DataError(f"{error}, or name another output") from error
        try:
            self.n_rows = self._settle()
            parts = self._parts()
            self.n_done = int(parts[-1].stem.split("-")[2]) + 1 if parts else 0
            for left in self.path.glob(".*.tmp"):
                left.unlink()
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        """The folder itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others have it."""
        self._lock.close()

    def begin(self, n_rows: int) -> None:
        """Keep the identity of the job, whose source is sound and has `n_rows`."""
        self.n_rows = n_rows
        write_json(self.path / "job.json", {"job": self.identity, "n_rows": n_rows})

    def append(self, grades: Sequence[Grade]) -> None:
        """Put the grades of the next rows on the disk. Raises WriteError if it refuses."""
        lines = "".join(json.dumps(columns_of(grade), ensure_ascii=False) + "\n" for grade in grades)
        after = self.n_done + len(grades)
        write_text(self.path / f"grades-{self.n_done:012d}-{after - 1:012d}.jsonl", lines)
        self.n_done = after

    def grades(self) -> Iterator[Grade]:
        """All grades on the disk, in the order of rows."""
        for part in self._parts():
            with part.open(encoding="utf-8") as lines:
                for line in lines:
                    answer, verdict, rule = json.loads(line)
                    yield Grade(answer=answer, verdict=verdict, rule=rule)

    def merge(self, source: Source, grades: Iterator[Grade]) -> Path:
        """Write the whole output into this folder; its path."""
        merged = self.path / f"merged-{self._out.name}"
        write = find_writer(self._out)
        write_atomic(merged, lambda temporary: write(temporary, source, grades))
        return merged

    def publish(self, merged: Path) -> None:
        """Put the output in its place and remove the folder."""
        try:
            merged.replace(self._out)
            sync(self._out.parent)
            self.remove()
        except OSError as error:
            raise write_error(self._out, error) from error

    def remove(self) -> None:
        """Remove the folder: its work is in the output."""
        shutil.rmtree(self.path)

    def _parts(self) -> list[Path]:
        return sorted(self.path.glob("grades-*.jsonl"))

    def _settle(self) -> int | None:
        """The number of rows that an earlier call counted; None where there was none."""
        try:
            stored = json.loads((self.path / "job.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        differing = difference(stored["job"], self.identity)
        if differing:
            raise DataError(
                f"{self.path}: holds the work of another job ({differing}); restore that, name another output, "
                "or remove this folder to begin anew"
            )
        return int(stored["n_rows"])
