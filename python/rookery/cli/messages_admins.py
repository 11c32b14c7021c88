"""Texts of ``rookery ctl admins`` and ``rookery ctl api_keys``: English and Chinese."""

from __future__ import annotations

ADMIN_TEXTS: dict[str, tuple[str, str]] = {
    "help.ctl.admins": ("users of the dashboard and of the REST interface", "控制台与 REST 用户"),
    "help.ctl.admins.add": ("add a user of the dashboard", "添加控制台用户"),
    "help.ctl.admins.passwd": (
        "give a user another password; the old one is not asked for",
        "设置用户密码，无需旧密码",
    ),
    "help.ctl.admins.del": ("remove a user of the dashboard", "删除控制台用户"),
    "help.ctl.admins.list": ("list users of the dashboard", "列出控制台用户"),
    "help.ctl.api_keys": (
        "keys with which programs use the REST interface",
        "REST 接口的 API 密钥",
    ),
    "help.ctl.api_keys.add": (
        "make a key; its secret is printed once",
        "创建密钥，密钥内容仅显示一次",
    ),
    "help.ctl.api_keys.list": ("list keys", "列出密钥"),
    "help.ctl.api_keys.show": ("show a key", "查看密钥"),
    "help.ctl.api_keys.enable": ("let a key work", "启用密钥"),
    "help.ctl.api_keys.disable": ("stop a key from working", "停用密钥"),
    "help.ctl.api_keys.del": ("remove a key", "删除密钥"),
    "option.admin": ("name of the user", "用户名"),
    "option.admin.role": (
        "what the user may do (default administrator)",
        "角色（默认 administrator）",
    ),
    "option.admin.description": ("a remark", "备注"),
    "option.key.name": ("name of the key", "密钥名称"),
    "option.key.role": (
        "what the key may do (default administrator)",
        "角色（默认 administrator）",
    ),
    "option.key.expires": (
        "when it stops working, such as 2027-01-31T08:00:00Z (default never)",
        "失效时间，如 2027-01-31T08:00:00Z（默认永不失效）",
    ),
    "ctl.admins.added": ("added {user}", "已添加 {user}"),
    "ctl.admins.changed": (
        "{user} has a new password; whoever was signed in as {user} is signed out",
        "{user} 的密码已修改，已登录的会话已注销",
    ),
    "ctl.admins.deleted": ("removed {user}", "已删除 {user}"),
    "ctl.api_keys.key": ("key:    {name}", "API Key：   {name}"),
    "ctl.api_keys.secret": (
        "secret: {secret}  (shown this once)",
        "Secret Key：{secret}（仅显示一次）",
    ),
    "ctl.api_keys.enabled": ("{name} works", "{name} 已启用"),
    "ctl.api_keys.disabled": ("{name} does not work any more", "{name} 已停用"),
    "ctl.api_keys.deleted": ("removed {name}", "已删除 {name}"),
    "column.username": ("NAME", "用户名"),
    "column.role": ("ROLE", "角色"),
    "column.description": ("REMARK", "备注"),
    "column.name": ("NAME", "名称"),
    "column.api_key": ("KEY", "API KEY"),
    "column.enable": ("ENABLED", "启用"),
    "column.expired_at": ("UNTIL", "有效期至"),
    "column.desc": ("REMARK", "备注"),
}
