"""Counters and rates of actions and sources, by EMQX's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rookery.connectors.rates import Rates
from rookery.native.action_fields import ActionCounters


class Metrics(NamedTuple):
    """Of one action or source since the start or the last reset.

    Attributes:
        counters: Such as ``matched`` and ``dropped.queue_full``; of a source only ``received``.
        rate: Messages per second over the last seconds.
        rate_last5m: … over five minutes.
        rate_max: The highest so far.
    """

    counters: Mapping[str, int]
    rate: float
    rate_last5m: float
    rate_max: float


def of_action(counters: ActionCounters, rates: Rates) -> Metrics:
    named = {
        name.replace("dropped_", "dropped."): count for name, count in counters._asdict().items()
    }
    return _metrics(named, rates)


def of_source(received: int, rates: Rates) -> Metrics:
    return _metrics({"received": received}, rates)


def _metrics(counters: Mapping[str, int], rates: Rates) -> Metrics:
    return Metrics(counters, round(rates.now, 2), round(rates.last_5m, 2), round(rates.highest, 2))
