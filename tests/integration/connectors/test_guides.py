"""The examples of the guides work as they are written, in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis.asyncio

from harness.databases import postgresql_server, redis_server
from harness.http_service import http_server
from harness.sending import item
from rookery.connectors.base import Action, Context
from rookery.connectors.registry import connector_type, parse_action, parse_connector
from rookery.native import hocon
from rookery.native.action_fields import FieldSpec, FieldValue, Row, Text
from rookery.native.rules import test_rule as rows_of

GUIDES = Path(__file__).parents[3] / "docs" / "guides"
MESSAGE = {
    "clientid": "plc-3",
    "topic": "line/3/oven",
    "payload": '{"temp": 91}',
    "timestamp": 1_700_000_000_000,
}


def blocks(name: str, kind: str) -> list[str]:
    """Code of one kind in a guide."""
    text = (GUIDES / name).read_text()
    found = re.findall(rf"^ *```{kind}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in found]


def files(name: str) -> list[dict[str, Any]]:
    """What `rookery ctl` would read: the connector, the action, the rule."""
    return [plain(hocon.parse(block, name, {})["root"]) for block in blocks(name, "hocon")]


def plain(place_and_value: Any) -> Any:
    """A value without the place that it came from."""
    _, _, value = place_and_value
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value


def field(spec: FieldSpec, row: dict[str, Any]) -> FieldValue:
    """The value of a field for the row, as the core would give it."""
    if isinstance(spec, Row):
        return json.dumps(row)
    if isinstance(spec, Text):
        return re.sub(r"\$\{(\w+)\}", lambda found: str(row[found[1]]), spec.template)
    value: FieldValue = row[spec.template.strip("${}")]
    return value


async def run(name: str, change: dict[str, Any]) -> None:
    """Send what the guide's rule makes, by its connector and action, which ``change`` leads to the test's."""
    connector_raw, action_raw, rule = files(name)
    assert rule["actions"] == [f"{action_raw['type']}:{action_raw['name']}"]
    assert connector_raw["name"] == action_raw["connector"]
    type_name = connector_raw.pop("type")
    assert type_name == action_raw.pop("type")
    for raw in (connector_raw, action_raw):
        del raw["name"]
    settings = parse_connector(type_name, merged(connector_raw, change))
    context = Context(id="guide", node="n", data_dir=Path("/nonexistent"))
    connector = connector_type(type_name).open(settings, context)
    action: Action = connector.open_action(parse_action(type_name, action_raw))
    await connector.start()
    await action.start()
    (row,) = map(json.loads, rows_of(rule["sql"], json.dumps(MESSAGE), has_variables=False))
    assert not await action.send([item(*(field(spec, row) for spec in action.fields))])
    await action.stop()
    await connector.stop()


def merged(raw: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    deep = {
        key: merged(raw[key], value) if isinstance(value, dict) else value
        for key, value in change.items()
    }
    return raw | deep


@pytest.mark.parametrize("ending", ["md", "zh.md"])
async def test_postgresql(ending: str) -> None:
    name = f"connectors-postgresql.{ending}"
    with postgresql_server() as server:
        login = {"user": "rookery", "password": "it's secret", "database": "postgres"}
        database = await asyncpg.connect(host=server.host, port=server.port, **login)
        (ddl,) = blocks(name, "sql")
        await database.execute(ddl)
        here = {"server": server.address, "database": "postgres", "password": login["password"]}
        await run(name, here)
        row = await database.fetchrow(
            "SELECT client, topic, temperature, extract(epoch FROM measured_at)::int, "
            "message->>'temp' FROM reading"
        )
        assert tuple(row) == ("plc-3", "line/3/oven", 91.0, 1_700_000_000, "91")
        await database.close()


@pytest.mark.parametrize("ending", ["md", "zh.md"])
async def test_redis(ending: str) -> None:
    with redis_server() as server:
        here = {"server": server.address, "password": "it's secret"}
        await run(f"connectors-redis.{ending}", {"parameters": here})
        client = redis.asyncio.Redis(host=server.host, port=server.port, password="it's secret")
        found = await client.hgetall("last:plc-3")
        assert found == {b"temperature": b"91", b"at": b"1700000000000"}
        await client.aclose()


@pytest.mark.parametrize("ending", ["md", "zh.md"])
async def test_elasticsearch(ending: str) -> None:
    name = f"connectors-elasticsearch.{ending}"
    (mapping,) = blocks(name, "json")
    assert json.loads(mapping)["mappings"]["properties"].keys() == {"client", "temperature", "at"}
    async with http_server() as service:
        service.answer = {"version": {}, "errors": False}
        await run(name, {"server": service.url.removeprefix("http://")})
        _, document = service.asked[-1].body.splitlines()
    assert json.loads(document) == {"client": "plc-3", "temperature": 91, "at": 1_700_000_000_000}
