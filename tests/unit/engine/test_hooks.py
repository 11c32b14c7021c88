"""What counts as a hook, and what the core is told about it."""

from __future__ import annotations

import pytest

from rookery.engine import Deny, Hooks
from rookery.engine.hooks import NAMES, HookTable
from rookery.errors import BadRequestError


def test_a_function_is_a_hook_by_its_name() -> None:
    def on_publish(message: object) -> object:
        return message

    table = HookTable([on_publish])

    assert table["on_publish"] == (on_publish,)
    assert table["on_authorize"] == ()


def test_an_object_brings_every_hook_it_has() -> None:
    class Both:
        def on_authorize(self) -> bool:
            return True

        async def on_connected(self, client: object) -> None: ...

    hooks = Both()

    table = HookTable([hooks])

    assert table["on_authorize"] == (hooks.on_authorize,)
    assert table["on_connected"] == (hooks.on_connected,)


def test_what_only_describes_is_not_registered() -> None:
    class OnlyPublish(Hooks):
        def on_publish(self, message):  # type: ignore[no-untyped-def]
            return message

    table = HookTable([OnlyPublish()])

    assert [name for name in NAMES if table[name]] == ["on_publish"]


def test_hooks_are_kept_in_order() -> None:
    class First:
        def on_authorize(self) -> bool:
            return True

    first, second = First(), First()
    table = HookTable([first])
    table.add(second)

    assert table["on_authorize"] == (first.on_authorize, second.on_authorize)


@pytest.mark.parametrize("thing", [object(), lambda: None, Hooks(), "on_publish"])
def test_what_has_no_hook_is_refused(thing: object) -> None:
    with pytest.raises(BadRequestError, match="no hook"):
        HookTable([thing])


def test_the_core_is_told_only_what_somebody_wants() -> None:
    class Watches:
        def on_disconnected(self, client: object, reason: str) -> None: ...

        def on_authorize(self) -> bool:
            return True

    switches = HookTable([Watches()]).switches(unanswered="allow", deadline_s=0.25)

    assert (switches.authorize, switches.publish) == (True, False)
    assert (switches.client_events, switches.subscription_events) == (True, False)
    assert (switches.unanswered_allows, switches.deadline_ms) == (True, 250)


def test_a_refusal_needs_a_code_that_refuses() -> None:
    with pytest.raises(BadRequestError, match="0x00"):
        Deny(0x00)
