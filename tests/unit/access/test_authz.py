"""Where the core's rules end: sources that are asked, the walk, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.http_service import HttpServer
from rookery.access import acl_file
from rookery.access.authz import AuthzRequest, Finding, RemoteAuthorizer, Source
from rookery.access.authz.http import HttpSource
from rookery.access.authz.matching import fits
from rookery.access.http_service import HttpSettings
from rookery.clock import ManualClock, SystemClock
from rookery.native.config import (
    AclPermission,
    AclRule,
    AclSource,
    AclTopic,
    AclWho,
    AuthorizationConfig,
    BrokerConfig,
    NodeConfig,
    TopicAction,
)
from rookery.native.node import Node
from rookery.native.rows import AclSubject

ANN = AclSubject("c1", "ann", "10.0.0.9", "tcp:default", "default", "cn", (("site", "s1"),))


class Core:
    """A real node without listeners, whose rules can be changed."""

    def __init__(self) -> None:
        self.node = Node(NodeConfig(listeners=(), workers=1))

    def apply(self, *sources: AclSource, no_match: AclPermission = "deny") -> None:
        authorization = AuthorizationConfig(sources=sources, no_match=no_match)
        self.node.apply_config(BrokerConfig(authorization=authorization))


@pytest.fixture(scope="module")
def core() -> Iterator[Core]:
    running = Core()
    yield running
    running.node.stop()


class Says:
    """A source that always says the same."""

    def __init__(self, name: str, verdict: str, *, is_broken: bool = False) -> None:
        self.name = name
        self._finding = Finding(verdict, "said so")  # type: ignore[arg-type]
        self._is_broken = is_broken
        self.asked: list[AuthzRequest] = []

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def find(self, request: AuthzRequest) -> Finding:
        self.asked.append(request)
        if self._is_broken:
            raise ValueError("bug")
        return self._finding


class Hangs(Says):
    async def find(self, request: AuthzRequest) -> Finding:
        await asyncio.Event().wait()
        return self._finding


def rules(name: str, text: str) -> AclSource:
    return AclSource(name=name, rules=acl_file.parse(text))


def asked(name: str) -> AclSource:
    return AclSource(name=name, kind="ask")


def request(topic: str, action: TopicAction = "publish", subject: AclSubject = ANN) -> AuthzRequest:
    return AuthzRequest(subject=subject, action=action, topic=topic)


def authorizer(core: Core, *sources: Source, **options: float) -> RemoteAuthorizer:
    return RemoteAuthorizer(sources, core.node.check_acl, **options)  # type: ignore[arg-type]


async def test_the_source_that_was_reached_decides(core: Core) -> None:
    core.apply(asked("http"))

    answer = await authorizer(core, Says("http", "allow")).authorize(request("a"), "http")

    assert (answer.result, answer.source) == ("allow", "http")


async def test_what_it_does_not_know_the_rules_behind_it_may(core: Core) -> None:
    core.apply(
        rules("first", '{deny, all, all, ["never"]}.'),
        asked("http"),
        rules("file", '\n{allow, {user, "ann"}, publish, ["a/#"]}.'),
        asked("redis"),
    )
    redis = Says("redis", "deny")
    walker = authorizer(core, Says("http", "none"), redis)

    answer = await walker.authorize(request("a/b"), "http")
    assert (answer.result, answer.source, answer.line) == ("allow", "file", 2)
    assert redis.asked == []

    answer = await walker.authorize(request("b"), "http")
    assert (answer.result, answer.source) == ("deny", "redis")
    assert [(step.source, step.said) for step in answer.steps] == [
        ("http", "none"),
        ("redis", "deny"),
    ]


@pytest.mark.parametrize("no_match", ["allow", "deny"])
async def test_at_the_end_no_match_holds(core: Core, no_match: AclPermission) -> None:
    core.apply(asked("http"), no_match=no_match)

    answer = await authorizer(core, Says("http", "none")).authorize(request("a"), "http")

    assert (answer.result, answer.source) == (no_match, "no_match")


async def test_a_source_that_breaks_hangs_or_is_missing_allows_nothing(core: Core) -> None:
    core.apply(asked("http"), no_match="allow")

    broken = authorizer(core, Says("http", "allow", is_broken=True))
    hanging = authorizer(core, Hangs("http", "allow"), deadline_s=0.01)
    missing = authorizer(core)

    for walker in (broken, hanging, missing):
        assert (await walker.authorize(request("a"), "http")).result == "deny"


async def test_a_decision_is_explained(core: Core) -> None:
    file = rules("file", '%\n\n{deny, {user, "bob"}, all, ["a/+"]}.\n{allow, all, all, ["b/#"]}.')
    core.apply(asked("http"), file)
    walker = RemoteAuthorizer(
        [Says("http", "none")], core.node.check_acl, rules_of=lambda name: file.rules
    )
    bob = AclSubject("c2", "bob")

    answer = await walker.explain(request("a/x", "subscribe", bob))

    assert answer.result == "deny"
    assert [(step.source, step.said) for step in answer.steps] == [
        ("http", "none"),
        ("file", "deny"),
    ]
    assert answer.steps[-1].line == 3
    assert answer.steps[-1].rule == '{deny, {username, "bob"}, all, ["a/+"]}'


@pytest.mark.parametrize(
    ("topic", "subject", "source", "result"),
    [
        ("$SYS/x", ANN, "reserved", "deny"),
        ("a", ANN._replace(is_superuser=True), "superuser", "allow"),
        ("nothing", ANN, "no_match", "deny"),
    ],
)
async def test_what_is_no_rule_has_a_name(
    core: Core, topic: str, subject: AclSubject, source: str, result: str
) -> None:
    core.apply(rules("file", '{allow, all, all, ["a"]}.'))

    answer = await authorizer(core).explain(request(topic, subject=subject))

    assert (answer.source, answer.result) == (source, result)
    assert answer.steps[-1].reason


@pytest.mark.parametrize(
    ("subject", "action", "topic", "result"),
    [
        (AclSubject("c", "dashboard", "10.0.0.1"), "subscribe", "$SYS/#", "allow"),
        (AclSubject("c", "ann", "10.0.0.1"), "subscribe", "$SYS/#", "deny"),
        (AclSubject("c", "ann", "10.0.0.1"), "subscribe", "#", "deny"),
        (AclSubject("c", "ann", "10.0.0.1"), "subscribe", "+/#", "deny"),
        (AclSubject("c", "ann", "10.0.0.1"), "subscribe", "a/#", "allow"),
        (AclSubject("c", "ann", "10.0.0.1"), "publish", "a", "allow"),
        (AclSubject("c", None, "127.0.0.1"), "subscribe", "#", "allow"),
        (AclSubject("c", None, "127.0.0.1"), "publish", "$SYS/a", "deny"),
    ],
)
async def test_what_the_default_file_means(
    core: Core, subject: AclSubject, action: TopicAction, topic: str, result: str
) -> None:
    core.apply(rules("file", acl_file.default_text()))

    assert (await authorizer(core).explain(request(topic, action, subject))).result == result


# ---- HTTP -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer", "verdict"),
    [
        (204, None, "allow"),
        (200, {"result": "allow"}, "allow"),
        (200, {"result": "deny"}, "deny"),
        (200, {"result": "ignore"}, "none"),
        (200, [], "none"),
        (403, {"result": "allow"}, "none"),
        (503, {}, "none"),
    ],
)
async def test_what_an_http_service_says(
    service: HttpServer, status: int, answer: object, verdict: str
) -> None:
    service.status, service.answer = status, answer
    body = {
        name: f"${{{name}}}"
        for name in ("action", "topic", "qos", "retain", "clientid", "peerhost", "proto_name")
    }
    source = HttpSource(HttpSettings(url=service.url, body=body), SystemClock())
    await source.start()
    asking = AuthzRequest(subject=ANN, action="publish", topic="a/b", qos=1, retain=True)

    finding = await source.find(asking)
    await source.stop()

    assert finding.verdict == verdict
    assert service.asked[0].json() == {
        "action": "publish",
        "topic": "a/b",
        "qos": "1",
        "retain": "true",
        "clientid": "c1",
        "peerhost": "10.0.0.9",
        "proto_name": "MQTT",
    }


@pytest.mark.parametrize(("on_error", "verdict"), [("ignore", "none"), ("deny", "deny")])
async def test_a_service_that_is_away(
    service: HttpServer, clock: ManualClock, on_error: str, verdict: str
) -> None:
    service.status = 503
    settings_ = HttpSettings(url=service.url, failures_max=1)
    source = HttpSource(settings_, clock, on_error=on_error)  # type: ignore[arg-type]
    await source.start()

    findings = [await source.find(request("a")) for _ in range(2)]
    await source.stop()

    assert [finding.verdict for finding in findings] == [verdict, verdict]
    assert len(service.asked) == 1


# ---- rules are matched here as in the core -----------------------------------------------

LEVELS = st.sampled_from(["a", "b", "", "+", "s1", "ann", "温"])
NAMES = st.lists(LEVELS.filter(lambda level: level != "+"), min_size=1, max_size=4).map("/".join)
FILTERS = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(
        LEVELS | st.sampled_from(["${username}", "x-${clientid}", "${client_attrs.site}", "${zone}",
                                  "${cert_common_name}", "${client_attrs.none}"]),
        max_size=4,
    ),
    st.sampled_from([[], ["#"]]),
).filter(bool)  # fmt: skip
WHO = st.sampled_from(
    [
        AclWho(),
        AclWho(kind="username", values=("ann",)),
        AclWho(kind="username", values=("^a.",), is_regex=True),
        AclWho(kind="clientid", values=("c1", "c2")),
        AclWho(kind="ipaddr", values=("10.0.0.0/24", "::1")),
        AclWho(kind="ipaddr", values=("::ffff:10.0.0.0/104",)),
        AclWho(kind="client_attr", attr="site", values=("s1",)),
        AclWho(kind="client_attr", attr="none", values=("s1",)),
        AclWho(kind="zone", values=("default",)),
        AclWho(kind="listener", values=("tcp:default",)),
        AclWho(
            kind="and",
            members=(AclWho(kind="username", values=("ann",)), AclWho(kind="zone", values=("z",))),
        ),
        AclWho(
            kind="or",
            members=(
                AclWho(kind="username", values=("bob",)),
                AclWho(kind="zone", values=("default",)),
            ),
        ),
    ]
)
RULES = st.builds(
    AclRule,
    permission=st.sampled_from(["allow", "deny"]),
    who=WHO,
    action=st.sampled_from(["publish", "subscribe", "all"]),
    qos=st.sampled_from([(0, 1, 2), (0,), (1, 2)]),
    retain=st.sampled_from([None, True, False]),
    topics=st.lists(st.builds(AclTopic, text=FILTERS, is_literal=st.booleans()), max_size=2).map(tuple),
    all_topics=st.booleans(),
    line=st.just(1),
)  # fmt: skip
SUBJECTS = st.sampled_from(
    [
        ANN,
        AclSubject("c1"),
        AclSubject("c2", "a/b", "::1", "ws:x", "z"),
        AclSubject("+", "bob", "::ffff:10.0.0.7", "ssl:y"),
    ]
)
REQUESTS = st.builds(
    AuthzRequest,
    subject=SUBJECTS,
    action=st.just("publish"),
    topic=NAMES.filter(bool),
    qos=st.integers(0, 2),
    retain=st.booleans(),
) | st.builds(
    AuthzRequest,
    subject=SUBJECTS,
    action=st.just("subscribe"),
    topic=st.lists(LEVELS, min_size=1, max_size=3).map("/".join).filter(bool)
    | st.sampled_from(["#", "a/#", "+/#", "a/+/#"]),
    qos=st.integers(0, 2),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RULES, REQUESTS)
def test_rules_are_matched_as_in_the_core(core: Core, rule: AclRule, asking: AuthzRequest) -> None:
    other: AclPermission = "deny" if rule.permission == "allow" else "allow"
    core.apply(AclSource(name="one", rules=(rule,)), no_match=other)

    decision = core.node.check_acl(
        asking.subject, asking.action, asking.topic, qos=asking.qos, retain=asking.retain
    )

    assert (decision.source == "one") == fits(rule, asking)
