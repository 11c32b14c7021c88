"""TLS and WebSocket on the command line of ``pub``, ``sub`` and ``bench``."""

from __future__ import annotations

import ssl

import pytest

from rookery.cli import bench, mqtt
from rookery.cli.main import parser


@pytest.mark.parametrize(
    ("options", "port"),
    [
        ([], 1883),
        (["--tls"], 8883),
        (["--insecure"], 8883),
        (["--cafile", "ca.pem"], 8883),
        (["--ws"], 8083),
        (["--path", "/other"], 8083),
        (["--tls", "--ws"], 8084),
        (["--tls", "-p", "1234"], 1234),
    ],
)
def test_the_port_is_the_one_of_the_transport(options: list[str], port: int) -> None:
    told = parser().parse_args(["sub", "-t", "a", *options])
    assert (told.port or mqtt.default_port(told)) == port
    config = bench.generator_config(parser().parse_args(["bench", *options]))
    assert config["addresses"] == [f"127.0.0.1:{port}"]


def test_a_plain_load_says_nothing_of_tls() -> None:
    config = bench.generator_config(parser().parse_args(["bench"]))
    assert not [key for key in config if key.startswith(("tls", "websocket"))]


def test_every_option_reaches_the_generator() -> None:
    words = [
        "bench",
        "handshake",
        "--tls",
        "--cafile",
        "ca.pem",
        "--cert",
        "c.pem",
        "--key",
        "c.key",
    ]
    words += ["--tls-version", "1.2", "--tls-tickets", "--ws", "--path", "/x"]
    config = bench.generator_config(parser().parse_args(words))
    assert config["mode"] == "handshake"
    assert {key: config[key] for key in config if key.startswith(("tls", "websocket"))} == {
        "tls": True,
        "tls_ca_file": "ca.pem",
        "tls_cert_file": "c.pem",
        "tls_key_file": "c.key",
        "tls_insecure": False,
        "tls_session_tickets": True,
        "tls_version": "1.2",
        "websocket": True,
        "websocket_path": "/x",
    }


def test_without_a_ca_the_systems_are_trusted_unless_nothing_is_checked() -> None:
    trusting = bench.generator_config(parser().parse_args(["bench", "--tls"]))
    assert trusting["tls_ca_file"] == ssl.get_default_verify_paths().cafile
    careless = bench.generator_config(parser().parse_args(["bench", "--insecure"]))
    assert "tls_ca_file" not in careless
