"""Exports of a running node, put back on another one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.node import ROOT
from harness.operator import BUILT_IN, Operator, operated
from harness.wire import Properties
from rookery.errors import BadRequestError, NotFoundError

DATA = "/data"
RULES = "/authorization/sources/built_in_database/rules"
TEXT = f"""
    authentication = {BUILT_IN}
    authorization.sources = [{{type = built_in_database}}]
"""


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """A node on which something was set up."""
    (tmp_path / "one").mkdir()
    with operated(tmp_path / "one", TEXT) as node:
        node.add_user("alice", "wonder")
        rules = [{"permission": "deny", "action": "publish", "topic": "secret"}]
        node.rest.post(f"{RULES}/users", [{"username": "alice", "rules": rules}])
        node.rest.post("/banned", {"as": "clientid", "who": "mallory"})
        node.rest.put("/prometheus", {"enable_basic_auth": True})
        yield node


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Operator]:
    """A node on which something else was set up."""
    (tmp_path / "two").mkdir()
    with operated(tmp_path / "two", TEXT) as node:
        node.add_user("bob", "builder")
        yield node


def exported(operator: Operator) -> Path:
    made = operator.rest.post(f"{DATA}/export")
    assert made["node"] == "rookery@127.0.0.1"
    path: Path = operator.node.data_dir / "backup" / made["filename"]
    assert made["size"] == path.stat().st_size
    return path


def test_another_node_gets_what_was_set_up(operator: Operator, other: Operator) -> None:
    path = exported(operator)
    other.rest.upload(f"{DATA}/files", "filename", path.name, path.read_bytes())
    other.rest.post(f"{DATA}/import", {"filename": path.name})

    # Hashes of passwords came along, and what was there stays.
    other.login("alice", "wonder").disconnect()
    other.login("bob", "builder").disconnect()
    assert other.refusal("alice", "wrong") != 0
    assert [row["who"] for row in other.rest.get("/banned")["data"]] == ["mallory"]
    (row,) = other.rest.get(f"{RULES}/users")["data"]
    assert (row["username"], row["rules"][0]["topic"]) == ("alice", "secret")
    assert other.rest.get("/prometheus")["enable_basic_auth"] is True

    other.node.restart()
    other.login("alice", "wonder").disconnect()
    assert other.rest.get("/prometheus")["enable_basic_auth"] is True


def test_rules_and_bans_that_came_back_hold_at_once(operator: Operator) -> None:
    path = exported(operator)
    operator.rest.delete("/banned/clientid/mallory")
    operator.rest.delete(f"{RULES}/users/alice")
    operator.rest.post(f"{DATA}/import", {"filename": path.name})

    banned = operator.hello("alice", "wonder", "mallory")
    with operator.node.open(5) as client:
        client.send(banned)
        assert client.receive_packet().reason_code == 0x8A  # type: ignore[attr-defined]
    with operator.login("alice", "wonder") as alice, operator.login("alice", "wonder") as reader:
        reader.subscribe("secret")
        alice.publish("secret", b"denied")
        reader.subscribe("open")
        alice.publish("open", b"allowed")
        reader.receive("open", b"allowed")


def test_a_setting_that_the_file_overrules_is_named(operator: Operator, other: Operator) -> None:
    path = exported(operator)
    other.file.write_text(TEXT + "prometheus.enable_basic_auth = false")
    other.node.restart()
    other.rest.upload(f"{DATA}/files", "filename", path.name, path.read_bytes())

    with pytest.raises(BadRequestError, match=r"configuration: prometheus\.enable_basic_auth"):
        other.rest.post(f"{DATA}/import", {"filename": path.name})
    # Everything else is in place.
    other.login("alice", "wonder").disconnect()


def test_files_are_listed_and_deleted(operator: Operator) -> None:
    first, second = exported(operator), exported(operator)
    page = operator.rest.get(f"{DATA}/files?limit=1")
    assert [row["filename"] for row in page["data"]] == [second.name]
    assert page["meta"] == {"page": 1, "limit": 1, "count": 2, "hasnext": True}

    operator.rest.delete(f"{DATA}/files/{second.name}")
    assert not second.exists()
    with pytest.raises(NotFoundError):
        operator.rest.delete(f"{DATA}/files/{second.name}")
    assert first.exists()


@pytest.mark.parametrize("name", ["..%2Frun%2Fnode.lock", "%2Fetc%2Fpasswd", "x", ".tar.gz"])
def test_no_name_leads_out_of_the_folder(operator: Operator, name: str) -> None:
    for ask in (operator.rest.get, operator.rest.delete):
        with pytest.raises(BadRequestError):
            ask(f"{DATA}/files/{name}")


def test_an_upload_that_is_no_export_is_refused(operator: Operator) -> None:
    for name, content in (("x.tar.gz", b"no"), ("../x.tar.gz", b""), ("x.zip", b"PK")):
        with pytest.raises(BadRequestError):
            operator.rest.upload(f"{DATA}/files", "filename", name, content)
    with pytest.raises(NotFoundError):
        operator.rest.post(f"{DATA}/import", {"filename": "x.tar.gz"})
    assert operator.rest.get(f"{DATA}/files")["data"] == []


def test_the_command_line_exports_and_imports(operator: Operator, other: Operator) -> None:
    made = ctl(operator, "export")
    assert made.startswith("exported to ")
    path = Path(made.split(";")[0].removeprefix("exported to "))
    assert path.is_file()
    assert path.name in ctl(operator, "list")

    assert ctl(other, "import", str(path)) == f"imported {path.name}\n"
    other.login("alice", "wonder").disconnect()
    assert ctl(operator, "delete", path.name) == f"deleted {path.name}\n"
    assert not path.exists()


def ctl(operator: Operator, *words: str) -> str:
    cli = os.environ.get("ROOKERY_TEST_CLI", str(ROOT / ".venv/bin/rookery"))
    run = subprocess.run(
        [cli, "ctl", "data", *words, "--data-dir", str(operator.node.data_dir)],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_retained_messages_come_back_as_they_were(operator: Operator, other: Operator) -> None:
    properties: Properties = {"content_type": "text/plain", "user_property": [("a", "1"), ("a", "2")],
                  "message_expiry_interval": 3600}  # fmt: skip
    with operator.login("alice", "wonder", client_id="writer") as writer:
        writer.publish("kept/1", b"\x00\xff", qos=2, retain=True, properties=properties)
        writer.publish("kept/2", b"two", retain=True)
    before = operator.rest.get("/mqtt/retainer/message/kept%2F1")
    path = exported(operator)
    with other.login("bob", "builder") as reader:
        reader.subscribe("kept/#", qos=2)
        other.rest.upload(f"{DATA}/files", "filename", path.name, path.read_bytes())
        other.rest.post(f"{DATA}/import", {"filename": path.name})
        # Whoever was subscribed is not told.
        reader.expect_nothing()
    assert other.rest.get("/mqtt/retainer/message/kept%2F1") == before

    other.node.restart()
    with other.login("bob", "builder") as reader:
        reader.subscribe("kept/1", qos=2)
        message = reader.receive("kept/1", b"\x00\xff", qos=2, retain=True)
    left = message.properties.pop("message_expiry_interval")
    assert isinstance(left, int)
    assert 0 < left <= 3600
    assert message.properties == {k: v for k, v in properties.items() if k[0] in "cu"}
    found = other.rest.get("/mqtt/retainer/messages?topic=kept%2F%23")["data"]
    assert sorted(row["topic"] for row in found) == ["kept/1", "kept/2"]


def test_retained_messages_may_be_left_out(operator: Operator, other: Operator) -> None:
    operator.rest.post("/publish", {"topic": "kept", "payload": "x", "retain": True})
    made = operator.rest.post(f"{DATA}/export?retained=false")
    path: Path = operator.node.data_dir / "backup" / made["filename"]
    other.rest.upload(f"{DATA}/files", "filename", path.name, path.read_bytes())
    other.rest.post(f"{DATA}/import", {"filename": path.name})

    with pytest.raises(NotFoundError):
        other.rest.get("/mqtt/retainer/message/kept")
    other.login("alice", "wonder").disconnect()


def test_retained_messages_that_find_no_room_are_counted(
    operator: Operator, other: Operator
) -> None:
    for number in range(5):
        body = {"topic": f"kept/{number}", "payload": "long enough", "retain": True}
        operator.rest.post("/publish", body)
    path = exported(operator)
    other.rest.put("/mqtt/retainer", {"max_payload_size": "5B"})
    other.rest.upload(f"{DATA}/files", "filename", path.name, path.read_bytes())

    with pytest.raises(BadRequestError, match="retained: 5 of 5 found no room"):
        other.rest.post(f"{DATA}/import", {"filename": path.name})
