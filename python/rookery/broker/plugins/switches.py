"""Which hookpoints the core is told to call."""

from __future__ import annotations

from dataclasses import replace

from rookery.native.config import HookSwitches


def switches(hooks: HookSwitches, wanted: frozenset[str], deadline_ms: int) -> HookSwitches:
    """What the core is told so that these hookpoints are called besides those of ``hooks``."""

    def any_of(*names: str) -> bool:
        return not wanted.isdisjoint(names)

    return replace(
        hooks,
        authenticate=hooks.authenticate or "client.authenticate" in wanted,
        authorize=hooks.authorize or "client.authorize" in wanted,
        publish=hooks.publish or "message.publish" in wanted,
        client_events=hooks.client_events or any_of("client.connected", "client.disconnected"),
        subscription_events=hooks.subscription_events
        or any_of("session.subscribed", "session.unsubscribed"),
        connect_events=any_of("client.connect", "client.connack"),
        session_events=any_of(
            "session.created",
            "session.resumed",
            "session.discarded",
            "session.takenover",
            "session.terminated",
        ),
        subscribe=hooks.subscribe or "client.subscribe" in wanted,
        unsubscribe=hooks.unsubscribe or "client.unsubscribe" in wanted,
        puback="message.puback" in wanted,
        delivered="message.delivered" in wanted,
        acked="message.acked" in wanted,
        dropped=any_of("message.dropped", "delivery.dropped"),
        deadline_ms=max(hooks.deadline_ms, deadline_ms) if wanted else hooks.deadline_ms,
    )
