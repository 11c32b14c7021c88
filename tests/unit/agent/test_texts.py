"""Every text exists in both languages, with the same values in it."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import rookery.agent
from rookery.agent import doctor, texts
from rookery.agent.command import main

SOURCES = "".join(
    path.read_text(encoding="utf-8") for path in Path(rookery.agent.__path__[0]).glob("*.py")
)


@pytest.mark.parametrize("name", texts.TEXTS)
def test_both_languages_say_the_same(name: str) -> None:
    english, chinese = texts.TEXTS[name]
    fields = [
        {field for _, field, _, _ in Formatter().parse(text) if field}
        for text in (english, chinese)
    ]

    assert fields[0] == fields[1]
    assert english
    assert chinese


def test_what_is_said_exists_and_what_exists_is_said() -> None:
    said = set(re.findall(r'say\(\s*"([a-z0-9_.-]+)"', SOURCES))
    said |= set(
        re.findall(
            r'"((?:option|register|unregister|stop|status|doctor|start)\.[a-z0-9_.-]+)"', SOURCES
        )
    )
    assert said - set(texts.TEXTS) <= {"status.json"}
    built = ("help.", "doctor.hop.", "doctor.advice.", "doctor.state.")
    assert {name for name in texts.TEXTS if not name.startswith(built)} - said == set()


def test_every_hop_of_the_doctor_has_a_name_and_advice() -> None:
    hops = {
        name.removeprefix("doctor.hop.") for name in texts.TEXTS if name.startswith("doctor.hop.")
    }
    advice = {name.removeprefix("doctor.advice.") for name in texts.TEXTS if ".advice." in name}
    source = Path(doctor.__file__).read_text(encoding="utf-8")

    assert hops == advice
    assert all(f'"{hop}"' in source for hop in hops)


@pytest.mark.parametrize(("language", "word"), [("en", "register"), ("zh", "注册")])
def test_help_is_in_the_users_language(
    language: str, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROOKERY_LANG", language)
    with pytest.raises(SystemExit) as ended:
        main(["register", "--help"])

    assert ended.value.code == 0
    assert word in capsys.readouterr().out
