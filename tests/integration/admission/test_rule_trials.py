"""Who tries a rule sees what that one may see."""

from __future__ import annotations

import pytest

from integration.admission.conftest import Start

TRIAL = {
    "sql": "SELECT getenv('PLANT') AS plant FROM \"t/#\"",
    "context": {"event_type": "message_publish", "topic": "t/1"},
}


def test_only_administrators_see_variables_of_the_node(
    start_rest: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMQXVAR_PLANT", "seven")
    node = start_rest()

    assert node.admin.post("/rule_test", TRIAL).json == [{"plant": "seven"}]
    viewer = node.key("viewer")
    for path in ("/rule_test", "/rule_preview"):
        answer = viewer.post(path, TRIAL)
        assert answer.status == 200
        assert "seven" not in str(answer.json)
    # A page asks with every pause in typing.
    assert node.audit("operation_type=rule_test")
    assert node.audit("operation_type=rule_preview") == []
