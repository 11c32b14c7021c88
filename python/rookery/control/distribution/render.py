"""Templates as documents: an edge service's export, with places such as ``${host}`` in its texts.

Pure: knows no database and no edge service. A text that is nothing but the place of a parameter becomes
what the parameter is, a number for instance; a place within a text becomes text. Names of members have no places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rookery.config.secrets import HIDDEN
from rookery.control.distribution import texts
from rookery.control.errors import InvalidError

Kind = Literal["text", "number", "boolean"]
Document = dict[str, Any]
NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
PLACE = re.compile(r"\$\{(" + NAME + r")\}")
NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,17})?", re.ASCII)
DEPTH_MAX = 32
PARTS = ("nodes", "settings", "groups", "tags", "subscriptions")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What differs from one edge service to the next.

    Attributes:
        default: None: each has to have a value.
        is_secret: Its values are shown to nobody.
    """

    name: str
    kind: Kind = "text"
    default: str | None = None
    is_secret: bool = False

    def shown(self) -> dict[str, Any]:
        """As it may be seen by everybody."""
        is_hidden = self.is_secret and self.default is not None
        default = HIDDEN if is_hidden else self.default
        return {
            "name": self.name,
            "kind": self.kind,
            "default": default,
            "is_secret": self.is_secret,
        }


def read(content: str, parameters: Sequence[Parameter]) -> Document:
    """The document of a template.

    Raises:
        InvalidError: it is no export of an edge service, or does not fit the parameters.
    """
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidError(texts.NOT_JSON, reason=_line(error)) from None
    document = _parts(found)
    _check_nodes(document)
    known: set[str] = set()
    for parameter in parameters:
        if parameter.name in known:
            raise InvalidError(texts.TWICE, name=parameter.name)
        known.add(parameter.name)
        if parameter.default is not None:
            _typed(parameter, parameter.default)
    used = _places(document)
    for name in sorted(used - known):
        raise InvalidError(texts.UNKNOWN_PARAMETER, name=name)
    for name in sorted(known - used):
        raise InvalidError(texts.UNUSED_PARAMETER, name=name)
    return document


def rendered(
    document: Document, parameters: Sequence[Parameter], values: Mapping[str, str]
) -> Document:
    """The document for one edge service.

    Raises:
        InvalidError: a value is missing, of another kind, or of no parameter.
    """
    typed = typed_values(parameters, values)

    def fill(text: str) -> Any:
        whole = PLACE.fullmatch(text)
        if whole is not None:
            return typed[whole[1]]
        return PLACE.sub(lambda found: _shown(typed[found[1]]), text)

    made: Document = _mapped(document, fill)
    return made


def typed_values(parameters: Sequence[Parameter], values: Mapping[str, str]) -> dict[str, Any]:
    """What each parameter becomes.

    Raises:
        InvalidError: as above.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in values:
        if name not in known:
            raise InvalidError(texts.FOREIGN_VALUE, name=name)
    typed: dict[str, Any] = {}
    for name, parameter in known.items():
        value = values.get(name, parameter.default)
        if value is None:
            raise InvalidError(texts.NO_VALUE, name=name)
        typed[name] = _typed(parameter, value)
    return typed


def _parts(found: Any) -> Document:
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), list):
        raise InvalidError(texts.NOT_A_DOCUMENT, reason="nodes")
    for key in found:
        if key not in PARTS:
            raise InvalidError(texts.NOT_A_DOCUMENT, reason=str(key)[:64])
    document: Document = {}
    for key in PARTS:
        rows = found.get(key) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InvalidError(texts.NOT_A_DOCUMENT, reason=key)
        document[key] = rows
    return document


def _check_nodes(document: Document) -> None:
    if not document["nodes"]:
        raise InvalidError(texts.AT_LEAST_ONE_NODE)
    for number, node in enumerate(document["nodes"], start=1):
        if not all(isinstance(node.get(key), str) and node[key] for key in ("name", "plugin")):
            raise InvalidError(texts.NODE_WITHOUT_NAME, number=number)


def _typed(parameter: Parameter, value: str) -> Any:
    shown = HIDDEN if parameter.is_secret else value[:64]
    if parameter.kind == "number":
        if NUMBER.fullmatch(value) is None:
            raise InvalidError(texts.NO_NUMBER, name=parameter.name, value=shown)
        return float(value) if "." in value else int(value)
    if parameter.kind == "boolean":
        if value not in ("true", "false"):
            raise InvalidError(texts.NO_BOOLEAN, name=parameter.name, value=shown)
        return value == "true"
    return value


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _mapped(item: Any, change: Callable[[str], Any], depth: int = 0) -> Any:
    if depth > DEPTH_MAX:
        raise InvalidError(texts.TOO_DEEP, most=DEPTH_MAX)
    if isinstance(item, str):
        return change(item)
    if isinstance(item, list):
        return [_mapped(one, change, depth + 1) for one in item]
    if isinstance(item, dict):
        return {key: _mapped(one, change, depth + 1) for key, one in item.items()}
    return item


def _places(document: Document) -> set[str]:
    found: set[str] = set()

    def note(text: str) -> str:
        found.update(PLACE.findall(text))
        return text

    _mapped(document, note)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
