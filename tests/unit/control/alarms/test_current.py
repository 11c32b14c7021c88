"""Alarms of clusters: raised after so many looks, ended by themselves or by hand, listed."""

from __future__ import annotations

import pytest

from harness.adoption import project
from harness.alarms import Ward

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOST, DOWN = "AgentLost", "NodesDown"


async def test_a_new_project_has_alarms_and_a_cluster_that_is_well_has_none(ward: Ward) -> None:
    await ward.patient("plant")
    await ward.look()
    assert await ward.kinds() == []
    assert (await ward.ask("GET", "/summary"))["isEnabled"]
    rules = (await ward.ask("GET", "/rules"))["items"]
    assert [rule["kind"] for rule in rules if not rule["isEnabled"]] == ["load.high"]
    assert {rule["kind"] for rule in rules} >= {"rule.abnormal", "connector.abnormal"}


async def test_three_reports_in_a_row_raise_an_alarm_and_a_good_one_ends_it(ward: Ward) -> None:
    plant = await ward.patient("plant")
    for _ in range(2):
        await plant.is_ill(DOWN)
        await ward.look()
    await ward.look()  # the same report again is no third one
    assert await ward.kinds() == []
    await plant.is_ill(DOWN)
    await ward.look()
    (alarm,) = (await ward.ask("GET"))["items"]
    assert (alarm["kind"], alarm["severity"], alarm["resourceName"]) == (
        "nodes.down", "critical", "plant",
    )  # fmt: skip
    assert alarm["name"] == "Nodes down"
    await plant.is_ill()
    await ward.look()
    assert await ward.kinds() == []
    (past,) = (await ward.ask("GET", "?state=history"))["items"]
    assert (past["id"], past["endReason"]) == (alarm["id"], "recovered")
    assert past["endsAt"] > past["startsAt"]


async def test_silence_is_an_alarm_without_any_report(ward: Ward) -> None:
    plant = await ward.patient("plant")
    await plant.is_ill(LOST)
    for _ in range(2):
        await ward.look()
    assert await ward.kinds() == []
    await ward.look()
    assert await ward.kinds() == ["agent.lost"]
    ward.world.control.clock.advance(1)  # type: ignore[attr-defined]
    await plant.is_ill()
    await ward.look()
    assert await ward.kinds() == []


async def test_counts_levels_and_switches_of_rules_hold(ward: Ward) -> None:
    await ward.rule("rule.abnormal", triggers=1, recoveries=2, severity="normal")
    await ward.rule("connector.abnormal", isEnabled=False, triggers=1)
    plant = await ward.patient("plant")
    await plant.has_broken("rule", "r1")
    await plant.has_broken("connector", "c1")
    await ward.look()
    (alarm,) = (await ward.ask("GET"))["items"]
    assert (alarm["kind"], alarm["severity"]) == ("rule.abnormal", "normal")
    assert "r1" in alarm["message"]
    await plant.has_broken("rule")
    await ward.look()
    assert await ward.kinds() == ["rule.abnormal"]
    await plant.put()
    await ward.look()
    assert await ward.kinds() == []


async def test_an_alarm_about_objects_says_of_which_it_is_by_now(ward: Ward) -> None:
    await ward.rule("rule.abnormal", triggers=1)
    plant = await ward.patient("plant")
    await plant.has_broken("rule", "r1")
    await ward.look()
    await plant.has_broken("rule", "r1", "r2")
    await ward.look()
    (alarm,) = (await ward.ask("GET"))["items"]
    assert "r2" in alarm["message"]
    assert alarm["occurrences"] == 2
    await plant.has_broken("rule", "r2")
    await ward.look()
    (alarm,) = (await ward.ask("GET"))["items"]
    assert "r1" not in alarm["message"]
    assert alarm["occurrences"] == 2


async def test_connections_near_the_limit_are_told_by_their_thresholds(ward: Ward) -> None:
    await ward.rule("connections.high", triggers=1, threshold=50)
    await ward.rule("connections.full", triggers=1)
    plant = await ward.patient("plant")
    for connections, kinds in ((49, []), (50, ["connections.high"]), (96, ["connections.full"])):
        await plant.put(connections=connections, connection_limit=100)
        await ward.look()
        assert await ward.kinds() == kinds


