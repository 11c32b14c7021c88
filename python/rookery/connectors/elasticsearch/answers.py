"""What Elasticsearch answers, and what it means for what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rookery.access.errors import Words
from rookery.connectors.base import ItemFailure, Recoverable
from rookery.connectors.elasticsearch.lines import Entry

SAID_LENGTH_MAX = 300
IN_PARTS = frozenset({400, 413})
"""Statuses of a request that may be taken in parts: one operation makes all of it invalid."""
_CREDENTIALS = frozenset({401, 403})
_BUSY = 429
_BLOCKED = "cluster_block_exception"  # such as an index made read-only because a disk is full

_REFUSED = Words("Elasticsearch refuses the document: {said}", "Elasticsearch 拒绝该文档：{said}")
_NOT_NOW = Words(
    "Elasticsearch cannot take the document now: {said}", "Elasticsearch 暂时无法接收该文档：{said}"
)
_BEFORE = Words(
    "an earlier operation on the same document is sent again", "同一文档的较早操作将重新发送"
)
_STATUS = Words(
    "Elasticsearch answers with status {status}: {said}", "Elasticsearch 返回状态 {status}：{said}"
)
_LOGIN = Words(
    "Elasticsearch refuses username or password (status {status}): check both, and what the user may "
    "do there",
    "Elasticsearch 拒绝用户名或密码（状态 {status}）：请检查两者及该用户的权限",
)
_STRANGE = Words("what answers is no Elasticsearch: {said}", "应答者不是 Elasticsearch：{said}")


def said_of(body: bytes) -> str:
    """The reason in an answer, or its beginning."""
    error = (parsed(body) or {}).get("error")
    if isinstance(error, Mapping):
        return _said(error)
    text = error if isinstance(error, str) else body.decode("utf-8", "replace")
    return " ".join(text.split())[:SAID_LENGTH_MAX] or "nothing"


def parsed(body: bytes) -> dict[str, Any] | None:
    """An answer's object; none when it has none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def status_words(status: int, body: bytes) -> Words:
    """Why a request was not taken."""
    if status in _CREDENTIALS:
        return _LOGIN.format(status=status)
    return _STATUS.format(status=status, said=said_of(body))


def strange(body: bytes) -> Words:
    return _STRANGE.format(said=said_of(body))


def of_request(status: int, body: bytes) -> Recoverable:
    """What to say of a request that was not taken, though its documents may be all right."""
    return Recoverable(status_words(status, body), is_connection=status != _BUSY)


def of_entries(entries: Sequence[Entry], body: bytes) -> list[ItemFailure]:
    """The operations that failed.

    Raises:
        Recoverable: the answer is none.
    """
    answer = parsed(body) or {}
    if answer.get("errors") is False:
        return []
    results = answer.get("items")
    if not isinstance(results, list) or len(results) != len(entries):
        raise Recoverable(strange(body))
    failures: list[ItemFailure] = []
    again: set[tuple[str, str]] = set()
    for entry, result in zip(entries, results, strict=True):
        failure = _failure(entry, _outcome(result))
        if failure is None and entry.target in again:
            # It was taken before an earlier one on the same document: that comes again, and this.
            failure = ItemFailure(entry.number, _BEFORE, is_recoverable=True)
        if failure is None:
            continue
        failures.append(failure)
        if failure.is_recoverable:
            again.add(entry.target)
    return failures


def _outcome(result: object) -> Mapping[str, Any]:
    if isinstance(result, Mapping):
        for outcome in result.values():
            if isinstance(outcome, Mapping):
                return outcome
    return {}


def _failure(entry: Entry, outcome: Mapping[str, Any]) -> ItemFailure | None:
    status = outcome.get("status")
    error = outcome.get("error")
    error = error if isinstance(error, Mapping) else {}
    if not isinstance(status, int):
        return ItemFailure(entry.number, _NOT_NOW.format(said=_said(error)), is_recoverable=True)
    is_there = status == 409 and entry.is_own_id
    is_gone = status == 404 and entry.is_delete and not error
    if status < 300 or is_there or is_gone:
        return None
    if status == _BUSY or status >= 500 or error.get("type") == _BLOCKED:
        return ItemFailure(entry.number, _NOT_NOW.format(said=_said(error)), is_recoverable=True)
    return ItemFailure(entry.number, _REFUSED.format(said=_said(error)))


def _said(error: Mapping[str, Any]) -> str:
    cause = error.get("caused_by")
    texts = [str(error.get("reason") or error.get("type") or "no reason given")]
    if isinstance(cause, Mapping) and cause.get("reason"):
        texts.append(str(cause["reason"]))
    return " ".join(": ".join(texts).split())[:SAID_LENGTH_MAX]
