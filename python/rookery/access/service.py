"""What a service or database of the operator is to those who ask it."""

from __future__ import annotations

from typing import Protocol


class Service(Protocol):
    """Something outside of the node that is opened before it is asked."""

    async def start(self) -> None:
        """Open what is needed. A service that is away is no reason to fail."""
        ...

    async def stop(self) -> None:
        """Close it. May be called twice, and without :meth:`start`."""
        ...
