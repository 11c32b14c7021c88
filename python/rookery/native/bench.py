"""The load generator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rookery import _native
from rookery.errors import UnavailableError
from rookery.native.errors import translate


class BenchProgress(NamedTuple):
    """How far a run is.

    Attributes:
        phase: ``set_up``, ``warm_up``, ``measure`` or ``drain``.
        elapsed_s: Seconds since the start.
        share: How much of the phase is done, 0 to 1.
        connected: Connections that are ready.
        sent: Messages sent.
        received: Messages received.
    """

    phase: str
    elapsed_s: float
    share: float
    connected: int
    sent: int
    received: int


def run_bench(
    config: Mapping[str, Any], progress: Callable[[BenchProgress], bool]
) -> dict[str, Any]:
    """Make one run; blocks until it is over, without holding the interpreter.

    Args:
        config: What to do; the fields are those of the generator's configuration.
        progress: Called several times a second; false ends the run.

    Returns:
        The report.

    Raises:
        ConfigError: the configuration contradicts itself.
        UnavailableError: a broker cannot be reached or refuses, or a system limit is too low.
    """

    def tell(phase: str, elapsed_s: float, share: float, counted: tuple[int, int, int]) -> bool:
        return progress(BenchProgress(phase, elapsed_s, share, *counted))

    try:
        text = _native.run_bench(json.dumps(config), tell)
    except _native.NativeError as error:
        if error.kind == "io":
            raise UnavailableError(error.message) from None
        raise translate(error) from None
    report: dict[str, Any] = json.loads(text)
    return report
