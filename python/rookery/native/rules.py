"""Rules: how they are put in, what they count, and SQL that is tried without a node."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, ParamSpec, TypeAlias, TypeVar

from rookery import _native
from rookery.errors import NoMatchError
from rookery.native.action_fields import FieldSpec, action_field
from rookery.native.actions import render
from rookery.native.errors import translate
from rookery.native.local_time import offset_changes
from rookery.native.rows import RuleAroundRow, RuleOutputRow, RuleRow
from rookery.words import Words

__all__ = [
    "ActionOutput",
    "Console",
    "OutputSpec",
    "Republish",
    "RuleCounters",
    "RuleEvent",
    "RuleFunction",
    "RuleInfo",
    "RuleSpec",
    "compile_rule",
    "functions",
    "render",
    "republish_problem",
    "rule_events",
    "test_rule",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

USER_PROPERTIES = "${pub_props.'User-Property'}"
"""Those of the message that a rule saw."""
_VARIABLES = "EMQXVAR_"
"""What the names of environment variables begin with that ``getenv`` of a rule may read."""


class RuleInfo(NamedTuple):
    """What stands behind FROM.

    Attributes:
        filters: Topic filters.
        events: Events, by the names that the SQL has.
        sources: Ids of sources, ``type:name``.
    """

    filters: tuple[str, ...]
    events: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Republish:
    """A result becomes a message. Texts are templates with ``${…}``.

    Attributes:
        topic: Topic.
        qos: ``0``, ``1``, ``2`` or a placeholder; what is not there is 0.
        retain: ``true``, ``false`` or a placeholder; what is not there is false.
        payload: Payload; empty is the whole result as JSON.
        user_properties: A placeholder; ``${pub_props.'User-Property'}`` are those of the message.
        mqtt_properties: Templates by the names of MQTT's properties.
        direct_dispatch: Neither retained nor seen by other rules.
    """

    topic: str
    qos: str = "${qos}"
    retain: str = "${retain}"
    payload: str = "${payload}"
    user_properties: str = "${user_properties}"
    mqtt_properties: Mapping[str, str] = field(default_factory=dict)
    direct_dispatch: bool = False

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> Republish:
        """From the arguments of a rule's output, as people write them."""
        return cls(
            topic=args["topic"],
            qos=_text(args.get("qos", "${qos}")),
            retain=_text(args.get("retain", "${retain}")),
            payload=args.get("payload", "${payload}"),
            user_properties=args.get("user_properties", USER_PROPERTIES),
            mqtt_properties={
                name: _text(value) for name, value in args.get("mqtt_properties", {}).items()
            },
            direct_dispatch=_text(args.get("direct_dispatch", False)) == "true",
        )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Console:
    """A result becomes a line in the log."""


@dataclass(frozen=True, slots=True)
class ActionOutput:
    """A result goes to an action that is open.

    Attributes:
        action_id: ``type:name``.
        fields: What the action wants of the result.
    """

    action_id: str
    fields: Sequence[FieldSpec]


OutputSpec: TypeAlias = Republish | Console | ActionOutput


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """A rule as it is put in. One that does not run keeps its counters."""

    id: str
    sql: str
    enable: bool = True
    outputs: Sequence[OutputSpec] = ()


class RuleCounters(NamedTuple):
    """What a rule counted.

    ``matched`` is ``passed`` and ``failed`` together, ``failed`` is ``failed_exception`` and
    ``failed_no_result``, whenever they are read.
    """

    matched: int
    passed: int
    failed: int
    failed_exception: int
    failed_no_result: int
    actions_total: int
    actions_success: int
    actions_failed: int
    actions_failed_out_of_service: int
    actions_failed_unknown: int
    actions_discarded: int


class RuleEvent(NamedTuple):
    """Something that a rule can select from. Examples are JSON.

    Attributes:
        topic: What stands behind FROM.
        old_topic: What stood there before EMQX 5.10; empty where there was nothing else.
        columns: Examples by column.
        test_columns: What a person fills in to try a rule: example, and what it is in English and
            Chinese.
    """

    topic: str
    old_topic: str
    title_en: str
    title_zh: str
    sql_example: str
    columns: dict[str, str]
    test_columns: dict[str, tuple[str, str, str]]


class RuleFunction(NamedTuple):
    """A function of rules.

    Attributes:
        arguments_max: None where there may be any number.
        status: ``present``, ``different`` or ``absent``, compared with EMQX.
        reason: What is different, or why it is absent.
        examples: Expressions and their results as JSON.
    """

    name: str
    family: str
    family_zh: str
    arguments_min: int
    arguments_max: int | None
    status: str
    reason: str
    examples: tuple[tuple[str, str], ...]


