"""The audit: every change leaves a row, and each sees the rows of his places."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import text

from harness.control import ADMIN, PASSWORD, World
from rookery.clock import ManualClock
from rookery.control.rest.models import rfc3339
from rookery.storage.database import Database

GRACE = "grace@example.com"


async def test_a_change_says_who_from_where_what_was_and_what_is(world: World, admin: str) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    await world.ask("PUT", f"/orgs/{org}", {"name": "West"}, token=admin)
    row = (await world.ask("GET", "/audit?size=1", token=admin)).json["items"][0]
    shown = {name: row[name] for name in ("operatorName", "via", "address", "operation", "result")}
    assert shown == {
        "operatorName": ADMIN,
        "via": "session",
        "address": "127.0.0.1",
        "operation": "update",
        "result": "success",
    }
    assert (row["before"], row["after"]) == ({"name": "East"}, {"name": "West"})
    assert (row["resource"], row["objectId"]) == ("organizations", org)


async def test_what_is_refused_leaves_neither_a_change_nor_a_row(world: World, admin: str) -> None:
    await world.make(admin, "/orgs", {"name": "East"})
    before = (await world.ask("GET", "/audit", token=admin)).json["total"]
    assert (await world.ask("POST", "/orgs", {"name": "East"}, token=admin)).status == 409
    assert (await world.ask("GET", "/audit", token=admin)).json["total"] == before


async def test_each_sees_the_rows_of_his_own_places(world: World, admin: str) -> None:
    mine = await world.make(admin, "/orgs", {"name": "mine"})
    other = await world.make(admin, "/orgs", {"name": "other"})
    for org in (mine, other):
        await world.make(admin, f"/orgs/{org}/projects", {"name": "p"})
    body = {"email": GRACE, "password": PASSWORD, "role": "admin"}
    await world.make(admin, f"/orgs/{mine}/members", body)
    grace = await world.sign_in(GRACE)
    rows = (await world.ask("GET", "/audit", token=grace)).json["items"]
    assert {row["orgName"] for row in rows} == {"mine"}
    answer = await world.ask("GET", f"/audit?orgId={other}", token=grace)
    assert answer.json == {"items": [], "total": 0}


async def test_rows_are_found_by_what_and_by_when(
    world: World, admin: str, clock: ManualClock
) -> None:
    await world.make(admin, "/orgs", {"name": "early"})
    clock.advance(60)
    began = rfc3339(clock.now_ms())
    await world.make(admin, "/orgs", {"name": "late"})
    await world.make(admin, "/users", {"email": GRACE, "password": PASSWORD})

    async def found(query: str) -> list[str]:
        answer = await world.ask("GET", f"/audit?{query}", token=admin)
        return [row["objectName"] for row in answer.json["items"]]

    assert await found(f"since={began}&resource=organizations") == ["late"]
    assert await found(f"until={began}&resource=organizations&order=asc") == ["early", "late"]
    assert await found("operation=create&object=GRACE") == [GRACE]
    assert await found("operator=nobody") == []


async def test_wrong_passwords_are_told_of_users_who_are_there(world: World, admin: str) -> None:
    for email in (ADMIN, "nobody@example.com"):
        await world.ask("POST", "/login", {"email": email, "password": "Wrong-horse-9"})
    answer = await world.ask("GET", "/audit?result=failure", token=admin)
    assert [row["objectName"] for row in answer.json["items"]] == [ADMIN]


async def test_the_export_is_a_table_that_runs_no_formula(world: World, admin: str) -> None:
    await world.make(admin, "/orgs", {"name": "=HYPERLINK(1)"})
    answer = await world.ask("GET", "/audit/export?resource=organizations", token=admin)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["object_name"] for row in rows] == ["'=HYPERLINK(1)"]
    assert rows[0]["operator_name"] == ADMIN


@pytest.mark.parametrize("statement", ["UPDATE audit SET operation = 'x'", "DELETE FROM audit"])
async def test_nothing_in_the_service_touches_rows_that_are_there(
    world: World, admin: str, statement: str
) -> None:
    database: Database = world.control.database
    with pytest.raises(Exception, match="append only"):
        async with database.write() as session:
            await session.execute(text(statement))
