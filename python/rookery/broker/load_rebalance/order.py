"""What a node is to do with its clients, and the file that says so after a restart."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from rookery.config.safe_file import write_private

FILE = "evacuation.json"
WAIT_HEALTH_CHECK_S = 60.0
WAIT_TAKEOVER_S = 60.0
CONN_EVICT_RATE = 500
SESS_EVICT_RATE = 500
ABS_CONN_THRESHOLD = 1000
REL_CONN_THRESHOLD = 1.10
"""EMQX's defaults."""
RATE_MAX = 100_000
WAIT_MAX_S = 86_400.0
REDIRECT_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How clients of a node are sent elsewhere.

    Attributes:
        process: All of them, or those that are too many.
        wait_health_check_s: How long load balancers have to notice before clients are refused.
        conn_evict_rate: Most clients that are disconnected in a second.
        wait_takeover_s: How long clients then have to come back elsewhere.
        sess_evict_rate: Most sessions of clients that are away that go to other nodes in a second after that;
            of an evacuation.
        migrate_to: Nodes that get them; empty: all others that run.
        redirect_to: Server Reference that MQTT 5 clients are told.
        is_for_good: They are told 0x9D (server moved) instead of 0x9C (use another server).
        resume: It goes on when the node starts again.
        goal: Clients that may stay.
        coordinator: The node that says so; when it is gone the order is void.
    """

    process: Literal["evacuation", "rebalance"] = "evacuation"
    wait_health_check_s: float = WAIT_HEALTH_CHECK_S
    conn_evict_rate: int = CONN_EVICT_RATE
    wait_takeover_s: float = WAIT_TAKEOVER_S
    sess_evict_rate: int = SESS_EVICT_RATE
    migrate_to: tuple[str, ...] = ()
    redirect_to: str | None = None
    is_for_good: bool = False
    resume: bool = True
    goal: int = 0
    coordinator: str = ""

    def to_plain(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """The inverse; of a later version it takes what it knows.

        Raises:
            ValueError: that is no order.
        """
        if not isinstance(plain, dict):
            raise ValueError("no order")
        known = {field.name for field in dataclasses.fields(cls)}
        given = {name: value for name, value in plain.items() if name in known}
        try:
            given["migrate_to"] = tuple(given.get("migrate_to", ()))
            return cls(**given).checked()
        except TypeError as error:
            raise ValueError(str(error)) from None

    def checked(self) -> Self:
        """The order again.

        Raises:
            ValueError: a value of it cannot be.
        """
        waits = (self.wait_health_check_s, self.wait_takeover_s)
        if (
            self.process not in ("evacuation", "rebalance")
            or not 1 <= self.conn_evict_rate <= RATE_MAX
            or not 1 <= self.sess_evict_rate <= RATE_MAX
            or not all(isinstance(name, str) for name in self.migrate_to)
            or not all(0 <= wait <= WAIT_MAX_S for wait in waits)
            or self.goal < 0
            or (self.redirect_to is not None and len(self.redirect_to) > REDIRECT_MAX)
        ):
            raise ValueError("an order with impossible values")
        return self


class OrderFile:
    """``evacuation.json`` in the data directory, while the node is emptied."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE

    def read(self) -> Order | None:
        """What goes on from before the restart.

        Raises:
            ValueError: what stands there is no order.
        """
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return Order.from_plain(json.loads(text))

    def keep(self, order: Order) -> None:
        write_private(self._path, json.dumps(order.to_plain()) + "\n")

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
