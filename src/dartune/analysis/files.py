"""Files that are there whole or not at all."""

import os
import tempfile
from pathlib import Path

from dartune.errors import WriteError


def write_atomically(path: Path, text: str) -> None:
    """Put `text` at `path` as UTF-8, in place of what was there; a reader sees the old file or the new one.

    Makes missing folders. Raises WriteError, with the old file untouched, if the disk or permissions do not allow it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with open(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WriteError(
            f"{path}: cannot be written ({reason}); free the disk or mend permissions, then run again"
        ) from error
