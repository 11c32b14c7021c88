"""The configuration file of the agent, and addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.agent.failures import AgentError
from rookery.agent.settings import Settings, checked_url, load, parse, save, written

NAMED = Settings(
    url="https://control.example:8082",
    insecure_skip_verify=True,
    api_url="https://[::1]:18084",
    dashboard_url="http://10.0.0.1:18083",
    other_urls="http://10.0.0.2:18083,https://[::2]:18084",
    log_collection_enabled=True,
    log_collection_dir="/var/log/emqx 日志 50%",
    log_level="debug",
    log_bytes_max=1000,
    log_files_kept=2,
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    save(tmp_path / "agent.conf", NAMED)

    assert load(tmp_path / "agent.conf") == NAMED
    assert load(tmp_path / "none.conf") == Settings()
    assert parse(written(Settings())) == Settings()


def outcome(text: str) -> tuple[Settings | None, str]:
    try:
        return parse(text), ""
    except AgentError as error:
        return None, str(error)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    for given_text in (text, f"[control]\nurl = {text}\n", f"[log]\nbytes_max = {text}\n"):
        settings, said = outcome(given_text)
        if settings is None:
            assert len(said.splitlines()) == 1
        else:
            assert parse(written(settings)) == settings


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("agent") / "agent.conf"
    file.write_bytes(data)
    try:
        load(file)
    except AgentError:
        return


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[log]\nlevel = loud", "[log] level: loud"),
        ("[log]\nbytes_max = -1", "[log] bytes_max: -1"),
        ("[logs]\nenabled = perhaps", "[logs] enabled: perhaps"),
        ("[cluster]\napi_url = 127.0.0.1:18083", "[cluster] api_url: 127.0.0.1:18083"),
        ("url = 1", "no section headers"),
        ("[control]\nurl = https://a\n[control]\n", "already exists"),
    ],
)
def test_what_is_wrong_is_named(text: str, where: str) -> None:
    with pytest.raises(AgentError) as refused:
        parse(text)
    assert where in str(refused.value)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("https://control.example:8082/", "https://control.example:8082"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://[::1]:8082", "https://[::1]:8082"),
        (" HTTPS://Control.Example ", "https://control.example"),
    ],
)
def test_addresses(text: str, plain: str) -> None:
    assert checked_url(text, "--url") == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "control.example:8082",
        "ftp://control.example",
        "https://",
        "https://a b",
        "https://user:password@control.example",
        "https://control.example/path",
        "https://control.example?x=1",
        "https://control.example:99999",
        "https://[::1",
        "https://control.example:port",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AgentError):
        checked_url(text, "--url")
