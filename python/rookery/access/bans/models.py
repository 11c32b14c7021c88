"""What a ban is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rookery.native.config import Ban, BanKind

KINDS: Final[tuple[BanKind, ...]] = (
    "clientid", "username", "peerhost", "peerhost_net", "clientid_re", "username_re",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BanEntry:
    """A ban and how it came about; ``until_ms`` since 1970, none: for ever."""

    kind: BanKind
    who: str
    by: str = ""
    reason: str = ""
    at_ms: int
    until_ms: int | None = None

    def to_native(self) -> Ban:
        return Ban(kind=self.kind, who=self.who, until_ms=self.until_ms, reason=self.reason)
