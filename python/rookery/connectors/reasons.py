"""Why something cannot be reached, in words for people and without secrets, in both languages."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl

from rookery.access.errors import Words

_REFUSED = Words("connect to {address} refused", "连接 {address} 被拒绝")
_TIMED_OUT = Words("connect to {address} timed out", "连接 {address} 超时")
_NO_NAME = Words("host name of {address} is not known", "无法解析 {address} 的主机名")
_NO_ROUTE = Words("no route to {address}", "没有到 {address} 的路由")
_RESET = Words("{address} closed the connection", "{address} 关闭了连接")
_BAD_CERTIFICATE = Words(
    "certificate of {address} is not accepted: {why}", "{address} 的证书未通过校验：{why}"
)
_TLS = Words("TLS with {address} failed: {why}", "与 {address} 的 TLS 握手失败：{why}")
_OTHER = Words("connect to {address} failed: {why}", "连接 {address} 失败：{why}")
_NO_ANSWER = Words(
    "{address} did not answer within {seconds:g} s", "{address} 在 {seconds:g} 秒内无响应"
)
_ERRNO = re.compile(r"\[Errno (\d{1,4})\]")
DEFECT = Words("internal error: {kind}, see the log", "内部错误：{kind}，详见日志")


def why_unreachable(address: str, error: BaseException) -> Words:
    """Why there is no connection to ``address``, which must hold no secret."""
    if isinstance(error, TimeoutError):
        return _TIMED_OUT.format(address=address)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BAD_CERTIFICATE.format(address=address, why=error.verify_message)
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "reason", None) or "no common protocol"
        return _TLS.format(address=address, why=_plain(why))
    if isinstance(error, socket.gaierror):
        return _NO_NAME.format(address=address)
    if isinstance(error, ConnectionRefusedError):
        return _REFUSED.format(address=address)
    if isinstance(error, ConnectionError):
        return _RESET.format(address=address)
    if isinstance(error, OSError):
        number = _number(error)
        if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
            return _NO_ROUTE.format(address=address)
        if number == errno.ECONNREFUSED:
            return _REFUSED.format(address=address)
        if number:
            return _OTHER.format(address=address, why=os.strerror(number))
    return _OTHER.format(address=address, why=type(error).__name__)


def no_answer(address: str, seconds: float) -> Words:
    """That a service took a question and did not answer."""
    return _NO_ANSWER.format(address=address, seconds=seconds)


def _number(error: OSError) -> int | None:
    """``errno``; asyncio puts those of several addresses of a name into a text."""
    if error.errno:
        return error.errno
    numbers = {int(found) for found in _ERRNO.findall(str(error))}
    return numbers.pop() if len(numbers) == 1 else None


def _plain(text: str) -> str:
    return text.lower().replace("_", " ")
