"""Goes on where the core's rules end: asks the source that was reached, then the rules behind it.

The core knows the order of sources and evaluates the rules among them; this asks those that it
cannot. The same walk from the beginning, with nothing left out, explains a decision.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rookery.access.acl_file import write_rule
from rookery.access.authz import reasons
from rookery.access.authz.request import AuthzRequest
from rookery.access.authz.source import Finding, Source
from rookery.access.idle import UnderWay
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock, SystemClock
from rookery.native.config import AclRule, TopicAction
from rookery.native.models import AclDecision
from rookery.native.rows import AclSubject
from rookery.words import Words

_logger = logging.getLogger(__name__)


class CheckRules(Protocol):
    """The core's rules: :meth:`rookery.native.node.Node.check_acl`."""

    def __call__(
        self,
        subject: AclSubject,
        action: TopicAction,
        topic: str,
        *,
        qos: int = 0,
        retain: bool = False,
        after: str | None = None,
    ) -> AclDecision: ...


@dataclass(frozen=True, slots=True)
class AuthzStep:
    """What one source said.

    Attributes:
        source: Its name, or ``superuser``, ``client_acl``, ``sys_topics``, ``reserved``,
            ``no_match``.
        said: Its verdict; ``none`` left it to the next.
        reason: Why, in both languages.
        line: The line of its file; 0 when there is none.
        rule: The rule that fits, as it would stand in a file.
    """

    source: str
    said: Literal["allow", "deny", "none"]
    reason: Words
    line: int = 0
    rule: str = ""


@dataclass(slots=True)
class SourceCounters:
    """What one source said since the start."""

    allow: int = 0
    deny: int = 0
    none: int = 0


@dataclass(slots=True)
class AuthzAnswer:
    """A decision and how it came about; the last step made it."""

    result: Literal["allow", "deny"] = "deny"
    steps: list[AuthzStep] = field(default_factory=list)

    @property
    def source(self) -> str:
        """What decided."""
        return self.steps[-1].source if self.steps else ""

    @property
    def line(self) -> int:
        return self.steps[-1].line if self.steps else 0

    def end(self, result: Literal["allow", "deny"], step: AuthzStep) -> AuthzAnswer:
        self.result = result
        self.steps.append(step)
        return self


RulesOf = Callable[[str], Sequence[AclRule]]
"""The rules of a source by its name, to show the one that fits."""


class RemoteAuthorizer:
    """Asks sources by their names. Belongs to one event loop.

    Args:
        sources: Those of kind ``ask``.
        check_rules: The core's rules.
        clock: What the time is; it spaces log lines.
        rules_of: The rules of the other sources, for explanations.
        deadline_s: Seconds for all sources together; less than the core waits for an answer.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        check_rules: CheckRules,
        *,
        clock: Clock | None = None,
        rules_of: RulesOf = lambda _name: (),
        deadline_s: float = 4.5,
    ) -> None:
        self.sources: Mapping[str, Source] = {source.name: source for source in sources}
        self.counters = {name: SourceCounters() for name in self.sources}
        self._check_rules = check_rules
        self._rules_of = rules_of
        self._deadline_s = deadline_s
        self._under_way = UnderWay()
        self._log = SeldomLog(_logger, clock or SystemClock())

    async def start(self) -> None:
        """Start every source; on failure those started are stopped again."""
        started: list[Source] = []
        try:
            for source in self.sources.values():
                started.append(source)
                await source.start()
        except BaseException:
            for source in reversed(started):
                await source.stop()
            raise

    async def drain(self) -> bool:
        """Wait until nobody is asked any more, no longer than a question can take."""
        return await self._under_way.drained(self._deadline_s)

    async def stop(self) -> None:
        """Close every source; questions under way fail. May be called twice."""
        for source in self.sources.values():
            await source.stop()

    async def authorize(self, request: AuthzRequest, source: str) -> AuthzAnswer:
        """Decide what the core could not: it has come to ``source``."""
        return await self._within_deadline(request, AclDecision("ask", source, 0))

    async def explain(self, request: AuthzRequest) -> AuthzAnswer:
        """Say what would be decided and why; nothing is remembered.

        Raises:
            BadRequestError: the topic breaks a rule of MQTT.
        """
        return await self._within_deadline(request, self._rules(request, None))

    async def _within_deadline(self, request: AuthzRequest, first: AclDecision) -> AuthzAnswer:
        answer = AuthzAnswer()
        try:
            with self._under_way:
                async with asyncio.timeout(self._deadline_s):
                    return await self._walk(request, first, answer)
        except TimeoutError:
            self._log.warning(
                "authorization of %r not answered in %s s",
                request.subject.client_id,
                self._deadline_s,
            )
            step = AuthzStep(first.source, "deny", reasons.TOO_LATE)
            return answer.end("deny", step)

    async def _walk(
        self, request: AuthzRequest, decision: AclDecision, answer: AuthzAnswer
    ) -> AuthzAnswer:
        # No source comes twice, so the walk ends.
        for _ in range(len(self.sources) + 1):
            if decision.verdict != "ask":
                return answer.end(decision.verdict, self._step(decision, request))
            source = self.sources.get(decision.source)
            if source is None:
                break
            finding = await self._find(source, request)
            self._count(source.name, finding)
            step = AuthzStep(source.name, finding.verdict, finding.reason)
            if finding.verdict != "none":
                return answer.end(finding.verdict, step)
            answer.steps.append(step)
            decision = self._rules(request, source.name)
        reason = reasons.NOT_THERE.format(source=decision.source)
        return answer.end("deny", AuthzStep(decision.source, "deny", reason))

    async def _find(self, source: Source, request: AuthzRequest) -> Finding:
        try:
            return await source.find(request)
        except Exception:
            # A defect allows nothing.
            _logger.exception("authorization source %s failed", source.name)
            return Finding("deny", reasons.DEFECT)

    def _count(self, name: str, finding: Finding) -> None:
        counters = self.counters[name]
        setattr(counters, finding.verdict, getattr(counters, finding.verdict) + 1)

    def _rules(self, request: AuthzRequest, after: str | None) -> AclDecision:
        return self._check_rules(
            request.subject,
            request.action,
            request.topic,
            qos=request.qos,
            retain=request.retain,
            after=after,
        )

    def _step(self, decision: AclDecision, request: AuthzRequest) -> AuthzStep:
        assert decision.verdict != "ask"
        reason = reasons.BY_CORE.get(decision.source, reasons.FIRST_RULE)
        rule = next(
            (
                rule
                for rule in self._rules_of(decision.source)
                if decision.line and rule.line == decision.line
            ),
            None,
        )
        if rule is None:
            return AuthzStep(decision.source, decision.verdict, reason, decision.line)
        return AuthzStep(decision.source, decision.verdict, reason, decision.line, write_rule(rule))
