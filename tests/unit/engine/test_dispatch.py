"""What hooks answer is what the core is told; what they fail to answer is refused."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from rookery.engine import Allow, Deny, Message
from rookery.engine import dispatch as dispatch_module
from rookery.engine.dispatch import HookDispatcher
from rookery.engine.hooks import Fallback, HookTable
from rookery.engine.questions import Decision
from rookery.native.rows import AdmitRow, AnswerRow, ContinueRow, EventRow
from rookery.plugins.worker import fallbacks_of

DENIED = ("deny", 0x87)
CLIENT_ROW: tuple[Any, ...] = (
    "c1", "u1", True, "127.0.0.1:5000", "tcp:default", 5, 60, True,
    3600, 10, 20, 0, 7,
    1, 2, 3, 4, 5, False,
    None, None, [], False, "default", "",
)  # fmt: skip


def message_row(topic: str = "t", payload: bytes = b"p") -> tuple[object, ...]:
    return (1, 2, 0, 1, False, False, topic, payload, b"", "c1", "u1", None, None)


def ask_authenticate(number: int = 0, password: bytes | None = b"secret") -> EventRow:
    detail = (1883, None, None, None)
    return ("ask", (0, 0, 0, number), "authenticate", CLIENT_ROW, password, detail)


def ask_authorize(number: int = 0, *, publish: bool = True, topic: str = "t") -> EventRow:
    asked = ("c1", "u1", publish, topic, 1, False, None, CLIENT_ROW)
    return ("ask", (0, 0, 0, number), "authorize", asked, None)


def ask_publish(number: int = 0, payload: bytes = b"p") -> EventRow:
    return ("ask", (0, 0, 0, number), "publish", message_row(payload=payload), None)


class Core:
    """The other end: collects what is answered."""

    def __init__(self) -> None:
        self.batches: list[list[AnswerRow]] = []

    def answer(self, answers: list[AnswerRow]) -> None:
        self.batches.append(answers)

    def verdicts(self) -> list[tuple[str, Any]]:
        return [row[1:] for batch in self.batches for row in batch]


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
async def dispatcher_for(core: Core) -> AsyncIterator[Callable[..., HookDispatcher]]:
    opened: list[HookDispatcher] = []

    def make(
        *hooks: object, unanswered: Fallback = "deny", deadline_s: float = 5.0
    ) -> HookDispatcher:
        dispatcher = HookDispatcher(
            HookTable(hooks), core.answer, unanswered=unanswered, deadline_s=deadline_s
        )
        opened.append(dispatcher)
        return dispatcher

    yield make
    for dispatcher in opened:
        await dispatcher.close()


Make = Callable[..., HookDispatcher]


async def settled(core: Core, count: int) -> None:
    while len(core.verdicts()) < count:
        await asyncio.sleep(0)


def hook(name: str, result: object) -> Callable[..., object]:
    def plain(*_: object) -> object:
        if isinstance(result, Exception):
            raise result
        return result

    plain.__name__ = name
    return plain


def slow_hook(name: str, result: object) -> Callable[..., object]:
    async def later(*_: object) -> object:
        await asyncio.sleep(0)
        if isinstance(result, Exception):
            raise result
        return result

    later.__name__ = name
    return later


@pytest.mark.parametrize("make_hook", [hook, slow_hook], ids=["plain", "async"])
@pytest.mark.parametrize(
    ("name", "question", "result", "verdict"),
    [
        ("on_authenticate", ask_authenticate(), True, ("allow", None)),
        (
            "on_authenticate",
            ask_authenticate(),
            Allow(is_superuser=True),
            ("allow_superuser", None),
        ),
        ("on_authenticate", ask_authenticate(), False, ("deny", 0x86)),
        ("on_authenticate", ask_authenticate(), Deny(0x8A), ("deny", 0x8A)),
        ("on_authenticate", ask_authenticate(), None, DENIED),
        ("on_authenticate", ask_authenticate(), ValueError("no"), DENIED),
        ("on_authorize", ask_authorize(), True, ("allow", None)),
        ("on_authorize", ask_authorize(), False, DENIED),
        ("on_authorize", ask_authorize(), "yes", DENIED),
        ("on_publish", ask_publish(), None, ("drop", None)),
        ("on_publish", ask_publish(), Deny(0x97), ("deny", 0x97)),
        ("on_publish", ask_publish(), b"p", DENIED),
    ],
)
async def test_an_answer_means(
    core: Core,
    dispatcher_for: Make,
    make_hook: Callable[[str, object], object],
    name: str,
    question: EventRow,
    result: object,
    verdict: tuple[str, Any],
) -> None:
    dispatcher_for(make_hook(name, result)).ask([question])

    await settled(core, 1)
    assert core.verdicts() == [verdict]


async def test_a_message_goes_through_every_hook(core: Core, dispatcher_for: Make) -> None:
    def on_publish(message: Message) -> Message:
        return dataclasses.replace(message, payload=message.payload + b"1")

    class Second:
        async def on_publish(self, message: Message) -> Message:
            return dataclasses.replace(message, topic="u", payload=message.payload + b"2")

    dispatcher_for(on_publish, Second()).ask([ask_publish()])

    await settled(core, 1)
    [(verdict, row)] = core.verdicts()
    assert verdict == "replace"
    assert row == message_row("u", b"p12")


async def test_a_message_that_no_hook_changed_stays_the_cores(
    core: Core, dispatcher_for: Make
) -> None:
    def on_publish(message: Message) -> Message:
        return message

    dispatcher_for(on_publish).ask([ask_publish()])

    assert core.verdicts() == [("allow", None)]


async def test_the_first_refusal_ends_the_chain(core: Core, dispatcher_for: Make) -> None:
    asked: list[str] = []

    class Records:
        def __init__(self, name: str, answer: bool) -> None:
            self.name, self.answer = name, answer

        async def on_authorize(self, *_: object) -> bool:
            asked.append(self.name)
            return self.answer

    chain = Records("first", True), Records("second", False), Records("third", True)
    dispatcher_for(*chain).ask([ask_authorize()])

    await settled(core, 1)
    assert core.verdicts() == [DENIED]
    assert asked == ["first", "second"]


async def test_what_plain_hooks_decide_goes_down_as_one_batch(
    core: Core, dispatcher_for: Make
) -> None:
    dispatcher_for(hook("on_authorize", True)).ask([ask_authorize(n) for n in range(100)])

    assert [len(batch) for batch in core.batches] == [100]


async def test_what_async_hooks_decide_in_one_turn_goes_down_as_one_batch(
    core: Core, dispatcher_for: Make
) -> None:
    dispatcher_for(slow_hook("on_authorize", True)).ask([ask_authorize(n) for n in range(100)])

    await settled(core, 100)
    assert len(core.batches) < 5


async def test_a_question_of_one_client_does_not_wait_for_another(
    core: Core, dispatcher_for: Make
) -> None:
    gate = asyncio.Event()

    async def on_authorize(client: object, action: str, topic: str, *_: object) -> bool:
        if topic == "slow":
            await gate.wait()
        return True

    dispatcher_for(on_authorize).ask([ask_authorize(1, topic="slow"), ask_authorize(2)])

    await settled(core, 1)
    assert core.batches[0][0][0] == (0, 0, 0, 2)
    gate.set()
    await settled(core, 2)


@pytest.mark.parametrize(("unanswered", "verdict"), [("deny", DENIED), ("allow", ("allow", None))])
async def test_a_late_decision_is_the_configured_one(
    core: Core, dispatcher_for: Make, unanswered: Fallback, verdict: tuple[str, Any]
) -> None:
    async def on_authorize(*_: object) -> bool:
        await asyncio.Event().wait()
        return True

    dispatcher = dispatcher_for(on_authorize, unanswered=unanswered, deadline_s=0.01)
    dispatcher.ask([ask_authorize()])

    await settled(core, 1)
    assert core.verdicts() == [verdict]
    assert dispatcher.counters["hooks.late"] == 1


async def test_a_hook_that_fails_is_logged_and_counted(
    core: Core, dispatcher_for: Make, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = dispatcher_for(hook("on_authorize", ZeroDivisionError("oh")))

    dispatcher.ask([ask_authorize()])

    assert dispatcher.counters["hooks.errors"] == 1
    assert "on_authorize failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_too_many_pending_decisions_are_answered_at_once(
    core: Core, dispatcher_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_module, "PENDING_MAX", 2)
    gate = asyncio.Event()

    async def on_authorize(*_: object) -> bool:
        await gate.wait()
        return True

    dispatcher = dispatcher_for(on_authorize)
    dispatcher.ask([ask_authorize(n) for n in range(5)])

    assert core.verdicts() == [DENIED] * 3
    assert dispatcher.counters["hooks.overload"] == 3
    gate.set()
    await settled(core, 5)


async def test_a_question_whose_hook_is_gone_is_answered(core: Core, dispatcher_for: Make) -> None:
    dispatcher_for().ask([ask_authorize()])

    assert core.verdicts() == [DENIED]


async def test_notices_are_told_in_order(dispatcher_for: Make) -> None:
    told: list[tuple[str, ...]] = []
    done = asyncio.Event()

    class Watches:
        async def on_connected(self, client: Any) -> None:
            await asyncio.sleep(0)
            told.append(("connected", client.client_id))

        def on_subscribed(self, client_id: str, subscription: Any) -> None:
            told.append(("subscribed", client_id, subscription.topic_filter))

        def on_unsubscribed(self, client_id: str, topic_filter: str) -> None:
            told.append(("unsubscribed", client_id, topic_filter))

        def on_disconnected(self, client: Any, reason: str) -> None:
            told.append(("disconnected", client.client_id, reason))
            done.set()

    dispatcher_for(Watches()).tell(
        [
            ("connected", CLIENT_ROW),
            ("log", "info", "not a hook"),
            ("subscribed", "c1", ("a/#", 1, False, False, 0)),
            ("unsubscribed", "c1", "a/#"),
            ("disconnected", CLIENT_ROW, "kicked"),
        ]
    )

    await done.wait()
    assert told == [
        ("connected", "c1"),
        ("subscribed", "c1", "a/#"),
        ("unsubscribed", "c1", "a/#"),
        ("disconnected", "c1", "kicked"),
    ]


async def test_a_notice_that_fails_does_not_stop_the_next(dispatcher_for: Make) -> None:
    calls: list[int] = []
    done = asyncio.Event()

    def on_connected(_client: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            done.set()
        raise ValueError("no")

    dispatcher = dispatcher_for(on_connected)
    dispatcher.tell([("connected", CLIENT_ROW)] * 2)

    await done.wait()
    assert dispatcher.counters["hooks.errors"] >= 1


async def something_that_was_cancelled(*_: object) -> None:
    """What a hook sees whose connection pool was closed, say."""
    pending = asyncio.get_running_loop().create_future()
    pending.cancel()
    await pending


async def test_a_notice_whose_task_was_cancelled_does_not_stop_the_next(
    dispatcher_for: Make,
) -> None:
    calls: list[int] = []
    done = asyncio.Event()

    async def on_connected(_client: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            done.set()
        await something_that_was_cancelled()

    dispatcher = dispatcher_for(on_connected)
    dispatcher.tell([("connected", CLIENT_ROW)] * 2)

    await done.wait()


async def test_a_decision_whose_task_was_cancelled_is_the_configured_one(
    core: Core, dispatcher_for: Make
) -> None:
    async def on_authorize(*_: object) -> None:
        await something_that_was_cancelled()

    dispatcher = dispatcher_for(on_authorize)
    dispatcher.ask([ask_authorize()])

    await settled(core, 1)
    assert core.verdicts() == [DENIED]
    assert dispatcher.counters["hooks.errors"] == 1


async def test_notices_beyond_the_bound_are_counted(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_module, "NOTICES_MAX", 2)
    table = HookTable([hook("on_connected", None)])
    dispatcher = HookDispatcher(table, core.answer, unanswered="deny", deadline_s=1)

    dispatcher.tell([("connected", CLIENT_ROW)] * 5)

    assert dispatcher.counters["hooks.notices.dropped"] == 3
    await dispatcher.close()


async def test_closing_tells_what_is_waiting(core: Core) -> None:
    told: list[object] = []

    async def on_connected(client: object) -> None:
        await asyncio.sleep(0)
        told.append(client)

    dispatcher = HookDispatcher(
        HookTable([on_connected]), core.answer, unanswered="deny", deadline_s=1
    )
    dispatcher.tell([("connected", CLIENT_ROW)] * 3)

    await dispatcher.close()

    assert len(told) == 3


# -- access control before hooks ----------------------------------------------------------------


class Access:
    """Decides as told; takes what it was told about."""

    def __init__(self, **decisions: Decision | Exception) -> None:
        self.decisions = decisions

    def takes(self, row: EventRow) -> bool:
        return row[2] in self.decisions

    async def decide(self, row: EventRow) -> Decision:
        decision = self.decisions[row[2]]
        if isinstance(decision, Exception):
            raise decision
        return decision


ADMITTED = ("admit", AdmitRow(client_attrs=(("a", "1"),)))


async def verdicts_of(
    core: Core, access: Access, hooks: Sequence[object], rows: list[EventRow]
) -> list[tuple[str, Any]]:
    dispatcher = HookDispatcher(
        HookTable(hooks), core.answer, unanswered="allow", deadline_s=5.0, access=access
    )
    dispatcher.ask(rows)
    while len(core.verdicts()) < len(rows):
        await asyncio.sleep(0)
    await dispatcher.close()
    return core.verdicts()


def answering(name: str, answer: object) -> Callable[..., object]:
    def decide(*_: object) -> object:
        return answer

    decide.__name__ = name
    return decide


@pytest.mark.parametrize(
    ("decision", "answer", "expected"),
    [
        (Decision(ADMITTED, goes_on=True), None, ADMITTED),
        (Decision(ADMITTED, goes_on=True), True, ADMITTED),
        (Decision(ADMITTED, goes_on=True), False, ("deny", 0x86)),
        (Decision(ADMITTED, goes_on=True), Allow(is_superuser=True),
         ("admit", ADMITTED[1]._replace(is_superuser=True))),
        (Decision(("deny", 0x87)), True, ("deny", 0x87)),
        (Decision(("continue", ContinueRow(b"x"))), False, ("continue", ContinueRow(b"x"))),
    ],
)  # fmt: skip
async def test_a_client_has_to_please_the_chain_and_the_hooks(
    core: Core, decision: Decision, answer: object, expected: tuple[str, Any]
) -> None:
    hooks = [] if answer is None else [answering("on_authenticate", answer)]
    access = Access(authenticate=decision)
    assert await verdicts_of(core, access, hooks, [ask_authenticate()]) == [expected]


@pytest.mark.parametrize(
    ("decision", "answer", "expected"),
    [
        (Decision(("allow", None)), False, ("allow", None)),
        (Decision(("deny", 0x87)), True, ("deny", 0x87)),
        (Decision(("deny", 0x87), goes_on=True), True, ("allow", None)),
        (Decision(("allow", None), goes_on=True), False, ("deny", 0x87)),
        # Plugins may be asked next: the core knows, and what is configured for no match.
        (Decision(("allow", None), goes_on=True), None, ("ignore", None)),
    ],
)
async def test_hooks_decide_where_no_source_does(
    core: Core, decision: Decision, answer: object, expected: tuple[str, Any]
) -> None:
    hooks = [] if answer is None else [answering("on_authorize", answer)]
    access = Access(authorize=decision)
    assert await verdicts_of(core, access, hooks, [ask_authorize()]) == [expected]


async def test_access_control_that_fails_refuses_whatever_silence_means(core: Core) -> None:
    access = Access(authenticate=RuntimeError("a defect"))
    assert await verdicts_of(core, access, [], [ask_authenticate()]) == [DENIED]


async def test_the_log_says_what_is_configured(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def on_publish(self, message: Message) -> None:
            raise ZeroDivisionError

    for word in ("ignore", "allow", "deny"):
        dispatcher = HookDispatcher(
            HookTable([Broken()]),
            core.answer,
            unanswered="deny",
            deadline_s=5.0,
            fallbacks=fallbacks_of({"message.publish": word}),
        )
        dispatcher.ask([ask_publish()])
        await dispatcher.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"on_publish failed; the answer is {word}" for word in ("ignore", "allow", "deny")
    ]
    assert [verdict for verdict, _ in core.verdicts()] == ["allow", "allow", "deny"]
