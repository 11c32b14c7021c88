"""Links to other clusters: defining them, and how they do on every node.

Definitions are settings of the node (``cluster.links``), which all nodes of a cluster have alike; what
runs is made so by :class:`~rookery.broker.links.part.LinksPart`. This knows no HTTP and no socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from rookery.broker.audit import unread
from rookery.broker.links.figures import link_families
from rookery.broker.links.part import LinksPart
from rookery.broker.links.texts import Reason, reason_of
from rookery.broker.management.rows import rfc3339
from rookery.broker.nodes import Nodes
from rookery.broker.settings import NodeSettings
from rookery.config import destinations, tls_files
from rookery.config.check import check
from rookery.config.destinations import said_in
from rookery.config.load import RUNTIME_FILE
from rookery.config.on_machine import folders_of, password_file_named
from rookery.config.problems import InvalidConfigError
from rookery.config.runtime import KeyPath, lost_secrets, unhidden
from rookery.config.schema.links import LINK, WrongLink, check_name, check_server, check_topics
from rookery.config.tree import Origin, wrap
from rookery.errors import BadRequestError, InvalidValueError, NotFoundError
from rookery.observability.exposition import Family

Vocabulary: TypeAlias = Literal["shipped", "document"]
"""In which words states are told: those of EMQX as it was shipped, or those of its document."""
Settings: TypeAlias = dict[str, Any]

_PLAIN = ("name", "enable", "topics")
"""Keys of a body that are shown in the audit whatever is wrong with it."""
PATH: KeyPath = ("cluster", "links")
STATUS, RESET = "links.status", "links.reset"
FIGURES = ("matched", "success", "failed", "dropped", "retried", "queuing", "inflight")
RATES = ("rate", "rate_last5m", "rate_max")
TRAFFIC = ("received", "refused", "queued_bytes", "stored", "stored_bytes")
GLANCED = ("routes", "sent_routes", "queuing", "stored", "stored_bytes", "received", "rate")
"""Figures that a list of links shows."""
NO_FIGURES: Mapping[str, float] = dict.fromkeys(
    (*FIGURES, *RATES, *TRAFFIC, "routes", "sent_routes"), 0
)

SHOWN_ONLY = frozenset(
    {
        *("status", "status_reason", "status_reason_zh", "hint", "hint_zh", "status_since"),
        *("node_status", "node", "warning", "warning_zh", "metrics", "node_metrics"),
    }
)
"""Members of an answer that are no settings: what was read may be sent back."""
USUAL: Settings = {"tcp_opts": {}, "ps_actor_incarnation": 0}
USUAL_OPTS: Settings = {
    "worker_pool_size": 16,
    "inflight_window": 100,
    "health_check_interval_jitter": "0ms",
    "health_check_timeout": "60s",
}
"""What EMQX shows besides and has no effect here."""


class LinkService:
    """What can be done about links."""

    def __init__(self, part: LinksPart, settings: NodeSettings, nodes: Nodes) -> None:
        self.part = part
        self._settings = settings
        self._nodes = nodes
        # Between a look whether there is one and the change nobody else may change it.
        self._changing = asyncio.Lock()
        nodes.answer(STATUS, self.own_status)
        nodes.serve(RESET, self._serve_reset)

    # -- looking ----------------------------------------------------------------------------

    async def all(self, vocabulary: Vocabulary = "shipped") -> list[Settings]:
        """Every link with its settings and how it does."""
        states = await self._states()
        return [self._row(item, states, vocabulary) for item in self._shown()]

    async def get(self, name: str, vocabulary: Vocabulary = "shipped") -> Settings:
        """One of them.

        Raises:
            NotFoundError: there is no link of that name.
        """
        item = self._known(name)
        return self._row(item, await self._states(), vocabulary)

    async def metrics(self, name: str, vocabulary: Vocabulary = "shipped") -> Settings:
        """Figures of a link: routes as the node has most of them, messages of all nodes together.

        Raises:
            NotFoundError: there is no link of that name.
        """
        self._known(name)
        states = await self._states()
        of_nodes = {node: found[name]["figures"] for node, found in states.items() if name in found}
        rows = [
            {"node": node, "metrics": _metrics([figures], vocabulary)}
            for node, figures in of_nodes.items()
        ]
        every = list(of_nodes.values())
        return {"metrics": _metrics(every, vocabulary), "node_metrics": rows}

    async def own_status(self) -> dict[str, Settings]:
        """How every link does on this node."""
        statuses = await self.part.statuses()
        found: dict[str, Settings] = {}
        for item in self._settings.config["cluster.links"]:
            name = item["name"]
            status, reason = statuses.get(name), self.part.reason(name, statuses.get(name))
            rate = self.part.rate(name)
            figures = dict(NO_FIGURES)
            row: Settings = {"status": "disconnected", **_told(reason)}
            if status is not None:
                figures |= {key: getattr(status, key) for key in figures if key in status._fields}
                row |= {
                    "status": "disconnected" if not item["enable"] else status.status,
                    "since": rfc3339(status.since_ms),
                    "replication": status.replication,
                    "server": status.server,
                    "pool_connected": status.pool_connected,
                    "store": status.store,
                    "stored_since": _time(status.stored_since_ms),
                }
            figures |= {
                "rate": rate.now,
                "rate_last5m": rate.last_5_minutes,
                "rate_max": rate.highest,
            }
            found[name] = {**row, "figures": figures}
        return found

    async def families(self) -> list[Family]:
        """How every link does on this node, for Prometheus."""
        if not self._settings.config["cluster.links"]:
            return []
        return link_families(await self.own_status())

    async def _states(self) -> dict[str, dict[str, Settings]]:
        """By node; one that runs and does not answer says so of every link."""
        found: dict[str, dict[str, Settings]] = await self._nodes.of_all(STATUS, self.own_status)
        for node in self._nodes.others():
            if node not in found:
                reason = reason_of("no_answer", name="", own="")
                row = {"status": "inconsistent", **_told(reason), "figures": dict(NO_FIGURES)}
                found[node] = {item["name"]: row for item in self._shown()}
        return found

    def _row(
        self, item: Settings, states: Mapping[str, Mapping[str, Settings]], vocabulary: Vocabulary
    ) -> Settings:
        name = item["name"]
        usual: Settings = {"status": "disconnected", **_told(None), "figures": dict(NO_FIGURES)}
        rows = {node: found.get(name, usual) for node, found in states.items()}
        words = {row["status"] for row in rows.values()}
        status = words.pop() if len(words) == 1 else "inconsistent"
        why = next((row for row in rows.values() if row["code"]), usual)
        node_status = [
            {
                "node": node,
                **{
                    key: value
                    for key, value in row.items()
                    if key != "figures" and value is not None
                },
                "status": _word(row["status"], vocabulary),
                **{key: row["figures"][key] for key in GLANCED},
            }
            for node, row in rows.items()
        ]
        return {
            **_with_usual(item),
            "status": _word(status, vocabulary),
            "status_reason": why["reason"] or "",
            "status_reason_zh": why["reason_zh"] or "",
            "hint": why["hint"] or "",
            "hint_zh": why["hint_zh"] or "",
            **self._warning(name),
            "node_status": node_status,
        }

    def _warning(self, name: str) -> Settings:
        # Loaded where there are links.
        from rookery.config.links import unprotected  # noqa: PLC0415

        for item in self._settings.config["cluster.links"]:
            host = unprotected(item) if item["name"] == name else None
            if host is not None:
                return {
                    "warning": f"{host} is no address of a private network and the link is not encrypted",
                    "warning_zh": f"{host} 不是私有网络地址，而连接未加密",
                }
        return {"warning": "", "warning_zh": ""}

    def _shown(self) -> list[Settings]:
        found: list[Settings] = self._settings.config.effective()["cluster"]["links"]
        return found

    def _known(self, name: str) -> Settings:
        for item in self._shown():
            if item["name"] == name:
                return item
        raise NotFoundError("Cluster link not found", message_zh="集群连接不存在")

    # -- changing ---------------------------------------------------------------------------

    async def create(self, body: Settings) -> Settings:
        """Define one and start it.

        Raises:
            BadRequestError: there is one of that name, or it makes no sense.
        """
        async with self._changing:
            with unread(body, _PLAIN):
                item = self._settable(body, of=None)
                name = item["name"]
                if any(known["name"] == name for known in self._shown()):
                    raise BadRequestError(
                        "Cluster link already exists",
                        code="ALREADY_EXISTS",
                        message_zh="集群连接已存在",
                    )
            items = [*self._stored(), item]
            await self._write("create", name, items, written=len(items))
        return await self.get(name)

    async def update(self, name: str, body: Settings) -> Settings:
        """Replace the settings of one; secrets that are sent back hidden stay.

        Raises:
            NotFoundError: there is no link of that name.
            BadRequestError: it makes no sense.
        """
        async with self._changing:
            with unread(body, _PLAIN):
                self._known(name)
                item = self._settable(body, of=name)
            items = self._stored()
            index = self._index(items, name)
            items[index] = item
            await self._write("update", name, items, written=index + 1)
        return await self.get(name)

    async def delete(self, name: str) -> None:
        """Take one away for good.

        Raises:
            NotFoundError: there is no link of that name.
        """
        async with self._changing:
            self._known(name)
            items = self._stored()
            del items[self._index(items, name)]
            await self._write("delete", name, items)

    async def put(self, body: Settings) -> list[Settings]:
        """Create that one link, or replace its settings.

        Raises:
            BadRequestError: it makes no sense.
        """
        name = body.get("name")
        if any(item["name"] == name for item in self._shown()):
            await self.update(str(name), body)
        else:
            await self.create(body)
        return await self.all()

    async def replace(self, bodies: Sequence[Settings]) -> list[Settings]:
        """Make the list the links, all of them.

        Raises:
            BadRequestError: it makes no sense; nothing changes.
        """
        async with self._changing:
            items = []
            for body in bodies:
                with unread(body, _PLAIN):
                    items.append(self._settable(body, of=None))
            names = [item["name"] for item in items]
            if doubled := sorted({name for name in names if names.count(name) > 1}):
                raise InvalidValueError(
                    f"name: there is more than one link to {', '.join(doubled)}",
                    message_zh=f"name：到 {'、'.join(doubled)} 的连接重复",
                    path="name",
                    reason={"reason": "duplicated_cluster_links", "names": doubled},
                )
            await self._write("update", "", items)
        return await self.all()

    async def reset(self, name: str) -> None:
        """Let the counters of a link begin at zero on every node.

        Raises:
            NotFoundError: there is no link of that name.
        """
        self._known(name)
        await self.part.reset(name)
        await self._nodes.ask_others(RESET, {"name": name})

    async def _serve_reset(self, body: Any) -> Any:
        name = str(body["name"])
        self._known(name)
        await self.part.reset(name)
        return None

    async def probe(self, body: Settings) -> None:
        """Try settings without keeping them; a hidden secret is that of the link of that name.

        Raises:
            BadRequestError: they do not work; ``TEST_FAILED`` with the reason.
        """
        with unread(body, _PLAIN):
            item = self._settable(body, of=None)
        known = next((it for it in self._stored() if it["name"] == item["name"]), None)
        if named := list(password_file_named("password", item.get("password"))):
            raise InvalidConfigError(named)
        asked, item = item, unhidden(item, known)
        if lost := list(lost_secrets(asked, item, known)):
            raise InvalidConfigError(lost)
        if known is not None:
            shown = self._known(item["name"])
            found = list(destinations.of_tree(shown, asked, lambda path: said_in(asked, path)))
            if found:
                raise InvalidConfigError(found)
        values = await asyncio.to_thread(self._checked, item)
        reason = await self.part.probe(values)
        if reason is not None:
            raise BadRequestError(
                _sentence(reason, "en"), code="TEST_FAILED", message_zh=_sentence(reason, "zh")
            )

    def _checked(self, item: Settings) -> Settings:
        """The values of a link that is not kept.

        Raises:
            InvalidConfigError: it could not be kept.
        """
        config = self._settings.config
        folders = folders_of(config)
        found = check(wrap(item, Origin("runtime", str(config.data_dir / RUNTIME_FILE))), LINK)
        problems = [*found.problems, *tls_files.problems(folders, {}, found.shown)]
        if problems:
            raise InvalidConfigError(problems)
        return found.values

    # -- inside -----------------------------------------------------------------------------

    def _settable(self, body: Settings, *, of: str | None) -> Settings:
        """What is kept of a body, names, addresses and topics looked at.

        Args:
            body: What was sent.
            of: The name in the path, where there is one.

        Raises:
            BadRequestError: something in it makes no sense.
        """
        item = {
            key: value for key, value in body.items() if key not in SHOWN_ONLY and value is not None
        }
        if of is not None:
            if item.get("name", of) != of:
                raise BadRequestError(
                    "name: a link keeps its name; create another one instead",
                    message_zh="name：连接名称不可修改，请另建一个连接",
                )
            item = {"name": of, **item}
        elif "name" not in item:
            raise BadRequestError("name: missing", message_zh="name：缺少该项")
        try:
            name = check_name(item["name"])
        except WrongLink as wrong:
            raise BadRequestError(wrong.words.en, message_zh=wrong.words.zh) from None
        if name == self.part.cluster:
            raise BadRequestError(
                f"name: {name} is this cluster itself (cluster.name); a link is named as the other cluster",
                message_zh=f"name：{name} 是本集群自身的名称（cluster.name），连接名称应为对端集群的名称",
            )
        for key, look in (("server", check_server), ("topics", check_topics)):
            if key in item:
                _look(key, look, item[key])
        return _without_usual(item)

    def _stored(self) -> list[Settings]:
        """The list with its secrets; one that a stronger source has stays out of reach."""
        stored = self._settings.stored(PATH)
        return list(self._shown()) if stored is None else list(stored)

    def _index(self, items: Sequence[Settings], name: str) -> int:
        found = [index for index, item in enumerate(items) if item.get("name") == name]
        if not found:
            raise NotFoundError("Cluster link not found", message_zh="集群连接不存在")
        return found[0]

    async def _write(
        self, operation: str, name: str, items: list[Settings], *, written: int | None = None
    ) -> None:
        """``written`` is the number of the entry that the caller wrote, if it wrote one."""
        target = "/".join((*PATH, name)).rstrip("/")
        place = PATH if written is None else (*PATH, str(written))
        try:
            await self._settings.change(operation, target, {PATH: items}, written_at=place)
        except InvalidConfigError as error:
            error.code = "BAD_REQUEST"  # as EMQX calls it here
            raise


def _look(key: str, look: Callable[[object], object], raw: object) -> None:
    try:
        look(raw)
    except WrongLink as wrong:
        raise InvalidValueError(
            f"{key}: {wrong.words.en}",
            message_zh=f"{key}：{wrong.words.zh}",
            path=key,
            reason={"reason": wrong.code, **wrong.named},
        ) from None


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


def _told(reason: Reason | None) -> Settings:
    if reason is None:
        return dict.fromkeys(("code", "reason", "reason_zh", "hint", "hint_zh"))
    return {
        "code": reason.code,
        "reason": reason.words.en,
        "reason_zh": reason.words.zh,
        "hint": reason.hint.en,
        "hint_zh": reason.hint.zh,
    }


def _sentence(reason: Reason, language: str) -> str:
    words, hint = reason.words.text(language), reason.hint.text(language)
    if not hint:
        return words
    return f"{words}。{hint}" if language == "zh" else f"{words}: {hint}"


def _word(status: str, vocabulary: Vocabulary) -> str:
    if vocabulary == "shipped" or status == "inconsistent":
        return status
    return "running" if status == "connected" else "stopped"


def _metrics(figures: Sequence[Mapping[str, float]], vocabulary: Vocabulary) -> Settings:
    """Routes are the other side's, which every node has: the most. Messages are those of all."""
    routes = max((row["routes"] for row in figures), default=0)
    if vocabulary == "document":
        return {"routers": routes}
    forwarding = {key: sum(row[key] for row in figures) for key in (*FIGURES, *RATES, *TRAFFIC)}
    for key in RATES:
        forwarding[key] = round(forwarding[key], 2)
    sent = max((row["sent_routes"] for row in figures), default=0)
    received = {key: forwarding.pop(key) for key in ("received", "refused")}
    return {
        "router": {"routes": routes, "sent_routes": sent},
        "forwarding": forwarding,
        "receiving": received,
    }


def _with_usual(item: Settings) -> Settings:
    opts = {**USUAL_OPTS, **item.get("resource_opts", {})}
    return {**USUAL, **item, "resource_opts": opts}


def _without_usual(item: Settings) -> Settings:
    """What is shown for EMQX's sake and sent back is not kept: it would be warned of."""
    kept = {key: value for key, value in item.items() if key not in USUAL or value != USUAL[key]}
    opts = kept.get("resource_opts")
    if isinstance(opts, dict):
        kept["resource_opts"] = {
            key: value
            for key, value in opts.items()
            if key not in USUAL_OPTS or value != USUAL_OPTS[key]
        }
    return kept
