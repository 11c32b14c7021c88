"""Errors of the control plane, in English and Chinese.

    raise MissingError(NO_SUCH_PROJECT, name=name)

A feature keeps its texts beside its service.
"""

from __future__ import annotations

from typing import NamedTuple

from rookery.errors import (
    BadRequestError,
    ConflictError,
    ExceedsLimitError,
    NotAllowedError,
    NotFoundError,
    RemovedError,
    RookeryError,
    UnauthorizedError,
    UnavailableError,
)
from rookery.words import Words


class Text(NamedTuple):
    """A sentence with places such as ``{name}``; a value that is :class:`Words` goes into each as it is there."""

    en: str
    zh: str


class _ToldError(RookeryError):
    def __init__(self, text: Text, *, code: str = "", **values: object) -> None:
        said = Words(*text).format(**values)
        super().__init__(said.en, code=code, message_zh=said.zh)


class InvalidError(_ToldError, BadRequestError):
    """What was asked for makes no sense."""


class UnknownCallerError(_ToldError, UnauthorizedError):
    """Nobody knows who asks."""

    challenge = 'Bearer realm="rookery-control"'
    """There are no passwords in headers here, so a browser must not ask for one."""


class DeniedError(_ToldError, NotAllowedError):
    """Visible, and not the caller's to do."""


class MissingError(_ToldError, NotFoundError):
    """It is not there, or nobody tells the caller that it is."""


class GoneError(_ToldError, RemovedError):
    """It was there, and will not be again."""


class TakenError(_ToldError, ConflictError):
    """What is there stands against it."""


class TooManyError(_ToldError, ExceedsLimitError):
    """A bound was reached."""


class OutOfReachError(_ToldError, UnavailableError):
    """Not at present."""


NOT_ALLOWED = Text("your role does not allow this", "您的角色无权执行此操作")
NOT_FOUND = Text("there is no such thing", "对象不存在")
