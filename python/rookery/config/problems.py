"""What can be wrong with a configuration, in words: one template per kind and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rookery.config.tree import Origin, seen_from, split_path
from rookery.errors import ConfigError

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "unknown": "{path}: unknown key",
        "unknown_near": "{path}: unknown key, did you mean {near}?",
        "moved": "{path}: unknown key, use {near}",
        "value": "{path}: {value} is not allowed here; allowed: {allowed}",
        "value_reason": "{path}: {value}: {reason}; allowed: {allowed}",
        "object": "{path}: {value} is not allowed here; allowed: an object with {allowed}",
        "name": "{path}: the name {value} is not allowed; allowed: {allowed}",
        "required": "{path}: missing",
        "too_long": "{path}: more than {allowed} items",
        "refused": "{path}: refused: {reason}",
        "not_available": "{path}: not available in this version",
        "ignored": "{path}: not available in this version, what stands there has no effect",
        "zone": "{path}: there is no zone {value}; there are: {allowed}",
        "no_action": "{path}: there is no action {value}; there are: {allowed}",
        "no_action_none": "{path}: there is no action {value}",
        "no_connector": "{path}: there is no connector {value}; there are: {allowed}",
        "no_connector_none": "{path}: there is no connector {value}",
        "setting": "{path}: {value}: {reason}",
        "unfit": "{path}: {reason}",
        "same_bind": "{path}: {value} is also the address of {near}",
        "no_certificate": "{path}: missing; `rookery tls init` makes a certificate for a test",
        "needs": "{path}: needs {near} as well",
        "one_of": "{path}: needs {value} or {near}, one of them",
        "doubled": "{path}: {value} is there already at {near}",
        "secret_lost": "{path}: write the secret again: ****** stands for a secret that is shown to "
        "nobody, and none is kept here that it could mean",
        "secret_moved": "{path}: write the secret again: {near} leads elsewhere now, and a secret goes "
        "only where it was written for",
        "secret_moved_of": "{path}: {value} would send its secret {near} there, which was written for "
        "another place: take the secret out of {value} first and write it again afterwards, or "
        "define another connector",
        "link_plain": "{path}: {value} is no address of a private network and the link is not encrypted: "
        "anybody on the way reads and changes its messages; set ssl.enable = true",
        "no_effect": "{path}: accepted without effect",
        "no_effect_reason": "{path}: accepted without effect: {reason}",
        "env_name": "environment: {path} is not read: only names with __ are configuration",
        "env_part": "environment: {path} is not read: a key is missing before, after or between __, "
        "as in ROOKERY_A__B for a.b",
        "set_form": "--set {value}: must be key=value",
        "no_include": '{path}: there is no such file, nothing was included; include required("{value}") '
        "makes that an error",
        "syntax": "{value}",
        "unreadable": "{path}: cannot be read: {reason}",
    },
    "zh": {
        "unknown": "{path}：未知配置项",
        "unknown_near": "{path}：未知配置项，是否为 {near}？",
        "moved": "{path}：未知配置项，请使用 {near}",
        "value": "{path}：不允许的值 {value}，允许：{allowed}",
        "value_reason": "{path}：{value}：{reason}，允许：{allowed}",
        "object": "{path}：不允许的值 {value}，应为包含 {allowed} 的对象",
        "name": "{path}：不允许的名称 {value}，允许：{allowed}",
        "required": "{path}：缺少该项",
        "too_long": "{path}：超过 {allowed} 项",
        "refused": "{path}：拒绝：{reason}",
        "not_available": "{path}：本版本不支持",
        "ignored": "{path}：本版本不支持，其中的设置不生效",
        "zone": "{path}：不存在区域 {value}，现有：{allowed}",
        "no_action": "{path}：不存在动作 {value}，现有：{allowed}",
        "no_action_none": "{path}：不存在动作 {value}",
        "no_connector": "{path}：不存在连接器 {value}，现有：{allowed}",
        "no_connector_none": "{path}：不存在连接器 {value}",
        "setting": "{path}：{value}：{reason}",
        "unfit": "{path}：{reason}",
        "same_bind": "{path}：{value} 与 {near} 的监听地址相同",
        "no_certificate": "{path}：缺少该项；可用 `rookery tls init` 生成测试证书",
        "needs": "{path}：还需要设置 {near}",
        "one_of": "{path}：{value} 与 {near} 需要且只能设置其一",
        "doubled": "{path}：{value} 已存在于 {near}",
        "secret_lost": "{path}：请重新填写该密钥：****** 只是隐藏后的显示，此处没有与之对应的已存密钥",
        "secret_moved": "{path}：请重新填写该密钥：{near} 已指向其他地址，密钥只会发往填写时的地址",
        "secret_moved_of": "{path}：{value} 的密钥 {near} 将随之发往该地址，而它是为原地址填写的："
        "请先从 {value} 中移除该密钥，更改后再重新填写，或另建一个连接器",
        "link_plain": "{path}：{value} 不是私有网络地址，而连接未加密，途经者可读取并篡改消息；请设置 ssl.enable = true",
        "no_effect": "{path}：可以设置但不生效",
        "no_effect_reason": "{path}：可以设置但不生效：{reason}",
        "env_name": "环境变量 {path} 未被读取：只有包含 __ 的名称才是配置",
        "env_part": "环境变量 {path} 未被读取：__ 的前后或之间缺少配置项名称，正确写法如 ROOKERY_A__B，对应 a.b",
        "set_form": "--set {value}：格式应为 key=value",
        "no_include": '{path}：没有这个文件，未引入任何内容；写成 include required("{value}") 则报错',
        "syntax": "语法错误：{value}",
        "unreadable": "{path}：无法读取：{reason}",
    },
}


class Problem(NamedTuple):
    """One thing to tell about one key: an error, or a warning."""

    kind: str
    path: str
    origin: Origin | None = None
    value: str = ""
    allowed: str = ""
    near: str = ""
    reasons: Mapping[str, str] = {}  # never changed
    """The same reason by language; ``en`` is always there when any is."""

    def text(self, language: str = "en") -> str:
        """One line, with the place where the value was written."""
        templates = TEXTS.get(language, TEXTS["en"])
        kind = self.kind
        reason = self.reasons.get(language) or self.reasons.get("en", "")
        allowed = self.allowed
        if language == "zh":
            from rookery.config.schema.chinese import in_chinese  # noqa: PLC0415

            reason, allowed = in_chinese(reason), in_chinese(allowed)
        if reason and f"{kind}_reason" in templates:
            kind = f"{kind}_reason"
        value = self.value
        if language == "zh" and kind == "syntax":
            from rookery.config import hocon_zh  # noqa: PLC0415

            value = hocon_zh.in_chinese(value)
        line = templates[kind].format(
            path=self.path, value=value, allowed=allowed, near=self.near, reason=reason
        )
        if self.origin is None or self.kind == "syntax":
            return line
        if self.origin.kind == "default":
            return line
        return f"{self.origin}: {line}"

    def __str__(self) -> str:
        return self.text()

    def seen_from(self, base: tuple[str, ...], written: Any = None) -> Problem:
        """The same for whoever sent ``written`` to stand at ``base`` over the network.

        That one wrote no file, and calls a key as it stood in what was sent.
        """
        near = seen_from(self.near, base, written) if self.near else ""
        return self._replace(path=seen_from(self.path, base, written), near=near, origin=None)


def _last_key(path: str) -> str:
    try:
        return split_path(path)[-1]
    except ValueError:  # such a key cannot be written in a path
        return path.rpartition(".")[2].strip('"')


_UNKNOWN = frozenset({"unknown", "unknown_near", "moved"})


class InvalidConfigError(ConfigError):
    """The configuration cannot be used; ``details`` says why, ``problems`` in English words."""

    def __init__(self, details: Sequence[Problem]) -> None:
        super().__init__([problem.text() for problem in details])
        self.details = tuple(details)
        unknown = (problem.path for problem in details if problem.kind in _UNKNOWN)
        self.unknown_keys = [_last_key(path) for path in unknown]

    def text(self, language: str = "en") -> str:
        """Every problem on a line."""
        return "\n".join(problem.text(language) for problem in self.details)

    def seen_from(self, base: tuple[str, ...], written: Any = None) -> InvalidConfigError:
        """The same for whoever sent ``written`` to stand at ``base`` over the network."""
        return InvalidConfigError([problem.seen_from(base, written) for problem in self.details])

    def named(self, members: Mapping[str, str]) -> InvalidConfigError:
        """The same for whoever sent these under other names."""
        return InvalidConfigError(
            [
                problem._replace(path=members.get(problem.path, problem.path))
                for problem in self.details
            ]
        )

    def __reduce__(self) -> tuple[type[InvalidConfigError], tuple[tuple[Problem, ...]]]:  # type: ignore[override]
        return type(self), (self.details,)
