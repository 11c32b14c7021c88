"""Why something cannot be reached: what happened, where, and what to look at next.

In words for people and without secrets, in both languages.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl

from rookery.access.system_words import system_words
from rookery.words import Words

_REFUSED = Words(
    "connect to {address} refused: see whether the service runs there and listens on this port",
    "连接 {address} 被拒绝：请检查服务是否正在运行并监听该端口",
)
_TIMED_OUT = Words(
    "connect to {address} timed out: check the address, the network and its firewalls",
    "连接 {address} 超时：请检查地址、网络和防火墙",
)
_NO_NAME = Words(
    "host name of {address} is not known: check its spelling and the name servers of this machine",
    "无法解析 {address} 的主机名：请检查拼写和本机的 DNS 设置",
)
_NO_ROUTE = Words(
    "no route to {address}: check the address and the network of this machine",
    "没有到 {address} 的路由：请检查地址和本机网络",
)
_RESET = Words(
    "{address} closed the connection: its log may say why; see also whether it expects TLS",
    "{address} 关闭了连接：原因可查看其日志，并检查该端口是否要求 TLS",
)
_NO_SOCKET = Words(
    "there is no socket {address}: see whether the service runs on this machine and has it there",
    "套接字 {address} 不存在：请检查服务是否在本机运行并使用该路径",
)
_NO_RIGHT = Words(
    "this node may not use {address}: check the rights of the user that it runs as",
    "本节点无权访问 {address}：请检查运行用户的权限",
)
_EXPIRED = Words(
    "certificate of {address} has expired: renew it there, or set the clock of this machine",
    "{address} 的证书已过期：请更换证书，或校准本机时间",
)
_NOT_YET = Words(
    "certificate of {address} is not valid yet: set the clock of this machine, or change it there",
    "{address} 的证书尚未生效：请校准本机时间，或更换证书",
)
_NOT_TRUSTED = Words(
    "certificate of {address} is not trusted ({why}): name its authority in ssl.cacertfile",
    "{address} 的证书不受信任（{why}）：请在 ssl.cacertfile 中指定其 CA 证书",
)
_OTHER_NAME = Words(
    "certificate of {address} is for another name ({why}): use that name as the address, or set "
    "ssl.server_name_indication to it",
    "{address} 的证书属于其他名称（{why}）：请改用该名称，或设置 ssl.server_name_indication",
)
_BAD_CERTIFICATE = Words(
    "certificate of {address} is not accepted: {why}", "{address} 的证书未通过校验：{why}"
)
_NO_TLS = Words(
    "{address} does not speak TLS: switch ssl.enable off, or use the port that does",
    "{address} 未使用 TLS：请关闭 ssl.enable，或改用 TLS 端口",
)
_NO_HANDSHAKE = Words(
    "{address} takes connections and does not answer a TLS handshake: switch ssl.enable off if it does "
    "not speak TLS, or use the port that does",
    "{address} 接受连接但未应答 TLS 握手：若其未使用 TLS，请关闭 ssl.enable，或改用 TLS 端口",
)
_WANTS_CERTIFICATE = Words(
    "{address} wants a certificate of this node, or does not accept it: check ssl.certfile",
    "{address} 要求本节点提供证书，或不接受该证书：请检查 ssl.certfile",
)
_TLS = Words("TLS with {address} failed: {why}", "与 {address} 的 TLS 握手失败：{why}")
_OTHER = Words("connect to {address} failed: {why}", "连接 {address} 失败：{why}")
_NO_ANSWER = Words(
    "{address} did not answer within {seconds:g} s", "{address} 在 {seconds:g} 秒内无响应"
)
_ERRNO = re.compile(r"\[Errno (\d{1,4})\]")
DEFECT = Words("internal error: {kind}, see the log", "内部错误：{kind}，详见日志")

# What OpenSSL calls them.
_CERTIFICATES = {
    9: _NOT_YET,
    10: _EXPIRED,
    18: _NOT_TRUSTED,  # signed by itself
    19: _NOT_TRUSTED,  # … by one that signed itself
    20: _NOT_TRUSTED,  # … by one that is not known here
    21: _NOT_TRUSTED,
    62: _OTHER_NAME,
    64: _OTHER_NAME,  # an address
}
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
_OWN_CERTIFICATE_REASONS = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")
_NUMBERS = {
    errno.ECONNREFUSED: _REFUSED,
    errno.ETIMEDOUT: _TIMED_OUT,
    errno.EHOSTUNREACH: _NO_ROUTE,
    errno.ENETUNREACH: _NO_ROUTE,
    errno.ECONNRESET: _RESET,
    errno.EPIPE: _RESET,
    errno.ENOENT: _NO_SOCKET,
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
}
_CHAIN_MAX = 8


def shown_address(host: str, port: int) -> str:
    """The two as people write them; a host that is the path of a socket stays alone."""
    if host.startswith("/"):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def why_unreachable(address: str, error: BaseException) -> Words:
    """Why there is no connection to ``address``, which must hold no secret."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = system_words(error.verify_message)
        words = _CERTIFICATES.get(error.verify_code, _BAD_CERTIFICATE)
        return words.format(address=address, why=why)
    if isinstance(error, ssl.SSLError):
        return _of_tls(address, getattr(error, "reason", None) or "no common protocol")
    if isinstance(error, socket.gaierror):
        return _NO_NAME.format(address=address)
    if isinstance(error, OSError):
        number = _number(error)
        if number in _NUMBERS:
            return _NUMBERS[number].format(address=address)
        if isinstance(error, TimeoutError):
            return _TIMED_OUT.format(address=address)
        if isinstance(error, ConnectionRefusedError):
            return _REFUSED.format(address=address)
        if isinstance(error, ConnectionError):
            return _RESET.format(address=address)
        if number:
            return _OTHER.format(address=address, why=system_words(os.strerror(number)))
    return _OTHER.format(address=address, why=type(error).__name__)


def of_connecting(address: str, error: BaseException) -> Words:
    """The same of an ``aiohttp.ClientConnectorError``, which has inside what happened."""
    inside = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    return why_unreachable(address, inside or error)


def behind(error: BaseException) -> OSError | None:
    """What a client library's error came from: the first one of the system in its chain."""
    found: BaseException | None = error
    for _ in range(_CHAIN_MAX):
        if found is None or isinstance(found, OSError):
            return found
        found = found.__cause__ or found.__context__
    return None


def no_answer(address: str | Words, seconds: float) -> Words:
    """That a service took a question and did not answer."""
    return _NO_ANSWER.format(address=address, seconds=seconds)


def no_tls(address: str | Words) -> Words:
    """That a service speaks without TLS."""
    return _NO_TLS.format(address=address)


def no_handshake(address: str | Words) -> Words:
    """That a service was reached, and nobody there began with TLS."""
    return _NO_HANDSHAKE.format(address=address)


def _of_tls(address: str, reason: str) -> Words:
    if reason in _NO_TLS_REASONS:
        return _NO_TLS.format(address=address)
    if reason.endswith(_OWN_CERTIFICATE_REASONS):
        return _WANTS_CERTIFICATE.format(address=address)
    return _TLS.format(address=address, why=reason.lower().replace("_", " "))


def _number(error: OSError) -> int | None:
    """``errno``; asyncio puts those of several addresses of a name into a text."""
    if error.errno:
        return error.errno
    numbers = {int(found) for found in _ERRNO.findall(str(error))}
    # Where one address refuses, a service is not there; the others may be none of this machine.
    return errno.ECONNREFUSED if errno.ECONNREFUSED in numbers else min(numbers, default=None)
