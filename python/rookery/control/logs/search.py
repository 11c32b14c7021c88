"""Keeps logs in an Elasticsearch or OpenSearch: an index for each day, by the day of the record.

A record has the same id each time it is sent, so that it is there once. What the server cannot take at the
moment is not confirmed, and comes again.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rookery.access.errors import Words
from rookery.clock import Clock
from rookery.contracts.agent_logs import SEVERITIES
from rookery.control.errors import InvalidError, OutOfReachError
from rookery.control.logs import texts
from rookery.control.logs.models import (
    DEBUG,
    Bucket,
    LogFilter,
    LogRecord,
    Part,
    Retention,
    Source,
)
from rookery.control.logs.receiver import SearchServer
from rookery.control.logs.search_client import SearchClient, out_of_reach

_log = logging.getLogger("rookery.control.logs")

BULK_BYTES = 2 << 20
SOURCES_MAX = 100
DAYS_MAX = 366
_KEYWORD = {"type": "keyword", "ignore_above": 512}
_MAPPINGS = {
    "dynamic": False,
    "properties": {
        "time": {"type": "date", "format": "epoch_millis"},
        "severity": {"type": "byte"},
        "level": _KEYWORD,
        "clusterId": _KEYWORD,
        "agentId": _KEYWORD,
        "node": _KEYWORD,
        "file": _KEYWORD,
        "logger": _KEYWORD,
        "message": {"type": "text"},
        "raw": {"type": "text"},
        "key": _KEYWORD,
    },
}
_ID = re.compile(r"(\d{1,16})\.([A-Za-z0-9_.-]{1,200})")
_NOT_NOW = Words("it cannot take logs now: {said}", "暂时无法接收日志：{said}")


class SearchLogs:
    """Keeps records there. Lives on one event loop."""

    def __init__(self, server: SearchServer, clock: Clock) -> None:
        self._prefix = server.index_prefix
        self._clock = clock
        self._client = SearchClient(server)

    async def open(self) -> None:
        await self._client.open()
        try:
            await self._client.check()
            await self._client.get("PUT", f"_index_template/{self._prefix}", self._template())
        except BaseException:
            await self._client.close()
            raise

    async def close(self) -> None:
        await self._client.close()

    async def test(self) -> None:
        """Write something, find it and take it away again.

        Raises:
            OutOfReachError: one of that does not work.
        """
        index = f"{self._prefix}-test"
        document = {"time": self._clock.now_ms(), "raw": "a test of the control plane"}
        path = f"{index}/_doc/test"
        await self._client.get("PUT", f"{path}?refresh=true", document)
        found = await self._client.get("GET", path)
        if not found.get("found"):
            raise OutOfReachError(texts.NOT_FOUND_AGAIN, reason=index)
        await self._client.get("DELETE", index)

    def _template(self) -> dict[str, Any]:
        return {
            "index_patterns": [f"{self._prefix}-*"],
            "priority": 200,
            "template": {
                "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1"},
                "mappings": _MAPPINGS,
            },
        }

    async def put(self, parts: Sequence[Part]) -> list[LogRecord]:
        fresh: list[LogRecord] = []
        lines: list[bytes] = []
        records: list[LogRecord] = []
        size = 0
        for record, text in self._lines(parts):
            lines.append(text)
            records.append(record)
            size += len(text)
            if size >= BULK_BYTES:
                fresh += await self._send(lines, records)
                lines, records, size = [], [], 0
        return fresh + await self._send(lines, records)

    def _lines(self, parts: Sequence[Part]) -> Iterator[tuple[LogRecord, bytes]]:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        for part in parts:
            origin = part.origin
            for entry in part.entries:
                key = f"{origin.agent_id}-{origin.stream}-{entry.position:016d}"
                record = LogRecord(
                    f"{entry.time_ms}.{key}",
                    *(entry.time_ms, entry.severity),
                    *(origin.cluster_id, origin.node, origin.file),
                    *(entry.logger, entry.msg, entry.raw),
                )
                head = {"create": {"_index": self._index(entry.time_ms, now), "_id": key}}
                document = {**_document(record), "agentId": origin.agent_id, "key": key}
                text = f"{json.dumps(head)}\n{json.dumps(document, ensure_ascii=False)}\n"
                yield record, text.encode()

    def _index(self, time_ms: int, now: datetime) -> str:
        """That of the record's own day, the same each time it is sent."""
        try:
            day = datetime.fromtimestamp(time_ms / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return f"{self._prefix}-other"
        if abs(now - day) > timedelta(days=DAYS_MAX):
            # A wrong clock must not make a thousand indexes.
            return f"{self._prefix}-other"
        return f"{self._prefix}-{day:%Y.%m.%d}"

    async def _send(self, lines: list[bytes], records: list[LogRecord]) -> list[LogRecord]:
        if not lines:
            return []
        answer = await self._client.ask("POST", "_bulk", lines=b"".join(lines))
        items = answer.found.get("items")
        if answer.status != 200 or not isinstance(items, list) or len(items) != len(records):
            raise out_of_reach(_not_now(answer.body.decode("utf-8", "replace")))
        fresh: list[LogRecord] = []
        refused: list[str] = []
        for record, item in zip(records, items, strict=True):
            outcome: dict[str, Any] = (
                next(iter(item.values()), {}) if isinstance(item, dict) else {}
            )
            status = outcome.get("status")
            if status in (200, 201):
                fresh.append(record)
            elif status == 429 or not isinstance(status, int) or status >= 500:
                raise out_of_reach(_not_now(_said(outcome)))
            elif status != 409:
                refused.append(_said(outcome))
        if refused:
            _log.warning("%d records were refused, such as: %s", len(refused), refused[0])
        return fresh

    # -- finding -------------------------------------------------------------------------------

    async def page(
        self, wanted: LogFilter, size: int, *, after: str | None, is_newest_first: bool
    ) -> list[LogRecord]:
        order = "desc" if is_newest_first else "asc"
        body: dict[str, Any] = {
            "size": size,
            "track_total_hits": False,
            "query": _query(wanted),
            "sort": [
                {"time": {"order": order, "unmapped_type": "date"}},
                {"key": {"order": order, "unmapped_type": "keyword"}},
            ],
        }
        if after is not None:
            found = _ID.fullmatch(after)
            if found is None:
                raise InvalidError(texts.BAD_CURSOR)
            body["search_after"] = [int(found[1]), found[2]]
        hits = (await self._search(body)).get("hits", {}).get("hits", [])
        return [_record(hit.get("_source") or {}) for hit in hits]

    async def histogram(self, wanted: LogFilter, start_ms: int, width_ms: int) -> list[Bucket]:
        levels = {"terms": {"field": "severity", "size": len(SEVERITIES)}}
        over = {"field": "time", "fixed_interval": f"{width_ms}ms", "min_doc_count": 1}
        body = {
            "size": 0,
            "query": _query(wanted),
            "aggs": {"over": {"date_histogram": over, "aggs": {"levels": levels}}},
        }
        found = await self._search(body)
        return [
            Bucket((int(part["key"]) - start_ms) // width_ms, int(level["key"]), level["doc_count"])
            for part in _buckets(found.get("aggregations", {}), "over")
            for level in _buckets(part, "levels")
        ]

    def notice(self, records: Sequence[LogRecord]) -> str:
        return ""  # it would not find them yet

    async def noticed(self, notice: str, clusters: frozenset[str]) -> list[LogRecord]:
        return []

    async def sources(self, clusters: frozenset[str]) -> list[Source]:
        files: dict[str, Any] = {
            "terms": {"field": "file", "size": SOURCES_MAX},
            "aggs": {"last": {"max": {"field": "time"}}},
        }
        nodes = {
            "terms": {"field": "node", "size": SOURCES_MAX, "missing": ""},
            "aggs": {"files": files},
        }
        body = {
            "size": 0,
            "query": _query(LogFilter(clusters=clusters)),
            "aggs": {
                "clusters": {
                    "terms": {"field": "clusterId", "size": max(1, len(clusters))},
                    "aggs": {"nodes": nodes},
                }
            },
        }
        found = await self._search(body)
        return [
            Source(cluster["key"], node["key"], file["key"], int(file["last"]["value"] or 0))
            for cluster in _buckets(found.get("aggregations", {}), "clusters")
            for node in _buckets(cluster, "nodes")
            for file in _buckets(node, "files")
        ]

    async def _search(self, body: dict[str, Any]) -> dict[str, Any]:
        path = f"{self._prefix}-*/_search?ignore_unavailable=true&allow_no_indices=true"
        return await self._client.get("POST", path, body)

    async def sweep(self, retention: Retention) -> None:
        """Whole days alone: how much there is, is the server's own affair."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        oldest = f"{self._prefix}-{now - timedelta(days=retention.days):%Y.%m.%d}"
        day = re.compile(re.escape(self._prefix) + r"-\d{4}\.\d{2}\.\d{2}")
        for name in await self._client.get("GET", f"{self._prefix}-*/_settings?flat_settings=true"):
            if day.fullmatch(name) and name < oldest:
                await self._client.get("DELETE", name)
                _log.info("the index %s is too old and gone", name)

    async def size(self, project_id: str | None = None) -> int | None:
        return None


def _document(record: LogRecord) -> dict[str, Any]:
    return {
        "time": record.time_ms,
        "severity": record.severity,
        "level": SEVERITIES[record.severity],
        "clusterId": record.cluster_id,
        "node": record.node,
        "file": record.file,
        "logger": record.logger,
        "message": record.msg,
        "raw": record.raw,
    }


def _record(found: dict[str, Any]) -> LogRecord:
    """What somebody else may have written there is read with care."""
    time_ms, severity = found.get("time"), found.get("severity")
    time_ms = time_ms if isinstance(time_ms, int) else 0
    texts_found = [str(found.get(name) or "") for name in ("clusterId", "node", "file")]
    said = [str(found.get(name) or "") for name in ("logger", "message", "raw")]
    is_known = isinstance(severity, int) and 0 <= severity <= DEBUG
    number = severity if is_known and isinstance(severity, int) else DEBUG
    return LogRecord(f"{time_ms}.{found.get('key', '')}", time_ms, number, *texts_found, *said)


def _query(wanted: LogFilter) -> dict[str, Any]:
    filters: list[dict[str, Any]] = [{"terms": {"clusterId": sorted(wanted.clusters)}}]
    times = {
        name: value
        for name, value in (("gte", wanted.since_ms), ("lte", wanted.until_ms))
        if value is not None
    }
    if times:
        filters.append({"range": {"time": {**times, "format": "epoch_millis"}}})
    if wanted.severity_max < DEBUG:
        filters.append({"range": {"severity": {"lte": wanted.severity_max}}})
    for name, value in (("node", wanted.node), ("file", wanted.file)):
        if value is not None:
            filters.append({"term": {name: value}})
    filters += [{"match_phrase_prefix": {"raw": term}} for term in wanted.terms]
    return {"bool": {"filter": filters}}


def _buckets(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    part = found.get(name)
    buckets = part.get("buckets") if isinstance(part, dict) else None
    return buckets if isinstance(buckets, list) else []


def _said(outcome: dict[str, Any]) -> str:
    error = outcome.get("error")
    return str(error.get("reason") if isinstance(error, dict) else error)[:300]


def _not_now(said: str) -> Words:
    return _NOT_NOW.format(said=" ".join(said.split())[:300])
