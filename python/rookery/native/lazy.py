"""A message whose attributes are made when somebody looks at them.

The hook of a plugin is given one of these for every message. Most hooks look at the topic, or at
nothing: what they do not look at costs nothing.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from rookery.native.models import Message
from rookery.native.properties import decode_properties

if TYPE_CHECKING:
    from rookery import _native

_FIELDS = frozenset(field.name for field in dataclasses.fields(Message))
_put = object.__setattr__
_new = object.__new__


class LazyMessage(Message):
    """A :class:`Message` in every respect; equal to one with the same attributes.

    The native side makes it, and sets ``_source``.
    """

    __slots__ = ("_source",)

    _source: _native.SourceMessage

    def __getattr__(self, name: str) -> Any:
        # Called for what has no value yet.
        if name not in _FIELDS:
            raise AttributeError(f"a message has no {name}")
        value = self._source.get(name)
        if name == "properties":
            value = decode_properties(value)
        _put(self, name, value)
        return value

    def replace(self, **changes: Any) -> Message:
        try:
            source = self._source.changed(changes)
        except AttributeError:  # it was made by dataclasses.replace()
            source = None
        if source is None:
            return super().replace(**changes)
        made = _new(LazyMessage)
        _put(made, "_source", source)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = Message.__hash__