def compile_rule(sql: str) -> RuleInfo:
    """What a rule selects from.

    Raises:
        BadRuleError: the SQL is wrong; the text says where, and what to write instead if known.
    """
    filters, events, sources = _call(_native.compile_rule, sql)
    return RuleInfo(tuple(filters), tuple(events), tuple(sources))


class RepublishProblem(NamedTuple):
    """Why a republish cannot be used.

    Attributes:
        at: Where in its arguments.
        words: What is wrong.
    """

    at: tuple[str, ...]
    words: Words


def republish_problem(republish: Republish) -> RepublishProblem | None:
    """What the core would not take of it."""
    found = _native.republish_problem(_output_row(republish))
    if found is None:
        return None
    # Many texts, which few processes say.
    from rookery.native.plain_texts_zh import in_chinese  # noqa: PLC0415

    place, english = found
    return RepublishProblem(tuple(place.split(".")), Words(english, in_chinese(english) or english))


def test_rule(sql: str, context: str, *, has_variables: bool) -> list[str]:
    """The rows that a rule makes, each as JSON. Nothing is counted and no action runs.

    Args:
        sql: The rule.
        context: Columns as a JSON object; what is missing there is filled in with examples.
            ``event_type``, such as ``client_connected``, says what happens.
        has_variables: Whether ``getenv`` finds anything.

    Raises:
        BadRuleError: the SQL is wrong, or a function failed.
        NoMatchError: the rule takes nothing of it.
    """
    offset_s = time.localtime().tm_gmtoff
    around: RuleAroundRow = (offset_s, [], _variables() if has_variables else [], True)
    rows = _call(_native.try_rule, sql, context, secrets.randbits(64), around)
    if rows is None:
        # Many texts, which few processes say.
        from rookery.native.rule_texts import CHINESE  # noqa: PLC0415

        raise NoMatchError("the rule takes nothing of it", message_zh=CHINESE["no_match"])
    return rows


# Its name is that of the REST interface; it is no test.
test_rule.__test__ = False  # type: ignore[attr-defined]


def rule_events() -> list[RuleEvent]:
    """Everything that a rule can select from, in the order of EMQX."""
    return [
        RuleEvent(
            topic,
            old_topic or "",
            title_en,
            title_zh,
            sql,
            dict(columns),
            {name: (example, en, zh) for name, example, en, zh in tests},
        )
        for topic, old_topic, title_en, title_zh, sql, columns, tests in _native.rule_events()
    ]


def functions() -> list[RuleFunction]:
    """Every function of rules, absent ones too."""
    return [RuleFunction(*row[:7], tuple(row[7])) for row in _native.rule_functions()]


# -- what crosses ----------------------------------------------------------------------------


def rule_rows(rules: Iterable[RuleSpec]) -> list[RuleRow]:
    """Rules as they cross."""
    return [
        (rule.id, rule.sql, rule.enable, [_output_row(output) for output in rule.outputs])
        for rule in rules
    ]


def _output_row(output: OutputSpec) -> RuleOutputRow:
    match output:
        case Console():
            return ("console",)
        case ActionOutput(action_id, fields):
            parts = (action_field(spec) for spec in fields)
            return "action", action_id, tuple((part.kind, part.template) for part in parts)
        case Republish():
            texts = (
                output.topic,
                output.qos,
                output.retain,
                output.payload,
                output.user_properties,
            )
            properties = tuple(output.mqtt_properties.items())
            return "republish", texts, properties, output.direct_dispatch


def surroundings(ignore_sys_message: bool = True) -> RuleAroundRow:
    """What rules may know of the process around them."""
    now_s = int(time.time())
    offset_s = time.localtime(now_s).tm_gmtoff
    return offset_s, offset_changes(now_s), _variables(), ignore_sys_message


def _variables() -> list[tuple[str, str]]:
    begin = len(_VARIABLES)
    return [(n[begin:], v) for n, v in os.environ.items() if n.startswith(_VARIABLES)]


def column_rows(
    columns: Mapping[str, object],
) -> tuple[list[tuple[str, object]], list[tuple[str, str]]]:
    """Columns as they cross: plain values, and what is JSON."""
    plain: list[tuple[str, object]] = []
    made: list[tuple[str, str]] = []
    for name, value in columns.items():
        if isinstance(value, Mapping):
            made.append((name, json.dumps(dict(value), ensure_ascii=False)))
        elif isinstance(value, list | tuple):
            made.append((name, json.dumps(list(value), ensure_ascii=False)))
        else:
            plain.append((name, value))
    return plain, made


def _call(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    try:
        return function(*args, **kwargs)
    except _native.NativeError as error:
        raise translate(error) from None
