"""What is said about clusters: what a caller gives, and what a list shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rookery.control.agents.registration import RegistrationToken
from rookery.control.agents.store import AgentRow
from rookery.control.clusters.store import (
    ADDRESS_LENGTH_MAX,
    DESCRIPTION_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    LABELS_MAX,
    NAME_LENGTH_MAX,
    ClusterRow,
)
from rookery.control.errors import InvalidError, Text

BAD_NAME = Text(
    "a name has 1 to {longest} characters, none of them a control character",
    "名称为 1 至 {longest} 个字符，不能包含控制字符",
)
BAD_ADDRESS = Text(
    "the address is http:// or https:// with a host, without user name, password and query",
    "地址应为 http:// 或 https:// 加主机名，不含用户名、密码和查询参数",
)
BAD_LABELS = Text(
    "at most {most} labels of 1 to {longest} letters, digits and . _ - = /",
    "最多 {most} 个标签，每个 1 至 {longest} 个字符，可用字母、数字和 . _ - = /",
)
BAD_DESCRIPTION = Text(
    "a description has at most {longest} characters", "描述最多 {longest} 个字符"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LABEL = re.compile(r"[\w.=/-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody says about a cluster.

    Attributes:
        name: Its name, one of a kind in its project.
        address: Where its dashboard is, for the link in the list; empty: not known.
        description: For people.
        labels: Words to find it by.
    """

    name: str
    address: str = ""
    description: str = ""
    labels: Sequence[str] = ()

    def checked(self) -> Entry:
        """The same, as it is stored.

        Raises:
            InvalidError: something may not be so.
        """
        name = self.name.strip()
        if not 1 <= len(name) <= NAME_LENGTH_MAX or _CONTROL.search(name):
            raise InvalidError(BAD_NAME, longest=NAME_LENGTH_MAX)
        if len(self.description) > DESCRIPTION_LENGTH_MAX or "\x00" in self.description:
            raise InvalidError(BAD_DESCRIPTION, longest=DESCRIPTION_LENGTH_MAX)
        labels = sorted(set(self.labels))
        if len(labels) > LABELS_MAX or not all(
            len(label) <= LABEL_LENGTH_MAX and _LABEL.fullmatch(label) for label in labels
        ):
            raise InvalidError(BAD_LABELS, most=LABELS_MAX, longest=LABEL_LENGTH_MAX)
        return Entry(name, _address(self.address.strip()), self.description.strip(), labels)


def _address(address: str) -> str:
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise InvalidError(BAD_ADDRESS) from None
    is_plain = parts.username is None and parts.password is None
    # A page of the dashboard is named behind the address.
    is_plain = is_plain and "?" not in address and "#" not in address
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not (is_plain and has_port)
        or len(address) > ADDRESS_LENGTH_MAX
        or _CONTROL.search(address)
        or " " in address
    ):
        raise InvalidError(BAD_ADDRESS)
    return address.rstrip("/")


@dataclass(frozen=True, slots=True)
class Cluster:
    """An entry with everything that is shown of it.

    Attributes:
        row: The entry itself.
        labels: Its labels, in order.
        agent: Its agent, if one registered.
        token: Its newest registration token.
        now_ms: When this was read.
    """

    row: ClusterRow
    labels: Sequence[str] = ()
    agent: AgentRow | None = None
    token: RegistrationToken | None = None
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which clusters of a project, and in which order.

    Attributes:
        search: Part of the name, the address, the description or the version.
        states: Only those in one of these states.
        versions: Only those of one of these versions.
        labels: Only those with all of these labels.
        sort: Name of a column that lists can be sorted by.
        is_descending: Whether the largest comes first.
        offset: Rows to leave out.
        size: Rows at most.
    """

    search: str = ""
    states: Sequence[str] = field(default_factory=tuple)
    versions: Sequence[str] = field(default_factory=tuple)
    labels: Sequence[str] = field(default_factory=tuple)
    sort: str = "name"
    is_descending: bool = False
    offset: int = 0
    size: int = 30
