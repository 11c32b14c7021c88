"""What the configuration defines, and who needs whom. Pure; loads no connector."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from rookery.config import Config
from rookery.config.problems import Problem
from rookery.config.schema.integration import ACTION_TYPES, CONNECTOR_TYPES, SOURCE_TYPES
from rookery.errors import BadRequestError, NotFoundError

NAME_SHOWN_MAX = 60
Kind: TypeAlias = Literal["connectors", "actions", "sources"]
Settings: TypeAlias = dict[str, Any]

KINDS: tuple[Kind, ...] = ("connectors", "actions", "sources")
TYPES: Mapping[Kind, tuple[str, ...]] = {
    "connectors": CONNECTOR_TYPES,
    "actions": ACTION_TYPES,
    "sources": SOURCE_TYPES,
}
ONE: Mapping[Kind, str] = {"connectors": "connector", "actions": "action", "sources": "source"}
ONE_ZH: Mapping[Kind, str] = {"connectors": "连接器", "actions": "动作", "sources": "数据源"}


def with_article(word: str) -> str:
    """``an action``, ``a source``."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


class Id(NamedTuple):
    """``TYPE:NAME``."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type}:{self.name}"


def parse_id(kind: Kind, text: str) -> Id:
    """The two parts of an id.

    Raises:
        NotFoundError: nothing of that kind can be called so.
    """
    type_, colon, name = text.partition(":")
    if not colon or not name or type_ not in TYPES[kind]:
        raise NotFoundError(
            f"there is no {ONE[kind]} {text}: an id is TYPE:NAME",
            message_zh=f"不存在{ONE_ZH[kind]} {text}：ID 的格式为 类型:名称",
        )
    return Id(type_, name)


def defined(config: Config, kind: Kind) -> dict[str, Settings]:
    """Everything of a kind by its id, as it was written, secrets included."""
    types: Mapping[str, Mapping[str, Settings]] = config[kind]
    return {
        f"{type_}:{name}": item for type_, named in types.items() for name, item in named.items()
    }


def is_configured(config: Config) -> bool:
    """Whether there is any of them."""
    return any(defined(config, kind) for kind in KINDS)


def is_enabled(item: Mapping[str, Any]) -> bool:
    """Entries run unless they are switched off."""
    return item.get("enable", True) not in (False, "false")


def connector_of(id_: str, item: Mapping[str, Any]) -> str:
    """The connector that an action or a source goes through: it has the same type."""
    return f"{id_.partition(':')[0]}:{item.get('connector', '')}"


def using_connector(config: Config, kind: Kind, connector_id: str) -> list[str]:
    """Actions or sources that go through a connector."""
    return [
        id_
        for id_, item in defined(config, kind).items()
        if connector_of(id_, item) == connector_id
    ]


def fallbacks_of(item: Mapping[str, Any]) -> list[str]:
    """Actions that take what this one cannot send."""
    found = item.get("fallback_actions", [])
    return [
        f"{entry['type']}:{entry['name']}"
        for entry in found
        if isinstance(entry, dict) and "type" in entry and "name" in entry
    ]


def falling_back_to(config: Config, action_id: str) -> list[str]:
    """Actions whose fallback an action is."""
    actions = defined(config, "actions").items()
    return [id_ for id_, item in actions if action_id in fallbacks_of(item)]


def actions_of_rule(rule: Mapping[str, Any]) -> list[str]:
    """Ids of the actions of a rule; functions are left out."""
    return [output for output in rule["actions"] if isinstance(output, str)]


def rules_of(config: Config) -> Mapping[str, Settings]:
    """Every rule by its id."""
    found: Mapping[str, Settings] = config["rule_engine.rules"]
    return found


def rules_with_action(config: Config, action_id: str) -> list[str]:
    return [id_ for id_, rule in rules_of(config).items() if action_id in actions_of_rule(rule)]


def checked_name(member: str, name: object, pattern: str, form: str) -> str:
    """A name that may be given; ``member`` is where it was sent, ``form`` what is taken there.

    Raises:
        BadRequestError: with what is taken.
    """
    if name is None:
        raise BadRequestError(f"{member}: missing", message_zh=f"{member}：缺少该项")
    if not isinstance(name, str) or re.fullmatch(pattern, name) is None:
        text = json.dumps(name, ensure_ascii=False)
        shown = text if len(text) <= NAME_SHOWN_MAX else text[: NAME_SHOWN_MAX - 1] + "…"
        problem = Problem("value", member, value=shown, allowed=form)
        raise BadRequestError(problem.text(), message_zh=problem.text("zh"))
    return name


def checked_type(kind: Kind, type_: object) -> str:
    """A type that there is.

    Raises:
        BadRequestError: with those that there are.
    """
    if not isinstance(type_, str) or not type_:
        raise BadRequestError("type: missing", message_zh="type：缺少该项")
    if type_ not in TYPES[kind]:
        known = ", ".join(TYPES[kind])
        raise BadRequestError(
            f"there are no {kind} of type {type_!r}; there are: {known}",
            message_zh=f"没有 {type_!r} 类型的{ONE_ZH[kind]}，现有：{known}",
        )
    return type_
