"""SQL that is compiled and tried without a node, and the tables that pages are made from."""

from __future__ import annotations

import json
import pickle

import pytest

from rookery.errors import BadRuleError, NoMatchError
from rookery.native import rules


def test_a_rule_says_what_it_selects_from() -> None:
    sql = """
        SELECT * FROM "t/#", "$events/client_connected", "$events/session/subscribed",
        "$bridges/mqtt:far"
    """
    info = rules.compile_rule(sql)
    assert info.filters == ("t/#",)
    assert info.events == ("$events/client_connected", "$events/session/subscribed")
    assert info.sources == ("mqtt:far",)


def test_wrong_sql_is_refused_with_its_place() -> None:
    with pytest.raises(BadRuleError) as caught:
        rules.compile_rule('SELECT *\n  FORM "t"')
    error = caught.value
    assert (error.line, error.column) == (2, 3)
    assert str(error).startswith("line 2, column 3: ")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.rule, again.line, again.column) == (str(error), None, 2, 3)


def test_a_rule_is_tried_on_columns() -> None:
    sql = 'SELECT payload.t AS t, clientid, node FROM "line/+" WHERE payload.t > 80'
    context = {"topic": "line/3", "clientid": "press", "payload": '{"t": 81}'}
    rows = rules.test_rule(sql, json.dumps(context), has_variables=True)
    row = json.loads(rows[0])
    assert (len(rows), row["t"], row["clientid"]) == (1, 81, "press")
    for missing in ({"topic": "other"}, {"payload": '{"t": 80}'}):
        with pytest.raises(NoMatchError):
            rules.test_rule(sql, json.dumps(context | missing), has_variables=True)
    with pytest.raises(BadRuleError, match="JSON object"):
        rules.test_rule(sql, "[]", has_variables=True)
    with pytest.raises(BadRuleError):
        rules.test_rule('SELECT 1 / 0 AS x FROM "#"', "{}", has_variables=True)


def test_a_rule_makes_several_rows() -> None:
    sql = 'FOREACH payload.s DO item AS n FROM "t"'
    context = {"topic": "t", "payload": '{"s": [1, 2, 3]}'}
    rows = rules.test_rule(sql, json.dumps(context), has_variables=True)
    assert [json.loads(row) for row in rows] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_the_variables_of_the_process_are_those_with_a_prefix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMQXVAR_PLANT", "south")
    monkeypatch.setenv("PLANT", "north")
    rows = rules.test_rule(
        "SELECT getenv('PLANT') AS plant FROM \"t/#\"", '{"topic": "t/1"}', has_variables=True
    )
    assert [json.loads(row) for row in rows] == [{"plant": "south"}]


def test_every_example_of_the_tables_is_json_and_every_event_can_be_selected_from() -> None:
    events = rules.rule_events()
    assert "$events/client/connected" in [event.topic for event in events]
    for event in events:
        assert event.title_en
        assert event.title_zh
        for example in event.columns.values():
            json.loads(example)
        for example, _, _ in event.test_columns.values():
            json.loads(example)
        rules.compile_rule(event.sql_example)
    functions = rules.functions()
    assert {function.status for function in functions} == {"present", "different", "absent"}
    by_name = {function.name: function for function in functions}
    assert by_name["upper"].examples
    assert all(function.reason for function in functions if function.status != "present")
