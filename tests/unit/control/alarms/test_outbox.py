"""Who is told of what and when: silence, maintenance, storms, recovery, and who is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.alarms import Patient, Receiver, Ward, receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOWN, SKEWED = "NodesDown", "ClockSkewed"


async def ready(ward: Ward, hook: Receiver, **channel: Any) -> Patient:
    """A cluster, two rules that act at once, and a webhook."""
    for kind in ("nodes.down", "clock.skewed"):
        await ward.rule(kind, triggers=1)
    await ward.channel(webhook={"kind": "json", "url": f"{hook.url}/a?k=1"}, **channel)
    return await ward.patient("plant", ["site=east"])


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def told(hook: Receiver) -> list[tuple[str, str]]:
    return [(call.json["kind"], call.json["data"]["Status"]) for call in hook.calls]


async def test_an_alarm_is_told_once_and_that_it_is_over_too(ward: Ward) -> None:
    async with receiver() as hook:
        plant = await ready(ward, hook)
        await plant.is_ill(DOWN)
        await ward.look()
        await hook.wait(1)
        await plant.is_ill(DOWN)
        await ward.look()
        await plant.is_ill()
        await ward.look()
        await hook.wait(2)
        assert told(hook) == [("nodes.down", "fired"), ("nodes.down", "resolved")]
        body = hook.calls[0].json["data"]
        assert (body["Resource"], body["Level"]) == ("plant", "Critical")
        assert body["Alarm Link"].endswith(f"/#/w/{ward.of.org}/{ward.of.id}/alarms")
        assert hook.calls[0].path == "/a?k=1"


async def test_whoever_was_not_told_of_it_is_not_told_that_it_is_over(ward: Ward) -> None:
    async with receiver() as hook:
        plant = await ready(ward, hook)
        await ward.settings(onlyCritical=True)
        await plant.is_ill(SKEWED)
        await ward.look()
        await plant.is_ill(DOWN)
        await ward.look()
        await hook.wait(1)
        await ward.settings(tellsRecovery=False)
        await plant.is_ill()
        await ward.look()
        assert await ward.kinds() == []
        assert len(await ward.deliveries()) == 1
        assert told(hook) == [("nodes.down", "fired")]


async def test_the_same_is_told_again_only_after_its_silence_and_if_it_goes_on(ward: Ward) -> None:
    async with receiver() as hook:
        plant = await ready(ward, hook)
        await ward.settings(silenceMinutes=5, tellsRecovery=False)
        for _ in range(3):  # it flaps
            await plant.is_ill(DOWN)
            await ward.look()
            await plant.is_ill()
            await ward.look()
        await plant.is_ill(DOWN)
        await ward.look()
        await hook.wait(1)
        (alarm,) = (await ward.ask("GET"))["items"]
        assert alarm["pushedAt"] is None
        assert alarm["pushDueAt"] is not None
        assert len(await ward.deliveries()) == 1
        ward.world.control.clock.advance(300)  # type: ignore[attr-defined]
        await ward.world.control.alarms.keeping.push_late()
        await hook.wait(2)
        assert len(await ward.kinds("history")) == 3


async def test_silence_of_an_instance_is_about_everything_of_a_cluster(ward: Ward) -> None:
    async with receiver() as hook:
        plant = await ready(ward, hook)
        await ward.settings(silenceObject="instance")
        await plant.is_ill(DOWN)
        await ward.look()
        await plant.is_ill(DOWN, SKEWED)
        await ward.look()
        other = await ward.patient("other")
        await other.is_ill(DOWN)
        await ward.look()
        await hook.wait(2)
        assert len(await ward.kinds()) == 3
        assert [call.json["data"]["Resource"] for call in hook.calls] == ["plant", "other"]


async def test_during_maintenance_alarms_are_listed_and_told_afterwards(ward: Ward) -> None:
    async with receiver() as hook:
        plant = await ready(ward, hook)
        now_ms = ward.world.control.clock.now_ms()
        window = {
            "name": "upgrade",
            "startsAt": moment(now_ms - 1000),
            "endsAt": moment(now_ms + 600_000),
            "clusters": [plant.id],
        }
        made = await ward.ask("POST", "/windows", window)
        assert made["isNow"]
        await plant.is_ill(DOWN, SKEWED)
        await ward.look()
        assert sorted(await ward.kinds()) == ["clock.skewed", "nodes.down"]
        assert await ward.deliveries() == []
        await plant.is_ill(DOWN)
        await ward.look()
        ward.world.control.clock.advance(600)  # type: ignore[attr-defined]
        await ward.world.control.alarms.keeping.push_late()
        await hook.wait(1)
        assert told(hook) == [("nodes.down", "fired")]
        same = await ward.try_it("POST", "/windows", window)
        assert same.problem == (409, "ALREADY_EXISTS")
        backwards = {**window, "name": "x", "endsAt": window["startsAt"]}
        assert (await ward.try_it("POST", "/windows", backwards)).problem == (400, "BAD_REQUEST")
        unknown = {**window, "name": "x", "clusters": ["0" * 16]}
        assert (await ward.try_it("POST", "/windows", unknown)).problem == (400, "BAD_REQUEST")


async def test_a_storm_freezes_the_list_tells_once_and_is_cleared_by_hand(ward: Ward) -> None:
    async with receiver() as hook:
        await ready(ward, hook)
        await ward.settings(stormAlarms=5)
        patients = [await ward.patient(f"p{number}") for number in range(8)]
        for each in patients:
            await each.is_ill(DOWN)
        await ward.look()
        summary = await ward.ask("GET", "/summary")
        assert summary["current"] == 5
        assert summary["stormAt"] is not None
        states = [(row["event"], row["state"]) for row in await ward.deliveries()]
        assert states[:4] == [("fired", "dropped")] * 4
        assert states[4:] in ([("storm", "queued")], [("storm", "sent")])
        await hook.wait(1)
        assert hook.calls[0].json["kind"] == "storm"
        for each in patients:
            await each.is_ill(DOWN)
        await ward.look(61)
        assert len(await ward.kinds()) == 5
        await ward.ask("POST", "/clear-storm")
        assert (await ward.try_it("POST", "/clear-storm")).problem == (409, "CONFLICT")
        for each in patients:
            await each.is_ill(DOWN)
        await ward.look()
        assert len(await ward.kinds()) == 8


async def test_configurations_are_told_of_what_they_are_for(ward: Ward) -> None:
    async with receiver() as hook:
        plant = await ready(ward, hook, labels=["site=east"])
        for name, more in (
            ("west", {"labels": ["site=west"]}),
            ("no clusters", {"pushesClusters": False}),
            ("off", {"isEnabled": False}),
            ("all", {}),
        ):
            await ward.channel(name, webhook={"url": f"{hook.url}/x"}, **more)
        await plant.is_ill(DOWN)
        await ward.look()
        await hook.wait(2)
        assert {row["channelName"] for row in await ward.deliveries()} == {"night", "all"}


async def test_what_is_secret_is_not_shown_and_stays_with_its_host(ward: Ward) -> None:
    webhook = {
        "kind": "json",
        "url": "https://hooks.example.com/T0/B0/s3cr3t",
        "headers": [{"name": "Authorization", "value": "Bearer s3cr3t"}],
        "secret": "s3cr3t",
    }
    body = {"name": "night", "webhook": webhook}
    channel = (await ward.ask("POST", "/channels", body))["id"]
    for method, path in (("GET", "/channels"), ("GET", f"/channels/{channel}")):
        assert "s3cr3t" not in (await ward.try_it(method, path)).text
    audit = await ward.world.ask("GET", "/audit?resource=alarms", token=ward.of.token)
    assert "s3cr3t" not in audit.text
    kept = {"kind": "json", "headers": [{"name": "Authorization"}]}
    changed = await ward.ask("PUT", f"/channels/{channel}", {"name": "day", "webhook": kept})
    assert changed["webhook"]["headerNames"] == ["Authorization"]
    assert changed["webhook"]["isSigned"]
    elsewhere = {**kept, "url": "https://evil.example.com/"}
    answer = await ward.try_it("PUT", f"/channels/{channel}", {"name": "day", "webhook": elsewhere})
    assert answer.problem == (400, "BAD_REQUEST")
    again = {"kind": "json", "url": "https://evil.example.com/"}
    answer = await ward.try_it("PUT", f"/channels/{channel}", {"name": "day", "webhook": again})
    assert answer.problem == (400, "BAD_REQUEST")  # the secret would be used there


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"recipients": ["nobody"]},
        {"recipients": [f"a{n}@example.com" for n in range(11)]},
        {"webhook": {"kind": "json"}},
        {"webhook": {"url": "ftp://example.com/"}},
        {"webhook": {"url": "https://user:pw@example.com/"}},
        {"webhook": {"url": "https://example.com/ x"}},
        {"webhook": {"url": "https://e.example/", "headers": [{"name": "Host", "value": "x"}]}},
        {"webhook": {"url": "https://e.example/", "headers": [{"name": "A", "value": "a\r\nb"}]}},
        {"webhook": {"url": "https://e.example/", "headers": [{"name": "A"}]}},
        {"webhook": {"url": "https://e.example/", "template": "{}"}},
        {"webhook": {"url": "https://e.example/", "kind": "pager"}},
    ],
)
async def test_what_a_configuration_may_not_be(ward: Ward, body: dict[str, Any]) -> None:
    answer = await ward.try_it("POST", "/channels", {"name": "x", **body})
    assert answer.problem == (400, "BAD_REQUEST")


async def test_programs_raise_alarms_with_a_token_that_does_nothing_else(ward: Ward) -> None:
    now_s = ward.world.control.clock.now_ms() // 1000
    body = {"message": "the belt stands", "timestamp": str(now_s), "severity": 1, "uuid": "u1"}

    async def raised(token: str, **changes: Any) -> Any:
        return await ward.world.ask(
            "POST", f"{ward.path}/webhook", {**body, **changes},
            headers={"X-Rookery-Alarm-Token": token},
        )  # fmt: skip

    token = (await ward.ask("POST", "/token"))["token"]
    assert (await raised(token)).problem == (403, "FORBIDDEN")
    await ward.settings(isCustomEnabled=True)
    assert (await raised("wrong")).problem == (401, "BAD_TOKEN")
    assert (await ward.world.ask("POST", f"{ward.path}/webhook", body)).status == 401
    first = await raised(token)
    assert first.status == 202
    assert (await raised(token)).json == first.json
    (alarm,) = (await ward.ask("GET"))["items"]
    assert (alarm["message"], alarm["severity"], alarm["occurrences"]) == (
        "the belt stands", "critical", 2,
    )  # fmt: skip
    assert (await raised(token, timestamp=str(now_s - 601))).problem == (400, "BAD_REQUEST")
    assert (await raised(token, severity=2)).problem == (400, "BAD_REQUEST")
    assert (await raised(token, status="resolved")).status == 202
    assert await ward.kinds() == []
    ecp = await ward.world.ask(
        "POST", f"{ward.path}/webhook", body, headers={"X-ECP-Alarm-Token": token}
    )
    assert ecp.status == 202
    # It is no token of the interface, and not another project's.
    assert (await ward.try_it("GET", "", token=token)).status == 401
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert (await raised(other)).status == 401
    await ward.ask("DELETE", "/token")
    assert (await raised(token)).status == 401
