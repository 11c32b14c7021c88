"""Lines of a bulk request: what is to be done, and the document, for each result."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rookery.access.errors import Words
from rookery.connectors.elasticsearch.settings import Create, Delete, Update
from rookery.native.action_fields import (
    UNDEFINED,
    ActionItem,
    FieldSpec,
    FieldValue,
    Row,
    Text,
    Value,
)

_ONE_PLACEHOLDER = re.compile(r"\s*(\$\{(?!\.\})[^}]+\})\s*")
_NO_INDEX = Words("there is no value for the index", "索引没有值")
_NO_ID = Words("there is no value for the document's id", "文档 ID 没有值")
_NO_OBJECT = Words("the document is no JSON object", "文档不是 JSON 对象")
_NO_TEXT = Words("a value is no text in UTF-8", "有值不是 UTF-8 文本")


class NoLinesError(Exception):
    """A result of which no document can be made; :attr:`words` says why."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of a bulk request.

    Attributes:
        number: Of the item.
        target: Index and id: operations on the same one have to stay in order.
        lines: As they are sent, each with its end.
        is_own_id: Whether the id was made here, so that a document with this id is this one.
        is_delete: Whether it is well when the document is not there.
    """

    number: int
    target: tuple[str, str]
    lines: bytes
    is_own_id: bool
    is_delete: bool


class Lines:
    """Makes entries of results, as an action's parameters say.

    Attributes:
        fields: What it wants of every result.
    """

    def __init__(self, parameters: Create | Update | Delete) -> None:
        self._is_delete = isinstance(parameters, Delete)
        self._upsert = parameters.doc_as_upsert if isinstance(parameters, Update) else None
        self._needs_id = not isinstance(parameters, Create)
        self._has_id = parameters.id is not None
        self._has_routing = parameters.routing is not None
        self._overwrites = isinstance(parameters, Create) and parameters.overwrite
        self._more: dict[str, Any] = {}
        if not isinstance(parameters, Delete) and parameters.require_alias:
            self._more["require_alias"] = True
        # Ids made here are the same when a document is sent again: it is stored once.
        self._run = secrets.token_hex(8)
        fields = [_value(parameters.index)]
        if parameters.id is not None:
            fields.append(_value(parameters.id))
        if parameters.routing is not None:
            fields.append(_value(parameters.routing))
        if not isinstance(parameters, Delete):
            fields.append(_document(parameters.doc))
        self.fields = tuple(fields)

    def entry(self, item: ActionItem) -> Entry:
        """The entry of a result.

        Raises:
            NoLinesError: none can be made of it.
        """
        values = iter(item.fields)
        index = _text(next(values))
        if not index:
            raise NoLinesError(_NO_INDEX)
        document_id = _text(next(values)) if self._has_id else None
        if not document_id and self._needs_id:
            raise NoLinesError(_NO_ID)
        is_own_id = not document_id
        document_id = document_id or f"{self._run}-{item.number}"
        meta = {"_index": index, "_id": document_id, **self._more}
        if self._has_routing and (routing := _text(next(values))):
            meta["routing"] = routing
        lines = [json.dumps({self._operation(is_own_id): meta}).encode()]
        lines.extend(self._body(values))
        joined = b"\n".join((*lines, b""))
        return Entry(item.number, (index, document_id), joined, is_own_id, self._is_delete)

    def _operation(self, is_own_id: bool) -> str:
        if self._is_delete:
            return "delete"
        if self._upsert is not None:
            return "update"
        # Data streams take nothing but `create`; nobody else has an id that was made here.
        return "index" if self._overwrites and not is_own_id else "create"

    def _body(self, values: Iterator[FieldValue]) -> Iterator[bytes]:
        if self._is_delete:
            return
        document = _object(next(values))
        if self._upsert is None:
            yield document
            return
        upsert = b',"doc_as_upsert":true}' if self._upsert else b"}"
        yield b'{"doc":' + document + upsert


def _value(template: str) -> FieldSpec:
    """One placeholder alone keeps telling that there is no value, where text has `undefined`."""
    alone = _ONE_PLACEHOLDER.fullmatch(template)
    return Value(alone[1]) if alone else Text(template)


def _document(template: str | None) -> FieldSpec:
    return Row() if template is None or template.strip() in {"", "${.}"} else Text(template)


def _text(value: FieldValue) -> str | None:
    if value is None or value is UNDEFINED:
        return None
    if isinstance(value, bytes):
        raise NoLinesError(_NO_TEXT)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _object(value: FieldValue) -> bytes:
    """A document in one line. What is no object would be refused with the whole request."""
    if isinstance(value, bytes):
        raise NoLinesError(_NO_TEXT)
    text = value if isinstance(value, str) else ""
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NoLinesError(_NO_OBJECT)
    # The text itself, since numbers may have more digits than they keep here. Ends of lines stand
    # between tokens only.
    return text.translate(_ENDS_OF_LINES).encode()


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and its like are no JSON


_ENDS_OF_LINES = {ord("\n"): " ", ord("\r"): " "}
