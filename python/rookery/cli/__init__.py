"""``rookery …``: thin, one file per noun. Every text it says is in :mod:`rookery.cli.messages`."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    from rookery.cli.main import run  # noqa: PLC0415

    return run(arguments)
