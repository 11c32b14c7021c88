"""Placeholders in a statement: each is a parameter, none is ever text."""

from __future__ import annotations

import pytest

from rookery.access.errors import SettingError
from rookery.connectors.pgsql.settings import DEFAULT_SQL
from rookery.connectors.pgsql.statement import parse_statement
from rookery.native.action_fields import Row, Value


@pytest.mark.parametrize(
    ("sql", "text", "values"),
    [
        ("SELECT ${a}", "SELECT $1", ["${a}"]),
        # Each has a type of its own, so the same path twice is two parameters.
        ("VALUES (${a}, ${b.c[1]}, ${a})", "VALUES ($1, $2, $3)", ["${a}", "${b.c[1]}", "${a}"]),
        ("VALUES ('${a}', 'it''s')", "VALUES ($1, 'it''s')", ["${a}"]),
        ("SELECT ${ a }::int -- ${no}\n;", "SELECT $1::int -- ${no}", ["${a}"]),
        ("SELECT /* ${no} ' */ ${a} ;", "SELECT /* ${no} ' */ $1", ["${a}"]),
        (
            "SELECT $$it's$$, $f$ ' $f$, ${数.温度}",
            "SELECT $$it's$$, $f$ ' $f$, $1",
            ["${数.温度}"],
        ),
        (r"SELECT E'\'', ${a}", r"SELECT E'\'', $1", ["${a}"]),
        ('SELECT "a""b", ${a}', 'SELECT "a""b", $1', ["${a}"]),
    ],
)
def test_placeholders_become_parameters(sql: str, text: str, values: list[str]) -> None:
    statement = parse_statement(sql)
    assert statement.text == text
    assert statement.values == tuple(map(Value, values))


def test_the_whole_result_is_a_parameter_too() -> None:
    assert parse_statement("VALUES (${.})").values == (Row(),)


def test_the_default_is_that_of_emqx() -> None:
    statement = parse_statement(DEFAULT_SQL)
    assert len(statement.values) == 5
    assert statement.text.endswith("TO_TIMESTAMP(($5 :: bigint)/1000))")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("VALUES ('a ${b}')", "inside 'a ${b}'"),
        ('INSERT INTO "t_${b}" VALUES (1)', "inside"),
        ("SELECT $$ ${b} $$", "inside"),
        ("SELECT $1", "$1 has no value"),
        ("SELECT ${}", "not of the form"),
        ("SELECT ${a..b}", "not of the form"),
        ("SELECT ${a[x]}", "not of the form"),
        (" ; ", "empty"),
        ("SELECT " + "${a}," * 1001, "more than 1000"),
    ],
)
def test_a_placeholder_that_cannot_be_a_value_is_refused(sql: str, says: str) -> None:
    with pytest.raises(SettingError, match=r"parameters\.sql") as refused:
        parse_statement(sql)
    assert says in str(refused.value)
    assert refused.value.text("zh") != refused.value.text("en")
