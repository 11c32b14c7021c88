"""Frozen data classes that are cheap to make: a node makes all of them at every start.

``dataclasses`` compiles a constructor, a comparison, a ``repr`` and more for each class, which takes
longer than everything else in the module that declares them. Here the methods are the same functions
for every class. They are slower to call, and nobody calls them often.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

_Class = TypeVar("_Class")
_MISSING = dataclasses.MISSING


def dataclass(*, frozen: bool, slots: bool, kw_only: bool) -> Any:
    """``dataclasses.dataclass`` for ``frozen=True, slots=True, kw_only=True``, and for nothing else.

    What it makes is a data class: ``fields``, ``replace`` and ``asdict`` work, it compares by value,
    can be hashed, copied and pickled, and refuses to be changed.
    """
    assert frozen
    assert slots
    assert kw_only
    return _plain


def _plain(cls: type[_Class]) -> type[_Class]:
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)(cls)
    for method in _METHODS:
        setattr(made, method.__name__, method)
    return made


def __init__(self: Any, /, **values: Any) -> None:  # noqa: N807
    cls = type(self)
    for name, item in cls.__dataclass_fields__.items():
        if name in values:
            value = values.pop(name)
        elif item.default is not _MISSING:
            value = item.default
        elif item.default_factory is not _MISSING:
            value = item.default_factory()
        else:
            raise TypeError(f"{cls.__qualname__}() needs {name!r}")
        object.__setattr__(self, name, value)
    if values:
        raise TypeError(f"{cls.__qualname__}() has no {', '.join(map(repr, values))}")


def __repr__(self: Any) -> str:  # noqa: N807
    cls = type(self)
    fields = cls.__dataclass_fields__
    # A secret's field says repr=False.
    shown = (f"{name}={getattr(self, name)!r}" for name in fields if fields[name].repr)
    return f"{cls.__qualname__}({', '.join(shown)})"


def __eq__(self: Any, other: object) -> bool:  # noqa: N807
    if type(other) is not type(self):
        return NotImplemented
    return bool(_values(self) == _values(other))


def __hash__(self: Any) -> int:  # noqa: N807
    return hash(_values(self))


def __setattr__(self: Any, name: str, value: object) -> None:  # noqa: N807
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:  # noqa: N807
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def __getstate__(self: Any) -> tuple[Any, ...]:  # noqa: N807
    return _values(self)


def __setstate__(self: Any, state: tuple[Any, ...]) -> None:  # noqa: N807
    for name, value in zip(type(self).__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)


def _values(of: Any) -> tuple[Any, ...]:
    return tuple(getattr(of, name) for name in type(of).__dataclass_fields__)


_METHODS = (
    __init__,
    __repr__,
    __eq__,
    __hash__,
    __setattr__,
    __delattr__,
    __getstate__,
    __setstate__,
)
