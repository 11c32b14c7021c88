"""What the operations on clients take and give."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from rookery.web.models import Model, Page, PageMeta, Row


class ClientRow(Row):
    """A client: its session and, while it is connected, its connection.

    A field that ``fields`` left out is absent. Counters of traffic are those of the present
    connection. What an older version did not store of a client that is away is null until it comes
    back.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    clientid: str | None = Field(None, description="Client identifier.", examples=["sensor-7"])
    username: str | None = Field(None, description="User name.", examples=["plant"])
    node: str | None = Field(None, description="The node that has it.")
    connected: bool | None = Field(None, description="Whether a connection stands.")
    connected_at: str | None = Field(
        None, description="When its latest connection was made; null when that is not known."
    )
    created_at: str | None = Field(None, description="When its session was made.")
    disconnected_at: str | None = Field(
        None, description="When its connection was lost; absent while it is connected."
    )
    ip_address: str | None = Field(None, description="Its address.", examples=["192.0.2.7"])
    port: int | None = Field(None, description="Its port.", examples=[50412])
    listener: str | None = Field(None, description="The listener.", examples=["tcp:default"])
    zone: str | None = Field(None, description="The zone of that listener.")
    mountpoint: str | None = Field(None, description="What stands before every topic of it.")
    proto_name: str | None = Field(None, description="`MQTT` or `MQIsdp` (MQTT 3.1).")
    proto_ver: int | None = Field(None, description="3 (MQTT 3.1), 4 (3.1.1) or 5 (5.0).")
    keepalive: int | None = Field(None, description="Keep Alive, seconds.")
    clean_start: bool | None = Field(None, description="Clean Start (3.x: Clean Session).")
    expiry_interval: int | None = Field(None, description="Session Expiry Interval, seconds.")
    is_bridge: bool | None = Field(None, description="Always false.")
    is_expired: bool | None = Field(None, description="Always false: expired sessions are gone.")
    is_persistent: bool | None = Field(None, description="The same as `durable`.")
    durable: bool | None = Field(None, description="Whether the session is on disk.")
    is_superuser: bool | None = Field(None, description="Whether nothing is denied to it.")
    client_attrs: dict[str, str] | None = Field(None, description="What authentication gave it.")
    cert_common_name: str | None = Field(None, description="CN of its certificate.")
    cert_subject: str | None = Field(None, description="Subject of its certificate.")
    generation: int | None = Field(None, description="Number of its connects; orders notices.")
    subscriptions_cnt: int | None = Field(None, description="Its subscriptions.")
    subscriptions_max: int | Literal["infinity"] | None = Field(None, description="Most of them.")
    inflight_cnt: int | None = Field(None, description="Messages sent and not acknowledged.")
    inflight_max: int | None = Field(None, description="Most of them.")
    mqueue_len: int | None = Field(None, description="Messages that wait.")
    mqueue_max: int | None = Field(None, description="Most of them; 0 is no bound.")
    mqueue_dropped: int | None = Field(None, description="Messages that found no room.")
    awaiting_rel_cnt: int | None = Field(None, description="QoS 2 packets waiting for PUBREL.")
    awaiting_rel_max: int | Literal["infinity"] | None = Field(None, description="Most of them.")
    recv_cnt: int | None = Field(None, description="Reads from its connection.")
    recv_oct: int | None = Field(None, description="Bytes received.")
    recv_pkt: int | None = Field(None, description="Packets received.")
    recv_msg: int | None = Field(None, description="PUBLISH packets received.")
    recv_qos0: int | None = Field(None, alias="recv_msg.qos0", description="With QoS 0.")
    recv_qos1: int | None = Field(None, alias="recv_msg.qos1", description="With QoS 1.")
    recv_qos2: int | None = Field(None, alias="recv_msg.qos2", description="With QoS 2.")
    recv_dropped: int | None = Field(None, alias="recv_msg.dropped", description="Not taken.")
    send_cnt: int | None = Field(None, description="Writes to its connection.")
    send_oct: int | None = Field(None, description="Bytes sent.")
    send_pkt: int | None = Field(None, description="Packets sent.")
    send_msg: int | None = Field(None, description="PUBLISH packets sent.")
    send_qos0: int | None = Field(None, alias="send_msg.qos0", description="With QoS 0.")
    send_qos1: int | None = Field(None, alias="send_msg.qos1", description="With QoS 1.")
    send_qos2: int | None = Field(None, alias="send_msg.qos2", description="With QoS 2.")
    send_dropped: int | None = Field(None, alias="send_msg.dropped", description="Not sent.")
    send_expired: int | None = Field(
        None, alias="send_msg.dropped.expired", description="Not sent, for they had expired."
    )
    send_queue_full: int | None = Field(
        None, alias="send_msg.dropped.queue_full", description="Not sent, for want of room."
    )
    send_too_large: int | None = Field(
        None, alias="send_msg.dropped.too_large", description="Not sent, for their size."
    )


