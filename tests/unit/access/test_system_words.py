"""What is wrong with files of TLS, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rookery.access.errors import SettingError
from rookery.access.tls import ClientTls


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        (None, "No such file or directory", "没有该文件或目录"),
        ("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", "", ""),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "", ""),
        ("nothing", "", ""),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_chinese(
    tmp_path: Path, text: str | None, english: str, chinese: str
) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingError) as caught:
        ClientTls(enable=True, cacertfile=file).context()
    assert english in caught.value.text("en")
    said = caught.value.text("zh").replace(str(file), "")
    assert chinese in said
    assert not re.search(r"[a-z]+ [a-z]+", said), said
