"""Messages of the REST interface pass plugins in their order, and each plugin's failure is its own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from rookery.broker.plugins.models import Installed, PublishFigures
from rookery.broker.plugins.process import WorkerError
from rookery.broker.plugins.publishing import (
    BATCH_MAX,
    Asked,
    Outcome,
    Refused,
    ask_all,
    largest_message,
)
from rookery.broker.plugins.trust import Trust
from rookery.clock import ManualClock
from rookery.config import load
from rookery.errors import BadRequestError
from rookery.native.node import Publication
from rookery.plugins.manifest import Manifest, Running

Answer = Callable[[Mapping[str, Any]], list[Any]]


class Worker:
    """The process of a plugin that answers as the test says."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.figures = PublishFigures()
        self.trust = Trust()
        self.asked: list[list[str]] = []

    async def ask_publish(
        self, messages: Sequence[Mapping[str, Any]], found: dict[int, Sequence[Any]]
    ) -> None:
        self.asked.append([message["topic"] for message in messages])
        for index, message in enumerate(messages):
            found[index] = self._answer(message)


class Silent(Worker):
    async def ask_publish(
        self, messages: Sequence[Mapping[str, Any]], found: dict[int, Sequence[Any]]
    ) -> None:
        await super().ask_publish(messages[:-1], found)
        await asyncio.Event().wait()
        raise AssertionError


def allow(_message: Mapping[str, Any]) -> list[Any]:
    return ["allow", None]


async def no_change() -> None:
    return


def asked(worker: Worker | None, **run: Any) -> Asked:
    manifest = Manifest(name="probe", rel_vsn="1.0.0", entry="probe:Probe")
    plugin = Installed(manifest, run=Running(**run))
    return Asked(plugin, lambda _client_id: worker, no_change)  # type: ignore[arg-type, return-value]


async def outcome_of(message: Publication, *plugins: Asked) -> Outcome:
    (outcome,) = await ask_all([message], plugins, ManualClock(), BYTES_MAX)
    return outcome


BYTES_MAX = 1 << 20
PLUGIN = "probe-1.0.0"
REFUSED = Refused(0x99, PLUGIN)
SILENT = Refused(0x83, PLUGIN, is_answered=False)
MESSAGE = Publication("a/b", b"x", qos=1, expiry_s=60, client_id="http_api")


async def test_each_plugin_sees_what_the_one_before_it_left() -> None:
    first = Worker(lambda message: ["replace", {**message, "topic": "c", "payload": "eQ=="}])
    second = Worker(allow)
    outcome = await outcome_of(MESSAGE, asked(first), asked(second))
    assert outcome == MESSAGE._replace(topic="c", payload=b"y")
    assert second.asked == [["c"]]


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [(["drop", None], None), (["deny", 0x99], REFUSED)],
)
async def test_what_is_taken_or_refused_is_shown_to_nobody_else(
    verdict: list[Any], outcome: Outcome
) -> None:
    second = Worker(allow)
    assert await outcome_of(MESSAGE, asked(Worker(lambda _: verdict)), asked(second)) == outcome
    assert second.asked == []


async def test_a_plugin_sees_its_topics_alone() -> None:
    worker = Worker(allow)
    messages = [MESSAGE, MESSAGE._replace(topic="b"), MESSAGE._replace(topic="$SYS/x", sys=True)]
    assert (
        await ask_all(messages, [asked(worker, topics=("a/#",))], ManualClock(), BYTES_MAX)
        == messages
    )
    assert worker.asked == [["a/b"]]


async def test_many_are_asked_about_a_part_at_a_time() -> None:
    worker = Worker(allow)
    messages = [MESSAGE] * (2 * BATCH_MAX + 1)
    assert await ask_all(messages, [asked(worker)], ManualClock(), BYTES_MAX) == messages
    assert [len(batch) for batch in worker.asked] == [BATCH_MAX, BATCH_MAX, 1]


@pytest.mark.parametrize(
    "worker",
    [
        None,
        Silent(allow),
        Worker(lambda _: ["perhaps", None]),
        Worker(lambda message: ["replace", {**message, "topic": "a/#"}]),
    ],
)
@pytest.mark.parametrize(("failure", "outcome"), [("ignore", MESSAGE), ("deny", SILENT)])
async def test_without_an_answer_what_is_configured_holds(
    worker: Worker | None, failure: str, outcome: Outcome
) -> None:
    plugin = asked(worker, deadline_s=0.05, failure={"message.publish": failure})
    assert await outcome_of(MESSAGE, plugin) == outcome


