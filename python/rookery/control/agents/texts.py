"""What agents are told when they are refused, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from rookery.control.agents.registration import TokenState
from rookery.control.errors import Text

BAD_TOKEN: Mapping[TokenState, Text] = {
    TokenState.NONE: Text(
        "the registration token is not known; issue one on the page of the cluster",
        "注册令牌无效，请在集群页面重新签发",
    ),
    TokenState.USED: Text(
        "the registration token was used already; issue another one on the page of the cluster",
        "注册令牌已被使用，请在集群页面重新签发",
    ),
    TokenState.REVOKED: Text(
        "the registration token was revoked, or replaced by a newer one",
        "注册令牌已被吊销，或已被新令牌取代",
    ),
    TokenState.EXPIRED: Text(
        "the registration token has expired; issue another one on the page of the cluster",
        "注册令牌已过期，请在集群页面重新签发",
    ),
}
OCCUPIED = Text(
    "another agent is registered for this cluster ({host}); re-register on the page of the cluster to replace it",
    "该集群已由其他代理注册（{host}）；如需更换，请在集群页面使用“重新注册”",
)
IS_DELETING = Text("the cluster is being deleted", "该集群正在删除")
NO_BEARER = Text(
    "say who asks: Authorization: Bearer TOKEN", "缺少凭据：Authorization: Bearer TOKEN"
)
BAD_BEARER = Text("nobody knows this agent's token", "代理令牌无效")
REMOVED = Text("the agent was removed: {reason}", "代理已被移除：{reason}")
WRONG_KIND = Text(
    "the token is for a cluster, this agent is none of a cluster", "该令牌用于集群，代理类型不符"
)
