"""The order of the chain and what the words of its providers mean."""

from __future__ import annotations

import asyncio

import pytest

from rookery.access.chain import AuthenticationChain
from rookery.access.request import AuthRequest
from rookery.access.verdict import (
    BAD_AUTHENTICATION_METHOD,
    BAD_USER_NAME_OR_PASSWORD,
    NOT_AUTHORIZED,
    SERVER_BUSY,
    SERVER_UNAVAILABLE,
    Admit,
    Continue,
    Ignore,
    Opinion,
    Refuse,
)


class Says:
    """A provider that always says the same, and knows whether it was asked."""

    def __init__(self, name: str, opinion: Opinion | Exception, *methods: str) -> None:
        self.id = name
        self.methods = methods
        self.opinion = opinion
        self.asked = 0
        self.is_running = False

    async def start(self) -> None:
        if isinstance(self.opinion, OSError):
            raise self.opinion
        self.is_running = True

    async def stop(self) -> None:
        self.is_running = False

    async def authenticate(self, request: AuthRequest) -> Opinion:
        self.asked += 1
        if isinstance(self.opinion, Exception):
            raise self.opinion
        return self.opinion


class Hangs(Says):
    async def authenticate(self, request: AuthRequest) -> Opinion:
        await asyncio.Event().wait()
        return Ignore()


CONNECT = AuthRequest(client_id="c1", username="ann", password=b"secret")


async def test_the_first_that_knows_decides() -> None:
    second = Says("b", Admit(is_superuser=True, reason="known"))
    third = Says("c", Refuse())

    answer = await AuthenticationChain([Says("a", Ignore("no user")), second, third]).answer(
        CONNECT
    )

    assert answer.verdict == second.opinion
    assert answer.decided_by == "b"
    assert [(step.provider, step.said) for step in answer.steps] == [
        ("a", "ignore"),
        ("b", "allow"),
    ]
    assert third.asked == 0


async def test_a_wrong_password_is_not_tried_elsewhere() -> None:
    other = Says("b", Admit())

    verdict = await AuthenticationChain([Says("a", Refuse()), other]).authenticate(CONNECT)

    assert verdict == Refuse(BAD_USER_NAME_OR_PASSWORD)
    assert other.asked == 0


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (CONNECT, BAD_USER_NAME_OR_PASSWORD),
        (AuthRequest(client_id="c1"), NOT_AUTHORIZED),
    ],
    ids=["with a name", "without"],
)
async def test_the_end_of_the_chain_is_a_no(request_: AuthRequest, code: int) -> None:
    answer = await AuthenticationChain([Says("a", Ignore())]).answer(request_)

    assert isinstance(answer.verdict, Refuse)
    assert answer.verdict.reason_code == code
    assert answer.decided_by == ""


async def test_a_provider_that_breaks_is_passed_over_and_counted() -> None:
    chain = AuthenticationChain([Says("a", ValueError("bug")), Says("b", Admit())])

    assert isinstance(await chain.authenticate(CONNECT), Admit)
    assert chain.counters["a"].failed == 1
    assert chain.counters["b"].allowed == 1


async def test_busy_is_said_at_once() -> None:
    other = Says("b", Admit())
    chain = AuthenticationChain([Says("a", Refuse(SERVER_BUSY)), other])

    assert await chain.authenticate(CONNECT) == Refuse(SERVER_BUSY)
    assert (chain.counters["a"].busy, other.asked) == (1, 0)


async def test_the_whole_chain_has_a_deadline() -> None:
    chain = AuthenticationChain([Hangs("a", Ignore())], deadline_s=0.01)

    verdict = await chain.authenticate(CONNECT)

    assert isinstance(verdict, Refuse)
    assert verdict.reason_code == SERVER_UNAVAILABLE


async def test_enhanced_authentication_goes_to_those_who_have_the_method() -> None:
    password, scram = Says("a", Refuse()), Says("b", Continue(b"x"), "SCRAM-SHA-256")
    chain = AuthenticationChain([password, scram])
    step = AuthRequest(client_id="c1", method="SCRAM-SHA-256", data=b"n,,n=u,r=x")

    assert await chain.authenticate(step) == Continue(b"x")
    assert password.asked == 0
    assert chain.methods == ("SCRAM-SHA-256",)


async def test_an_unknown_method_is_refused() -> None:
    chain = AuthenticationChain([Says("a", Admit())])

    verdict = await chain.authenticate(AuthRequest(client_id="c1", method="GS2"))

    assert isinstance(verdict, Refuse)
    assert verdict.reason_code == BAD_AUTHENTICATION_METHOD


async def test_plain_connects_do_not_reach_providers_of_exchanges() -> None:
    scram = Says("a", Admit(), "SCRAM-SHA-256")

    assert isinstance(await AuthenticationChain([scram]).authenticate(CONNECT), Refuse)
    assert scram.asked == 0


async def test_a_start_that_fails_undoes_what_it_did() -> None:
    first = Says("a", Ignore())
    chain = AuthenticationChain([first, Says("b", OSError("no"))])

    with pytest.raises(OSError, match="no"):
        await chain.start()

    assert not first.is_running


class Waits(Says):
    """A provider that answers when it may."""

    def __init__(self) -> None:
        super().__init__("waits", Admit())
        self.may = asyncio.Event()
        self.is_asked = asyncio.Event()

    async def authenticate(self, request: AuthRequest) -> Opinion:
        self.is_asked.set()
        await self.may.wait()
        return self.opinion if isinstance(self.opinion, Admit) else Ignore()


async def test_a_chain_that_is_replaced_answers_who_asked_it() -> None:
    provider = Waits()
    chain = AuthenticationChain([provider])
    assert await chain.drain()
    asked = asyncio.create_task(chain.authenticate(CONNECT))
    await provider.is_asked.wait()

    drained = asyncio.create_task(chain.drain())
    provider.may.set()

    assert await drained
    assert await asked == Admit()


async def test_draining_ends_with_the_deadline() -> None:
    provider = Waits()
    chain = AuthenticationChain([provider], deadline_s=0.01)
    asked = asyncio.create_task(chain.authenticate(CONNECT))
    await provider.is_asked.wait()

    await chain.drain()

    assert isinstance(await asked, Refuse)


def test_secrets_are_not_shown() -> None:
    request = AuthRequest(client_id="c1", password=b"hunter2", data=b"hunter3")

    assert "hunter" not in repr(request)
    assert "hunter" not in repr(Continue(b"hunter2"))
    assert "hunter" not in repr(Admit(auth_data=b"hunter2"))
