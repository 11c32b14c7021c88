"""Turns what the core reports into the error tree of :mod:`rookery.errors`."""

from __future__ import annotations

import errno

from rookery._native import NativeError
from rookery.errors import (
    BadRequestError,
    BadRuleError,
    BusyError,
    ConfigError,
    InternalError,
    ListenerTlsError,
    NotFoundError,
    PortInUseError,
    RookeryError,
    StartError,
    UnavailableError,
)

_BUSY_ZH = {
    "busy": "正在进行的客户端或消息列表查询过多，请稍后重试",
    "late": "节点繁忙，未能及时应答，请稍后重试",
}


def translate(error: NativeError) -> RookeryError:
    """The error that a failed call means."""
    match error.kind:
        case "config":
            return ConfigError([error.message])
        case "not_found":
            return NotFoundError(error.message)
        case "rule":
            return _bad_rule(error)
        case "topic" | "template":
            return BadRequestError(error.message, message_zh=_chinese(error.message))
        case "stopping":
            return UnavailableError(error.message, message_zh="节点正在停止")
        case "busy" | "late":
            return BusyError(error.message, message_zh=_BUSY_ZH[error.kind])
        case "forked":
            return UnavailableError(error.message)
        case _:
            return InternalError(error.message)


def _bad_rule(error: NativeError) -> BadRuleError:
    if error.said is None:
        return BadRuleError(
            error.message,
            rule=error.rule,
            place=error.place,
            message_zh=_chinese(error.message),
        )
    # Many texts, which few processes say.
    from rookery.native.rule_texts import Said  # noqa: PLC0415

    said = Said.of(error.said)
    reason = said.essence()
    return BadRuleError(
        error.message,
        rule=error.rule,
        place=error.place,
        message_zh=said.chinese(),
        message_key=reason.key,
        message_params=reason.params(),
    )


def _chinese(text: str) -> str | None:
    # Many texts, which few processes say.
    from rookery.native.plain_texts_zh import in_chinese  # noqa: PLC0415

    return in_chinese(text)


def not_opened(message: str, listener: str, taken: str | None) -> StartError:
    """Why a listener is not open; ``taken`` is the address that somebody else has."""
    # Texts that few processes say.
    from rookery.native.listener_texts import bind_in_chinese, of_tls  # noqa: PLC0415

    if (said := of_tls(message)) is not None:
        return ListenerTlsError(
            said.whole.en,
            message_zh=said.whole.zh,
            member=said.member,
            reason=said.words.en,
            reason_zh=said.words.zh,
        )
    chinese = bind_in_chinese(message)
    if taken is not None:
        return PortInUseError(message, listener=listener, address=taken, message_zh=chinese)
    return StartError(message, message_zh=chinese)


def translate_start(error: NativeError) -> RookeryError:
    """The error that a failed start means."""
    match error.kind:
        case "bind" if error.errno == errno.EADDRINUSE:
            return not_opened(error.message, error.listener or "", error.address)
        case "bind" | "tls":
            return not_opened(error.message, error.listener or "", None)
        case "store" | "io":
            return StartError(error.message)
        case _:
            return translate(error)