async def test_a_node_without_memory_or_with_too_much_to_do_is_told(ward: Ward) -> None:
    for kind, more in (("memory.high", {}), ("memory.full", {}), ("load.high", {"threshold": 8})):
        await ward.rule(kind, triggers=1, isEnabled=True, **more)
    plant = await ward.patient("plant")
    for used, load, kinds in (
        (79, 7.9, []), (80, 1.0, ["memory.high"]), (96, 8.0, ["load.high", "memory.full"]),
        (1, 0.0, []),
    ):  # fmt: skip
        busy = {"memory_used": used * 10, "memory_total": 1000, "load1": load}
        nodes = [
            {"node": "a", "figures": {"memory_used": 1, "memory_total": 1000}},
            {"node": "b", "status": "running", "figures": busy},
            {"node": "c"},
        ]
        await plant.put(nodes=nodes, memory_percent=used, load=int(load))
        await ward.look()
        assert sorted(await ward.kinds()) == kinds
        if used == 96:
            told = {row["kind"]: row["message"] for row in (await ward.ask("GET"))["items"]}
            assert told["memory.full"] == "b: 96 % of the memory is used"
            assert told["load.high"] == "b: CPU load 8 (1 min)"


async def test_switching_off_a_rule_or_all_ends_what_there_is(ward: Ward) -> None:
    for kind in ("nodes.down", "clock.skewed"):
        await ward.rule(kind, triggers=1)
    plant = await ward.patient("plant")
    await plant.is_ill(DOWN, "ClockSkewed")
    await ward.look()
    assert sorted(await ward.kinds()) == ["clock.skewed", "nodes.down"]
    await ward.rule("nodes.down", isEnabled=False)
    await ward.look()
    assert await ward.kinds() == ["clock.skewed"]
    await ward.settings(isEnabled=False)
    await plant.is_ill(DOWN, "ClockSkewed")
    await ward.look()
    assert await ward.kinds() == []
    reasons = {row["endReason"] for row in (await ward.ask("GET", "?state=history"))["items"]}
    assert reasons == {"disabled"}


async def test_a_cluster_that_leaves_takes_its_alarms_out_of_the_list(ward: Ward) -> None:
    await ward.rule("nodes.down", triggers=1)
    plant = await ward.patient("plant")
    await plant.is_ill(DOWN)
    await ward.look()
    other = await project(ward.world, ward.of.token, f"other {ward.of.id}")
    await ward.of.ask("POST", f"/{plant.id}/transfer", {"orgId": other.org, "projectId": other.id})
    await plant.is_ill(DOWN)
    await ward.look()
    assert await ward.kinds() == []
    assert await ward.kinds("history") == ["nodes.down"]
    for _ in range(2):
        await plant.is_ill(DOWN)
        await ward.look()
    there = Ward(ward.world, other)
    assert await there.kinds() == ["nodes.down"]


async def test_a_cluster_that_never_ran_has_no_alarms(ward: Ward) -> None:
    await ward.rule("agent.lost", triggers=1)
    plant = await ward.patient("plant")
    await plant.is_ill(LOST, adopted_at=None)
    await ward.look()
    assert await ward.kinds() == []


async def test_moved_by_hand_it_is_history_until_it_was_well_in_between(ward: Ward) -> None:
    await ward.rule("nodes.down", triggers=1)
    plant = await ward.patient("plant")
    await plant.is_ill(DOWN)
    await ward.look()
    (alarm,) = (await ward.ask("GET"))["items"]
    assert await ward.ask("POST", "/move", {"ids": [alarm["id"]]}) == {"count": 1}
    assert await ward.ask("POST", "/move", {"ids": [alarm["id"]]}) == {"count": 0}
    await plant.is_ill(DOWN)
    await ward.look()
    assert await ward.kinds() == []
    (past,) = (await ward.ask("GET", "?state=history"))["items"]
    assert (past["endReason"], past["endedBy"]) == ("moved", "ada@example.com")
    await plant.is_ill()
    await ward.look()
    await plant.is_ill(DOWN)
    await ward.look()
    assert await ward.kinds() == ["nodes.down"]


async def test_lists_are_searched_filtered_and_cut(ward: Ward) -> None:
    for kind in ("nodes.down", "clock.skewed"):
        await ward.rule(kind, triggers=1)
    for name in ("east-1", "west_1"):
        await (await ward.patient(name)).is_ill(DOWN, "ClockSkewed")
    await ward.look()

    async def found(query: str) -> list[tuple[str, str]]:
        rows = (await ward.ask("GET", f"?sort=resourceName&{query}"))["items"]
        return [(row["kind"], row["resourceName"]) for row in rows]

    assert len(await found("")) == 4
    assert await found("search=EAST&severity=critical") == [("nodes.down", "east-1")]
    assert {name for _, name in await found("search=_")} == {"west_1"}
    assert len(await found("kind=clock.skewed")) == 2
    assert await found("since=2099-01-01T00:00:00Z") == []
    assert len(await found("until=2099-01-01T00:00:00Z&size=3")) == 3
    summary = await ward.ask("GET", "/summary")
    assert (summary["current"], summary["critical"]) == (4, 2)


