"""Facts out of what a cluster answers, whatever that is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rookery.agent import facts
from rookery.contracts.agent_v1 import Report, parse

NOW_MS = 1_700_000_000_000
# As the document of EMQX 5.8 shows them.
NODES = [
    {
        "connections": 5,
        "live_connections": 3,
        "edition": "Enterprise",
        "node": "emqx@10.0.0.1",
        "node_status": "running",
        "role": "core",
        "uptime": 7_200_000,
        "version": "5.8.1",
    },
    {"node": "emqx@10.0.0.2", "node_status": "stopped"},
]
MONITOR = {"connections": 5, "live_connections": 4, "received_msg_rate": 2, "sent_msg_rate": 0.5}
LICENSE = {"customer_type": 3, "max_sessions": 1000, "max_connections": 1000}


def test_a_cluster_as_emqx_tells_it() -> None:
    nodes = facts.nodes_of(NODES)
    limit = facts.Limit.of(LICENSE, {"dynamic_max_connections": 25})
    found = facts.facts_of(nodes, "Enterprise", MONITOR, limit, NOW_MS)

    assert [(node.node, node.status, node.connections) for node in nodes] == [
        ("emqx@10.0.0.1", "running", 3),
        ("emqx@10.0.0.2", "stopped", None),
    ]
    assert (found.version, found.edition, found.connections) == ("5.8.1", "Enterprise", 4)
    assert (found.connection_limit, found.limit_is_settable, found.limit_reason) == (25, True, "")
    assert found.started_at_ms == NOW_MS - 7_200_000
    assert found.rates == {"received": 2, "sent": 0.5}


def test_a_limit_that_the_licence_does_not_let_anybody_set() -> None:
    limit = facts.Limit.of(LICENSE, {"connection_low_watermark": "75%"})
    found = facts.facts_of((), "", None, limit, NOW_MS)

    assert (found.connection_limit, found.limit_is_settable) == (1000, False)
    assert found.limit_reason.startswith("LICENSE: ")


def test_no_limit() -> None:
    unbounded = {"max_connections": facts.UNBOUNDED}
    bounded = facts.Limit.of(LICENSE, {"dynamic_max_connections": 5000})
    assert (bounded.connections, bounded.setting) == (1000, 5000)
    assert facts.Limit.of(None, None) == facts.Limit(None, False)
    assert facts.Limit.of(unbounded, {"dynamic_max_connections": "infinity"}) == facts.Limit(
        None, True
    )
    assert facts.facts_of((), "", None, facts.Limit(), NOW_MS).limit_is_settable is None


KEYS = st.sampled_from(
    [
        "node",
        "node_status",
        "uptime",
        "version",
        "connections",
        "live_connections",
        "role",
        "max_connections",
        "max_sessions",
        "dynamic_max_connections",
        "received_msg_rate",
    ]
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just([])
)
ANSWERS = st.one_of(
    VALUES,
    st.dictionaries(st.one_of(KEYS, st.text(max_size=4)), VALUES, max_size=8),
    st.lists(st.one_of(VALUES, st.dictionaries(KEYS, VALUES, max_size=6)), max_size=4),
)


@given(ANSWERS, ANSWERS, ANSWERS, ANSWERS, ANSWERS)
def test_any_answer_makes_a_report_that_can_be_sent(
    rows: Any, stats: Any, monitor: Any, licence: Any, setting: Any
) -> None:
    nodes = facts.nodes_of(rows)
    limit = facts.Limit.of(licence, setting)
    report = Report(
        "1",
        NOW_MS,
        cluster_nodes=nodes,
        facts=facts.facts_of(nodes, facts.text_of(rows, 64), monitor, limit, NOW_MS),
        metrics=facts.metrics_of(stats, monitor),
    )

    assert parse(report.to_bytes()) == report
