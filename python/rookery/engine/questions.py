"""What the core asks, what hooks may answer, and what their answers mean to the core."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from rookery.engine.hooks import (
    BAD_USER_NAME_OR_PASSWORD,
    NOT_AUTHORIZED,
    Action,
    Allow,
    Callback,
    Deny,
    Fallback,
    Identity,
)
from rookery.native.models import Client, Message, SubscriptionInfo
from rookery.native.rows import (
    AdmitRow,
    ContinueRow,
    EventRow,
    FilterRow,
    MessageRow,
    SubscriptionRow,
)

Verdict = tuple[str, int | MessageRow | AdmitRow | ContinueRow | list[FilterRow] | None]
"""The word and the value that ``AnswerRow`` has for a verdict."""

ALLOW: Verdict = ("allow", None)
ALLOW_SUPERUSER: Verdict = ("allow_superuser", None)
DROP: Verdict = ("drop", None)
IGNORE: Verdict = ("ignore", None)


def deny(reason_code: int) -> Verdict:
    return ("deny", reason_code)


def fallback_verdict(fallback: Fallback) -> Verdict:
    """What it means that nobody decided."""
    return ALLOW if fallback == "allow" else deny(NOT_AUTHORIZED)


class Question(Protocol):
    """A question on its way through the hooks that were registered for it."""

    hook: str

    def put(self, callback: Callback) -> Any:
        """Call a hook; the result may have to be awaited."""
        ...

    def take(self, result: object) -> Verdict | None:
        """Look at what a hook said; none: the next hook is asked.

        Raises:
            TypeError: it is nothing that this hook may answer.
        """
        ...

    def end(self) -> Verdict:
        """Every hook was asked and none refused."""
        ...


class Authenticate:
    """``on_authenticate``."""

    __slots__ = ("_client", "_may_ignore", "_password", "_verdict")
    hook = "on_authenticate"

    def __init__(self, row: EventRow, *, may_ignore: bool = False) -> None:
        self._client = Client.from_row(row[3])
        self._password: bytes | None = row[4]
        self._may_ignore = may_ignore
        self._verdict = IGNORE if may_ignore else ALLOW

    def put(self, callback: Callback) -> Any:
        return callback(self._client, self._password)

    def take(self, result: object) -> Verdict | None:
        if result is None and self._may_ignore:
            return None
        if isinstance(result, Allow):
            self._verdict = agreed(self._verdict, _admitted(result))
            return None
        refusal = _refusal(self.hook, result, BAD_USER_NAME_OR_PASSWORD)
        if refusal is None and self._verdict is IGNORE:
            self._verdict = ALLOW
        return refusal

    def end(self) -> Verdict:
        return self._verdict


class Authorize:
    """``on_authorize``."""

    __slots__ = ("_asked", "_may_ignore", "_verdict")
    hook = "on_authorize"

    def __init__(self, row: EventRow, *, may_ignore: bool = False) -> None:
        client_id, username, is_publish, topic, qos, retain = row[3][:6]
        action: Action = "publish" if is_publish else "subscribe"
        self._asked = (Identity(client_id, username), action, topic, qos, retain)
        self._may_ignore = may_ignore
        self._verdict = IGNORE if may_ignore else ALLOW

    def put(self, callback: Callback) -> Any:
        return callback(*self._asked)

    def take(self, result: object) -> Verdict | None:
        if result is None and self._may_ignore:
            return None
        refusal = _refusal(self.hook, result, NOT_AUTHORIZED)
        if refusal is None:
            self._verdict = ALLOW
        return refusal

    def end(self) -> Verdict:
        return self._verdict


class Publish:
    """``on_publish``: each hook sees what the one before it returned."""

    __slots__ = ("_message", "_original")
    hook = "on_publish"

    def __init__(
        self, row: EventRow, *, may_ignore: bool = False, message: Message | None = None
    ) -> None:
        """``message``: it is one already; then the row is not looked at."""
        self._original = self._message = message or Message.from_row(row[3])

    def put(self, callback: Callback) -> Any:
        return callback(self._message)

    def take(self, result: object) -> Verdict | None:
        if result is None:
            return DROP
        if isinstance(result, Deny):
            return deny(result.reason_code)
        if not isinstance(result, Message):
            raise TypeError(f"on_publish returned {result!r}, not a Message, Deny or None")
        self._message = result
        return None

    def end(self) -> Verdict:
        if self._message is self._original:
            return ALLOW
        return ("replace", self._message.to_row())


_Filter = SubscriptionInfo | str


class Filters:
    """``on_subscribe`` and ``on_unsubscribe``: each hook sees what those before it left."""

    __slots__ = ("_client_id", "_is_changed", "_left", "hook")

    def __init__(self, row: EventRow, *, may_ignore: bool = False) -> None:
        self._client_id, wanted = row[3]
        self.hook = f"on_{row[2]}"
        self._is_changed = False
        made = SubscriptionInfo.from_row if row[2] == "subscribe" else str
        self._left: list[_Filter | Deny] = [made(item) for item in wanted]

    def put(self, callback: Callback) -> Any:
        return callback(self._client_id, tuple(self._open()))

    def take(self, result: object) -> Verdict | None:
        if result is None:
            return None
        if isinstance(result, Deny):
            return deny(result.reason_code)
        kind = type(self._open()[0])
        if not isinstance(result, list | tuple) or len(result) != len(self._open()):
            raise TypeError(f"{self.hook} returned {result!r}, not one item for each filter")
        for item in result:
            if not isinstance(item, kind | Deny) or not _is_sound(item):
                raise TypeError(f"{self.hook} returned {item!r}, not a {kind.__name__} or Deny")
        said = iter(result)
        self._left = [item if isinstance(item, Deny) else next(said) for item in self._left]
        self._is_changed = True
        return None if self._open() else self.end()

    def end(self) -> Verdict:
        if not self._is_changed:
            return ALLOW
        return ("filters", [_filter_row(item) for item in self._left])

    def _open(self) -> list[_Filter]:
        return [item for item in self._left if not isinstance(item, Deny)]


def _is_sound(item: object) -> bool:
    """Whether numbers are in their bounds; what is no Topic Filter is refused as such."""
    if not isinstance(item, SubscriptionInfo):
        return True
    return item.qos in (0, 1, 2) and item.retain_handling in (0, 1, 2)


def _filter_row(item: _Filter | Deny) -> SubscriptionRow | int:
    if isinstance(item, Deny):
        return item.reason_code
    return (item, 0, False, False, 0) if isinstance(item, str) else item.to_row()


class Decision(NamedTuple):
    """What access control says before hooks are asked.

    ``goes_on``: hooks of the same question are asked as well. About authentication all have to
    agree; about authorization they decide instead.
    """

    verdict: Verdict
    goes_on: bool = False


class AccessControl(Protocol):
    """Decides by configuration: providers of authentication, sources of authorization."""

    def takes(self, row: EventRow) -> bool:
        """Whether this question is for it; the others go to hooks straight away."""
        ...

    async def decide(self, row: EventRow) -> Decision:
        """Decide it."""
        ...


def agreed(first: Verdict, second: Verdict) -> Verdict:
    """What holds when two admit the same client."""
    if first[0] in ("ignore", "allow"):
        return second if second[0] != "ignore" else first
    if second[0] in ("ignore", "allow"):
        return first
    rows = [_admit_row(verdict) for verdict in (first, second)]
    if not any(isinstance(verdict[1], AdmitRow) for verdict in (first, second)):
        return ALLOW_SUPERUSER
    expiries = [row.expire_at_ms for row in rows if row.expire_at_ms is not None]
    attributes = dict(rows[0].client_attrs) | dict(rows[1].client_attrs)
    both = rows[0]._replace(
        is_superuser=rows[0].is_superuser or rows[1].is_superuser,
        client_attrs=tuple(attributes.items()),
        expire_at_ms=min(expiries, default=None),
    )
    return ("admit", both)


def _admit_row(verdict: Verdict) -> AdmitRow:
    found = verdict[1]
    return found if isinstance(found, AdmitRow) else AdmitRow(verdict[0] == "allow_superuser")


def _admitted(allow: Allow) -> Verdict:
    if allow.client_attrs or allow.expire_at_ms is not None:
        row = AdmitRow(
            is_superuser=allow.is_superuser,
            client_attrs=tuple(allow.client_attrs),
            expire_at_ms=allow.expire_at_ms,
        )
        return ("admit", row)
    return ALLOW_SUPERUSER if allow.is_superuser else ALLOW


def _refusal(hook: str, result: object, reason_code: int) -> Verdict | None:
    if result is True:
        return None
    if result is False:
        return deny(reason_code)
    if isinstance(result, Deny):
        return deny(result.reason_code)
    raise TypeError(f"{hook} returned {result!r}, not True, False or Deny")


QUESTIONS: dict[str, type[Authenticate | Authorize | Publish | Filters]] = {
    "authenticate": Authenticate,
    "first_authenticate": Authenticate,
    "auth_continue": Authenticate,
    "authorize": Authorize,
    "publish": Publish,
    "subscribe": Filters,
    "unsubscribe": Filters,
}
