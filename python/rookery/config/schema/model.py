"""The words that the schema is written in: types of values and fields.

A type turns what stood in a file into a plain value (durations to milliseconds, sizes to bytes)
or raises ``ValueError``; ``allowed`` says in words what it takes, for errors and for the
reference page.

The schema is never changed or compared. Its classes are not frozen and have no comparison because
data classes with all their methods take three times as long to make, at every start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from rookery.config import values
from rookery.types import Secret

UNSET: Any = None
"""Default of a key that is absent unless somebody writes it."""

REQUIRED: Any = ("required",)
"""Default of a key that must be written."""


class Status(Enum):
    """What becomes of a key that somebody writes."""

    HONOURED = "honoured"
    ACCEPTED = "accepted"
    """Without effect here, and harmless: one warning."""
    REFUSED = "refused"
    """Would promise what does not hold: an error with what to use instead."""
    NOT_AVAILABLE = "not available"
    """A known feature that this version does not have; switched off it is accepted."""


@dataclass(eq=False, repr=False, slots=True)
class Bool:
    """true or false."""

    allowed: str = "true or false"

    def parse(self, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        match raw:
            case "true" | "on" | "yes":
                return True
            case "false" | "off" | "no":
                return False
        raise ValueError("not a boolean")


PEM_CHARACTERS_MAX = 1 << 18

Words: TypeAlias = Mapping[str, Any]
"""Words with a meaning of their own beside the numbers: ``infinity`` is mostly None."""

INFINITY: Words = {"infinity": None}
DISABLED: Words = {"disabled": None}


def _or_words(text: str, words: Words) -> str:
    return text + "".join(f", or {word}" for word in words)


@dataclass(eq=False, repr=False, slots=True)
class Int:
    """A whole number within bounds, both included."""

    low: int = 0
    high: int = values.NUMBER_MAX
    words: Words = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        bounds = (
            f"{self.low} or more"
            if self.high == values.NUMBER_MAX
            else f"{self.low} to {self.high}"
        )
        return _or_words(f"a whole number, {bounds}", self.words)

    def parse(self, raw: object) -> Any:
        if isinstance(raw, str) and raw in self.words:
            return self.words[raw]
        if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,16}", raw):
            raw = int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int) or not self.low <= raw <= self.high:
            raise ValueError("not a number in range")
        return raw


@dataclass(eq=False, repr=False, slots=True)
class Float:
    """A number within bounds."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        return f"a number, {self.low:g} to {self.high:g}"

    def parse(self, raw: object) -> float:
        if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,16}(\.[0-9]{1,16})?", raw):
            raw = float(raw)
        if (
            isinstance(raw, bool)
            or not isinstance(raw, (int, float))
            or not self.low <= raw <= self.high
        ):
            raise ValueError("not a number in range")
        return float(raw)


@dataclass(eq=False, repr=False, slots=True)
class OneOf:
    """One word of several. ``absent`` ones are known but not part of this version."""

    choices: tuple[str, ...]
    absent: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.choices)

    def parse(self, raw: object) -> str:
        text = str(raw).lower() if isinstance(raw, bool) else raw
        if not isinstance(text, str) or text not in self.choices:
            raise ValueError("not one of the words")
        return text


@dataclass(eq=False, repr=False, slots=True)
class Duration:
    """A length of time, kept in milliseconds."""

    bare_unit: str = "ms"
    low_ms: int = 0
    high_ms: int = values.NUMBER_MAX
    words: Words = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        text = "a duration such as 15s, 1m, 2h or 1d"
        if self.low_ms:
            text += f", at least {values.format_duration(self.low_ms)}"
        if self.high_ms != values.NUMBER_MAX:
            text += f", at most {values.format_duration(self.high_ms)}"
        return _or_words(text, self.words)

    def parse(self, raw: object) -> Any:
        if isinstance(raw, str) and raw in self.words:
            return self.words[raw]
        ms = values.parse_duration_ms(raw, bare_unit=self.bare_unit)
        if not self.low_ms <= ms <= self.high_ms:
            raise ValueError("out of range")
        return ms


