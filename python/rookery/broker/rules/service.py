"""Rules: defining them, and what they did.

Definitions are settings of the node (``rule_engine.rules``). The core evaluates them; here they are
handed to it as a whole set whenever they change.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rookery.broker.connectors.definitions import Kind, checked_name, rules_of
from rookery.broker.connectors.running import State
from rookery.broker.connectors.service import ConnectorService
from rookery.broker.management.rows import rfc3339
from rookery.broker.rules.outputs import FieldsOf, rule_spec
from rookery.broker.rules.rates import Rates
from rookery.broker.rules.selection import selected_from, sources_of
from rookery.broker.settings import NodeSettings
from rookery.clock import Clock
from rookery.config import Config
from rookery.config.runtime import REMOVED, KeyPath
from rookery.config.schema.integration import RULE_ID, RULE_ID_FORM, RULES_MAX
from rookery.errors import BadRequestError, ConflictError, NotFoundError
from rookery.native.rules import RuleCounters, RuleSpec, compile_rule
from rookery.words import Words

NO_COUNTERS = RuleCounters(*(0 for _ in RuleCounters._fields))
FIGURES: Mapping[str, str] = {
    "matched": "matched",
    "passed": "passed",
    "failed": "failed",
    "failed.exception": "failed_exception",
    "failed.no_result": "failed_no_result",
    "actions.total": "actions_total",
    "actions.success": "actions_success",
    "actions.failed": "actions_failed",
    "actions.failed.out_of_service": "actions_failed_out_of_service",
    "actions.failed.unknown": "actions_failed_unknown",
    "actions.discarded": "actions_discarded",
}
"""EMQX's names, and those of the core."""

NO_SOURCE = Words(
    "there is no source {id}: nothing comes from there until it is made",
    "不存在数据源 {id}：创建之前不会有来自它的消息",
)
KEYS = ("name", "enable", "sql", "actions", "description", "metadata")


class RuleEngine(Protocol):
    """The core's side; calls wait for its workers."""

    def put_rules(self, rules: Sequence[RuleSpec], *, ignore_sys_message: bool = True) -> None: ...
    def rule_counters(self) -> dict[str, RuleCounters]: ...
    def reset_rule_counters(self, id_: str) -> None: ...


