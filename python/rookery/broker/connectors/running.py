"""What runs: connectors with their actions and sources, made to be what the configuration says.

Nothing of ``rookery.connectors`` is loaded before something is configured; a node without pays nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.connectors.definitions import (
    ONE,
    ONE_ZH,
    Kind,
    connector_of,
    defined,
    is_configured,
)
from rookery.clock import Clock
from rookery.config import Config
from rookery.errors import BadRequestError, NotFoundError, RookeryError
from rookery.native.models import PublishOutcome
from rookery.native.node import Publication
from rookery.native.properties import Properties, encode_properties
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.connectors.manager import Connectors, Wanted
    from rookery.connectors.ports import Buffer, Ports
    from rookery.connectors.runner import LastError
    from rookery.connectors.settings import Settings
    from rookery.connectors.status import Status
    from rookery.native.action_fields import BufferSpec, FieldSpec

_log = logging.getLogger("rookery.connectors")

One: TypeAlias = Literal["connector", "action", "source"]

_DOWN: Mapping[One, str] = {
    "connector": "connector_down",
    "action": "action_down",
    "source": "source_down",
}
_STATES: Mapping[str, Words] = {
    "connecting": Words("connecting", "正在连接"),
    "disconnected": Words("disconnected", "已断开"),
    "inconsistent": Words("inconsistent", "状态不一致"),
}


REST_MIN_S = 0.5
"""What comes between the first drain and the end of the core has at least that long."""


class State(NamedTuple):
    """How something does, why, and since when (milliseconds since 1970)."""

    status: str
    reason: str
    since_ms: int | None
    reason_zh: str = ""


NOT_STARTED = State("disconnected", "not started", None, "未启动")
NO_METRICS: Mapping[str, int | float] = dict.fromkeys(
    (
        *("matched", "success", "failed", "dropped", "dropped.queue_full", "dropped.expired"),
        *("dropped.resource_not_found", "dropped.resource_stopped", "dropped.other"),
        *("queuing", "inflight", "retried", "received", "rate", "rate_max", "rate_last5m"),
    ),
    0,
)


class DataPlane(Protocol):
    """The core's side."""

    def open_action(self, id_: str, spec: BufferSpec) -> Any: ...
    def rule_ingest(self, source_id: str, columns: Mapping[str, Any]) -> int: ...
    def publish(self, publication: Publication) -> PublishOutcome: ...


