"""Durable files: written whole, synced, renamed; a reader sees the old file or the new one."""

import errno
import fcntl
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from dartune.errors import FolderBusy, WriteError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then sync it and move it into place; missing folders are made.

    Raises WriteError if the disk refuses; nothing is left behind then, and an older `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise write_error(path, error) from error


def write_error(path: Path, error: OSError) -> WriteError:
    """What to raise where the system refused to write `path`."""
    mend = "free space and run again" if error.errno in _FULL else "mend that and run again"
    return WriteError(f"{path}: could not be written ({error.strerror or error}); {mend}")


def lock_folder(folder: Path) -> IO[str]:
    """Exclusive use of a folder, made if it is missing, until the handle is closed or this process ends in any way.

    Raises FolderBusy if another process has it, WriteError if the disk refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("a+")
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        handle.close()
        raise FolderBusy(f"{folder}: process {owner} is writing here; wait for it or stop it") from None
    with suppress(OSError):  # the number is for people; the lock holds without it
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
    return handle


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def sync(path: Path) -> None:
    """Force a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