class RuleService:
    """What can be done about rules."""

    def __init__(
        self,
        native: RuleEngine,
        settings: NodeSettings,
        connectors: ConnectorService,
        clock: Clock,
        *,
        node_name: str,
    ) -> None:
        self._native = native
        self._settings = settings
        self._connectors = connectors
        self._clock = clock
        self._node_name = node_name
        self._rates = Rates(self._matched, clock)
        self._is_any = False
        # Between a look whether there is one and the change nobody else may change it.
        self._changing = asyncio.Lock()

    async def close(self) -> None:
        """Look at no counter any more."""
        await self._rates.close()

    async def put(self, config: Config, fields_of: FieldsOf) -> None:
        """Give the core the rules of ``config``.

        Raises:
            RookeryError: it does not take them; it goes on with those that it has.
        """
        rules = rules_of(config)
        if not rules and not self._is_any:
            return
        specs = [rule_spec(id_, rule, fields_of) for id_, rule in rules.items()]
        ignores: bool = config["rule_engine.ignore_sys_message"]
        await asyncio.to_thread(self._native.put_rules, specs, ignore_sys_message=ignores)
        self._is_any = bool(rules)
        self._rates.watch(is_wanted=self._is_any)

    # -- looking ----------------------------------------------------------------------------

    async def all(self) -> list[dict[str, Any]]:
        """Every rule with its figures."""
        counters = await self._counters()
        return [self._row(id_, rule, counters) for id_, rule in rules_of(self._config).items()]

    async def get(self, id_: str) -> dict[str, Any]:
        """One rule.

        Raises:
            NotFoundError: there is none of that id.
        """
        rule = self._known(id_)
        return self._row(id_, rule, await self._counters())

    async def metrics(self, id_: str) -> dict[str, Any]:
        """Its figures.

        Raises:
            NotFoundError: there is none of that id.
        """
        self._known(id_)
        figures = self._figures(id_, await self._counters())
        return {"id": id_, "metrics": figures, "node_metrics": [self._on_node(figures)]}

    async def reset_metrics(self, id_: str) -> None:
        """Begin at zero again.

        Raises:
            NotFoundError: there is none of that id.
        """
        self._known(id_)
        await asyncio.to_thread(self._native.reset_rule_counters, id_)
        self._rates.reset(id_)

    async def counters(self) -> dict[str, RuleCounters]:
        """What the core counted, by rule."""
        counters = await self._counters()
        return {id_: counters.get(id_, NO_COUNTERS) for id_ in rules_of(self._config)}

    async def _counters(self) -> dict[str, RuleCounters]:
        return await asyncio.to_thread(self._native.rule_counters) if self._is_any else {}

    async def _matched(self) -> Mapping[str, int]:
        return {id_: found.matched for id_, found in (await self._counters()).items()}

    @property
    def _config(self) -> Config:
        return self._settings.config

    def _known(self, id_: str) -> Mapping[str, Any]:
        rule = rules_of(self._config).get(id_)
        if rule is None:
            raise NotFoundError(f"there is no rule {id_}", message_zh=f"不存在规则 {id_}")
        return rule

    def _figures(self, id_: str, counters: Mapping[str, RuleCounters]) -> dict[str, int | float]:
        found = counters.get(id_, NO_COUNTERS)
        rate = self._rates.of(id_)
        figures: dict[str, int | float] = {
            shown: getattr(found, name) for shown, name in FIGURES.items()
        }
        # EMQX counts here what failed otherwise; nothing does.
        figures["failed.unknown"] = 0
        figures["matched.rate"] = rate.now
        figures["matched.rate.max"] = rate.highest
        figures["matched.rate.last5m"] = rate.last_5_minutes
        return figures

    def _on_node(self, figures: Mapping[str, int | float]) -> dict[str, Any]:
        return {"node": self._node_name, **figures}

    def _row(
        self, id_: str, rule: Mapping[str, Any], counters: Mapping[str, RuleCounters]
    ) -> dict[str, Any]:
        figures = self._figures(id_, counters)
        metadata = rule["metadata"] if isinstance(rule["metadata"], dict) else {}
        return {
            "id": id_,
            **{key: rule[key] for key in KEYS},
            "from": list(selected_from(rule["sql"])),
            "created_at": _moment(metadata.get("created_at")),
            "last_modified_at": _moment(metadata.get("last_modified_at")),
            "action_details": [self._detail(output) for output in rule["actions"]],
            "source_details": [self._source(source) for source in sources_of(rule["sql"])],
            "metrics": figures,
            "node_metrics": [self._on_node(figures)],
        }

    def _detail(self, output: Any) -> dict[str, Any]:
        if not isinstance(output, str):
            return {"function": output["function"], "status": "connected", "status_reason": "",
                    "status_reason_zh": "", "enable": True}  # fmt: skip
        return self._standing("actions", output, self._connectors.state("actions", output))

    def _source(self, id_: str) -> dict[str, Any]:
        """How a source does that a rule selects from. As in EMQX it need not be there."""
        state = self._connectors.state("sources", id_)
        if not self._connectors.is_defined("sources", id_):
            why = NO_SOURCE.format(id=id_)
            state = State("disconnected", why.en, None, why.zh)
        return self._standing("sources", id_, state)

    def _standing(self, kind: Kind, id_: str, state: State) -> dict[str, Any]:
        type_, _, name = id_.partition(":")
        enabled = self._connectors.is_enabled(kind, id_)
        return {"id": id_, "type": type_, "name": name, "status": state.status,
                "status_reason": state.reason, "status_reason_zh": state.reason_zh,
                "enable": enabled}  # fmt: skip

    # -- changing ---------------------------------------------------------------------------

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Define a rule; without an id it gets one.

        Raises:
            BadRequestError: there is one of that id, or it makes no sense.
            ConflictError: there are as many as may be.
        """
        async with self._changing:
            given = body.get("id")
            id_ = f"rule_{secrets.token_hex(4)}"
            if given is not None:
                id_ = checked_name("id", given, RULE_ID, RULE_ID_FORM)
            if id_ in rules_of(self._config):
                raise BadRequestError(
                    f"id: there is a rule {id_} already",
                    code="ALREADY_EXISTS",
                    message_zh=f"id：规则 {id_} 已存在",
                )
            if len(rules_of(self._config)) >= RULES_MAX:
                raise ConflictError(
                    f"at most {RULES_MAX} rules",
                    code="EXCEED_LIMIT",
                    message_zh=f"最多 {RULES_MAX} 条规则",
                )
            now_ms = self._clock.now_ms()
            times = {"created_at": now_ms, "last_modified_at": now_ms}
            await self._write("create", id_, body, times)
            return await self.get(id_)

    async def update(self, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        """Replace a rule; what is not named gets its default.

        Raises:
            NotFoundError: there is none of that id.
            BadRequestError: it makes no sense.
        """
        async with self._changing:
            known = self._known(id_)["metadata"]
            times = {"last_modified_at": self._clock.now_ms()}
            if isinstance(known, dict) and "created_at" in known:
                times = {"created_at": known["created_at"], **times}
            await self._write("update", id_, body, times)
            return await self.get(id_)

    async def enable(self, id_: str, *, is_enabled: bool) -> None:
        """Switch a rule on or off.

        Raises:
            NotFoundError: there is none of that id.
        """
        async with self._changing:
            self._known(id_)
            operation = "enable" if is_enabled else "disable"
            changes: dict[KeyPath, Any] = {("rule_engine", "rules", id_, "enable"): is_enabled}
            await self._settings.change(operation, f"rules/{id_}", changes)

    async def delete(self, id_: str) -> None:
        """Take a rule away.

        Raises:
            NotFoundError: there is none of that id.
        """
        async with self._changing:
            self._known(id_)
            changes: dict[KeyPath, Any] = {("rule_engine", "rules", id_): REMOVED}
            await self._settings.change("delete", f"rules/{id_}", changes)

    async def _write(
        self, operation: str, id_: str, body: Mapping[str, Any], times: dict[str, int]
    ) -> None:
        value = {key: body[key] for key in KEYS if body.get(key) is not None}
        # Says line and column, which the check of the whole configuration puts into more words.
        compile_rule(str(value.get("sql", "")))
        value["metadata"] = {**(value.get("metadata") or {}), **times}
        place = ("rule_engine", "rules", id_)
        await self._settings.change(operation, f"rules/{id_}", {place: value})


def _moment(ms: Any) -> str | None:
    return rfc3339(ms) if isinstance(ms, int) else None
