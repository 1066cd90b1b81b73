"""Files fetched once over https into a cache folder.

A file is in the cache whole or not at all, and where its checksum is known, only with that checksum.
"""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from dartune.errors import DataError, WriteError
from dartune.queries.wording import one_line

_TIMEOUT_S = 30.0
_MAX_BYTES = 64 * 2**20


def cache_folder() -> Path:
    """$DARTUNE_CACHE, else $XDG_CACHE_HOME/dartune, else ~/.cache/dartune."""
    if own := os.environ.get("DARTUNE_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dartune"


def sha256_of(path: Path) -> str:
    """Checksum of a file's bytes, 64 hex digits.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def fetch(url: str, sha256: str | None) -> Path:
    """The file at an https address, from the cache where it was fetched before.

    Raises:
        DataError: another scheme, no answer, more than 64 MiB, or content of another checksum.
        WriteError: the cache cannot be written.
    """
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{Path(urlsplit(url).path).name}"
    cached = cache_folder() / "queries" / name
    if cached.is_file() and sha256 in (None, sha256_of(cached)):
        return cached
    content = _download(url)
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise DataError(f"{url}: expected content of sha256 {sha256}, got {found}")
    _store(cached, content)
    return cached


def _download(url: str) -> bytes:
    if urlsplit(url).scheme != "https":
        raise DataError(f"{url}: expected an https address")
    # Without a handler for plain http, a redirect cannot lead there.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(_MAX_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{url}: {one_line(error)}") from error
    if len(content) > _MAX_BYTES:
        raise DataError(f"{url}: expected at most {_MAX_BYTES} bytes, got more")
    return content


def _store(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.close()
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise WriteError(
            f"{path}: cannot be written: {error.strerror}; choose another folder by DARTUNE_CACHE"
        ) from error
