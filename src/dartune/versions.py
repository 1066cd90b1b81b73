"""Which versions made something: of Python, of dartune, and of the libraries that its numbers depend on."""

import platform
from collections.abc import Iterable
from importlib import metadata

from dartune import __version__


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Name -> version, of `packages` those that are installed."""
    versions = {"dartune": __version__, "python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