class Running:
    """Owns the manager of connectors."""

    def __init__(
        self,
        native: DataPlane,
        alarms: AlarmRegistry,
        clock: Clock,
        *,
        data_dir: Path,
        node_name: str,
        file_dirs: Sequence[Path] = (),
    ) -> None:
        """``file_dirs``: where connectors may write files besides the data directory."""
        self._file_dirs = tuple(file_dirs)
        self._native = native
        self._alarms = alarms
        self._clock = clock
        self._data_dir = data_dir
        self._node_name = node_name
        self._connectors: Connectors | None = None
        self._wanted: dict[Kind, dict[str, Settings]] = {}
        self._alarmed: dict[tuple[One, str], str] = {}
        self._is_closing = False
        self._drained_at_s: float | None = None

    async def drain(self, grace_s: float) -> None:
        """Send what waits, as far as it can be sent, before the core ends."""
        self._drained_at_s = self._clock.monotonic_s() + grace_s
        if self._connectors is not None:
            await self._connectors.drain(grace_s)
            self._connectors.remember_dropped()

    async def send_rest(self, grace_s: float) -> None:
        """The same at the end, when nothing more comes; what is left is logged.

        The time is that of :meth:`drain`: whoever waits for the node's end ends it after ten seconds.
        """
        if self._drained_at_s is not None:
            grace_s = min(grace_s, max(self._drained_at_s - self._clock.monotonic_s(), REST_MIN_S))
        if self._connectors is not None:
            await self._connectors.drain(grace_s)
            self._connectors.say_what_waits()

    async def close(self) -> None:
        """Stop everything. May be called twice."""
        # Stopping heals nothing: alarms stay for the next run, which sees whether they still hold.
        self._is_closing = True
        connectors, self._connectors = self._connectors, None
        if connectors is not None:
            await connectors.stop()

    # -- making it so -----------------------------------------------------------------------

    async def apply(self, config: Config, *, with_actions_of: Config | None = None) -> None:
        """Make what is configured run.

        Args:
            config: What is to hold.
            with_actions_of: Its actions go on as well, with their connectors, where ``config`` has none
                of that id: rules still name them.

        Raises:
            RookeryError: something cannot; what ran goes on.
        """
        if self._connectors is None and not is_configured(config):
            return
        kept: dict[Kind, dict[str, Settings]] = {
            kind: self._models(config, kind) for kind in ("connectors", "actions", "sources")
        }
        if with_actions_of is not None:
            self._keep(kept, with_actions_of)
        await self._make_it_so(kept)

    def _keep(self, kept: dict[Kind, dict[str, Settings]], old: Config) -> None:
        actions = defined(old, "actions")
        for id_, item in actions.items():
            connector_id = connector_of(id_, item)
            known = self._wanted.get("actions", {}).get(id_)
            connector = self._wanted.get("connectors", {}).get(connector_id)
            if id_ not in kept["actions"] and known is not None and connector is not None:
                kept["actions"][id_] = known
                kept["connectors"].setdefault(connector_id, connector)

    def _models(self, config: Config, kind: Kind) -> dict[str, Settings]:
        from rookery.connectors.checking import settings_of  # noqa: PLC0415

        return {
            id_: settings_of(kind, id_.partition(":")[0], item)
            for id_, item in defined(config, kind).items()
        }

    async def _make_it_so(self, kept: dict[Kind, dict[str, Settings]]) -> None:
        connectors = await self._opened()
        await connectors.apply(_wanted_of(kept))
        self._wanted = kept
        gone = [key for key in self._alarmed if key[1] not in kept[_plural(key[0])]]
        for key in gone:
            self._alarms.deactivate(self._alarmed.pop(key))

    async def _opened(self) -> Connectors:
        if self._connectors is None:
            # The packages take a moment to load, in which clients are served.
            made = await asyncio.to_thread(_load)
            self._connectors = made(
                self._ports(),
                clock=self._clock,
                data_dir=self._data_dir,
                node=self._node_name,
                on_status=self._note,
                file_dirs=self._file_dirs,
            )
        return self._connectors

    def _ports(self) -> Ports:
        from rookery.connectors.ports import Ports  # noqa: PLC0415
        from rookery.native.actions import render  # noqa: PLC0415

        def open_buffer(id_: str, spec: BufferSpec) -> Buffer:
            found: Buffer = self._native.open_action(id_, spec)
            return found

        async def ingest(source_id: str, columns: Mapping[str, Any]) -> int:
            return await asyncio.to_thread(self._native.rule_ingest, source_id, columns)

        async def publish(
            *,
            topic: str,
            payload: bytes,
            qos: int,
            retain: bool,
            user_properties: Sequence[tuple[str, str]],
        ) -> None:
            properties = encode_properties(Properties(user_properties=tuple(user_properties)))
            publication = Publication(topic, payload, qos, retain, properties)
            await asyncio.to_thread(self._native.publish, publication)

        return Ports(open_buffer=open_buffer, ingest=ingest, publish=publish, render=render)

    def rules_are_put(self) -> None:
        """Rules give actions what :meth:`fields_of` says."""
        if self._connectors is not None:
            self._connectors.rules_are_put()

    # -- looking ----------------------------------------------------------------------------

    def fields_of(self, action_id: str) -> tuple[FieldSpec, ...]:
        """What an action wants of each row.

        Raises:
            NotFoundError: it does not run.
        """
        if self._connectors is None:
            raise NotFoundError(
                f"there is no action {action_id}", message_zh=f"不存在动作 {action_id}"
            )
        return self._connectors.fields_of(action_id)

    def state(self, kind: Kind, id_: str) -> State:
        """How one does that is not switched off."""
        if self._connectors is None:
            return NOT_STARTED
        try:
            return _state(self._connectors.status(_one(kind), id_))
        except NotFoundError:
            return NOT_STARTED

    def last_error(self, action_id: str) -> LastError | None:
        """Why the service of an action did not take something, most recently, and when."""
        if self._connectors is None:
            return None
        try:
            return self._connectors.last_error(action_id)
        except NotFoundError:
            return None

    def metrics(self, kind: Kind, id_: str) -> dict[str, int | float]:
        """Figures of an action or a source under EMQX's names."""
        if self._connectors is None:
            return dict(NO_METRICS)
        try:
            found = self._connectors.metrics(_one(kind), id_)
        except NotFoundError:
            return dict(NO_METRICS)
        return {
            **NO_METRICS,
            **found.counters,
            "rate": round(found.rate, 2),
            "rate_max": round(found.rate_max, 2),
            "rate_last5m": round(found.rate_last5m, 2),
        }

    def reset_metrics(self, kind: Kind, id_: str) -> None:
        """Begin at zero again."""
        if self._connectors is not None:
            self._connectors.reset_metrics(_one(kind), id_)

    async def settled(self, kind: Kind, id_: str) -> State:
        """How one does once the first attempt came to an end."""
        if self._connectors is None:
            return self.state(kind, id_)
        try:
            return _state(await self._connectors.settled(_one(kind), id_))
        except NotFoundError:
            return NOT_STARTED

    def check_connector(self, connector_id: str, settings: Any) -> None:
        """Look at what can be looked at without connecting.

        Raises:
            SettingError: it cannot work so.
        """
        from rookery.connectors.fitting import Place, fitting_connector  # noqa: PLC0415

        place = Place(node=self._node_name, data_dir=self._data_dir, file_dirs=self._file_dirs)
        fitting_connector(connector_id, settings, place)

    # -- acting -----------------------------------------------------------------------------

    async def operate(self, kind: Kind, id_: str, operation: str) -> None:
        """Start, stop or restart one, until the node ends.

        Raises:
            BadRequestError: it does not start; says why.
        """
        connectors = await self._opened()
        one = _one(kind)
        if operation == "stop":
            await connectors.halt(one, id_)
            return
        await (connectors.restart if operation == "restart" else connectors.start)(one, id_)
        state = await self.settled(kind, id_)
        if state.status != "connected":
            state_zh = _STATES[state.status].zh
            raise BadRequestError(
                f"{ONE[kind]} {id_} is {state.status}: {state.reason}",
                message_zh=f"{ONE_ZH[kind]} {id_} {state_zh}：{state.reason_zh}",
            )

    async def probe(
        self,
        kind: Kind,
        type_: str,
        item: Mapping[str, Any],
        connector: Mapping[str, Any] | None,
    ) -> None:
        """Try settings.

        Raises:
            BadRequestError: they do not work; says why.
        """
        from rookery.connectors.checking import settings_of  # noqa: PLC0415

        connectors: Any = await self._opened()
        settings = settings_of(kind, type_, item)
        try:
            if connector is None:
                await connectors.probe_connector(type_, settings)
            else:
                through = settings_of("connectors", type_, connector)
                probe = connectors.probe_action if kind == "actions" else connectors.probe_source
                await probe(type_, settings, through)
        except RookeryError as error:
            raise BadRequestError(
                error.message, code="TEST_FAILED", message_zh=error.text("zh")
            ) from None

    # -- alarms -----------------------------------------------------------------------------

    def _note(self, one: One, id_: str, status: Status) -> None:
        """Have an alarm while something that should work does not."""
        from rookery.connectors.status import IDLE  # noqa: PLC0415

        if self._is_closing:
            return
        key = (one, id_)
        if status.is_connected or status.reason in IDLE:
            if key in self._alarmed:
                self._alarms.deactivate(self._alarmed.pop(key))
            return
        if status.reason is None:
            return  # the first attempt is under way
        name = self._resource_id(one, id_)
        if (before := self._alarmed.get(key, name)) != name:
            self._alarms.deactivate(before)  # it goes through another connector now
        details = {
            "resource_id": name,
            "reason": "resource_down",
            "status": str(status.state),
            "error": status.reason.en,
        }
        self._alarmed[key] = name
        said = message(_DOWN[one], id=id_, state=_STATES[status.state], reason=status.reason)
        if not self._alarms.activate(name, said, details):
            self._alarms.restate(name, said, details)  # its state or its reason is another one now

    def _resource_id(self, one: One, id_: str) -> str:
        """As in EMQX: ``connector:TYPE:NAME``, ``action:TYPE:NAME:connector:TYPE:NAME``."""
        if one == "connector":
            return f"connector:{id_}"
        item = self._wanted.get(_plural(one), {}).get(id_)
        type_ = id_.partition(":")[0]
        through = "" if item is None else f":connector:{type_}:{getattr(item, 'connector', '')}"
        return f"{one}:{id_}{through}"


def _wanted_of(kept: Mapping[Kind, Mapping[str, Settings]]) -> Wanted:
    from rookery.connectors.manager import Wanted  # noqa: PLC0415

    every: dict[str, Any] = {kind: kept[kind] for kind in kept}
    return Wanted(**every)


def _load() -> type[Connectors]:
    from rookery.connectors.manager import Connectors  # noqa: PLC0415

    return Connectors


def _state(status: Status) -> State:
    reason: Words | None = status.reason
    english, chinese = (reason.en, reason.zh) if reason is not None else ("", "")
    return State(str(status.state), english, status.since_ms, chinese)


def _one(kind: Kind) -> One:
    found: One = (
        "connector" if kind == "connectors" else "action" if kind == "actions" else "source"
    )
    return found


def _plural(one: One) -> Kind:
    found: Kind = (
        "connectors" if one == "connector" else "actions" if one == "action" else "sources"
    )
    return found
