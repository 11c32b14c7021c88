"""The settings that Python hands down are those that the core knows, with the same defaults."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from rookery.native import config

ROOT = Path(__file__).resolve().parents[2]
CORE = "".join(
    (ROOT / "crates/rookery-core/src" / name).read_text()
    for name in (
        "config.rs",
        "access/config.rs",
        "observe/mod.rs",
        "observe/slow.rs",
        "observe/span.rs",
        "observe/trace.rs",
    )
)
NODE = (ROOT / "crates/rookery-node/src/api.rs").read_text()

# An enumeration with data there is a word and its data here.
SPELLED_OUT = {
    "ListenerConfig": {"websocket"},
    "DurabilityConfig": {"sync_interval_ms"},
    "TraceConfig": {"value"},
    "SpanConfig": {"sample_ratio"},
}
# What is handed down by a call of its own, and what has another unit there.
NOT_HERE = {"BrokerConfig": {"links", "observe", "redirect"}, "SpanConfig": {"share"}}
STRUCTS = {
    cls.__name__: cls
    for cls in vars(config).values()
    if isinstance(cls, type) and dataclasses.is_dataclass(cls)
}


def rust_fields(name: str) -> set[str]:
    body = re.search(rf"pub struct {name} \{{(.*?)\n\}}", CORE + NODE, re.DOTALL)
    assert body is not None, f"the core has no {name}"
    return set(re.findall(r"^    pub (\w+):", body[1], re.MULTILINE))


def rust_defaults(name: str) -> dict[str, str]:
    body = re.search(rf"impl Default for {name} \{{(.*?)\n\}}", CORE, re.DOTALL)
    return dict(re.findall(r"(\w+): ([^,{}]+?)(?:,| \})", body[1])) if body else {}


def value_of(rust: str) -> object:
    words: dict[str, object] = {
        "true": True,
        "false": False,
        "None": None,
        "u32::MAX": 0xFFFF_FFFF,
    }
    empty = {"String::new()": "", "Vec::new()": ()}
    words |= {
        "PeerCertField::Disabled": "disabled",
        "Permission::Allow": "allow",
        "DenyAction::Ignore": "ignore",
    }
    if rust in words or rust in empty:
        return {**words, **empty}[rust]
    number = rust.replace("_", "")
    if shifted := re.fullmatch(r"(\d+) << (\d+)", number):
        return int(shifted[1]) << int(shifted[2])
    return float(number) if "." in number else int(number)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_both_sides_name_the_same_fields(name: str) -> None:
    here = {field.name for field in dataclasses.fields(STRUCTS[name])}

    assert here - SPELLED_OUT.get(name, set()) == rust_fields(name) - NOT_HERE.get(name, set())


@pytest.mark.parametrize(
    "name",
    [
        "MqttConfig",
        "RetainerConfig",
        "DelayedConfig",
        "LimitsConfig",
        "AuthorizationConfig",
        "FlappingConfig",
        "LoginBackoffConfig",
    ],
)
def test_both_sides_have_the_same_defaults(name: str) -> None:
    here = STRUCTS[name]()
    there = rust_defaults(name)

    assert there
    assert {field: getattr(here, field) for field in there} == {
        field: value_of(text) for field, text in there.items()
    }
