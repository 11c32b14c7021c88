"""Connectors, actions and sources: defining them, and what they do.

Definitions are settings of the node (``connectors``, ``actions``, ``sources``); what runs is made so by
:class:`~rookery.broker.connectors.running.Running`. A change that leaves something without what it needs
is refused, and says who that is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, TypeAlias

from rookery.broker.audit import unread
from rookery.broker.connectors.definitions import (
    ONE,
    ONE_ZH,
    Id,
    Kind,
    Settings,
    checked_name,
    checked_type,
    connector_of,
    defined,
    falling_back_to,
    is_enabled,
    parse_id,
    rules_of,
    rules_with_action,
    using_connector,
    with_article,
)
from rookery.broker.connectors.running import Running, State
from rookery.broker.management.rows import rfc3339
from rookery.broker.settings import NodeSettings
from rookery.clock import Clock
from rookery.config import destinations, tls_files
from rookery.config.destinations import said_in
from rookery.config.on_machine import folders_of
from rookery.config.problems import InvalidConfigError
from rookery.config.runtime import REMOVED, KeyPath, lost_secrets, unhidden
from rookery.config.schema.integration import NAME, NAME_FORM
from rookery.config.secrets import text_without_secrets, without_secrets
from rookery.errors import BadRequestError, NotFoundError
from rookery.words import Words

Operation: TypeAlias = Literal["start", "stop", "restart"]
_PLAIN = ("type", "name")
"""Keys of a body that are shown in the audit whatever is wrong with it."""
DISABLED = State("disconnected", "disabled", None, "已禁用")
_USERS_ZH = {"rules": "规则", "actions": "动作", "sources": "数据源"}

_SHOWN_ONLY = frozenset(
    {
        *(
            "id",
            "type",
            "name",
            "status",
            "status_reason",
            "status_reason_zh",
            "status_since",
            "node_status",
        ),
        *("last_error", "last_error_zh", "last_error_at"),
        *("actions", "sources", "rules", "created_at", "last_modified_at", "error"),
    }
)


class InUseError(BadRequestError):
    """Something else needs it; ``more`` says what, for programs."""

    def __init__(self, words: Words, more: Mapping[str, list[str]]) -> None:
        super().__init__(words.en, message_zh=words.zh)
        self.more = more


class ConnectorService:
    """What can be done about connectors, actions and sources."""

    def __init__(
        self, running: Running, settings: NodeSettings, clock: Clock, *, node_name: str
    ) -> None:
        self.running = running
        self._settings = settings
        self._clock = clock
        self._node_name = node_name
        # Between a look whether there is one and the change nobody else may change it.
        self._changing = asyncio.Lock()

    # -- looking ----------------------------------------------------------------------------

    def all(self, kind: Kind) -> list[Settings]:
        """Every one of a kind with its settings and how it does."""
        return [self._row(kind, id_) for id_ in defined(self._settings.config, kind)]

    def get(self, kind: Kind, text: str) -> Settings:
        """One of them.

        Raises:
            NotFoundError: there is none of that id.
        """
        id_ = self._known(kind, text)
        return self._row(kind, str(id_))

    def state(self, kind: Kind, id_: str) -> State:
        """How it does."""
        item = defined(self._settings.config, kind).get(id_, {})
        if not is_enabled(item):
            return DISABLED
        return self.running.state(kind, id_)

    def is_defined(self, kind: Kind, id_: str) -> bool:
        """Whether there is one."""
        return id_ in defined(self._settings.config, kind)

    def is_enabled(self, kind: Kind, id_: str) -> bool:
        """Whether it is switched on."""
        return is_enabled(defined(self._settings.config, kind).get(id_, {"enable": False}))

    def metrics(self, kind: Kind, text: str) -> dict[str, Any]:
        """Figures of an action or a source.

        Raises:
            NotFoundError: there is none of that id.
        """
        id_ = str(self._known(kind, text))
        metrics = self.running.metrics(kind, id_)
        return {"metrics": metrics, "node_metrics": [{"node": self._node_name, "metrics": metrics}]}

    def reset_metrics(self, kind: Kind, text: str) -> None:
        """Begin at zero again.

        Raises:
            NotFoundError: there is none of that id.
        """
        self.running.reset_metrics(kind, str(self._known(kind, text)))

    def _row(self, kind: Kind, id_: str) -> Settings:
        from rookery.broker.connectors.showing import as_shown  # noqa: PLC0415

        config = self._settings.config
        item = defined(config, kind)[id_]
        type_, _, name = id_.partition(":")
        state = self.state(kind, id_)
        reason = {
            "status": state.status,
            "status_reason": state.reason,
            "status_reason_zh": state.reason_zh,
        }
        row: Settings = {
            "type": type_,
            "name": name,
            **as_shown(kind, type_, item),
            "created_at": item.get("created_at"),
            "last_modified_at": item.get("last_modified_at"),
            **reason,
            "status_since": None if state.since_ms is None else rfc3339(state.since_ms),
            "node_status": [{"node": self._node_name, **reason}],
        }
        if kind == "connectors":
            for users in ("actions", "sources"):
                row[users] = using_connector(
                    config, "actions" if users == "actions" else "sources", id_
                )
        else:
            row["rules"] = self._rules(kind, id_)
        if kind == "actions":
            row |= self._last_error(id_)
        return row

    def _last_error(self, id_: str) -> Settings:
        found = self.running.last_error(id_)
        if found is None:
            return {"last_error": "", "last_error_zh": "", "last_error_at": None}
        # A service says what it likes, such as the address that it was asked at.
        return {
            "last_error": text_without_secrets(found.words.en),
            "last_error_zh": text_without_secrets(found.words.zh),
            "last_error_at": rfc3339(found.at_ms),
        }

    def _rules(self, kind: Kind, id_: str) -> list[str]:
        config = self._settings.config
        if kind == "actions":
            return rules_with_action(config, id_)
        from rookery.broker.rules.selection import sources_of  # noqa: PLC0415

        return [name for name, rule in rules_of(config).items() if id_ in sources_of(rule["sql"])]

    def _known(self, kind: Kind, text: str) -> Id:
        id_ = parse_id(kind, text)
        if str(id_) not in defined(self._settings.config, kind):
            raise NotFoundError(
                f"there is no {ONE[kind]} {text}", message_zh=f"不存在{ONE_ZH[kind]} {text}"
            )
        return id_

    # -- changing ---------------------------------------------------------------------------

    async def create(self, kind: Kind, body: Settings) -> Settings:
        """Define one and start it.

        Raises:
            BadRequestError: there is one of that id, or it makes no sense.
        """
        async with self._changing:
            with unread(body, _PLAIN):
                id_ = self._new_id(kind, body)
            now_ms = self._clock.now_ms()
            value = _settable(body)
            self._check(kind, id_, value)
            value |= {"created_at": now_ms, "last_modified_at": now_ms}
            await self._settings.change("create", f"{kind}/{id_}", {(kind, *id_): value})
        return await self._begun(kind, str(id_))

    def _new_id(self, kind: Kind, body: Settings) -> Id:
        type_ = checked_type(kind, body.get("type"))
        id_ = Id(type_, checked_name("name", body.get("name"), NAME, NAME_FORM))
        if str(id_) in defined(self._settings.config, kind):
            raise BadRequestError(
                f"name: there is {with_article(ONE[kind])} {id_} already",
                code="ALREADY_EXISTS",
                message_zh=f"name：{ONE_ZH[kind]} {id_} 已存在",
            )
        return id_

    async def update(self, kind: Kind, text: str, body: Settings) -> Settings:
        """Replace the settings of one; secrets that are sent back hidden stay.

        Raises:
            NotFoundError: there is none of that id.
            BadRequestError: it makes no sense.
        """
        async with self._changing:
            with unread(body, _PLAIN):
                id_ = self._known(kind, text)
            known = defined(self._settings.config, kind)[str(id_)]
            value = _settable(body)
            self._check(kind, id_, unhidden(value, known))
            if "created_at" in known:
                value["created_at"] = known["created_at"]
            value["last_modified_at"] = self._clock.now_ms()
            await self._settings.change("update", f"{kind}/{id_}", {(kind, *id_): value})
        return await self._begun(kind, str(id_))

    async def _begun(self, kind: Kind, id_: str) -> Settings:
        """It, once its first attempt has ended: who made it wants to know whether it works."""
        if self.is_enabled(kind, id_):
            await self.running.settled(kind, id_)
        return self.get(kind, id_)

    async def enable(self, kind: Kind, text: str, *, is_enabled: bool) -> None:
        """Switch one on or off.

        Raises:
            NotFoundError: there is none of that id.
        """
        async with self._changing:
            id_ = self._known(kind, text)
            changes: dict[KeyPath, Any] = {(kind, *id_, "enable"): is_enabled}
            operation = "enable" if is_enabled else "disable"
            await self._settings.change(operation, f"{kind}/{id_}", changes)

    async def delete(self, kind: Kind, text: str, *, with_uses: bool = False) -> None:
        """Take one away; ``with_uses``: out of the rules that name it as well.

        Raises:
            NotFoundError: there is none of that id.
            InUseError: something needs it.
        """
        async with self._changing:
            id_ = self._known(kind, text)
            self._refuse_used(kind, str(id_), with_rules=not with_uses)
            changes: dict[KeyPath, Any] = {(kind, *id_): REMOVED}
            if kind == "actions":
                config = self._settings.config
                for rule_id in rules_with_action(config, str(id_)):
                    left = [
                        item for item in rules_of(config)[rule_id]["actions"] if item != str(id_)
                    ]
                    changes["rule_engine", "rules", rule_id, "actions"] = left
            await self._settings.change("delete", f"{kind}/{id_}", changes)

    def _refuse_used(self, kind: Kind, id_: str, *, with_rules: bool) -> None:
        config = self._settings.config
        more: dict[str, list[str]] = {}
        if kind == "connectors":
            more["actions"] = using_connector(config, "actions", id_)
            more["sources"] = using_connector(config, "sources", id_)
        elif kind == "actions":
            more["rules"] = self._rules(kind, id_) if with_rules else []
            more["actions"] = falling_back_to(config, id_)
        else:
            more["rules"] = self._rules(kind, id_) if with_rules else []
        more = {name: users for name, users in more.items() if users}
        if more:
            who = "; ".join(f"{name} {', '.join(users)}" for name, users in more.items())
            who_zh = "；".join(
                f"{_USERS_ZH[name]} {'、'.join(users)}" for name, users in more.items()
            )
            words = Words(
                f"{ONE[kind]} {id_} is in use by {who}", f"{ONE_ZH[kind]} {id_} 正被使用：{who_zh}"
            )
            raise InUseError(words, more)

    async def operate(self, kind: Kind, text: str, operation: Operation) -> None:
        """Start, stop or restart one, until the node ends.

        Raises:
            NotFoundError: there is none of that id.
            BadRequestError: it is disabled, or cannot start; says why.
        """
        id_ = self._known(kind, text)
        if not is_enabled(defined(self._settings.config, kind)[str(id_)]):
            raise BadRequestError(
                f"{ONE[kind]} {id_} is disabled: enable it first",
                message_zh=f"{ONE_ZH[kind]} {id_} 已禁用，请先启用",
            )
        await self.running.operate(kind, str(id_), operation)

    async def probe(self, kind: Kind, body: Settings) -> None:
        """Try settings without keeping them.

        Raises:
            BadRequestError: they do not work; ``TEST_FAILED`` with the reason.
        """
        with unread(body, _PLAIN):
            type_ = checked_type(kind, body.get("type"))
        value = _settable(body)
        known = defined(self._settings.config, kind).get(f"{type_}:{body.get('name')}")
        asked, value = value, unhidden(value, known)
        if lost := list(lost_secrets(asked, value, known)):
            raise InvalidConfigError(lost)
        if known is not None:
            old, new = without_secrets(dict(known)), without_secrets(dict(value))
            if found := list(destinations.of_tree(old, new, partial(said_in, asked))):
                raise InvalidConfigError(found)
        self._check(kind, Id(type_, str(body.get("name") or "probe")), value)
        connector = None
        if kind != "connectors":
            connectors = defined(self._settings.config, "connectors")
            connector_id = connector_of(f"{type_}:", value)
            connector = connectors.get(connector_id)
            if connector is None:
                raise BadRequestError(
                    f"there is no connector {connector_id}",
                    message_zh=f"不存在连接器 {connector_id}",
                )
        await self.running.probe(kind, type_, value, connector)

    def _check(self, kind: Kind, id_: Id, value: Settings) -> None:
        from rookery.connectors.checking import settings_of  # noqa: PLC0415

        config = self._settings.config
        files = tls_files.problems(folders_of(config), config.effective(), value)
        if found := list(files):
            raise InvalidConfigError(found)
        settings = settings_of(kind, id_.type, value)
        if kind == "connectors":
            self.running.check_connector(str(id_), settings)


def _settable(body: Settings) -> Settings:
    return {key: item for key, item in body.items() if key not in _SHOWN_ONLY and item is not None}
