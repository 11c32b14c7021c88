"""Fallbacks that publish what comes back to them: a message that nobody can deliver would go round for ever.

What a rule republishes carries the rules that made it, and the core ends such a round when it comes. What a
fallback publishes begins anew, so that a round through one is refused before it runs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rookery.access.errors import Words
from rookery.connectors.templates import pieces

if TYPE_CHECKING:
    from rookery.config import Config
    from rookery.config.draft import Draft

ROUND = Words(
    "it may publish to {topic}, from where rule {rule} brings the message back to this action, without end: publish "
    "to a topic that no such rule selects",
    "可能发布到 {topic}，规则 {rule} 会将该消息再次送回此动作，形成无限循环：请发布到此类规则不选取的主题",
)
# Any message may lead to them.
_OF_MESSAGES = frozenset(
    {
        *("$events/message/delivered", "$events/message_delivered"),
        *("$events/message/acked", "$events/message_acked"),
        *("$events/message/dropped", "$events/message_dropped"),
        *("$events/message/delivery_dropped", "$events/delivery_dropped"),
    }
)
_DELAYED = re.compile(r"\$delayed/(?:\$\{[^}]*\}|[^/])*/(.*)", re.DOTALL)
_ANY = None
"""A token: any text."""
_LEVEL = "+"
"""A token: any text without a slash; in a topic no character of its own."""

Tokens = tuple[str | None, ...]


class Round(NamedTuple):
    """An action that what its fallback publishes may come back to."""

    action_id: str
    place: int
    words: Words


def rounds(config: Config | Draft) -> Iterator[Round]:
    """Every one, by the place of the fallback."""
    actions = {
        f"{type_}:{name}": item
        for type_, named in config["actions"].items()
        for name, item in named.items()
    }
    published = {id_: topics for id_, item in actions.items() if (topics := _published(item))}
    if not published:
        return
    # A draft may have rules that were read in part.
    rules = {
        id_: rule
        for id_, rule in config["rule_engine.rules"].items()
        if rule.keys() >= {"enable", "sql", "actions"}
    }
    way = _Ways(actions, rules)
    for action_id, topics in published.items():
        for place, topic in topics:
            rule = way.back_to(action_id, topic)
            if rule is not None:
                yield Round(action_id, place, ROUND.format(topic=topic[:100], rule=rule))


class _Ways:
    """Where messages go from a topic."""

    def __init__(
        self, actions: Mapping[str, Mapping[str, Any]], rules: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._actions = actions
        self._rules = {id_: rule for id_, rule in rules.items() if rule["enable"]}
        self._of_messages: list[str] = []
        self._filters: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for id_, rule in self._rules.items():
            filters, events = _selected(rule["sql"])
            for topic_filter in filters:
                self._filters[topic_filter.partition("/")[0]].append((topic_filter, id_))
            if not _OF_MESSAGES.isdisjoint(events):
                self._of_messages.append(id_)

    def back_to(self, action_id: str, topic: str) -> str | None:
        """The first rule on the way from that topic to that action."""
        for first in self._rules_of(topic):
            if self._leads(first, action_id):
                return first
        return None

    def _leads(self, first: str, action_id: str) -> bool:
        seen, left = {first}, [first]
        while left:
            rule = self._rules[left.pop()]
            outputs = self._with_references([it for it in rule["actions"] if isinstance(it, str)])
            if action_id in outputs:
                return True
            topics = {topic for it in outputs for _, topic in _published(self._actions.get(it, {}))}
            topics |= {topic for it in rule["actions"] if (topic := _republished(it))}
            for topic in topics:
                new = self._rules_of(topic) - seen
                seen |= new
                left += new
        return False

    def _with_references(self, ids: list[str]) -> set[str]:
        found: set[str] = set()
        left = list(ids)
        while left:
            id_ = left.pop()
            if id_ not in found:
                found.add(id_)
                left += _references(self._actions.get(id_, {}))
        return found

    def _rules_of(self, topic: str) -> frozenset[str]:
        delayed = _DELAYED.fullmatch(topic)
        tokens = _of_template(delayed[1] if delayed else topic)
        begin = _first_level(tokens)
        near = (
            [it for each in self._filters.values() for it in each]
            if begin is None
            else self._filters.get(begin, [])
            + self._filters.get("+", [])
            + self._filters.get("#", [])
        )
        found = {id_ for topic_filter, id_ in near if _meet(tokens, topic_filter)}
        return frozenset(found.union(self._of_messages))


def _fallbacks(item: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    found = item.get("fallback_actions")
    for place, entry in enumerate(found if isinstance(found, list | tuple) else ()):
        if isinstance(entry, dict):
            yield place, entry


def _published(item: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Topics that its fallbacks publish to, as templates."""
    return [
        (place, topic)
        for place, entry in _fallbacks(item)
        if entry.get("kind") == "republish"
        and isinstance(args := entry.get("args"), dict)
        and isinstance(topic := args.get("topic"), str)
    ]


def _references(item: Mapping[str, Any]) -> list[str]:
    return [
        f"{entry.get('type')}:{entry.get('name')}"
        for _, entry in _fallbacks(item)
        if entry.get("kind") == "reference"
    ]


def _republished(output: Any) -> str | None:
    """Where an output of a rule publishes to, if rules see it there."""
    if not isinstance(output, dict) or output.get("function") != "republish":
        return None
    args = output["args"]
    return None if args.get("direct_dispatch") in (True, "true") else str(args["topic"])


@lru_cache(maxsize=1024)
def _selected(sql: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from rookery.native.rules import compile_rule  # noqa: PLC0415

    info = compile_rule(sql)
    return tuple(info.filters), tuple(info.events)


def _of_template(template: str) -> Tokens:
    found: list[str | None] = []
    for piece in pieces(template):
        found += [_ANY] if piece.is_placeholder else piece.text
    return tuple(found)


def _first_level(tokens: Tokens) -> str | None:
    """``None``: it is made of placeholders."""
    end = tokens.index("/") if "/" in tokens else len(tokens)
    level = [token for token in tokens[:end] if token is not None]
    return "".join(level) if len(level) == end else None


def _meet(topic: Tokens, topic_filter: str) -> bool:
    """Whether a topic that the template may give matches the filter."""
    if topic[:1] == ("$",) and topic_filter[0] in "+#":
        return False
    if topic_filter == "#":
        return True
    if topic_filter.endswith("/#"):
        above = topic_filter[:-2]
        return _overlap(topic, tuple(above)) or _overlap(topic, (*above, "/", _ANY))
    return _overlap(topic, tuple(topic_filter))


def _overlap(topic: Tokens, other: Tokens) -> bool:
    """Whether some text is of both."""
    seen: set[tuple[int, int]] = set()
    left = [(0, 0)]
    while left:
        at = left.pop()
        if at in seen:
            continue
        seen.add(at)
        i, j = at
        if i == len(topic) and j == len(other):
            return True
        one = topic[i] if i < len(topic) else ""
        two = other[j] if j < len(other) else ""
        if one is _ANY:
            left.append((i + 1, j))
            if j < len(other):
                left.append((i, j + 1))
        if two is _ANY or two == _LEVEL:
            left.append((i, j + 1))
            if one is not _ANY and one != "" and (two is _ANY or one != "/"):
                left.append((i + 1, j))
        elif one is not _ANY and one == two and one != "":
            left.append((i + 1, j + 1))
    return False
