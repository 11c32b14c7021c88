"""Whatever services, tokens and tables say: an answer, or an error with a name."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.access.errors import AccessError
from rookery.access.profile import admit_from
from rookery.access.rules_json import rule_from_json, rule_to_json, rules_from_json

WORDS = st.sampled_from(
    ["allow", "deny", "publish", "sub", "all", "a/#", "eq #", "0,1", "2", "true", "10.0.0.0/8", ""]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | WORDS
    | st.just(10**400)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner),
    max_leaves=6,
)
MEMBERS = (
    "permission", "action", "topic", "topics", "qos", "retain", "ipaddr", "username_re",
    "clientid_re",
)  # fmt: skip
RULES = st.dictionaries(st.sampled_from(MEMBERS), VALUES)
RECORDS = st.dictionaries(
    st.sampled_from(
        ["is_superuser", "client_attrs", "expire_at", "acl", "clientid_override", "result"]
    ),
    VALUES | st.lists(RULES, max_size=2) | RULES,
)


@settings(deadline=None)
@given(RECORDS)
def test_no_answer_makes_it_stumble(record: dict[str, object]) -> None:
    try:
        admit = admit_from(record, now_ms=1_700_000_000_000, reason="x")
    except AccessError as error:
        assert error.text("zh")  # noqa: PT017 - either is right
        return
    assert admit.expire_at_ms is None or admit.expire_at_ms > 1_700_000_000_000
    assert all(isinstance(part, str) for pair in admit.client_attrs for part in pair)


@settings(deadline=None)
@given(RULES | VALUES)
def test_a_rule_that_is_one_survives_being_stored(value: object) -> None:
    try:
        rule = rule_from_json(value)
    except AccessError:
        return

    assert rule_from_json(json.loads(json.dumps(rule_to_json(rule)))) == rule


@settings(deadline=None)
@given(VALUES)
def test_no_rules_make_it_stumble(value: object) -> None:
    try:
        rules_from_json(value)
    except AccessError as error:
        assert error.text("en")  # noqa: PT017 - either is right
