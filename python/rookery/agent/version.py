"""Which version this is: of the package, or of the one-file program made from it."""

from __future__ import annotations

import pkgutil

VERSION_FILE = "version.txt"


def own_version() -> str:
    """Such as ``0.4.0``."""
    try:
        data = pkgutil.get_data(__package__ or "rookery.agent", VERSION_FILE)
    except OSError:
        data = None
    if data is not None:
        return data.decode("ascii").strip()
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("rookery")
    except PackageNotFoundError:
        return "0"