async def test_history_is_deleted_by_time_and_by_number(ward: Ward) -> None:
    await ward.rule("nodes.down", triggers=1)
    plant = await ward.patient("plant")
    for _ in range(4):
        await plant.is_ill(DOWN)
        await ward.look()
        await plant.is_ill()
        await ward.look()
    rows = (await ward.ask("GET", "?state=history"))["items"]
    assert len(rows) == 4
    assert await ward.ask("DELETE", "/history?oldest=1") == {"count": 1}
    assert await ward.ask("DELETE", f"/history?before={rows[2]['endsAt']}") == {"count": 1}
    assert await ward.ask("DELETE", f"/history?id={rows[3]['id']}") == {"count": 1}
    left = (await ward.ask("GET", "?state=history"))["items"]
    assert [row["id"] for row in left] == [rows[2]["id"]]
    answer = await ward.try_it("DELETE", "/history?oldest=50001")
    assert answer.problem == (400, "BAD_REQUEST")


async def test_people_see_assign_and_comment(ward: Ward) -> None:
    await ward.rule("nodes.down", triggers=1)
    plant = await ward.patient("plant")
    await plant.is_ill(DOWN)
    await ward.look()
    (alarm,) = (await ward.ask("GET"))["items"]
    path = f"/{alarm['id']}"
    seen = await ward.ask("POST", f"{path}/acknowledge")
    assert seen["acknowledgedBy"] == "ada@example.com"
    assert (await ward.ask("GET", "/summary"))["unacknowledged"] == 0
    people = (await ward.ask("GET", f"{path}/assignees"))["items"]
    given = await ward.ask("PUT", f"{path}/assignee", {"userId": people[0]["id"]})
    assert given["assigneeId"] == people[0]["id"]
    nobody = await ward.try_it("PUT", f"{path}/assignee", {"userId": "0" * 16})
    assert nobody.problem == (404, "NOT_FOUND")
    await ward.ask("POST", f"{path}/comments", {"text": "the fuse is changed"})
    detail = await ward.ask("GET", path)
    assert [each["text"] for each in detail["comments"]] == ["the fuse is changed"]
    assert (await ward.ask("DELETE", f"{path}/acknowledge"))["acknowledgedAt"] is None
    audit = await ward.world.ask("GET", "/audit?resource=alarms", token=ward.of.token)
    told = {row["operation"] for row in audit.json["items"]}
    assert told >= {"acknowledge", "assign", "comment", "unacknowledge", "updateRule"}


async def test_alarms_of_a_project_are_nobody_elses(ward: Ward) -> None:
    await ward.rule("nodes.down", triggers=1)
    plant = await ward.patient("plant")
    await plant.is_ill(DOWN)
    await ward.look()
    (alarm,) = (await ward.ask("GET"))["items"]
    other = Ward(ward.world, await project(ward.world, ward.of.token, f"other {ward.of.id}"))
    assert await other.kinds() == []
    for method, path, body in (
        ("GET", f"/{alarm['id']}", None),
        ("POST", f"/{alarm['id']}/acknowledge", None),
        ("POST", f"/{alarm['id']}/comments", {"text": "x"}),
    ):
        assert (await other.try_it(method, path, body)).problem == (404, "NOT_FOUND")
    assert await other.ask("POST", "/move", {"ids": [alarm["id"]]}) == {"count": 0}
    assert await ward.kinds() == ["nodes.down"]


async def test_what_is_not_a_rule_or_has_no_threshold_is_refused(ward: Ward) -> None:
    rule = {"isEnabled": True, "triggers": 1, "recoveries": 1, "severity": "normal"}
    for kind, changes, problem in (
        ("custom", {}, (404, "NOT_FOUND")),
        ("nodes.up", {}, (404, "NOT_FOUND")),
        ("nodes.down", {"threshold": 5}, (400, "BAD_REQUEST")),
        ("connections.high", {}, (400, "BAD_REQUEST")),
        ("nodes.down", {"triggers": 11}, (400, "BAD_REQUEST")),
    ):
        answer = await ward.try_it("PUT", f"/rules/{kind}", {**rule, **changes})
        assert answer.problem == problem, (kind, answer.text)
    await ward.rule("nodes.down", triggers=7)
    await ward.ask("DELETE", "/rules")
    rules = {rule["kind"]: rule for rule in (await ward.ask("GET", "/rules"))["items"]}
    assert rules["nodes.down"]["triggers"] == 3
