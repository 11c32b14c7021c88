"""Errors of access control, each in English and Chinese.

BadRequestError
└── AccessError
    ├── AclSyntaxError       (rookery.access.acl_file)
    ├── SettingError         a provider or source cannot work with these settings
    │   └── EntryError       … and which entry of the configuration that is
    └── ImportError_         a file of users, rules or bans has a bad line
UnavailableError
└── BackendError             a service or database did not answer as it should
"""

from __future__ import annotations

from typing import Any

from rookery.config.tree import join_path, seen_from
from rookery.errors import BadRequestError, UnavailableError
from rookery.words import Words

__all__ = [
    "STOPPED",
    "AccessError",
    "BackendError",
    "EntryError",
    "ImportFileError",
    "SettingError",
    "Words",
]

_AT = Words("{place}: {reason}", "{place}：{reason}")


class AccessError(BadRequestError):
    """What an operator wrote cannot be used; :attr:`words` says why in both languages."""

    code = "BAD_REQUEST"

    def __init__(self, words: Words) -> None:
        super().__init__(words.en, message_zh=words.zh)
        self.words = words

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.words,)


class SettingError(AccessError):
    """A provider or source cannot work with these settings on this machine."""

    code = "BAD_CONFIG"


class EntryError(SettingError):
    """The same of one entry of the configuration, which is said before the reason.

    Attributes:
        place: The entry, such as ``authentication.1``.
        reason: Why, without the place.
    """

    def __init__(self, place: str, reason: Words) -> None:
        super().__init__(_AT.format(place=place, reason=reason))
        self.place = place
        self.reason = reason

    def seen_from(self, base: tuple[str, ...], written: Any = None) -> SettingError:
        """The same for whoever wrote ``written``, which stands at ``base``."""
        if self.place == join_path(base):
            return SettingError(self.reason)
        return EntryError(seen_from(self.place, base, written), self.reason)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.place, self.reason)


class ImportFileError(AccessError):
    """A file of users, rules or bans has a line that means nothing; nothing was taken from it."""


class BackendError(UnavailableError):
    """A service or database did not answer, or not in a way that means something.

    :attr:`words` say why in both languages, and hold no secret.
    """

    def __init__(self, words: Words) -> None:
        super().__init__(words.en, message_zh=words.zh)
        self.words = words

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.words,)


STOPPED = Words("the provider is stopped", "该认证或授权后端已停止")
