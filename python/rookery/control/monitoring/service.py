"""Everything that is watched of clusters, put together."""

from __future__ import annotations

from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.control.adoption import Adoption
from rookery.control.history.service import History
from rookery.control.metrics.service import EdgeMetricService, MetricService
from rookery.control.monitoring.overview import Overviews
from rookery.control.monitoring.search import ClientSearch
from rookery.control.monitoring.taking import take
from rookery.control.processes.once import Once
from rookery.storage.database import Database

ROLL_UP_S = 30.0
SWEEP_S = 3600.0
_KEPT = ("keep_15s", "keep_1m", "keep_10m")


class Monitoring:
    """Figures over time, what happened, what is not well, who is connected where."""

    def __init__(
        self,
        config: ControlConfig,
        clock: Clock,
        database: Database,
        adoption: Adoption,
        once: Once,
    ) -> None:
        """What reports say is kept from now on, in the transactions that they are written in."""
        kept: dict[str, int] = config.values["metrics"]
        kept_ms = [kept[name] for name in _KEPT]
        self.metrics = MetricService(database, clock, kept_ms)
        self.edge_metrics = EdgeMetricService(
            database, clock, kept_ms, report_interval_s=adoption.report_interval_s
        )
        self.history = History(database, clock)
        self.overviews = Overviews(database, clock)
        self.search = ClientSearch(database, adoption.tunnel)
        for follower in (self.history.take, take, self.metrics.take):
            adoption.standing.follows(follower)
        adoption.edges.standings.follows(self.edge_metrics.take)
        once.every("metrics", ROLL_UP_S, self.metrics.keeping.roll_up)
        once.every("metrics of edge services", ROLL_UP_S, self.edge_metrics.keeping.roll_up)
        once.every("events", SWEEP_S, self.history.sweep)
