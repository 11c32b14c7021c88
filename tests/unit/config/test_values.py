"""How EMQX writes durations, sizes, percentages, rates and addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.config import values
from rookery.config.values import Address, Rate


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("15s", 15_000), ("1m", 60_000), ("2h", 7_200_000), ("1d", 86_400_000), ("1w", 604_800_000),
        ("100ms", 100), ("0s", 0), ("1h30m", 5_400_000), ("1h 30m", 5_400_000), ("1.5s", 1500),
        ("15S", 15_000), (250, 250), ("250", 250), (1.5, 2),
    ],
)  # fmt: skip
def test_a_duration_in_milliseconds(written: object, ms: int) -> None:
    assert values.parse_duration_ms(written) == ms


def test_a_bare_number_counts_in_the_keys_own_unit() -> None:
    assert values.parse_duration_ms(7200, bare_unit="s") == 7_200_000
    assert values.parse_duration_ms("7200", bare_unit="s") == 7_200_000


@pytest.mark.parametrize(
    "written",
    ["", "s", "15x", "-1s", "1s2", "infinity", True, None, [], -5, "9" * 60 + "d", "１５s"],
)
def test_what_is_not_a_duration(written: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values.parse_duration_ms(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1MB", 1 << 20), ("4KB", 4096), ("100", 100), ("100B", 100), ("1GB", 1 << 30),
        ("1.5KB", 1536), ("16mb", 16 << 20), ("1KiB", 1024), (2048, 2048), ("1 MB", 1 << 20),
    ],
)  # fmt: skip
def test_a_size_in_bytes(written: object, size: int) -> None:
    assert values.parse_bytesize(written) == size


@pytest.mark.parametrize("written", ["", "MB", "1XB", "-1", False, None, -1, "1e999", "1MB2"])
def test_what_is_not_a_size(written: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values.parse_bytesize(written)


@pytest.mark.parametrize(
    ("written", "share"), [("80%", 0.8), ("0%", 0.0), (0.5, 0.5), ("100%", 1.0), ("12.5%", 0.125)]
)
def test_a_percentage_as_a_share(written: object, share: float) -> None:
    assert values.parse_percent(written) == share


@pytest.mark.parametrize("written", ["80", "101%", "-1%", True, 1.5, None])
def test_what_is_not_a_percentage(written: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values.parse_percent(written)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("300/5m", Rate(300, 300_000)), ("10MB/s", Rate(10 << 20, 1000)),
        ("1000/s", Rate(1000, 1000)), ("500KB/10s", Rate(500 << 10, 10_000)), (5, Rate(5, 1000)),
    ],
)  # fmt: skip
def test_a_rate(written: object, rate: Rate) -> None:
    assert values.parse_rate(written) == rate


def test_a_rate_as_an_average() -> None:
    assert values.parse_rate("300/5m").per_second == 1.0


@pytest.mark.parametrize("written", ["", "/s", "10/", "10/0s", "x/s", True, None])
def test_what_is_not_a_rate(written: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values.parse_rate(written)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (1883, ("0.0.0.0", 1883)), ("1883", ("0.0.0.0", 1883)), (":1883", ("0.0.0.0", 1883)),
        ("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:8883", ("::1", 8883)), ("::1:8883", ("::1", 8883)),
        ("localhost:1883", ("127.0.0.1", 1883)),
    ],
)  # fmt: skip
def test_an_address(written: object, address: tuple[str, int]) -> None:
    assert values.parse_address(written, default_host="0.0.0.0") == address


@pytest.mark.parametrize(
    "written",
    [
        "",
        "host",
        "host:",
        "host:65536",
        -1,
        65_536,
        "[::1",
        "[x]:1",
        "a b:1",
        "broker.example:1883",
        "1.2.3:1",
        True,
        None,
    ],
)
def test_what_is_not_an_address(written: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values.parse_address(written, default_host="0.0.0.0")


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(Address("::1", 1883)) == "[::1]:1883"


@given(st.integers(0, values.NUMBER_MAX))
def test_a_formatted_duration_means_itself(ms: int) -> None:
    assert values.parse_duration_ms(values.format_duration(ms)) == ms


@given(st.integers(0, values.NUMBER_MAX))
def test_a_formatted_size_means_itself(size: int) -> None:
    assert values.parse_bytesize(values.format_bytesize(size)) == size


@given(st.text(max_size=40))
def test_any_text_gives_a_value_or_value_error(text: str) -> None:
    for parse in (values.parse_duration_ms, values.parse_bytesize, values.parse_rate):
        try:
            parse(text)
        except ValueError:
            continue


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_time_is_never_less(first: int, second: int) -> None:
    low, high = sorted((first, second))
    parse = values.parse_duration_ms
    assert parse(f"{low}s") <= parse(f"{high}s") <= parse(f"{high}m")
