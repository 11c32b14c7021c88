"""Every kind of failure of the core has its place in the error tree."""

from __future__ import annotations

import errno

import pytest

from rookery._native import NativeError
from rookery.errors import (
    BadRequestError,
    ConfigError,
    InternalError,
    PortInUseError,
    RookeryError,
    StartError,
    UnavailableError,
)
from rookery.native.errors import translate, translate_start


def failure(kind: str, **attributes: object) -> NativeError:
    error = NativeError(kind, "why")
    for name, value in {"kind": kind, "message": "why", **attributes}.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("config", ConfigError),
        ("topic", BadRequestError),
        ("stopping", UnavailableError),
        ("forked", UnavailableError),
        ("internal", InternalError),
        ("store", InternalError),
        ("something new", InternalError),
    ],
)
def test_a_failed_call(kind: str, expected: type[RookeryError]) -> None:
    error = translate(failure(kind))

    assert type(error) is expected
    assert str(error) == "why"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("store", StartError), ("io", StartError), ("config", ConfigError), ("bind", StartError)],
)
def test_a_failed_start(kind: str, expected: type[RookeryError]) -> None:
    assert type(translate_start(failure(kind))) is expected


def test_a_taken_port() -> None:
    error = translate_start(
        failure("bind", listener="tcp:default", address="[::1]:1883", errno=errno.EADDRINUSE)
    )

    assert isinstance(error, PortInUseError)
    assert (error.listener, error.address) == ("tcp:default", "[::1]:1883")