async def test_a_worker_that_hangs_is_waited_for_once() -> None:
    worker = Silent(allow)
    plugin = asked(worker, deadline_s=0.05, failure={"message.publish": "deny"})
    assert await outcome_of(MESSAGE, plugin) == SILENT
    assert worker.figures == PublishFigures(asked=1, late=1)
    # From here on a deadline is longer than the test may take: nobody waits for one.
    plugin = asked(worker, deadline_s=3600.0, failure={"message.publish": "deny"})
    worker.trust.patience_s(asyncio.get_running_loop().time(), 3600.0)
    for _ in range(3):
        assert await outcome_of(MESSAGE, plugin) == SILENT
    assert worker.figures == PublishFigures(asked=1, late=1, failed=3)
    assert len(worker.asked) == 1


async def test_a_worker_that_comes_back_while_its_code_is_loaded_anew_is_asked() -> None:
    running: list[Worker] = []
    manifest = Manifest(name="probe", rel_vsn="1.0.0", entry="probe:Probe")

    async def settled() -> None:
        running.append(Worker(lambda _: ["drop", None]))

    plugin = Asked(Installed(manifest), lambda _: running[0] if running else None, settled)  # type: ignore[arg-type, return-value]
    assert await outcome_of(MESSAGE, plugin) is None


async def test_no_plugin_is_shown_what_is_no_topic_name() -> None:
    worker = Worker(allow)
    with pytest.raises(BadRequestError):
        await ask_all(
            [MESSAGE, MESSAGE._replace(topic="a/+")], [asked(worker)], ManualClock(), BYTES_MAX
        )
    assert worker.asked == []


async def test_a_process_that_is_gone_leaves_what_is_configured() -> None:
    class Gone(Worker):
        async def ask_publish(
            self, messages: Sequence[Mapping[str, Any]], found: dict[int, Sequence[Any]]
        ) -> None:
            await super().ask_publish(messages[:-1], found)
            raise WorkerError("it is gone")

    assert await outcome_of(MESSAGE, asked(Gone(allow))) == MESSAGE
    refusing = asked(Gone(lambda _: ["deny", 0x99]))
    found = await ask_all([MESSAGE, MESSAGE], [refusing], ManualClock(), BYTES_MAX)
    assert found == [REFUSED, MESSAGE]


def refuse_but_bad(message: Mapping[str, Any]) -> list[Any]:
    bad = message["topic"] == "bad"
    return ["replace", {**message, "topic": "a/#"}] if bad else ["deny", 0x99]


@pytest.mark.parametrize("worker", [Worker(refuse_but_bad), Silent(refuse_but_bad)])
async def test_one_without_an_answer_does_not_let_the_others_through(worker: Worker) -> None:
    bad = MESSAGE._replace(topic="bad")
    plugin = asked(worker, deadline_s=0.05)
    found = await ask_all([MESSAGE, MESSAGE, bad], [plugin], ManualClock(), BYTES_MAX)
    assert found == [REFUSED, REFUSED, bad]


@pytest.mark.parametrize(
    ("failure", "outcome"), [("ignore", MESSAGE), ("deny", SILENT), ("allow", MESSAGE)]
)
async def test_an_answer_larger_than_a_packet_may_be_is_a_failure(
    failure: str, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    def enlarge(message: Mapping[str, Any]) -> list[Any]:
        payload = base64.b64encode(bytes(BYTES_MAX)).decode()
        return ["replace", {**message, "payload": payload}]

    plugin = asked(Worker(enlarge), failure={"message.publish": failure})
    assert await outcome_of(MESSAGE, plugin) == outcome
    assert f"a message of {BYTES_MAX + 3} bytes" in caplog.text


async def test_what_was_let_in_may_go_on_as_large_as_it_is() -> None:
    large = MESSAGE._replace(payload=bytes(BYTES_MAX))
    plugin = asked(Worker(lambda message: ["replace", {**message, "qos": 2}]))
    assert await outcome_of(large, plugin) == large._replace(qos=2)


@pytest.mark.parametrize(("size", "most"), [("10MB", 10 << 20), ("1KB", 1 << 20)])
def test_the_bound_is_the_largest_of_all_zones(size: str, most: int) -> None:
    config = load(
        sets=[f"zones.other.mqtt.max_packet_size={size}"], environ={"HOME": "/nonexistent"}
    )
    assert largest_message(config) == most
