"""Why vLLM's processes failed: its log, kept in a file, tells; the exceptions that reach this process do not."""

import copy
import json
import re
from pathlib import Path
from typing import Any

# EngineDeadError only says that another process failed.
_EXCEPTION = re.compile(r"^(?!vllm\.v1\.engine\.exceptions\.)[A-Za-z_][\w.]*(?:Error|Exception): .*$", re.MULTILINE)
_LONGEST = 400


class Report:
    """The errors that vLLM's processes log, in a file of the folder that it is given."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written before vLLM logs by `settings`."""
        self.settings = folder / "logging.json"
        """The file with the logging settings that vLLM's processes are to follow."""
        self._errors = folder / "errors.log"

    def keep(self, settings: dict[str, Any]) -> None:
        """Write `settings` (of `logging.config.dictConfig`) with one handler more, which keeps errors."""
        kept = copy.deepcopy(settings)
        kept["formatters"]["dartune"] = {"format": "%(message)s"}
        kept["handlers"]["dartune"] = {
            "class": "logging.FileHandler",
            "filename": str(self._errors),
            "level": "ERROR",
            "formatter": "dartune",
        }
        kept["loggers"]["vllm"]["handlers"].append("dartune")
        self.settings.write_text(json.dumps(kept), encoding="utf-8")

    def forget(self) -> None:
        """Drop what has been logged so far: it was overcome."""
        if self._errors.exists():
            self._errors.write_bytes(b"")

    def cause(self) -> str:
        """The first exception that was logged, on one line; processes that depended on the failed one log later."""
        logged = self._errors.read_text(encoding="utf-8", errors="replace") if self._errors.exists() else ""
        return first_exception(logged)


def first_exception(logged: str) -> str:
    """The last line of the first traceback in `logged`, at most 400 characters of it."""
    found = _EXCEPTION.search(logged)
    return (
        found.group()[:_LONGEST]
        if found
        else "its processes left no traceback, as when the system kills them for their memory"
    )
