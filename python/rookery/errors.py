"""Every error that Rookery raises on purpose.

    RookeryError
    ├── BadRequestError          BAD_REQUEST
    │   ├── BadRuleError         BAD_REQUEST          (of the SQL of a rule, with line and column)
    │   ├── InvalidValueError    BAD_REQUEST          (breaks a rule that has a word for programs)
    │   └── ConfigError          BAD_CONFIG           (carries every problem found, not only the first)
    ├── UnauthorizedError        UNAUTHORIZED         (nobody knows who asks)
    ├── NotFoundError            NOT_FOUND
    ├── RemovedError             GONE                 (it was there, and will not be again)
    ├── NoMatchError             NOT_MATCH            (a rule takes nothing of what it was tried on)
    ├── ConflictError            ALREADY_EXISTS
    ├── NotAllowedError          FORBIDDEN
    ├── NotAvailableError        NOT_AVAILABLE        (known, but not part of this version)
    ├── TimedOutError            TIMEOUT
    ├── ExceedsLimitError        EXCEED_LIMIT
    ├── UnavailableError         SERVICE_UNAVAILABLE  (nobody is there to ask)
    │   └── BusyError            SERVICE_UNAVAILABLE  (somebody is, who has no time now)
    ├── StartError               START_FAILED
    │   ├── ListenerTlsError     START_FAILED         (a file or a setting of TLS is no good)
    │   ├── PortInUseError       PORT_IN_USE
    │   ├── DataDirInUseError    DATA_DIR_IN_USE
    │   └── NodeNameMismatchError  NODE_NAME_MISMATCH
    └── InternalError            INTERNAL_ERROR

``code`` is stable and is what other programs test for; the message is for people. How a code
becomes an HTTP status or an exit code is decided where that is spoken, not here.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class RookeryError(Exception):
    """Base of all; ``code`` names the kind for programs.

    Where the REST interface has a name for the very thing, such as ``CLIENTID_NOT_FOUND``, it is
    given as ``code=``; the class says what kind it is all the same. ``message_zh`` is the message in
    Chinese.
    """

    code = "INTERNAL_ERROR"

    def __init__(self, message: str, *, code: str = "", message_zh: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.message_zh = message_zh
        if code:
            self.code = code

    def text(self, language: str = "en") -> str:
        """The message in that language, where there are words for it."""
        return self.message_zh or self.message if language == "zh" else self.message

    def __str__(self) -> str:
        return self.message


class BadRequestError(RookeryError):
    """What was asked for makes no sense, whatever the state of the node.

    ``unknown_keys`` are names in what was sent that nobody knows: what stands there may be a secret
    whose name is misspelt.
    """

    code = "BAD_REQUEST"
    unknown_keys: Sequence[str] = ()


class InvalidValueError(BadRequestError):
    """A value breaks a rule; the answer is an object that says which one.

    ``path`` is where the value stands in what was sent, ``reason`` has the word for the rule under
    ``reason`` and what it is about beside it.
    """

    def __init__(
        self, message: str, *, message_zh: str, path: str, reason: Mapping[str, object]
    ) -> None:
        super().__init__(message, message_zh=message_zh)
        self.path = path
        self.reason = dict(reason)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_invalid_value, (
            *(self.message, self.message_zh or "", self.path, self.reason),
        )


def _rebuild_invalid_value(
    message: str, message_zh: str, path: str, reason: Mapping[str, object]
) -> InvalidValueError:
    return InvalidValueError(message, message_zh=message_zh, path=path, reason=reason)


class BadRuleError(BadRequestError):
    """A rule cannot be used. ``line`` and ``column`` count from 1, where the place is known.

    Of what is wrong with SQL ``message_key`` says what kind of mistake it is, which stays the same from
    version to version, and ``message_params`` has the values that the message names.
    """

    def __init__(
        self,
        message: str,
        *,
        rule: str | None = None,
        place: tuple[int, int] | None = None,
        message_zh: str | None = None,
        message_key: str | None = None,
        message_params: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, message_zh=message_zh)
        self.rule = rule
        self.line: int | None = place[0] if place else None
        self.column: int | None = place[1] if place else None
        self.message_key = message_key
        self.message_params = dict(message_params or {})

    def __reduce__(self) -> tuple[object, ...]:
        # The constructor takes the rest by keyword, so pickle sets it afterwards.
        return type(self), (self.message,), dict(self.__dict__)


class ConfigError(BadRequestError):
    """The configuration cannot be used. ``problems`` lists everything that is wrong with it."""

    code = "BAD_CONFIG"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class UnauthorizedError(RookeryError):
    """Nobody knows who asks, or what was said about that is wrong."""

    code = "UNAUTHORIZED"


class NotFoundError(RookeryError):
    """The thing named does not exist."""

    code = "NOT_FOUND"


class RemovedError(RookeryError):
    """The thing named was there and will not be again."""

    code = "GONE"


class NoMatchError(RookeryError):
    """The conditions do not hold for what they were tried on."""

    code = "NOT_MATCH"


class ConflictError(RookeryError):
    """What is there already stands against it."""

    code = "ALREADY_EXISTS"


class NotAllowedError(RookeryError):
    """The caller may not do that."""

    code = "FORBIDDEN"


class NotAvailableError(RookeryError):
    """A known feature that this version does not have."""

    code = "NOT_AVAILABLE"


class TimedOutError(RookeryError):
    """The answer did not come before the deadline."""

    code = "TIMEOUT"


class ExceedsLimitError(RookeryError):
    """A configured bound was reached."""

    code = "EXCEED_LIMIT"


class UnavailableError(RookeryError):
    """The node or service that should answer is not running."""

    code = "SERVICE_UNAVAILABLE"


class BusyError(UnavailableError):
    """It runs, and has so much to do that it does not answer in time: the same again later."""

    retry_after_s = 2


class StartError(RookeryError):
    """A node could not start; whatever it had opened is closed again."""

    code = "START_FAILED"


class ListenerTlsError(StartError):
    """What the TLS settings of a listener name cannot be used.

    ``member`` is the setting, seen from the listener; ``reason`` and ``reason_zh`` what is wrong with it.
    """

    def __init__(
        self, message: str, *, message_zh: str, member: str, reason: str, reason_zh: str
    ) -> None:
        super().__init__(message, message_zh=message_zh)
        self.member = member
        self.reason = reason
        self.reason_zh = reason_zh

    def as_sent(self) -> BadRequestError:
        """The same for whoever sent the settings."""
        return BadRequestError(
            f"{self.member}: {self.reason}", message_zh=f"{self.member}：{self.reason_zh}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_listener_tls, (
            *(self.message, self.message_zh or "", self.member, self.reason, self.reason_zh),
        )


def _rebuild_listener_tls(
    message: str, message_zh: str, member: str, reason: str, reason_zh: str
) -> ListenerTlsError:
    return ListenerTlsError(
        message, message_zh=message_zh, member=member, reason=reason, reason_zh=reason_zh
    )


class PortInUseError(StartError):
    """A listener's address is taken by another socket."""

    code = "PORT_IN_USE"

    def __init__(
        self, message: str, *, listener: str, address: str, message_zh: str | None = None
    ) -> None:
        super().__init__(message, message_zh=message_zh)
        self.listener = listener
        self.address = address

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_port_in_use, (
            *(self.message, self.listener, self.address, self.message_zh),
        )


def _rebuild_port_in_use(
    message: str, listener: str, address: str, message_zh: str | None
) -> PortInUseError:
    return PortInUseError(message, listener=listener, address=address, message_zh=message_zh)


class DataDirInUseError(StartError):
    """Another node runs in that data directory."""

    code = "DATA_DIR_IN_USE"

    def __init__(self, message: str, *, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_data_dir_in_use, (self.message, self.pid)


def _rebuild_data_dir_in_use(message: str, pid: int | None) -> DataDirInUseError:
    return DataDirInUseError(message, pid=pid)


class NodeNameMismatchError(StartError):
    """The data directory belongs to a node of another name."""

    code = "NODE_NAME_MISMATCH"


class InternalError(RookeryError):
    """A defect of Rookery itself."""

    code = "INTERNAL_ERROR"
