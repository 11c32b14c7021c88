"""What the core says about TLS has words in Chinese, whatever it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rookery.native.listener_texts import of_tls

TLS = Path(__file__).parents[3] / "crates" / "rookery-node" / "src" / "tls"
# Texts of problems: literals in what makes one, their placeholders filled in.
LITERAL = re.compile(
    r'(?:problem\(\s*(?:format!\(\s*)?(?:"[a-z_]+", )?|=> )"(?P<text>(?:[^"\\]|\\.)+)"', re.DOTALL
)


def texts() -> list[str]:
    found = []
    for name in ("load.rs", "keys.rs", "files.rs", "suites.rs"):
        source = (TLS / name).read_text(encoding="utf-8").partition("#[cfg(test)]")[0]
        for match in LITERAL.finditer(source):
            text = re.sub(r"\\\n\s*", "", match["text"])
            if " " in text:
                found.append(re.sub(r"\{[^}]*\}", "2", text))
    return found


@pytest.mark.parametrize("text", texts())
def test_every_reason_is_told_in_chinese(text: str) -> None:
    said = of_tls(f"listener ssl:x cannot use TLS: certfile /a b.pem: {text}")
    assert said is not None
    assert (said.member, said.words.en) == ("ssl_options.certfile", f"/a b.pem: {text}")
    reason = said.words.zh.removeprefix("/a b.pem：")
    assert re.search("[\u4e00-\u9fff]", reason), text


def test_a_member_without_a_file() -> None:
    said = of_tls("listener ssl:x cannot use TLS: ciphers: none of them is for one of `versions`")
    assert said is not None
    assert said.member == "ssl_options.ciphers"
    assert said.whole.zh == (
        "监听器 ssl:x 无法使用 TLS：ssl_options.ciphers：没有适用于 versions 中各版本的套件"
    )


def test_names_of_sni_and_other_errors() -> None:
    said = of_tls("listener ssl:x cannot use TLS: sni.a.example.keyfile /k: there is no such file")
    assert said is not None
    assert said.member == "ssl_options.sni.a.example.keyfile"
    assert of_tls("listener tcp:x cannot bind 127.0.0.1:1: in use") is None
