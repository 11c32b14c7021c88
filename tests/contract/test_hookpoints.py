"""The list of hookpoints is what the native side and the classes of plugins know."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from rookery import _native
from rookery.engine.hooks import NAMES, Hooks
from rookery.native.config import NodeConfig
from rookery.native.plugins import PluginRoute
from rookery.plugins.hookpoints import BY_METHOD, BY_NAME, ELSEWHERE, HOOKPOINTS

# EMQX 3's, of which the requirements speak.
V3 = (
    "client.authenticate", "client.check_acl", "client.connected", "client.disconnected",
    "client.subscribe", "client.unsubscribe", "session.created", "session.resumed",
    "session.subscribed", "session.unsubscribed", "session.terminated", "message.publish",
    "message.deliver", "message.acked", "message.dropped",
)  # fmt: skip


V5 = (
    "client.connect", "client.connack", "client.connected", "client.disconnected",
    "client.authenticate", "client.post_authn", "client.check_authn_complete", "client.authorize",
    "client.check_authz_complete", "client.subscribe", "client.unsubscribe", "client.timeout",
    "client.handle_info", "client.ping", "session.created", "session.subscribed",
    "session.unsubscribed", "session.resumed", "session.discarded", "session.takenover",
    "session.terminated", "session.disconnected", "session.save_subopts", "message.publish",
    "message.puback", "message.delivered", "message.acked", "message.nack", "message.dropped",
    "delivery.dropped", "delivery.completed", "message.transformation_failed",
    "schema.validation_failed", "alarm.activated", "alarm.deactivated", "tls_handshake.psk_lookup",
    "cm.channel.unregistered", "config.zones_updated", "api_actor.pre_create", "namespace.*",
)  # fmt: skip


@pytest.fixture
def bridge() -> Iterator[_native.PluginBridge]:
    node = _native.Node.open(NodeConfig(workers=1))
    bridge = node.open_plugins()
    yield bridge
    bridge.close()
    node.stop(0.0)


def test_every_hookpoint_can_be_asked_for(bridge: _native.PluginBridge) -> None:
    names = tuple(hookpoint.name for hookpoint in HOOKPOINTS if hookpoint.kind != "never")
    bridge.set_plugins([PluginRoute(id=1, hooks=names)])
    with pytest.raises(ValueError, match="no hookpoint"):
        bridge.set_plugins([PluginRoute(id=1, hooks=("tls_handshake.psk_lookup",))])


def test_every_hook_is_in_the_list_with_its_arguments() -> None:
    assert set(BY_METHOD) == set(NAMES)
    for method, hookpoint in BY_METHOD.items():
        parameters = list(inspect.signature(getattr(Hooks, method)).parameters.values())[1:]
        assert hookpoint.arguments == ", ".join(
            f"{item.name}: {item.annotation}" for item in parameters
        )


def test_the_hooks_of_emqx_3_are_all_there() -> None:
    names = {hookpoint.v3.partition("(")[0] for hookpoint in HOOKPOINTS}
    assert set(V3) <= names


def test_the_hooks_of_emqx_5_are_all_there_or_said_not_to_be() -> None:
    elsewhere = [name for item in ELSEWHERE for name in item.names]
    assert set(V5) <= {*BY_NAME, *elsewhere}
    assert not set(elsewhere) & set(BY_NAME)
