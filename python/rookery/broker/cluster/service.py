"""Joining, leaving, and everything that a node of a cluster has open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.cluster import keys
from rookery.broker.cluster.bus import Access, Bus
from rookery.broker.cluster.calls import Calls
from rookery.broker.cluster.discovery import discover
from rookery.broker.cluster.engine import Embedded, Engine, External, joined, lane_tls
from rookery.broker.cluster.lanes import Lanes, Peer
from rookery.broker.cluster.liveness import Pulse, SecondCopy
from rookery.broker.cluster.members import MEMBERS_MAX, Members
from rookery.broker.cluster.membership import Membership
from rookery.broker.cluster.plan import Plan
from rookery.broker.cluster.quorum import Quorum
from rookery.broker.cluster.state import Around, Replicas, State
from rookery.broker.cluster.state_role import RoleFile
from rookery.broker.cluster.texts import refusal, words
from rookery.clock import Clock
from rookery.ending import ended, told_when_late
from rookery.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    ExceedsLimitError,
    NotFoundError,
    RookeryError,
    TimedOutError,
    UnavailableError,
)
from rookery.storage.replica import Replica
from rookery.web.sockets import Port

if TYPE_CHECKING:
    from rookery.config.snapshot import ClusterConfig

JOIN = "members.join"
INVITE = "members.invite"
NO_QUORUM = "cluster_no_quorum"
JOIN_WAIT_S = 15.0
_NODE_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}@[A-Za-z0-9._:-]{1,255}")

_log = logging.getLogger("rookery.cluster")


class Cluster:
    """This node in its cluster, from :meth:`open` to :meth:`close`."""

    is_available = True

    def __init__(
        self,
        config: ClusterConfig,
        *,
        name: str,
        plan: Plan,
        version: str,
        started_at_ms: int,
        clock: Clock,
        lanes: Lanes,
        alarms: AlarmRegistry,
        is_witness: bool = False,
    ) -> None:
        """``is_witness``: it has no clients and no stores, and counts for the quorum."""
        assert config.cookie is not None
        self.name = name
        self._config = config
        self._lanes = lanes
        self._alarms = alarms
        self._changing = asyncio.Lock()
        self._was_stopped: set[str] = set()
        self._lane_port: Port | None = None
        self._invited: dict[str, asyncio.Future[None]] = {}
        self._joining: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        cookie = config.cookie.reveal()
        signer = keys.Signer(keys.derived(cookie, config.name, keys.BUS))
        self._lane_tls = lane_tls(config)
        self._lane_key = keys.derived(cookie, config.name, keys.LANES)
        self._bus = Bus(config.name, name, signer)
        self.calls = Calls(self._bus)
        self._engine = self._make_engine(plan)
        self.membership = Membership(
            plan.store,
            plan.identity,
            self._bus,
            self.calls,
            name=name,
            address=self._engine.address,
            version=version,
            started_at_ms=started_at_ms,
            now_ms=clock.now_ms,
            changed=self._route,
            running_changed=self._tell_running,
            doubled=self._give_way,
            is_witness=is_witness,
        )
        self._replicas: Replicas = tuple
        around = Around(
            self._member_names, name, clock.now_ms, self._stores, self._forget_left, self._judge
        )
        self.state = State(
            self._bus,
            config.name,
            RoleFile(plan.store.folder),
            around,
            is_own=plan.program is not None,
        )
        self.membership.followed = self.state.followed
        self.membership.partner = self._second_copy
        self.problem = ""
        self.calls.on(JOIN, self._serve_join)
        self.calls.on(INVITE, self._serve_invite)

    def _make_engine(self, plan: Plan) -> Engine:
        if plan.program is None:
            return External(self._config.nats, keep=self._keep)
        return Embedded(
            self._config,
            program=plan.program,
            node_name=self.name,
            node_id=plan.identity.node_id,
            folder=plan.store.folder,
            keep=self._keep,
        )

    # -- life ------------------------------------------------------------------------------

    def _stores(self) -> Sequence[Replica]:
        return self._replicas()

    def replicate(self, replicas: Replicas) -> None:
        """Name the stores that all nodes have alike; asked for when there are other nodes."""
        self._replicas = replicas

    def open(self) -> None:
        """Take messages of other nodes, start NATS, say that this node runs."""
        members = self.membership
        host, port = self._config.lanes
        bound = self._lanes.open(
            self.name,
            members.identity.incarnation,
            joined(host, port),
            self._lane_key,
            self._config.takeover_timeout_s,
            self._lane_tls,
        )
        if not members.is_witness:
            self._lane_port = Port("cluster:lanes", joined(host, bound), "messages of other nodes")
        if not members.is_witness:
            members.lane = joined(self.name.partition("@")[2], bound)
        addresses = [member.address for member in members.others]
        node_id = members.identity.node_id
        self._engine.open(addresses, node_id=node_id, has_store=not members.is_alone)
        members.open()
        self.state.open()
        self._tell_running()
        if self._config.strategy in ("static", "dns"):
            looking = discover(self, self._config)
            self._looking = asyncio.get_running_loop().create_task(looking)

    async def close(self) -> None:
        """Say that this node stops, and end what it opened. May be called twice."""
        await ended("joining a cluster", self._joining, self._looking)
        with told_when_late("the replicated state"):
            await self.state.close()
        with told_when_late("the membership"):
            await self.membership.close()
        with told_when_late("NATS"):
            await self._engine.close()
        with told_when_late("the lanes to other nodes"):
            await asyncio.to_thread(self._lanes.close)

    async def _keep(self, access: Access) -> None:
        await self._bus.keep(access, self._connected)

    async def _connected(self) -> None:
        await self.membership.pulse()
        self.state.wake()

    async def _route(self) -> None:
        members = self.membership
        addresses = [member.address for member in members.others]
        node_id = members.identity.node_id
        await self._engine.route(addresses, node_id=node_id, has_store=not members.is_alone)
        self.state.wake()

    async def _forget_left(self) -> None:
        await self._engine.forget(self.membership.members.has_left)

    def _tell_running(self) -> None:
        running = self.membership.running_others()
        self._lanes.peers(
            [
                Peer(pulse.name, pulse.incarnation, pulse.lane)
                for pulse in running
                if not pulse.is_witness
            ]
        )
        heard = self.membership.liveness.last
        self._lanes.expect([m.name for m in self.membership.others if heard(m.name) is None])
        members = self.membership
        self._lanes.lost(members.lost(), may_adopt=members.is_majority, is_alone=members.is_alone)
        names = {pulse.name for pulse in running}
        self._tell_stopped(names)

    def _tell_stopped(self, running: set[str]) -> None:
        members = {member.name for member in self.membership.others}
        # Who was never heard may be starting with this node.
        stopped = {
            name for name in members - running if self.membership.liveness.last(name) is not None
        }
        for name in stopped - self._was_stopped:
            self._alarms.activate(f"node_down/{name}", message("node_down", node=name))
        for name in self._was_stopped - stopped:
            self._alarms.deactivate(f"node_down/{name}")
        self._was_stopped = stopped
        self._judge(is_sure=False)

    def _judge(self, *, is_sure: bool) -> None:
        """Say whether enough nodes run; who was never heard may be starting, unless ``is_sure``."""
        members = self.membership
        found = self.quorum()
        if found is None or found.has:
            self._alarms.deactivate(NO_QUORUM)
            self.state.judged(is_enough=True)
            return
        silent = [m for m in members.others if members.liveness.last(m.name) is None]
        if is_sure or found.running + len(silent) < found.needed:
            self.state.judged(is_enough=False)
            shown = {"running": found.running, "members": found.members, "needed": found.needed}
            said = message(NO_QUORUM, **shown)
            if not self._alarms.activate(NO_QUORUM, said):
                self._alarms.restate(NO_QUORUM, said, {})

    async def _give_way(self) -> None:
        if self.problem:
            return
        self.problem = words("doubled", name=self.name).en
        _log.error("%s", self.problem)
        self._alarms.activate("node_doubled", message("node_doubled", node=self.name))
        self._lanes.peers(())
        await self._bus.disconnect()

    # -- what others see -------------------------------------------------------------------

    @property
    def is_joining(self) -> bool:
        """Whether this node is to have what the others have instead of its own."""
        return self.state.is_joiner

    def _member_names(self) -> list[str]:
        return [member.name for member in self.membership.members.present()]

    def names(self) -> list[str]:
        """Every member that is a node: a witness answers no questions."""
        return [name for name in self._member_names() if not self._is_witness(name)]

    def _is_witness(self, name: str) -> bool:
        if name == self.name:
            return self.membership.is_witness
        pulse = self.membership.liveness.last(name)
        return pulse is not None and pulse.is_witness

    def running(self) -> list[str]:
        """Every other node that runs."""
        running = self.membership.running_others()
        return [pulse.name for pulse in running if not pulse.is_witness]

    def quorum(self) -> Quorum | None:
        """Whether enough nodes run for changes; none where there is no other node."""
        members = self.membership
        names = self._member_names()
        if members.is_alone:
            return None
        running = [name for name in names if members.is_running(name)]
        if self._config.nats.mode == "external":
            # Whoever runs that NATS sees to its own.
            connected = self._bus.is_connected
            return Quorum(len(names), len(running), 1, connected)
        return Quorum.of(names, running, is_connected=self._bus.is_connected)

    def ports(self) -> list[Port]:
        """Every socket that the cluster listens on."""
        ports = self._engine.ports()
        if self._lane_port is not None:
            ports.append(self._lane_port)
        return ports

    def status(self) -> dict[str, Any]:
        """The members, and what the cluster stands on."""
        members = self.membership
        lanes = self._lanes.status()
        connected = self._bus.is_connected
        quorum = self.quorum()
        rows = []
        for member in members.members.present():
            pulse = members.liveness.last(member.name)
            is_self = member.name == self.name
            followed = self.state.followed() if is_self else None
            if pulse is not None and not is_self:
                followed = pulse.revision, pulse.in_step
            row = {
                "node": member.name,
                "node_status": "running" if members.is_running(member.name) else "stopped",
                "role": "witness" if self._is_witness(member.name) else "core",
                "address": member.address,
                "since": member.since_ms,
                "version": members.version if is_self else None if pulse is None else pulse.version,
                "lanes": lanes.get(member.name),
            }
            if followed is not None:
                row["revision"], row["in_step"] = followed
            row["partner"] = self._partner_of(member.name)
            rows.append(row)
        return {
            "name": self._config.name,
            "self": self.name,
            "members": rows,
            "nats": {"running": connected} | self._engine.status() | {"connected": connected},
            "state": self.state.status(),
            "quorum": None if quorum is None else quorum.to_plain(),
            "partner": None if members.is_alone else self._partner(),
            "problem": self.problem or None,
        }

    def _partner_of(self, name: str) -> dict[str, Any] | None:
        """Who else keeps the sessions of a member that runs, as it says."""
        if self.membership.is_alone:
            return None
        pulse = self.membership.liveness.running(name)
        found = (
            self._second_copy() if name == self.name else None if pulse is None else pulse.partner
        )
        return None if found is None else asdict(found) | {"node": found.node or None}

    def _second_copy(self) -> SecondCopy | None:
        found = self._lanes.partner()
        if not found:
            return None
        return SecondCopy(
            node=found["name"],
            is_whole=found["is_whole"],
            lag=found["lag"],
            lag_bytes=found["lag_bytes"],
        )

    def _partner(self) -> dict[str, Any] | None:
        """Who else keeps the sessions of this node."""
        found = self._lanes.partner()
        if not found:
            return None
        return {
            "node": found["name"] or None,
            "is_whole": found["is_whole"],
            "since": found["since_ms"] or None,
            "lag": found["lag"],
            "lag_bytes": found["lag_bytes"],
            "unconfirmed": found["unconfirmed"],
            "restarts": found["restarts"],
            "last_error": found["last_error"],
        }

    def metrics(self) -> dict[str, int]:
        own = {"cluster.unsigned": self._bus.unsigned, "cluster.refused": self.calls.refused}
        return own | self.state.metrics()

    # -- joining and leaving ---------------------------------------------------------------

    async def join(self, name: str, within_s: float = JOIN_WAIT_S) -> None:
        """Become a member of the cluster of that node; what this node has is replaced.

        Raises:
            BadRequestError: that is no name of another node.
            ConflictError: this node is in a cluster, or that one refused it.
            UnavailableError: it cannot be reached, or not with this cookie.
        """
        address = self._address_of(name)
        async with self._change():
            self._refuse_member()
            await self._reach(name, address, within_s)
            await self._join_reached(name)

    async def _join_reached(self, name: str) -> None:
        try:
            members = await self._ask_to_join(name)
        except RookeryError:
            await self._route()
            raise
        await self.state.will_take()
        await self.membership.take(members)

    async def join_found(self, name: str, within_s: float) -> bool:
        """Join a node that was found, unless it is for that one to join this one.

        Raises:
            RookeryError: as of :meth:`join`.
        """
        address = self._address_of(name)
        async with self._change():
            self._refuse_member()
            pulse = await self._reach(name, address, within_s)
            if name > self.name and pulse.members <= 1:
                await self._route()
                return False
            await self._join_reached(name)
            return True

    async def invite(self, name: str, within_s: float = JOIN_WAIT_S) -> None:
        """Have that node join this one; what it has is replaced.

        Raises:
            BadRequestError: that is no name of another node.
            ConflictError: it is a member, or in another cluster.
            UnavailableError: it cannot be reached, or not with this cookie.
            TimedOutError: it began to join and did not end.
        """
        address = self._address_of(name)
        if self.membership.members.get(name) is not None:
            raise refusal(ConflictError, "already", name=name)
        await self._reach(name, address, within_s)
        joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._invited[name] = joined
        try:
            await self.calls.ask(name, INVITE, {"name": self.name}, within_s)
            await asyncio.wait_for(joined, within_s)
        except TimeoutError:
            await self._route()
            raise refusal(TimedOutError, "not-joined", name=name) from None
        except RookeryError:
            await self._route()
            raise
        finally:
            self._invited.pop(name, None)

    async def leave(self) -> None:
        """Be no member any more; the others are told.

        Raises:
            ConflictError: this node is in no cluster.
            UnavailableError: nobody can be told.
        """
        async with self._change():
            members = self.membership
            if members.is_alone:
                raise refusal(ConflictError, "alone")
            gone = members.members.without(self.name, members.now_ms())
            if not await members.spread(gone):
                raise refusal(UnavailableError, "nobody-told")
            await members.be_alone()

    async def force_leave(self, name: str) -> None:
        """Take a member out, also one that does not run.

        Raises:
            NotFoundError: there is no such member.
            BadRequestError: it is this node.
        """
        if name == self.name:
            raise refusal(BadRequestError, "leave-self", name=name)
        members = self.membership
        if members.members.get(name) is None:
            raise refusal(NotFoundError, "unknown", name=name)
        async with self._change():
            gone = members.members.without(name, members.now_ms())
            # Also the one that goes, while there is a way to it.
            await members.spread(gone)
            await members.take(members.members.merged(gone))

    @contextlib.asynccontextmanager
    async def _change(self) -> Any:
        if self._changing.locked():
            raise refusal(BusyError, "joining", name=self.name)
        async with self._changing:
            yield

    def _refuse_member(self) -> None:
        if not self.membership.is_alone:
            others = ", ".join(member.name for member in self.membership.others)
            raise refusal(ConflictError, "member", others=others)

    def _address_of(self, name: str) -> str:
        if not _NODE_NAME.fullmatch(name):
            raise refusal(BadRequestError, "no-name", name=name[:320])
        if name == self.name:
            raise refusal(BadRequestError, "self", name=name)
        if self._config.nats.mode == "external":
            return ""
        address = joined(name.partition("@")[2], self._config.nats.listen[1])
        if address == self._engine.address:
            raise refusal(BadRequestError, "same-address", name=name, address=address)
        return address

    async def _reach(self, name: str, address: str, within_s: float) -> Pulse:
        """A route to a node that is no member yet."""
        members, loop = self.membership, asyncio.get_running_loop()
        host = address.rpartition(":")[0].strip("[]")
        refused = loop.create_task(self._engine.refused(host))
        heard = loop.create_task(members.heard(name, within_s))
        try:
            if address:
                known = [member.address for member in members.others]
                node_id, has_store = members.identity.node_id, not members.is_alone
                await self._engine.route([*known, address], node_id=node_id, has_store=has_store)
            await asyncio.wait((heard, refused), return_when=asyncio.FIRST_COMPLETED)
            if heard.done() and heard.exception() is None:
                return heard.result()
            why = _why(refused.result()) if refused.done() else ""
        finally:
            for task in (heard, refused):
                task.cancel()
            await asyncio.gather(heard, refused, return_exceptions=True)
        await self._route()
        seconds = f"{within_s:g}"
        place = address or "NATS"
        raise refusal(
            UnavailableError, "unreached", name=name, address=place, seconds=seconds, why=why
        )

    async def _ask_to_join(self, name: str) -> Members:
        members = self.membership
        body = {
            "name": self.name,
            "node_id": members.identity.node_id,
            "address": members.address,
        }
        answer = await self.calls.ask(name, JOIN, body)
        try:
            found = Members.from_plain(answer["members"])
        except (ValueError, KeyError, TypeError):
            found = Members()
        mine = found.get(self.name)
        if mine is None or mine.node_id != members.identity.node_id:
            raise refusal(ConflictError, "not-sensible", name=name)
        return found

    async def _serve_join(self, body: Any) -> Any:
        name, node_id, address = (str(body[key]) for key in ("name", "node_id", "address"))
        members = self.membership
        if self._changing.locked():
            raise refusal(BusyError, "joining", name=self.name)
        if not _NODE_NAME.fullmatch(name) or name == self.name:
            raise refusal(BadRequestError, "no-name", name=name[:320])
        if members.is_witness and members.is_alone:
            raise refusal(ConflictError, "witness", name=self.name)
        known = members.members.get(name)
        if known is not None and known.node_id != node_id:
            raise refusal(ConflictError, "name-taken", name=name)
        if len(members.members) >= MEMBERS_MAX and known is None:
            raise refusal(ExceedsLimitError, "full", most=MEMBERS_MAX)
        joined_list = members.members.with_member(name, node_id, address, members.now_ms())
        members.accept(joined_list, name)
        if (waiting := self._invited.get(name)) is not None and not waiting.done():
            waiting.set_result(None)
        return {"members": joined_list.to_plain()}

    async def _serve_invite(self, body: Any) -> Any:
        """Answered at once: NATS of this node may start again before it has joined."""
        name = str(body["name"])
        self._address_of(name)
        self._refuse_member()
        if self._changing.locked():
            raise refusal(BusyError, "joining", name=self.name)
        self._joining = asyncio.get_running_loop().create_task(self._join_invited(name))
        return {}

    async def _join_invited(self, name: str) -> None:
        _log.warning("%s invited this node to join its cluster", name)
        try:
            await self.join(name)
        except RookeryError as error:
            _log.error("this node did not join %s: %s", name, error)


def _why(problem: str) -> Any:
    if "cluster name" in problem:
        return words("unreached-name")
    return words("unreached-cookie")
