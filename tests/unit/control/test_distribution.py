"""Places in templates become values of their kind, in texts alone, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from rookery.config.secrets import HIDDEN
from rookery.control.distribution.render import Parameter, read, rendered
from rookery.control.errors import InvalidError

NODE = {"name": "press", "plugin": "Modbus TCP"}
PARAMETERS = (
    Parameter("host"),
    Parameter("port", "number", "502"),
    Parameter("scale", "number", "0.5"),
    Parameter("check", "boolean", "true"),
)


def document(**params: Any) -> dict[str, Any]:
    return {"nodes": [NODE], "settings": [{"node": "press", "params": params}]}


@pytest.mark.parametrize(
    ("given", "values", "made"),
    [
        ("${host}", {"host": "10.0.0.7"}, "10.0.0.7"),
        ("${port}", {"host": ""}, 502),
        ("${port}", {"host": "", "port": "-1"}, -1),
        ("${scale}", {"host": ""}, 0.5),
        ("${check}", {"host": "", "check": "false"}, False),
        ("tcp://${host}:${port}/${check}", {"host": "a"}, "tcp://a:502/true"),
        ("${host}", {"host": '"}, {"x": "${port}'}, '"}, {"x": "${port}'),
        ("$host {host} ${no-name}", {"host": "a"}, "$host {host} ${no-name}"),
        (7, {"host": ""}, 7),
    ],
)
def test_a_place_becomes_its_value(given: Any, values: dict[str, str], made: Any) -> None:
    found = rendered(document(it=given), PARAMETERS, values)
    it = found["settings"][0]["params"]["it"]
    assert it == made
    assert type(it) is type(made)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "host has no value"),
        ({"host": "a", "port": "1e3"}, "1e3"),
        ({"host": "a", "port": "٣"}, "no number"),
        ({"host": "a", "check": "yes"}, "neither true nor false"),
        ({"host": "a", "other": "b"}, "no parameter other"),
    ],
)
def test_a_value_that_cannot_be_is_refused(values: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidError) as error:
        rendered(document(it="${host}"), PARAMETERS, values)
    assert words in error.value.message


def test_what_is_secret_is_in_no_message() -> None:
    secret = Parameter("word", "number", is_secret=True)
    with pytest.raises(InvalidError) as error:
        rendered(document(it="${word}"), [secret], {"word": "open-sesame"})
    assert "open-sesame" not in error.value.message + error.value.text("zh")
    assert Parameter("word", default="open", is_secret=True).shown()["default"] == HIDDEN


@pytest.mark.parametrize(
    "content",
    ["", "7", "null", "[" * 100_000, '{"nodes": {}}', '{"nodes": [NaN]}', '{"nodes": [1]}',
     '{"nodes": [{"name": "", "plugin": "x"}]}',
     '{"nodes": [{"name": "a", "plugin": "b", "c": ' + "[" * 50 + "]" * 50 + "}]}"],
)  # fmt: skip
def test_a_content_that_cannot_be_is_refused(content: str) -> None:
    with pytest.raises(InvalidError):
        read(content, ())
