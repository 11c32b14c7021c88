"""What an action could not deliver goes to others, with the row that the rule made."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence

from rookery.access.errors import SettingError, Words
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock
from rookery.connectors.ports import Buffer, Ports
from rookery.connectors.settings import (
    ActionSettings,
    Fallback,
    FallbackReference,
    FallbackRepublishArgs,
)
from rookery.errors import RookeryError
from rookery.native.action_fields import ActionItem, FieldSpec, Row, action_field

_logger = logging.getLogger(__name__)

USER_PROPERTIES_MAX = 100
CHAIN_MAX = 16

_NO_ACTION = Words(
    "fallback_actions of {action}: there is no action {other}",
    "{action} 的 fallback_actions：动作 {other} 不存在",
)
_CIRCLE = Words(
    "fallback_actions of {action} lead back to itself: {way}",
    "{action} 的 fallback_actions 形成循环：{way}",
)
_TOO_LONG = Words(
    "fallback_actions of {action} lead over more than {most} actions",
    "{action} 的 fallback_actions 链超过 {most} 个动作",
)

FindBuffer = Callable[[str], tuple[Buffer, tuple[FieldSpec, ...]] | None]
"""The buffer of an action by its id, with the fields that its items have."""


def reference_id(fallback: FallbackReference) -> str:
    return f"{fallback.type}:{fallback.name}"


def check_fallbacks(actions: Mapping[str, ActionSettings]) -> None:
    """Refuse references to nothing, and circles, in which an item would go round for ever.

    Raises:
        SettingError: there is such a one.
    """
    done: set[str] = set()
    for action_id in actions:
        _follow((action_id,), actions, done)


def _follow(way: tuple[str, ...], actions: Mapping[str, ActionSettings], done: set[str]) -> None:
    if way[-1] in done:
        return
    for fallback in actions[way[-1]].fallback_actions:
        if not isinstance(fallback, FallbackReference):
            continue
        other = reference_id(fallback)
        if other not in actions:
            raise SettingError(_NO_ACTION.format(action=way[-1], other=other))
        if other in way:
            raise SettingError(_CIRCLE.format(action=other, way=" → ".join((*way, other))))
        if len(way) == CHAIN_MAX:
            raise SettingError(_TOO_LONG.format(action=way[0], most=CHAIN_MAX))
        _follow((*way, other), actions, done)
    done.add(way[-1])


class Fallbacks:
    """The fallback actions of one action. Belongs to one event loop."""

    def __init__(
        self,
        action_id: str,
        fallbacks: Sequence[Fallback],
        ports: Ports,
        find: FindBuffer,
        clock: Clock,
    ) -> None:
        self._id = action_id
        self._fallbacks = tuple(fallbacks)
        self._ports = ports
        self._find = find
        self._log = SeldomLog(_logger, clock)

    def __bool__(self) -> bool:
        return bool(self._fallbacks)

    @property
    def extra_fields(self) -> tuple[FieldSpec, ...]:
        """What items need besides what the action itself sends."""
        return (Row(),) if self._fallbacks else ()

    def own_item(self, item: ActionItem) -> ActionItem:
        """The item as the action knows it."""
        return item._replace(fields=item.fields[:-1]) if self._fallbacks else item

    async def take(self, items: Sequence[ActionItem]) -> None:
        """Give items, as the buffer gave them, to every fallback action."""
        for fallback in self._fallbacks:
            for item in items:
                row = str(item.fields[-1])
                if isinstance(fallback, FallbackReference):
                    self._refer(reference_id(fallback), item, row)
                else:
                    await self._republish(fallback.args, row)

    def _refer(self, other: str, item: ActionItem, row: str) -> None:
        found = self._find(other)
        if found is None:
            self._log.warning("action %s: fallback action %s is not there", self._id, other)
            return
        buffer, fields = found
        buffer.offer_rows(
            [row], [action_field(spec) for spec in fields], rule=item.rule, key=item.key
        )

    async def _republish(self, args: FallbackRepublishArgs, row: str) -> None:
        def text(template: bool | int | str) -> str:
            if isinstance(template, str):
                return self._ports.render(template, row)
            return json.dumps(template)

        try:
            qos = text(args.qos)
            await self._ports.publish(
                topic=text(args.topic),
                payload=text(args.payload).encode(),
                qos=int(qos) if qos in ("0", "1", "2") else 0,
                retain=text(args.retain) == "true",
                user_properties=_pairs(text(args.user_properties)),
            )
        except (RookeryError, ValueError) as error:
            self._log.warning("action %s: a fallback was not published: %s", self._id, error)


def _pairs(text: str) -> list[tuple[str, str]]:
    """User properties from a JSON object, as ``${user_properties}`` gives them."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return []
    if not isinstance(value, dict):
        return []
    pairs = list(value.items())[:USER_PROPERTIES_MAX]
    return [(name, item if isinstance(item, str) else json.dumps(item)) for name, item in pairs]
