"""The small parts: templates taken apart, rates, back-off, reasons, circles of fallbacks."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from rookery.access.errors import SettingError, Words
from rookery.access.reasons import why_unreachable
from rookery.connectors.backoff import Backoff
from rookery.connectors.fallback import CHAIN_MAX, check_fallbacks
from rookery.connectors.rates import Rates
from rookery.connectors.registry import parse_action
from rookery.connectors.settings import ActionSettings
from rookery.connectors.standing import of_connector
from rookery.connectors.status import State, Status
from rookery.connectors.templates import has_placeholder, pieces, plain_text


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("", []),
        ("plain $ {x}", ["plain $ {x}"]),
        ("${a.b[1]}", ["${a.b[1]}"]),
        ("a${b}c", ["a", "${b}", "c"]),
        ("$${b}${c}", ["${b}", "${c}"]),
        ("a$${", ["a${"]),
    ],
)
def test_a_template_is_taken_apart_as_the_core_reads_it(template: str, found: list[str]) -> None:
    assert [piece.text for piece in pieces(template)] == found


def test_text_that_only_looks_like_a_placeholder_is_text() -> None:
    assert not has_placeholder("$${a}")
    assert plain_text("$${a} b") == "${a} b"


def test_rates_are_of_the_last_seconds_and_of_five_minutes() -> None:
    rates = Rates()
    rates.sample(0, 0)
    rates.sample(5, 50)
    rates.sample(10, 60)
    assert (rates.now, rates.highest, rates.last_5m) == (2.0, 10.0, 6.0)
    rates.sample(15, 0)  # it was reset
    assert rates.last_5m == 0.0
    for tick in range(4, 200):
        rates.sample(tick * 5, tick * 10)
    assert rates.last_5m == 2.0


def test_waits_grow_up_to_the_longest_and_are_never_equal_for_all() -> None:
    backoff = Backoff(8.0, first_s=1.0)
    waits = [backoff.next_s() for _ in range(8)]
    assert 0.75 <= waits[0] <= 1.25
    assert max(waits) <= 8.0
    assert waits[-1] >= 6.0
    backoff.reset()
    assert backoff.next_s() <= 1.25
    assert len({Backoff(8.0).next_s() for _ in range(20)}) > 1


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = code, "why"
    return error


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "x")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(), "connect to h:1 refused: see whether the service runs"),
        (TimeoutError(), "connect to h:1 timed out: check the address, the network"),
        (ConnectionResetError(), "h:1 closed the connection: its log may say why"),
        (socket.gaierror(-2, "x"), "host name of h:1 is not known: check its spelling"),
        (OSError(errno.EHOSTUNREACH, "x"), "no route to h:1: check the address"),
        (OSError(errno.ENOENT, "x"), "there is no socket h:1: see whether the service runs"),
        (PermissionError(errno.EACCES, "x"), "this node may not use h:1: check the rights"),
        (OSError(errno.ENETDOWN, "x"), "connect to h:1 failed: Network is down"),
        (OSError("Multiple exceptions: [Errno 111] a, [Errno 111] b"), "connect to h:1 refused"),
        (OSError("Multiple exceptions: [Errno 99] a, [Errno 111] b"), "connect to h:1 refused"),
        (OSError("Multiple exceptions: [Errno 100] a"), "connect to h:1 failed: Network is down"),
        (certificate(10), "certificate of h:1 has expired: renew it there, or set the clock"),
        (certificate(20), "certificate of h:1 is not trusted (why): name its authority in ssl.ca"),
        (certificate(62), "certificate of h:1 is for another name (why): use that name"),
        (certificate(23), "certificate of h:1 is not accepted: why"),
        (tls("WRONG_VERSION_NUMBER"), "h:1 does not speak TLS: switch ssl.enable off"),
        (tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "h:1 wants a certificate of this node"),
        (tls("NO_SHARED_CIPHER"), "TLS with h:1 failed: no shared cipher"),
        (ssl.SSLError(1, "x"), "TLS with h:1 failed: no common protocol"),
        (ValueError("password"), "connect to h:1 failed: ValueError"),
    ],
)
def test_reasons_say_what_happened_where_and_what_to_look_at(error: Exception, reason: str) -> None:
    words = why_unreachable("h:1", error)
    assert words.en.startswith(reason)
    assert "h:1" in words.zh
    assert words.zh != words.en


def action(*others: str) -> ActionSettings:
    references = [{"kind": "reference", "type": "http", "name": name} for name in others]
    return parse_action("http", {"connector": "c", "fallback_actions": references})


def test_fallbacks_may_meet_again_but_not_lead_back() -> None:
    check_fallbacks({"http:a": action("b", "c"), "http:b": action("c"), "http:c": action()})
    with pytest.raises(SettingError, match="http:a → http:b → http:a"):
        check_fallbacks({"http:a": action("b"), "http:b": action("a")})
    with pytest.raises(SettingError, match="no action http:b"):
        check_fallbacks({"http:a": action("b")})


def test_a_chain_of_fallbacks_has_a_bound() -> None:
    chain = {f"http:{n}": action(str(n + 1)) for n in range(CHAIN_MAX + 1)}
    chain[f"http:{CHAIN_MAX + 1}"] = action()
    with pytest.raises(SettingError, match="more than"):
        check_fallbacks(chain)


def test_why_an_action_does_not_work_is_told_in_one_language_at_a_time() -> None:
    words = of_connector(Status(State.DISCONNECTED, Words("it is gone", "已消失"), 0))
    assert words == Words("the connector is disconnected: it is gone", "连接器已断开：已消失")
