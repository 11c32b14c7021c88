"""Rows of clients of which not everything is known."""

from __future__ import annotations

from rookery.broker.clients.models import ClientRow
from rookery.broker.clients.rows import client_row
from rookery.broker.rest_v3.rows import client_row as client_row_v3
from rookery.native.lists import ClientView

NODE = "rookery@127.0.0.1"
AWAY = ClientView(
    client_id="c", username=None, is_connected=False, host=None, port=None,
    listener="tcp:default", protocol_version=4, keep_alive_s=None, clean_start=None,
    session_expiry_interval_s=3600, created_at_ms=1_600_000_000_000, connected_at_ms=None,
    disconnected_at_ms=1_600_000_000_005, generation=3, subscriptions=1, subscriptions_max=0,
    inflight=0, inflight_max=32, queued=0, queued_max=1000, dropped=0, awaiting_rel=0,
    awaiting_rel_max=100, is_durable=True, cert_common_name=None, cert_subject=None,
    client_attrs=[], is_superuser=False, zone="default", mountpoint="", reads=0,
    bytes_received=0, packets_received=0, received_qos0=0, received_qos1=0, received_qos2=0,
    received_refused=0, writes=0, bytes_sent=0, packets_sent=0, sent_qos0=0, sent_qos1=0,
    sent_qos2=0, dropped_expired=0, dropped_too_large=0,
)  # fmt: skip


def test_what_is_not_known_of_a_client_is_null_and_no_date_of_1970() -> None:
    row = client_row(AWAY, NODE)
    unknown = {name for name, value in row.items() if value is None}
    assert unknown == {
        "username", "connected_at", "ip_address", "port", "keepalive", "clean_start",
        "cert_common_name", "cert_subject",
    }  # fmt: skip
    assert not [value for value in row.values() if "1970" in str(value)]
    assert ClientRow.model_validate(row).connected_at is None


def test_the_older_flavour_says_the_same() -> None:
    row = client_row_v3(AWAY, NODE)
    assert (row["connected_at"], row["port"], row["keepalive"], row["clean_start"]) == (None,) * 4
    assert row["ip_address"] == ""
    assert not [value for value in row.values() if "1970" in str(value)]
