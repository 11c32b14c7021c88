"""Reads and writes bounded messages: JSON objects whose every field has a rule.

A rule is asked twice: by a message that is made here (so nothing out of bounds is ever sent) and
by one that arrives. Whatever arrives, the only exception is :class:`MessageError`.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Callable, ClassVar, NamedTuple, TypeVar

from rookery.errors import BadRequestError

# One integer of 64 bits with its sign; more digits would cost more than a message is worth.
_DIGITS_MAX = 20
KNOWN_MAX = 1024
"""Names of one table that are remembered as good."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class MessageError(BadRequestError):
    """A message cannot be used; the text names the field."""


class UnknownMessageError(MessageError):
    """A message of a type or version that came later: to be left aside, nothing is wrong."""


class Rule:
    """What one field may hold."""

    def check(self, value: Any, path: str) -> Any:
        """Return the value as it is kept.

        Raises:
            MessageError: it may not be there.
        """
        raise NotImplementedError

    def read(self, value: Any, path: str) -> Any:
        """The value of parsed JSON."""
        return self.check(value, path)

    def write(self, value: Any) -> Any:
        """What becomes JSON."""
        return value


class Text(Rule):
    """A text without control characters; line ends and tabs are allowed."""

    def __init__(self, longest: int, *, shortest: int = 0, pattern: str = "") -> None:
        self._longest = longest
        self._shortest = shortest
        self._pattern = re.compile(pattern) if pattern else None

    def check(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise MessageError(f"{path}: not a text")
        if not self._shortest <= len(value) <= self._longest:
            raise MessageError(f"{path}: {self._shortest} to {self._longest} characters")
        if _CONTROL.search(value):
            raise MessageError(f"{path}: has characters that no text has")
        if self._pattern is not None and self._pattern.fullmatch(value) is None:
            raise MessageError(f"{path}: not of the form that it must have")
        return value


class Word(Rule):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self._words = frozenset(words)

    def check(self, value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in self._words:
            raise MessageError(f"{path}: not one of {', '.join(sorted(self._words))}")
        return value


class Integer(Rule):
    """A whole number between two bounds."""

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    def check(self, value: Any, path: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise MessageError(f"{path}: not a whole number")
        if not self._least <= value <= self._most:
            raise MessageError(f"{path}: {self._least} to {self._most}")
        return value


class Number(Rule):
    """A finite number."""

    def check(self, value: Any, path: str) -> float:
        if type(value) is float and math.isfinite(value):
            return value  # nearly all of them are
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise MessageError(f"{path}: not a number")
        if isinstance(value, int) and abs(value) > 1 << 64:
            raise MessageError(f"{path}: too large")
        if not math.isfinite(value):
            raise MessageError(f"{path}: not finite")
        return value


class Flag(Rule):
    """True or false."""

    def check(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            raise MessageError(f"{path}: neither true nor false")
        return value


class Listing(Rule):
    """So many of one kind, kept as a tuple."""

    def __init__(self, item: Rule, most: int) -> None:
        self._item = item
        self._most = most

    def _each(self, value: Any, path: str) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise MessageError(f"{path}: not a list")
        if len(value) > self._most:
            raise MessageError(f"{path}: more than {self._most}")
        return list(value)

    def check(self, value: Any, path: str) -> tuple[Any, ...]:
        items = self._each(value, path)
        return tuple(self._item.check(item, f"{path}[{at}]") for at, item in enumerate(items))

    def read(self, value: Any, path: str) -> tuple[Any, ...]:
        items = self._each(value, path)
        return tuple(self._item.read(item, f"{path}[{at}]") for at, item in enumerate(items))

    def write(self, value: Any) -> list[Any]:
        return [self._item.write(item) for item in value]


class Pair(Rule):
    """A name and a value, as of a header: two texts, kept as a tuple."""

    def __init__(self, first: Rule, second: Rule) -> None:
        self._first = first
        self._second = second

    def check(self, value: Any, path: str) -> tuple[str, str]:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise MessageError(f"{path}: not a pair")
        return (
            self._first.check(value[0], f"{path}[0]"),
            self._second.check(value[1], f"{path}[1]"),
        )

    def write(self, value: Any) -> list[str]:
        return list(value)


class Mapped(Rule):
    """A small table from names to values of one kind."""

    def __init__(self, item: Rule, most: int, *, name: Rule) -> None:
        self._item = item
        self._most = most
        self._name = name
        # Those that kept their rule: a thousand agents say the same forty, four times a minute.
        self._known: set[str] = set()

    def check(self, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise MessageError(f"{path}: not an object")
        if len(value) > self._most:
            raise MessageError(f"{path}: more than {self._most} entries")
        check, known = self._item.check, self._known
        try:
            return {
                (name if name in known else self._named(name, path)): check(item, path)
                for name, item in value.items()
            }
        except MessageError:
            # Once more for the words: which entry it was is put together for the bad ones alone.
            return {
                self._name.check(name, f"{path}: name"): self._item.check(
                    item, f"{path}.{name}"[:80]
                )
                for name, item in value.items()
            }

    def _named(self, name: Any, path: str) -> Any:
        checked = self._name.check(name, path)
        if len(self._known) < KNOWN_MAX:
            self._known.add(checked)
        return checked


class Part(Rule):
    """An object inside a message."""

    def __init__(self, kind: type[Record]) -> None:
        self._kind = kind

    def check(self, value: Any, path: str) -> Any:
        if not isinstance(value, self._kind):
            raise MessageError(f"{path}: not of the kind {self._kind.__name__}")
        return value

    def read(self, value: Any, path: str) -> Any:
        return self._kind.read(value, path)

    def write(self, value: Any) -> Any:
        return value.written()


class Body(Rule):
    """Bytes that follow the object; at most one field of a message."""

    def __init__(self, longest: int) -> None:
        self.longest = longest

    def check(self, value: Any, path: str) -> bytes:
        if not isinstance(value, bytes):
            raise MessageError(f"{path}: not bytes")
        if len(value) > self.longest:
            raise MessageError(f"{path}: more than {self.longest} bytes")
        return value


_R = TypeVar("_R", bound="Record")


class Record:
    """An object with rules. Made only of values that keep them; None is what is not known."""

    SHAPE: ClassVar[Mapping[str, Rule]] = {}
    # Where the name on the wire is not the attribute's own in camel case.
    NAMES: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        for slot in _slots(type(self)):
            value = getattr(self, slot.attribute)
            if value is None and slot.default is None:
                continue
            object.__setattr__(self, slot.attribute, slot.rule.check(value, slot.name))

    @classmethod
    def name_of(cls, attribute: str) -> str:
        """The name on the wire."""
        given = cls.NAMES.get(attribute)
        if given is not None:
            return given
        first, *more = attribute.split("_")
        return first + "".join(word.capitalize() for word in more)

    @classmethod
    def read(cls: type[_R], value: Any, path: str = "", body: bytes = b"") -> _R:
        """Make it of parsed JSON; what has a default may be absent or null.

        Raises:
            MessageError: a field is missing or keeps not its rule.
        """
        if not isinstance(value, dict):
            raise MessageError(f"{path or 'message'}: not an object")
        # Without its initializer, which would check once more what each rule has just read.
        made = object.__new__(cls)
        read = made.__dict__
        for attribute, name, rule, is_body, default, factory in _slots(cls):
            if is_body:
                read[attribute] = rule.check(body, name)
            elif (found := value.get(name)) is not None:
                read[attribute] = rule.read(found, f"{path}.{name}" if path else name)
            elif factory is not None:
                read[attribute] = factory()
            elif default is not dataclasses.MISSING:
                read[attribute] = default
            else:
                raise MessageError(f"{path}.{name}: missing" if path else f"{name}: missing")
        return made

    def written(self) -> dict[str, Any]:
        """What becomes JSON; nothing for what is not known."""
        return {
            slot.name: slot.rule.write(value)
            for slot in _slots(type(self))
            if (value := getattr(self, slot.attribute)) is not None and not slot.is_body
        }


class _Slot(NamedTuple):
    """A field as reading and writing need it: a thousand agents say four messages a minute each."""

    attribute: str
    name: str
    rule: Rule
    is_body: bool
    default: Any
    factory: Callable[[], Any] | None


_SLOTS: dict[Any, tuple[_Slot, ...]] = {}


def _slots(kind: Any) -> tuple[_Slot, ...]:
    known = _SLOTS.get(kind)
    if known is None:
        known = _SLOTS[kind] = tuple(_slot(kind, field) for field in dataclasses.fields(kind))
    return known


def _slot(kind: type[Record], field: dataclasses.Field[Any]) -> _Slot:
    rule = kind.SHAPE[field.name]
    factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
    is_body = isinstance(rule, Body)
    return _Slot(field.name, kind.name_of(field.name), rule, is_body, field.default, factory)


def parse_object(data: bytes, longest: int) -> dict[str, Any]:
    """JSON of an object, whatever the bytes are.

    Raises:
        MessageError: they are too many, or no such JSON.
    """
    if len(data) > longest:
        raise MessageError(f"more than {longest} bytes")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except MessageError:
        raise
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(value, dict):
        raise MessageError("not an object")
    return value


def write_object(value: Mapping[str, Any]) -> bytes:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _integer(text: str) -> int:
    if len(text) > _DIGITS_MAX:
        raise MessageError("a number has too many digits")
    return int(text)


def _refuse_constant(text: str) -> Any:
    raise MessageError(f"{text} is no number")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_refuse_constant)
