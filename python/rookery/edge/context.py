"""Everything that operations of one edge service need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clock import Clock
from rookery.config.edge import EdgeConfig

if TYPE_CHECKING:
    from rookery.edge.agent.service import EdgeAgent
    from rookery.edge.service import EdgeService
    from rookery.edge.system.log_lines import LogLines
    from rookery.edge.templates import Templates
    from rookery.edge.users.service import Users


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeContext:
    """The services of one process. Put together by ``rookery.edge.serving``."""

    config: EdgeConfig
    clock: Clock
    users: Users
    service: EdgeService
    agent: EdgeAgent
    templates: Templates
    log_lines: LogLines
    started_at_ms: int