@dataclass(eq=False, repr=False, slots=True)
class ByteSize:
    """A size in bytes."""

    low: int = 0
    high: int = values.NUMBER_MAX
    words: Words = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        text = "a size such as 512KB or 1MB"
        if self.low:
            text += f", at least {values.format_bytesize(self.low)}"
        if self.high != values.NUMBER_MAX:
            text += f", at most {values.format_bytesize(self.high)}"
        return _or_words(text, self.words)

    def parse(self, raw: object) -> Any:
        if isinstance(raw, str) and raw in self.words:
            return self.words[raw]
        size = values.parse_bytesize(raw)
        if not self.low <= size <= self.high:
            raise ValueError("out of range")
        return size


@dataclass(eq=False, repr=False, slots=True)
class Percent:
    """A share of one."""

    allowed: str = "a percentage such as 80%"

    def parse(self, raw: object) -> float:
        return values.parse_percent(raw)


@dataclass(eq=False, repr=False, slots=True)
class Rate:
    """So much per so long, or no limit."""

    allowed: str = "a rate such as 1000/s, 300/5m or 10MB/s, or infinity"

    def parse(self, raw: object) -> values.Rate | None:
        return None if raw == "infinity" else values.parse_rate(raw)


@dataclass(eq=False, repr=False, slots=True)
class Text:
    """Text, optionally of one form."""

    pattern: str = ""
    form: str = ""
    longest: int = 65_535

    @property
    def allowed(self) -> str:
        return self.form or "text"

    def parse(self, raw: object) -> str:
        if isinstance(raw, (int, float)) and not isinstance(raw, bool):
            raw = str(raw)
        if not isinstance(raw, str) or len(raw) > self.longest or "\0" in raw:
            raise ValueError("not text")
        if self.pattern and not re.fullmatch(self.pattern, raw):
            raise ValueError("not of that form")
        return raw


@dataclass(eq=False, repr=False, slots=True)
class SecretText:
    """Text that is never shown."""

    allowed: str = "text"

    def parse(self, raw: object) -> Secret:
        if isinstance(raw, (int, float)) and not isinstance(raw, bool):
            raw = str(raw)
        if not isinstance(raw, str):
            raise ValueError("not text")
        return Secret(raw)


@dataclass(eq=False, repr=False, slots=True)
class Address:
    """Host and port."""

    default_host: str = "0.0.0.0"
    zero_closes: bool = False
    """A bare 0 is *do not listen* (None) instead of *any free port*."""

    @property
    def allowed(self) -> str:
        text = 'a port, or IP address and port such as "127.0.0.1:1883" or "[::]:1883"'
        return text + ", or 0 for none" if self.zero_closes else text

    def parse(self, raw: object) -> values.Address | None:
        if self.zero_closes and raw in (0, "0") and not isinstance(raw, bool):
            return None
        return values.parse_address(raw, default_host=self.default_host)


@dataclass(eq=False, repr=False, slots=True)
class BindAddress:
    """Where a listener is bound: host and port, or a Unix socket."""

    allowed: str = (
        'a port, IP address and port such as "127.0.0.1:1883" or "[::]:1883", or "unix:/path"'
    )

    def parse(self, raw: object) -> values.Address | values.UnixAddress:
        if isinstance(raw, str) and raw.startswith("unix:"):
            return values.parse_unix_address(raw)
        return values.parse_address(raw, default_host="0.0.0.0")


@dataclass(eq=False, repr=False, slots=True)
class FilePath:
    """A file; a relative path starts at the folder of the file in which it is written.

    ``pem``: what stands in such a file may stand there itself.
    """

    allowed: str = "a file"
    pem: bool = False

    def parse(self, raw: object) -> str:
        is_pem = self.pem and isinstance(raw, str) and raw.startswith("-----BEGIN ")
        longest = PEM_CHARACTERS_MAX if is_pem else 4096
        if not isinstance(raw, str) or "\0" in raw or len(raw) > longest:
            raise ValueError("not a path")
        return raw


@dataclass(eq=False, repr=False, slots=True)
class CommaList:
    """Words in a list, or in one text with commas between."""

    allowed: str = 'a list, or text with commas such as "mqtt, mqtt-v5"'

    def parse(self, raw: object) -> tuple[str, ...]:
        items = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError("not a list of words")
        return tuple(item.strip() for item in items if item.strip())


@dataclass(eq=False, repr=False, slots=True)
class Anything:
    """Not looked into: belongs to a feature whose schema is not written yet.

    ``runs`` names the objects in it whose entries run unless they are switched off.
    """

    runs: tuple[str, ...] = ()
    allowed: str = "anything"

    def parse(self, raw: object) -> object:
        return raw


