"""What the operating system and OpenSSL say about files and certificates, in both languages."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping

from rookery.words import Words

_CHINESE: Mapping[str, str] = {
    # Of the system.
    "No such file or directory": "没有该文件或目录",
    "Permission denied": "权限不足",
    "Operation not permitted": "不允许的操作",
    "Is a directory": "是目录而不是文件",
    "Not a directory": "不是目录",
    "File exists": "文件已存在",
    "File name too long": "文件名过长",
    "Too many open files": "打开的文件过多",
    "No space left on device": "磁盘空间不足",
    "Read-only file system": "文件系统只读",
    "Input/output error": "输入输出错误",
    "Invalid argument": "参数无效",
    "Cannot assign requested address": "本机没有该地址",
    "Address already in use": "地址已被占用",
    "Broken pipe": "连接已断开",
    "Connection refused": "连接被拒绝",
    "Connection reset by peer": "连接被对方重置",
    "Connection timed out": "连接超时",
    "Network is unreachable": "网络不可达",
    "No route to host": "没有到主机的路由",
    # Of OpenSSL: files.
    "no start line": "没有 PEM 起始行",
    "bad end line": "PEM 结束行有误",
    "bad base64 decode": "base64 编码有误",
    "bad password read": "无法读取密码",
    "bad decrypt": "无法解密：请检查密码",
    "key values mismatch": "私钥与证书不匹配",
    "no certificate or crl found": "没有证书或吊销列表",
    "not enough data": "数据不完整",
    "nested asn1 error": "ASN.1 结构有误",
    "nested asn1 string": "ASN.1 结构有误",
    "header too long": "ASN.1 头部过长",
    "asn1 length mismatch": "ASN.1 长度不符",
    "wrong tag": "ASN.1 标签有误",
    "bad object header": "ASN.1 对象头有误",
    "too long": "数据过长",
    "unsupported": "格式不受支持",
    "ee key too small": "证书密钥过短",
    "ca key too small": "CA 证书密钥过短",
    "ca md too weak": "CA 证书签名算法过弱",
    "no start line: cadata does not contain a certificate": "其中没有证书",
    "not enough data: cadata does not contain a certificate": "其中没有证书",
    "pem lib": "PEM 内容有误",
    "unknown error": "未知错误",
    "no such file or directory": "没有该文件或目录",
    # Of OpenSSL: certificates of others.
    "self-signed certificate": "自签名证书",
    "self-signed certificate in certificate chain": "证书链中含有自签名证书",
    "unable to get local issuer certificate": "找不到签发者证书",
    "unable to get issuer certificate": "找不到签发者证书",
    "unable to verify the first certificate": "无法校验第一个证书",
    "certificate signature failure": "证书签名有误",
    "certificate revoked": "证书已吊销",
    "certificate chain too long": "证书链过长",
    "invalid CA certificate": "CA 证书无效",
    "unsuitable certificate purpose": "证书用途不符",
}
_SOURCE = re.compile(r"\s*\(_ssl\.c:\d+\)$")
_OTHER_NAME = re.compile(
    r"(?:Hostname|IP address) mismatch, certificate is not valid for '([^']*)'"
)


def system_words(text: str) -> Words:
    """A text of one of them; where there are no words for it, it stays as it is."""
    found = _OTHER_NAME.match(text)
    return Words(text, f"证书不适用于 {found[1]}" if found else _CHINESE.get(text, text))


def words_of_error(error: Exception) -> Words:
    """What went wrong with a file."""
    said = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    if not isinstance(error, ssl.SSLError):
        return system_words(str(said))
    # Python puts the place in its own source behind it.
    return system_words(_SOURCE.sub("", str(said)).lower().replace("_", " "))
