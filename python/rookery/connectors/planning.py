"""What changes between what there is and what there shall be; nothing of it runs before all is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rookery.access.errors import SettingError, Words
from rookery.config.tree import join_path
from rookery.connectors.base import Connector, Context
from rookery.connectors.fallback import Fallbacks, check_fallbacks
from rookery.connectors.health import Link
from rookery.connectors.missing import MissingConnector
from rookery.connectors.registry import connector_type, why_missing
from rookery.connectors.running import RunningAction, RunningSource, Surroundings
from rookery.connectors.settings import (
    ActionSettings,
    ConnectorSettings,
    Described,
    SourceSettings,
)
from rookery.connectors.status import DISABLED, NOT_STARTED
from rookery.connectors.templates import fault, pieces, place_of
from rookery.native.action_fields import FieldSpec, Row

_NO_CONNECTOR = Words("{id}: there is no connector {connector}", "{id}：连接器 {connector} 不存在")
_OF = Words("{what}: {why}", "{what}：{why}")

D = TypeVar("D", bound=Described)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What there shall be, by id."""

    connectors: Mapping[str, ConnectorSettings] = field(default_factory=dict)
    actions: Mapping[str, ActionSettings] = field(default_factory=dict)
    sources: Mapping[str, SourceSettings] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """What there is, or will be."""

    connectors: dict[str, ConnectorSettings] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    actions: dict[str, RunningAction] = field(default_factory=dict)
    sources: dict[str, RunningSource] = field(default_factory=dict)


class Planner:
    """Makes plans."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def plan(self, wanted: Wanted, before: Plan) -> Plan:
        """What stays of ``before`` is the same object in the answer.

        Raises:
            SettingError: it cannot be so.
        """
        check_fallbacks(wanted.actions)
        plan = Plan(connectors=dict(wanted.connectors))
        for item_id, connector in wanted.connectors.items():
            link = before.links.get(item_id)
            if link is None or not _same(connector, before.connectors[item_id]):
                link = self._link(item_id, connector)
            plan.links[item_id] = link
        for item_id, action in wanted.actions.items():
            link = _link_of(item_id, action.connector, plan)
            running = before.actions.get(item_id)
            if running is None or running.link is not link or not _same(action, running.settings):
                running = self._action(item_id, action, link)
            plan.actions[item_id] = running
        for item_id, source in wanted.sources.items():
            link = _link_of(item_id, source.connector, plan)
            receiving = before.sources.get(item_id)
            if (
                receiving is None
                or receiving.link is not link
                or not _same(source, receiving.settings)
            ):
                receiving = self._source(item_id, source, link)
            plan.sources[item_id] = receiving
        return plan

    def open(self, connector_id: str, settings: ConnectorSettings) -> Connector[Any, Any]:
        """A connector made of its settings.

        Raises:
            SettingError: they make no sense.
        """
        around = self._around
        context = Context(
            id=connector_id,
            node=around.node,
            data_dir=around.data_dir,
            clock=around.clock,
            file_dirs=around.file_dirs,
        )
        return connector_type(_type_of(connector_id)).open(settings, context)

    def check_templates(self, fields: Iterable[FieldSpec], *written: Described) -> None:
        """Refuse templates that are none; see :func:`check_templates`.

        Raises:
            SettingError: one is none.
        """
        check_templates(fields, self._around.ports.render, *written)

    def _link(self, connector_id: str, settings: ConnectorSettings) -> Link:
        missing = why_missing(connector_type(_type_of(connector_id)))
        tell = self._around.tell
        return Link(
            connector_id,
            self.open(connector_id, settings) if missing is None else MissingConnector(missing),
            settings.resource_opts,
            self._around.clock,
            lambda status: tell("connector", connector_id, status),
            idle=missing or (NOT_STARTED if settings.enable else DISABLED),
            may_start=missing is None,
        )

    def _action(self, action_id: str, settings: ActionSettings, link: Link) -> RunningAction:
        around = self._around
        action = link.connector.open_action(settings)
        try:
            self.check_templates(action.fields, settings)
        except SettingError as error:
            raise SettingError(_OF.format(what=action_id, why=error.words)) from None
        fallbacks = Fallbacks(
            action_id, settings.fallback_actions, around.ports, around.find_buffer, around.clock
        )
        return RunningAction(action_id, settings, action, link, fallbacks, around)

    def _source(self, source_id: str, settings: SourceSettings, link: Link) -> RunningSource:
        running = RunningSource(source_id, settings, link, self._around)
        running.bind(link.connector.open_source(settings, running.runner.receive))
        return running


def check_templates(
    fields: Iterable[FieldSpec], render: Callable[[str, str], str], *written: Described
) -> None:
    """Refuse templates that are none; ``written`` are the settings in which they stand, those of the
    action first.

    Raises:
        SettingError: one is none; says in which setting it stands.
    """
    for item in fields:
        if isinstance(item, Row) or (why := fault(item.template, render)) is None:
            continue
        faulty = (it.text for it in pieces(item.template) if it.is_placeholder)
        bad = next((text for text in faulty if fault(text, render) is not None), item.template)
        for settings in written:
            if (place := place_of(bad, settings.stored())) is not None:
                raise SettingError(_OF.format(what=join_path(place), why=why))
        raise SettingError(why)


def _type_of(item_id: str) -> str:
    return item_id.partition(":")[0]


def _link_of(item_id: str, connector: str, plan: Plan) -> Link:
    """The connector of an action or source: of the same type, by its name."""
    link = plan.links.get(f"{_type_of(item_id)}:{connector}")
    if link is None:
        raise SettingError(_NO_CONNECTOR.format(id=item_id, connector=connector))
    return link


def _same(one: D, other: D) -> bool:
    """Whether they differ at most in what only people read."""
    plain = {"description": "", "tags": ()}
    return one.model_copy(update=plain) == other.model_copy(update=plain)
