"""The configuration that a guide of 2019 shows, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.config.importing import Outcome

from .conftest import Import, Result


@pytest.fixture
def guide(do_import: Import) -> Result:
    return do_import("guide", ["emqx.conf", "acl.conf"])


def test_the_result_is_what_the_lines_meant(guide: Result, home: Path) -> None:
    certs = home / "etc" / "certs"

    assert guide.plain() == {
        "node": {"name": "emqx@192.168.4.31"},
        "cluster": {"discovery_strategy": "manual"},
        "listeners": {
            "tcp": {"external": {"bind": "0.0.0.0:1885"}, "default": {"enable": False}},
            "ssl": {
                "external": {
                    "bind": "0.0.0.0:8883",
                    "ssl_options": {
                        "keyfile": str(certs / "key.pem"),
                        "certfile": str(certs / "cert.pem"),
                        "cacertfile": str(certs / "cacert.pem"),
                        "verify": "verify_peer",
                        "fail_if_no_peer_cert": True,
                    },
                }
            },
            "ws": {"default": {"enable": False}},
        },
        "authorization": {
            "no_match": "deny",
            "sources": [{"type": "file", "path": "acl.conf"}],
        },
    }


def test_every_line_is_accounted_for(guide: Result) -> None:
    changed = {"keyfile", "certfile", "cacertfile"}
    for key, outcome in guide.outcomes().items():
        expected = Outcome.CHANGED if key.rpartition(".")[2] in changed else Outcome.TAKEN
        assert outcome is expected, key
    assert len(guide.imported.entries) == 10


def test_the_rules_stay_a_file_as_they_were(guide: Result, home: Path) -> None:
    assert guide.imported.acl == (home / "etc" / "acl.conf").read_text()
    assert guide.entry("acl.conf").value == 3


def test_what_the_lines_leave_open_is_said(guide: Result) -> None:
    assert "allow_anonymous is not written" in guide.remarks()
    assert "acl_nomatch is not written" in guide.remarks()


def test_a_node_listens_where_the_old_one_did(guide: Result) -> None:
    listeners = {item.id: item.bind for item in guide.config.to_native().listeners}

    assert listeners == {"tcp:external": "0.0.0.0:1885", "ssl:external": "0.0.0.0:8883"}