class WrongMember(ValueError):  # noqa: N818 - what types raise for a value that is not taken
    """Something in a value with a rule of its own: where, and what is wrong with it.

    Attributes:
        kind: Of :class:`rookery.config.problems.Problem`: ``value``, ``required`` or ``unknown``.
        at: Where it is in the value.
        found: What stands there.
        allowed: What is taken there.
        reasons: Why it is not, by language.
    """

    def __init__(
        self,
        kind: str,
        at: tuple[str, ...],
        *,
        found: Any = None,
        allowed: str = "",
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{'.'.join(at)}: {kind}")
        self.kind = kind
        self.at = at
        self.found = found
        self.allowed = allowed
        self.reasons = reasons or {}


@dataclass(eq=False, repr=False, slots=True)
class Custom:
    """A leaf with a rule of its own. ``check`` raises ``ValueError`` with a sentence, or with it in
    English and in Chinese, or :class:`WrongMember`.
    """

    allowed: str
    check: Callable[[Any], Any]

    def parse(self, raw: object) -> Any:
        return self.check(raw)


@dataclass(eq=False, repr=False, slots=True)
class ListOf:
    """A list of one type. ``single``: one object may stand for a list of one."""

    item: Type
    longest: int = 10_000
    single: bool = False

    @property
    def allowed(self) -> str:
        return "a list"


@dataclass(eq=False, repr=False, slots=True)
class MapOf:
    """An object whose keys are names that the user chooses.

    ``entries`` are there by default; null takes one away. ``words`` may stand instead of the
    object.
    """

    value: Type
    key_pattern: str = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,254}"
    key_form: str = "letters, digits, _ and -"
    entries: Mapping[str, Any] = field(default_factory=dict)
    words: Words = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        return _or_words("an object", self.words)


@dataclass(eq=False, repr=False, slots=True)
class Struct:
    """An object with known keys. ``inherits``: keys that are absent stay absent (zones)."""

    fields: tuple[Field, ...]
    inherits: bool = False

    @property
    def allowed(self) -> str:
        return "an object"

    def get(self, name: str) -> Field | None:
        """The field of that name."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        return None


@dataclass(eq=False, repr=False, slots=True)
class Forms:
    """An object whose keys depend on what ``keys`` say, such as mechanism and backend.

    ``forms`` are by the values of those keys with colons between; ``absent`` ones are known but
    not part of this version.
    """

    keys: tuple[str, ...]
    forms: Mapping[str, Struct]
    absent: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        return f"{':'.join(self.keys)} one of " + ", ".join(self.forms)


Leaf: TypeAlias = (
    Bool
    | Int
    | Float
    | OneOf
    | Duration
    | ByteSize
    | Percent
    | Rate
    | Text
    | SecretText
    | Address
    | BindAddress
    | FilePath
    | CommaList
    | Anything
    | Custom
)
Type: TypeAlias = Leaf | ListOf | MapOf | Struct | Forms


@dataclass(eq=False, repr=False, slots=True)
class Field:
    """One key."""

    name: str
    type: Type
    default: Any
    """As it would be written in a file; :data:`UNSET` or :data:`REQUIRED` when there is none."""
    en: str
    zh: str
    hot: bool = False
    """Takes effect while the node runs."""
    status: Status = Status.HONOURED
    instead: str = ""
    """What to use instead, or why it has no effect (English)."""
    instead_zh: str = ""


def off(name: str, kind: Type, default: Any, en: str, zh: str) -> Field:
    """A known key of a feature that this version does not have."""
    return Field(name, kind, default, en, zh, status=Status.NOT_AVAILABLE)


def refused(name: str, en: str, zh: str, instead: str, instead_zh: str) -> Field:
    """A key that would promise what does not hold."""
    return Field(
        name,
        Anything(),
        UNSET,
        en,
        zh,
        status=Status.REFUSED,
        instead=instead,
        instead_zh=instead_zh,
    )


def inert(
    name: str, kind: Type, default: Any, en: str, zh: str, why: str = "", why_zh: str = ""
) -> Field:
    """A key that EMQX needs and Rookery does not."""
    return Field(
        name, kind, default, en, zh, status=Status.ACCEPTED, instead=why, instead_zh=why_zh
    )
