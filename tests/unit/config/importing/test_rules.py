"""The tables against the schema, and what happens where the schema says no."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from rookery.config import importing
from rookery.config.check import walk
from rookery.config.importing import Outcome, Words
from rookery.config.importing.features import FEATURES
from rookery.config.importing.matching import Matcher
from rookery.config.importing.tables import ROWS
from rookery.config.schema import ROOT

from .conftest import Import


def known_paths() -> set[str]:
    return {".".join(path) for path, _ in walk(ROOT)}


@pytest.mark.parametrize("row", [row for row in ROWS if row.new], ids=lambda row: str(row.old))
def test_every_row_leads_to_a_key_that_exists(row: object) -> None:
    new = re.sub(r"\$\w+", "<name>", row.new)  # type: ignore[attr-defined]
    section = new.split(".")[1] if new.startswith("cluster.") else ""

    # How clusters are found has no schema of its own yet.
    assert new in known_paths() or section in {"static", "dns", "etcd", "k8s"}


def old_keys() -> list[str]:
    lines = (Path(__file__).parent / "keys.txt").read_text().splitlines()
    return [line.replace("$", "external") for line in lines if not line.startswith("#")]


def test_every_key_of_the_old_files_has_a_row() -> None:
    matcher = Matcher(ROWS)

    assert [key for key in old_keys() if matcher.find(key) is None] == []


@pytest.mark.parametrize("value", ["", "%%%", "-1", "a{b", "x,y,z", "0", "'"])
def test_no_value_of_any_key_ends_the_import(do_import: Import, value: str) -> None:
    text = "".join(f"{key} = {value}\n" for key in old_keys())
    result = do_import(texts={"emqx.conf": text})

    accounted = {entry.setting.line for entry in result.imported.entries}
    assert accounted == set(range(1, len(old_keys()) + 1))


def test_every_feature_is_there() -> None:
    assert {row.feature for row in ROWS if row.feature} <= FEATURES.keys()


def every_sentence() -> list[Words]:
    """What rows say, and every constant of the package."""
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(importing.__path__, f"{importing.__name__}.")
    ]
    constants = [value for module in modules for value in vars(module).values()]
    notes = [row.note for row in ROWS if row.note]
    return [*notes, *(value for value in constants if isinstance(value, Words))]


def test_both_languages_say_why() -> None:
    sentences = every_sentence()

    assert len(sentences) > 50
    assert all(words.en.isascii() or "…" in words.en for words in sentences)
    assert [words for words in sentences if not re.search(r"[\u4e00-\u9fff]", words.zh)] == []


def test_a_listener_that_cannot_check_clients_is_not_opened(do_import: Import) -> None:
    result = do_import(
        texts={"emqx.conf": "listener.ssl.a = 8883\nlistener.ssl.a.verify = verify_some\n"}
    )

    assert "ssl" not in result.plain()["listeners"]
    assert result.entry("listener.ssl.a").outcome is Outcome.UNSUPPORTED


def test_a_bad_limit_does_not_close_a_listener(do_import: Import) -> None:
    text = "listener.tcp.a = 1883\nlistener.tcp.a.backlog = 100000\n"
    result = do_import(texts={"emqx.conf": text})

    assert result.config["listeners.tcp.a.bind"].port == 1883
    assert result.entry("listener.tcp.a.backlog").outcome is Outcome.UNSUPPORTED


def test_a_source_that_is_not_there_denies(do_import: Import) -> None:
    text = """
    authorization {
      no_match = allow
      sources = [{type = mysql, server = "x:1"}, {type = built_in_database}]
    }
    """
    result = do_import(texts={"emqx.conf": text})

    assert result.config["authorization.no_match"] == "deny"
    assert [item["type"] for item in result.plain()["authorization"]["sources"]] == [
        "built_in_database"
    ]


def test_rules_that_do_not_parse_deny_and_say_where(do_import: Import) -> None:
    texts = {
        "emqx.conf": "listener.tcp.a = 1883\nacl_nomatch = allow\n",
        "acl.conf": "{allow, al}.\n",
    }
    result = do_import(texts=texts)

    assert result.config["authorization.no_match"] == "deny"
    assert result.entry("acl.conf").outcome is Outcome.UNSUPPORTED
    assert "1:" in result.entry("acl.conf").notes[0].en


def test_a_later_line_wins(do_import: Import) -> None:
    result = do_import(texts={"emqx.conf": "mqtt.max_qos_allowed = 1\nmqtt.max_qos_allowed = 0\n"})

    assert result.config["mqtt.max_qos_allowed"] == 0
    assert [entry.outcome for entry in result.imported.entries] == [
        Outcome.NOT_NEEDED,
        Outcome.TAKEN,
    ]
