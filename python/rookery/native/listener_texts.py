"""Why a listener cannot be opened: with the member that is wrong as whoever sent it calls it, and in
Chinese. The core says it in English alone; a test takes its texts from real refusals.
"""

from __future__ import annotations

import errno
import os
import re
from typing import NamedTuple

from rookery.words import Words

_TLS = re.compile(
    r"listener (?P<listener>\S+) cannot use TLS: (?P<field>[^\s/]+?)(?:(?P<file> .+?))?: (?P<why>.+)",
    re.DOTALL,
)
_BIND = re.compile(
    r"listener (?P<listener>\S+) cannot bind (?P<bind>.+?): (?P<why>[^:]+?)(?: \(os error (?P<number>\d+)\))?"
)
_SECTION = "ssl_options"
_BIND_ZH = {
    errno.EADDRINUSE: "地址已被占用",
    errno.EADDRNOTAVAIL: "本机没有该地址",
    errno.EACCES: "没有权限（1024 以下的端口需要特权）",
}
_WHY_ZH = tuple(
    (re.compile(english, re.DOTALL), chinese)
    for english, chinese in (
        (r"there is no such file", "文件不存在"),
        (r"the broker's user may not read it", "运行用户无权读取该文件"),
        (r"it is no regular file", "不是普通文件"),
        (r"it is larger than 64 MiB", "超过 64 MiB"),
        (
            r"holds no certificate in PEM format; if it is DER, convert it with (`.*`)",
            r"不含 PEM 格式的证书；若为 DER 格式，请用 \1 转换",
        ),
        (
            r"holds a private key but no certificate; are certfile and keyfile swapped\?",
            "含私钥而不含证书，certfile 与 keyfile 是否填反？",
        ),
        (
            r"holds a certificate but no private key; are certfile and keyfile swapped\?",
            "含证书而不含私钥，certfile 与 keyfile 是否填反？",
        ),
        (r"holds no private key in PEM format", "不含 PEM 格式的私钥"),
        (r"holds no revocation list in PEM format", "不含 PEM 格式的吊销列表"),
        (r"is damaged: a PEM section cannot be read", "已损坏：有 PEM 段无法读取"),
        (r"certificate (\d+) is damaged", r"第 \1 张证书已损坏"),
        (r"does not belong to the certificate in (.*)", r"与 \1 中的证书不匹配"),
        (r"(.*) has expired on (\S+)", r"\1 已于 \2 过期"),
        (r"(.*) is not valid before (\S+)", r"\1 自 \2 起才有效"),
        (
            r"(.*) is X\.509 version 1; issue it again as version 3 with (`.*`)",
            r"\1 为 X.509 v1，请用 \2 重新签发为 v3",
        ),
        (
            r"(.*) is signed with SHA-1, which clients refuse; sign it again with (`.*`)",
            r"\1 使用 SHA-1 签名，客户端会拒绝；请用 \2 重新签名",
        ),
        (r"(.*) cannot be trusted: (.*)", r"\1 不可信：\2"),
        (
            r"does not sign the certificate in (.*); leave cacertfile out or name the CA that does",
            r"未签发 \1 中的证书；请去掉 cacertfile，或改为签发它的 CA",
        ),
        (
            r"the key is none of RSA \(2048 bits or more\), EC (\(.*\)), Ed25519",
            r"私钥须为 RSA（至少 2048 位）、EC \1 或 Ed25519",
        ),
        (r"the key is encrypted and `password` is not set", "私钥已加密，但未设置 password"),
        (r"the encrypted key is not valid PEM", "加密的私钥不是有效的 PEM"),
        (
            r"the key cannot be decrypted; is `password` right\?",
            "无法解密私钥，请检查 password 是否正确",
        ),
        (
            r"encrypted with an algorithm that is not supported .*; convert it with (`.*`)",
            r"私钥的加密算法不受支持（支持 PBES2 与 AES 或 3DES）；请用 \1 转换",
        ),
        (
            r"encrypted in the old OpenSSL format, .*; convert it with (`.*`)",
            r"私钥使用旧的 OpenSSL 加密格式，强度过低；请用 \1 转换",
        ),
        (
            r"the revocation list of (.*) has expired on (\S+); fetch the new one from the CA",
            r"\1 的吊销列表已于 \2 过期，请从 CA 获取新列表",
        ),
        (r"more than 6 intermediate certificates are not supported", "最多支持 6 级中间证书"),
        (
            r"no version is left; tlsv1\.2 and tlsv1\.3 are supported",
            "没有可用的版本；支持 tlsv1.2 与 tlsv1.3",
        ),
        (
            r"verify_peer needs the CA that signs clients' certificates",
            "verify_peer 需要签发客户端证书的 CA",
        ),
        (r"has no meaning without verify = verify_peer", "仅在 verify = verify_peer 时有意义"),
        (r"none of them is for one of `versions`", "没有适用于 versions 中各版本的套件"),
        (r"none of these is supported; those that are: (.*)", r"均不受支持；支持的有：\1"),
        (
            r"(.*): pre-shared keys are not supported, .*; use certificates",
            r"\1：不支持预共享密钥，请使用证书",
        ),
    )
)


class Refusal(NamedTuple):
    """What is wrong with the TLS settings of a listener.

    Attributes:
        member: The setting, from the listener on.
        words: What is wrong with it, with the file that it names.
        whole: The same with the listener's name.
    """

    member: str
    words: Words
    whole: Words


def of_tls(message: str) -> Refusal | None:
    """What the core says about TLS; none when it is about something else."""
    found = _TLS.fullmatch(message)
    if found is None:
        return None
    field, file, why = found["field"], (found["file"] or "").strip(), found["why"]
    member = field if field == _SECTION else f"{_SECTION}.{field}"
    chinese = next(
        (match.expand(text) for pattern, text in _WHY_ZH if (match := pattern.fullmatch(why))), why
    )
    words = Words(f"{file}: {why}" if file else why, f"{file}：{chinese}" if file else chinese)
    listener = found["listener"]
    whole = Words(
        f"listener {listener} cannot use TLS: {member}: {words.en}",
        f"监听器 {listener} 无法使用 TLS：{member}：{words.zh}",
    )
    return Refusal(member, words, whole)


def bind_in_chinese(message: str) -> str | None:
    """Why an address cannot be had."""
    found = _BIND.fullmatch(message)
    if found is None:
        return None
    number = int(found["number"] or 0)
    why = _BIND_ZH.get(number) or (os.strerror(number) if number else found["why"])
    return f"监听器 {found['listener']} 无法绑定 {found['bind']}：{why}"
