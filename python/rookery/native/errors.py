"""Turns what the core reports into the error tree of :mod:`rookery.errors`."""

from __future__ import annotations

import errno

from rookery._native import NativeError
from rookery.errors import (
    BadRequestError,
    BadRuleError,
    ConfigError,
    InternalError,
    NotFoundError,
    PortInUseError,
    RookeryError,
    StartError,
    UnavailableError,
)


def translate(error: NativeError) -> RookeryError:
    """The error that a failed call means."""
    match error.kind:
        case "config":
            return ConfigError([error.message])
        case "not_found":
            return NotFoundError(error.message)
        case "rule":
            return BadRuleError(error.message, rule=error.rule, place=error.place)
        case "topic" | "template":
            return BadRequestError(error.message)
        case "stopping" | "forked" | "busy":
            return UnavailableError(error.message)
        case _:
            return InternalError(error.message)


def translate_start(error: NativeError) -> RookeryError:
    """The error that a failed start means."""
    match error.kind:
        case "bind" if error.errno == errno.EADDRINUSE:
            listener, address = error.listener or "", error.address or ""
            return PortInUseError(error.message, listener=listener, address=address)
        case "bind" | "tls" | "store" | "io":
            return StartError(error.message)
        case _:
            return translate(error)
