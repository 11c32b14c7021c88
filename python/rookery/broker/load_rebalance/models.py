"""What ``/load_rebalance`` takes and gives, by EMQX's names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from rookery.broker.load_rebalance.order import (
    ABS_CONN_THRESHOLD,
    CONN_EVICT_RATE,
    RATE_MAX,
    REDIRECT_MAX,
    REL_CONN_THRESHOLD,
    SESS_EVICT_RATE,
    WAIT_HEALTH_CHECK_S,
    WAIT_MAX_S,
    WAIT_TAKEOVER_S,
    Order,
)
from rookery.broker.load_rebalance.service import Wanted
from rookery.config.values import parse_duration_ms
from rookery.web.models import Model, Row

NODES_MAX = 64
_NO_EFFECT = "Taken and without effect: what is evened out is clients, and a session goes to another node with its client."


def _duration(raw: int | str) -> int | str:
    if parse_duration_ms(raw, bare_unit="s") > WAIT_MAX_S * 1000:
        raise ValueError(f"at most {WAIT_MAX_S:g} s")
    return raw


Duration = Annotated[int | str, AfterValidator(_duration)]


def _seconds(raw: int | str) -> float:
    return parse_duration_ms(raw, bare_unit="s") / 1000


class MovingBody(Model):
    """How clients are sent elsewhere."""

    wait_health_check: Duration = Field(
        f"{WAIT_HEALTH_CHECK_S:g}s",
        description="How long load balancers have to notice that the availability check answers 503, "
        "before clients are refused and disconnected.",
        examples=["60s"],
    )
    conn_evict_rate: int = Field(
        CONN_EVICT_RATE,
        ge=1,
        le=RATE_MAX,
        description="Most clients that are disconnected in a second.",
        examples=[CONN_EVICT_RATE],
    )
    wait_takeover: Duration = Field(
        f"{WAIT_TAKEOVER_S:g}s",
        description="How long clients then have to come back to other nodes.",
        examples=["60s"],
    )

    def order(self) -> Order:
        return Order(
            wait_health_check_s=_seconds(self.wait_health_check),
            conn_evict_rate=self.conn_evict_rate,
            wait_takeover_s=_seconds(self.wait_takeover),
        )


class EvacuationBody(MovingBody):
    """How a node is emptied."""

    redirect_to: str | None = Field(
        None,
        pattern=r"^[^\s\x00-\x1f\x7f]+( [^\s\x00-\x1f\x7f]+)*$",
        max_length=REDIRECT_MAX,
        description="Server Reference that MQTT 5 clients are told: `HOST:PORT`, or several with "
        "spaces between.",
        examples=["10.0.0.2:1883 10.0.0.3:1883"],
    )
    permanent: bool = Field(
        False,
        description="The node does not come back: MQTT 5 clients are told 0x9D (Server moved) instead "
        "of 0x9C (Use another server).",
        examples=[False],
    )
    sess_evict_rate: int = Field(
        SESS_EVICT_RATE,
        ge=1,
        le=RATE_MAX,
        description="Most sessions of clients that are away that go to other nodes in a second, once clients "
        "had time to come back.",
        examples=[SESS_EVICT_RATE],
    )
    resume: bool = Field(
        True, description="Whether it goes on when the node starts again.", examples=[True]
    )
    migrate_to: list[str] = Field(
        default_factory=list,
        max_length=NODES_MAX,
        description="Nodes that get these sessions; empty: all others that run.",
        examples=[["rookery@10.0.0.2"]],
    )

    def order(self) -> Order:
        return Order(
            wait_health_check_s=_seconds(self.wait_health_check),
            conn_evict_rate=self.conn_evict_rate,
            wait_takeover_s=_seconds(self.wait_takeover),
            sess_evict_rate=self.sess_evict_rate,
            migrate_to=tuple(dict.fromkeys(self.migrate_to)),
            redirect_to=self.redirect_to,
            is_for_good=self.permanent,
            resume=self.resume,
        )


class RebalanceBody(MovingBody):
    """How nodes are evened out."""

    nodes: list[str] = Field(
        default_factory=list,
        max_length=NODES_MAX,
        description="Nodes that take part; empty: all that run.",
        examples=[["rookery@10.0.0.1", "rookery@10.0.0.2"]],
    )
    abs_conn_threshold: int = Field(
        ABS_CONN_THRESHOLD,
        ge=1,
        description="A difference between the averages of nodes with many and with few clients that "
        "is less than that is let be.",
        examples=[ABS_CONN_THRESHOLD],
    )
    rel_conn_threshold: float = Field(
        REL_CONN_THRESHOLD,
        gt=1.0,
        le=1000.0,
        description="So is one by less than this factor.",
        examples=[REL_CONN_THRESHOLD],
    )
    sess_evict_rate: int | None = Field(
        None, ge=1, le=RATE_MAX, description=_NO_EFFECT, examples=[SESS_EVICT_RATE]
    )
    abs_sess_threshold: int | None = Field(None, ge=1, description=_NO_EFFECT, examples=[1000])
    rel_sess_threshold: float | None = Field(None, gt=1.0, description=_NO_EFFECT, examples=[1.1])

    def wanted(self) -> Wanted:
        return Wanted(
            order=self.order(),
            nodes=tuple(dict.fromkeys(self.nodes)),
            abs_conn_threshold=self.abs_conn_threshold,
            rel_conn_threshold=self.rel_conn_threshold,
        )


class Availability(Row):
    """Clients may come."""


class Started(Row):
    """It began, or ended."""


class StatusStats(Row):
    """Clients when it began, and now."""

    initial_connected: int = Field(ge=0, description="Connected then.", examples=[1000])
    current_connected: int = Field(ge=0, description="Connected.", examples=[120])
    initial_sessions: int = Field(
        ge=0, description="Sessions then, connected or not.", examples=[1100]
    )
    current_sessions: int = Field(ge=0, description="Sessions.", examples=[220])
    current_disconnected_sessions: int = Field(
        ge=0, description="Sessions of clients that are away.", examples=[100]
    )


class MovingRow(Row):
    """What is under way on a node."""

    state: Literal[
        "waiting_health_check",
        "evicting_conns",
        "waiting_takeover",
        "evicting_sessions",
        "prohibiting",
    ] = Field(
        description="`waiting_health_check`: load balancers are told; `evicting_conns`: clients are "
        "disconnected; `waiting_takeover`: they have time to come back elsewhere; `evicting_sessions`: "
        "sessions of those that did not go to other nodes; `prohibiting`: the node is empty, but for "
        "sessions that cannot go, and takes nobody.",
        examples=["evicting_conns"],
    )
    connection_eviction_rate: int = Field(
        ge=1, description="Clients disconnected in a second.", examples=[500]
    )
    connection_goal: int = Field(ge=0, description="Clients that may stay.", examples=[0])
    session_eviction_rate: int = Field(
        SESS_EVICT_RATE,
        ge=1,
        description="Sessions of clients that are away that go to other nodes in a second; of an "
        "evacuation.",
        examples=[SESS_EVICT_RATE],
    )
    coordinator_node: str | None = Field(
        None, description="The node that evens out.", examples=["rookery@10.0.0.1"]
    )
    stats: StatusStats = Field(description="Clients.")


class Enabled(MovingRow):
    """Clients of this node are sent elsewhere."""

    status: Literal["enabled"] = Field(description="It is under way.", examples=["enabled"])
    process: Literal["evacuation", "rebalance"] = Field(
        description="All of them, or those that are too many.", examples=["evacuation"]
    )


class Disabled(Row):
    """Nothing is under way."""

    status: Literal["disabled"] = Field(
        description="No clients are sent to other nodes.", examples=["disabled"]
    )


class EvacuationRow(MovingRow):
    """A node that is emptied."""

    node: str = Field(description="Its name.", examples=["rookery@10.0.0.2"])


class CoordinatorRow(Row):
    """A rebalancing."""

    node: str = Field(description="The node that coordinates it.", examples=["rookery@10.0.0.1"])
    state: str = Field(description="As of its donors.", examples=["evicting_conns"])
    coordinator_node: str = Field(description="The same.", examples=["rookery@10.0.0.1"])
    donors: list[str] = Field(
        description="Nodes with too many clients.", examples=[["rookery@10.0.0.1"]]
    )
    recipients: list[str] = Field(
        description="Nodes that get them.", examples=[["rookery@10.0.0.2"]]
    )
    donor_conn_avg: int = Field(
        ge=0, description="Clients of each donor when it began, on average.", examples=[5000]
    )
    connection_eviction_rate: int = Field(
        ge=1, description="Clients disconnected in a second, by each donor.", examples=[500]
    )
    connection_goal: int = Field(ge=0, description="Clients that each keeps.", examples=[3000])


class GlobalStatus(Row):
    """What is under way on all nodes."""

    evacuations: list[EvacuationRow] = Field(description="Nodes that are emptied.")
    purges: list[dict[str, Any]] = Field(
        description="Always empty: sessions are never dropped in bulk.", examples=[[]]
    )
    rebalances: list[CoordinatorRow] = Field(description="Nodes that even out.")


class EvictionStats(Row):
    """Clients that are still here."""

    connections: int = Field(ge=0, description="Connected.", examples=[120])
    sessions: int = Field(ge=0, description="Sessions, connected or not.", examples=[220])


class EvictionStatus(Row):
    """Whether this node disconnects clients."""

    status: Literal["enabled", "disabled"] = Field(description="State.", examples=["disabled"])
    stats: EvictionStats | None = Field(None, description="Clients; absent while it does not.")
