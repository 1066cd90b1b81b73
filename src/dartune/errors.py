"""Every error that dartune raises on purpose.

DartuneError
 |- InputError           the user's input is at fault: the CLI exits with 2
 |   |- ConfigError      a recipe or a setting
 |   |- DataError        a file, row or column of data
 |   |- ModelError       a model folder
 |   |- PoolError        a pool that cannot be opened for what is asked
 |   |   |- PoolMismatch     it was made with other settings
 |   |   |- PoolVersion      it was made with another schema
 |   |- FolderBusy       another process writes to a folder
 |   `- MissingExtra     an optional dependency is not installed
 |- EngineError          one request failed: recorded in the pool, the run goes on
 |- EngineDown           the engine can answer no request any more: the run stops, resumable
 |- WriteError           a durable write failed: the run stops, nothing acknowledged is lost
 `- Interrupted          the user stopped the run: the same command goes on with it

A message is one line: where (file, row, field), what was expected, what was got, how to mend it.
"""

from typing import Self


class DartuneError(Exception):
    """Root of all errors raised on purpose."""


class InputError(DartuneError, ValueError):
    """The input is at fault; the command line exits with status 2."""


class ConfigError(InputError):
    """A recipe or a setting has an unknown key or an impossible value."""


class DataError(InputError):
    """A data file, row or column is missing or malformed."""


class ModelError(InputError):
    """A model folder is missing or incomplete."""


class PoolError(InputError):
    """A pool cannot be opened for what is asked."""


class PoolMismatch(PoolError):
    """The pool was made with settings that contradict those given."""


class PoolVersion(PoolError):
    """The pool was written with another schema version."""


class FolderBusy(InputError):
    """Another process is writing to a folder."""


class MissingExtra(InputError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        """Name the `package` that is missing and the `extra` that brings it."""
        super().__init__(f"{package} is not installed; mend it with: pip install 'dartune[{extra}]'")
        self._names = package, extra

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        """How another process gets it."""
        return type(self), self._names


class EngineError(DartuneError):
    """One request failed; `cause` is a short stable word for the tally (e.g. "timeout")."""

    def __init__(self, cause: str, detail: str = "") -> None:
        """Classify the failure as `cause`; `detail` is for people."""
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause
        self.detail = detail

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        """How another process gets it."""
        return type(self), (self.cause, self.detail)


class EngineDown(DartuneError):
    """The engine can answer no request any more."""


class WriteError(DartuneError):
    """A durable write failed (disk full, permission, I/O error)."""


class Interrupted(DartuneError):
    """The user stopped the run; the same command goes on with it."""
