"""What the feature of API tokens tells people."""

from __future__ import annotations

from rookery.control.errors import Text

NO_TOKEN = Text("there is no such token", "令牌不存在")
TAKEN = Text("there is a token {name} already", "令牌 {name} 已存在")
TOKENS_MAX = Text("there are {most} tokens already", "令牌数已达上限 {most}")
EXPIRY = Text(
    "a token expires within a year, and not in the past", "令牌有效期须在未来且不超过一年"
)
PROJECT_ALONE = Text(
    "a project is named along with its organization", "指定项目时须同时指定所属组织"
)
