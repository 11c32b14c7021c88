"""How `rookery ctl` finds its node, here and elsewhere, and what it says when it does not."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.authority import Authority
from harness.ctl import Ctl
from harness.node import HOST
from harness.rest_node import RestNode, rest_node


def key_of(rest: RestNode, role: str, name: str) -> str:
    made = rest.local.post("/api/v5/api_key", {"name": name, "role": role})
    return f"{made['api_key']}:{made['api_secret']}"


def test_a_node_elsewhere_by_url_and_key(rest: RestNode) -> None:
    url = f"http://{HOST}:{rest.port()}"
    key = key_of(rest, "administrator", "elsewhere")
    named = Ctl(None, "--url", url, "--api-key", key)
    silent = Ctl(None, environ={"ROOKERY_URL": url + "/api/v5/", "ROOKERY_API_KEY": key})

    for ctl in (named, silent):
        assert ctl.json("status")["app_status"] == "running"
        ctl.good("publish", "remote/1", "x", "--retain")
        assert ctl.good("retainer", "show", "remote/1").out == "x"
        ctl.good("retainer", "clean", "remote/1")
    assert "path" in named.json("data", "export")


def test_a_key_may_do_what_its_role_may(rest: RestNode) -> None:
    url = f"http://{HOST}:{rest.port()}"
    viewer = Ctl(None, "--url", url, "--api-key", key_of(rest, "viewer", "views"))

    assert viewer("clients", "list").code == 0
    said = viewer("retainer", "clean", "--all")
    assert (said.code, said.out) == (1, "")
    wrong = Ctl(None, "--url", url, "--api-key", "nobody:nothing")("clients", "list")
    assert (wrong.code, wrong.out) == (1, "")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--url", "http://127.0.0.1:1", "--api-key", "a:b"), 3),
        (("--url", "http://127.0.0.1:1"), 1),
        (("--url", "ftp://127.0.0.1", "--api-key", "a:b"), 1),
        (("--url", "127.0.0.1:18083", "--api-key", "a:b"), 1),
        (("--url", "http://127.0.0.1:99999", "--api-key", "a:b"), 1),
        (("--url", "http://127.0.0.1:1", "--data-dir", "."), 2),
        (("--data-dir", "nobody-is-here"), 3),
    ],
)
def test_what_cannot_be_reached_is_one_line(options: tuple[str, ...], code: int) -> None:
    said = Ctl(None, *options)("clients", "list")

    assert (said.code, said.out) == (code, "")
    assert len(said.err.splitlines()) == 1
    assert "Errno" not in said.err


def test_who_gives_no_key_is_told_how() -> None:
    said = Ctl(None, "--url", "http://127.0.0.1:1")("status")

    assert "--api-key KEY:SECRET" in said.err
    assert "ROOKERY_API_KEY" in said.err


def test_a_silent_node_has_a_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rookery.cli.ctl import asking
    from rookery.cli.main import run

    monkeypatch.setattr(asking, "TIMEOUT_S", 0.1)
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "run" / "node.sock"))
        silent.listen()
        assert run(["ctl", "status", "--data-dir", str(tmp_path)]) == 4


def test_a_node_behind_tls_is_trusted_by_its_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca", "authority")
    pair = authority.issue("localhost")
    https = "dashboard.listeners.https"
    settings = {
        f"{https}.bind": f"{HOST}:0",
        f"{https}.ssl_options.certfile": str(pair.cert),
        f"{https}.ssl_options.keyfile": str(pair.key),
    }
    with rest_node(tmp_path, settings) as rest:
        place = ("--url", f"https://localhost:{rest.port('https:dashboard')}")
        key = ("--api-key", key_of(rest, "viewer", "tls"))
        trusting = Ctl(None, *place, *key, "--ca-file", str(authority.cert))
        assert trusting.json("status")["app_status"] == "running"
        said = Ctl(None, *place, *key)("status")
        assert (said.code, said.out) == (3, "")
        assert "CERTIFICATE_VERIFY_FAILED" in said.err
