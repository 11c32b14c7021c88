"""The audit log: who changed what on this node, one JSON object on each line.

Secrets never get into it: values under names that mean one are masked, whoever calls. The file is
kept to :data:`FILE_BYTES_MAX` and :data:`FILES_MAX` older ones.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.clock import Clock
from rookery.config.problems import InvalidConfigError
from rookery.config.secrets import HIDDEN, without_secrets
from rookery.errors import RookeryError, StartError
from rookery.observability.logs import timestamp

AUDIT_FILE = Path("log") / "audit.jsonl"
FILE_BYTES_MAX = 10 << 20
FILES_MAX = 5
MASKED = HIDDEN
_DEPTH_MAX = 64

_log = logging.getLogger("rookery.audit")


@dataclass(slots=True)
class Changes:
    """What one request changed, as told by the services that it ran through.

    ``unknown`` are keys in its body that nobody knows; ``is_body_kept`` is whether its body is of a
    form in which secrets are found by their names.
    """

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    is_body_kept: bool = True

    def looked(self, before: Any, after: Any) -> None:
        """What was read before and after stands instead of what the services told."""
        self.before, self.after = {"": before}, {"": after}


LOCAL = "local"
# Who asked for what is being done; the node itself where nobody did.
_by: ContextVar[str] = ContextVar("rookery_audit_by", default=LOCAL)
_request: ContextVar[Changes | None] = ContextVar("rookery_audit_request", default=None)


@contextmanager
def asked_by(name: str) -> Iterator[None]:
    """Entries written while the context is open are of this name."""
    token = _by.set(name)
    try:
        yield
    finally:
        _by.reset(token)


@contextmanager
def one_entry() -> Iterator[Changes]:
    """Gather what services tell while the context is open, instead of an entry for each."""
    changes = Changes()
    token = _request.set(changes)
    try:
        yield changes
    finally:
        _request.reset(token)


def changed(target: str = "", *, before: Any = None, after: Any = None) -> None:
    """Add to the entry of the request that is being answered what it changed.

    Args:
        target: What was changed, such as ``users/alice``; one that changes a single thing leaves
            it out.
        before: How that was; nothing for what was made.
        after: How it is; nothing for what is gone. Secrets under their usual names are masked.

    Outside of a request it does nothing: services that are called elsewhere too use
    :meth:`AuditLog.record`, which comes to the same inside one.
    """
    if (changes := _request.get()) is not None:
        changes.before.setdefault(target, before)  # of one that is changed twice the first
        changes.after[target] = after


def hide(keys: Iterable[str]) -> None:
    """Keep what stands at these keys out of the entry of the request that is being answered.

    Nobody knows them, so each may be the misspelt name of a secret.
    """
    if (changes := _request.get()) is not None:
        changes.unknown.update(keys)


@contextmanager
def unread(body: Mapping[str, Any], plain: Collection[str]) -> Iterator[None]:
    """What is refused while the context is open was never held against a schema: any key of ``body``
    but the ``plain`` ones may be the misspelt name of a secret, and none stays in the audit.
    """
    try:
        yield
    except (InvalidConfigError, StartError):
        raise  # it was: the one says itself which keys nobody knows, to the other all are known
    except RookeryError:
        hide(key for key in body if key not in plain)
        raise


def keep_no_body() -> None:
    """Keep the body out of the entry of the request that is being answered: it has not the form in
    which secrets have names.
    """
    if (changes := _request.get()) is not None:
        changes.is_body_kept = False


class AuditLog:
    """Appends entries; may be used from any thread."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self.file = data_dir / AUDIT_FILE
        self._clock = clock
        self._writing = threading.Lock()
        self.failures = 0

    def record(
        self,
        operation: str,
        target: str,
        *,
        before: Any = None,
        after: Any = None,
        by: str | None = None,
        error: str = "",
        request: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one entry. A disk that takes none is logged and counted, and stops nobody.

        Inside a request it becomes a part of that request's entry, which is the one that has
        ``request``. ``by`` is otherwise who asked for it on the node's own socket
        (``local:USER``, the user id), or ``local``: the node itself.
        """
        if _request.get() is not None and request is None:
            changed(target, before=before, after=after)
            return
        entry = {
            "at": timestamp(self._clock.now_ms() / 1000),
            "by": by if by is not None else _by.get(),
            "operation": operation,
            "target": target,
            "result": error or "ok",
            "before": masked(before),
            "after": masked(after),
        }
        if request is not None:
            # The body of a request to this node is none that a service is sent.
            body = {"body": masked(request["body"])} if "body" in request else {}
            said = {key: value for key, value in request.items() if key != "body"}
            entry["request"] = masked(said) | body
        line = json.dumps(entry, ensure_ascii=False, default=str) + "\n"
        try:
            with self._writing:
                self._append(line)
        except OSError as error_:
            self.failures += 1
            _log.error("%s: %s", self.file, error_.strerror or error_)

    def files(self) -> list[Path]:
        """The files that there are, the latest first."""
        older = [
            self.file.with_name(f"{self.file.name}.{number}") for number in range(1, FILES_MAX + 1)
        ]
        return [file for file in (self.file, *older) if file.exists()]

    def metrics(self) -> dict[str, int]:
        return {"audit.failures": self.failures}

    def _append(self, line: str) -> None:
        self.file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if self.file.exists() and self.file.stat().st_size + len(line) > FILE_BYTES_MAX:
            self._rotate()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        # Half of a surrogate pair may stand in what somebody sent: the entry is there all the same.
        with os.fdopen(os.open(self.file, flags, 0o600), "ab") as file:
            file.write(line.encode("utf-8", "replace"))

    def _rotate(self) -> None:
        for number in range(FILES_MAX - 1, 0, -1):
            older = self.file.with_name(f"{self.file.name}.{number}")
            if older.exists():
                older.replace(self.file.with_name(f"{self.file.name}.{number + 1}"))
        self.file.replace(self.file.with_name(f"{self.file.name}.1"))


def without_keys(value: Any, keys: Collection[str], depth: int = 0) -> Any:
    """``value`` with everything masked that stands at one of these keys, however deep."""
    if not keys or depth > _DEPTH_MAX:
        return MASKED if keys else value
    if isinstance(value, dict):
        return {
            key: MASKED if key in keys else without_keys(item, keys, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_keys(item, keys, depth + 1) for item in value]
    return value


def masked(value: Any) -> Any:
    """``value`` without secrets: under names that mean one, in URLs, in text."""
    return without_secrets(_plain(value))


def _plain(value: Any, depth: int = 0) -> Any:
    """Mappings and sequences of every kind as those that are looked into."""
    if depth > _DEPTH_MAX:
        return MASKED
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    return value