FIELDS = frozenset(item.alias or name for name, item in ClientRow.model_fields.items())
"""What ``fields`` may ask for."""

ClientPage = Page[ClientRow]


class CursorMeta(Row):
    """Where to go on."""

    count: int = Field(ge=0, description="Rows of this answer.")
    hasnext: bool = Field(description="Whether there is more.")
    cursor: str | None = Field(None, description="Send it to get what follows; absent at the end.")


class ClientsAfter(Row):
    """Some clients."""

    data: list[ClientRow] = Field(description="The rows.")
    meta: CursorMeta = Field(description="Where to go on.")


class Subscribe(Model):
    """A subscription to make for a client."""

    topic: str = Field(
        min_length=1, max_length=65535, description="Topic filter.", examples=["plant/+/state"]
    )
    qos: int = Field(0, ge=0, le=2, description="Maximum QoS.")
    nl: int = Field(0, ge=0, le=1, description="No Local.")
    rap: int = Field(0, ge=0, le=1, description="Retain As Published.")
    rh: int = Field(0, ge=0, le=2, description="Retain Handling.")


class Unsubscribe(Model):
    """A subscription to take from a client."""

    topic: str = Field(
        min_length=1, max_length=65535, description="Topic filter.", examples=["plant/+/state"]
    )


class SubscriptionRow(Row):
    """A subscription of a client."""

    node: str = Field(description="The node that has the client.")
    topic: str = Field(description="Topic filter as the client wrote it.")
    clientid: str = Field(description="The client.")
    qos: int = Field(description="Granted QoS.")
    nl: int = Field(description="No Local.")
    rap: int = Field(description="Retain As Published.")
    rh: int = Field(description="Retain Handling.")
    durable: bool = Field(description="Whether it is on disk.")


SubscriptionPage = Page[SubscriptionRow]


class KeepAlive(Model):
    """Another Keep Alive."""

    interval: int = Field(ge=0, le=65535, description="Seconds; 0 is none.", examples=[60])


class AclCacheEntry(Row):
    """An answer that is kept while the client is connected."""

    access: Literal["publish", "subscribe"] = Field(description="What was asked.")
    topic: str = Field(description="The topic.")
    result: Literal["allow", "deny"] = Field(description="The answer.")
    updated_time: int = Field(description="When it was given, ms since 1970.")
    qos: int = Field(description="QoS of the packet.")
    retain: bool = Field(description="RETAIN of the packet.")


class MessageRow(Row):
    """A message on its way to a client."""

    msgid: str = Field(description="Identity of the message.")
    topic: str = Field(description="Topic name.")
    qos: int = Field(description="QoS of the delivery.")
    publish_at: int = Field(description="When it was published, ms since 1970.")
    from_clientid: str = Field(description="Who published it.")
    from_username: str | None = Field(None, description="That client's user name.")
    inserted_at: str = Field(description="When the node took it, ns since 1970.")
    payload: str | None = Field(None, description="The payload; absent with `payload=none`.")
    mqueue_priority: int | None = Field(None, description="Its priority in the queue.")


class ContinuationMeta(Row):
    """Where to go on."""

    start: str = Field(description="Place of the first row; `none` when there is none.")
    position: str = Field(description="Send it to get what follows; `end_of_data` at the end.")


class MessagesAfter(Row):
    """Some messages."""

    data: list[MessageRow] = Field(description="The messages, the next one first.")
    meta: ContinuationMeta = Field(description="Where to go on.")


def example_client() -> dict[str, Any]:
    """A client as the document shows it."""
    return {
        "clientid": "sensor-7", "username": "plant", "node": "rookery@127.0.0.1",
        "connected": True, "connected_at": "2026-01-31T12:00:00.000+00:00",
        "created_at": "2026-01-31T12:00:00.000+00:00", "ip_address": "192.0.2.7", "port": 50412,
        "listener": "tcp:default", "proto_name": "MQTT", "proto_ver": 5, "keepalive": 60,
        "clean_start": True, "expiry_interval": 0, "subscriptions_cnt": 1,
        "subscriptions_max": "infinity", "inflight_cnt": 0, "inflight_max": 32, "mqueue_len": 0,
        "mqueue_max": 1000, "mqueue_dropped": 0, "awaiting_rel_cnt": 0, "awaiting_rel_max": 100,
        "recv_pkt": 4, "recv_oct": 49, "recv_msg": 0, "send_pkt": 4, "send_oct": 31, "send_msg": 0,
    }  # fmt: skip


def example_page(row: dict[str, Any]) -> dict[str, Any]:
    """A page of one row as the document shows it."""
    meta = PageMeta(page=1, limit=100, count=1, hasnext=False)
    return {"data": [row], "meta": meta.model_dump()}


EXAMPLE_SUBSCRIPTION = {
    "node": "rookery@127.0.0.1", "topic": "plant/+/state", "clientid": "sensor-7", "qos": 1,
    "nl": 0, "rap": 0, "rh": 0, "durable": False,
}  # fmt: skip
