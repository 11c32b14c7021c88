"""The section ``log-receiver``: whether logs are taken, where they are kept, and for how long."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.contracts.agent_logs import SEVERITIES
from rookery.control.logs.models import Retention
from rookery.control.settings import store
from rookery.control.vault import Vault

LOG_RECEIVER = "log-receiver"
RETENTION_DAYS = 7
RETENTION_BYTES = 5 << 30
INDEX_PREFIX = "rookery-logs"


@dataclass(frozen=True, slots=True)
class SearchServer:
    """An Elasticsearch or OpenSearch. ``url`` is empty where there is none.

    Attributes:
        password: Sealed, see :meth:`sealed`.
        ca: Certificates that are trusted instead of those of the system, PEM.
        is_verified: Whether its certificate is checked.
    """

    url: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    index_prefix: str = INDEX_PREFIX
    ca: str = ""
    is_verified: bool = True

    def sealed(self, vault: Vault) -> SearchServer:
        """With its password as it is kept.

        Raises:
            OutOfReachError: this process cannot seal.
        """
        kept = vault.seal(self.password, LOG_RECEIVER) if self.password else ""
        return replace(self, password=kept)

    def unsealed(self, vault: Vault) -> SearchServer:
        """With its password as it is sent.

        Raises:
            OutOfReachError: this process cannot read it.
        """
        known = vault.unseal(self.password, LOG_RECEIVER) if self.password else ""
        return replace(self, password=known)


@dataclass(frozen=True, slots=True)
class Receiver:
    """As it is set.

    Attributes:
        level: The least severe level that is kept.
        retention_bytes: Of the built-in store.
        project_bytes: Of that, what one project may take; none: whatever the others leave.
        uses_search: Whether ``search`` keeps the logs, not the built-in store.
    """

    is_enabled: bool = True
    level: str = SEVERITIES[-1]
    retention_days: int = RETENTION_DAYS
    retention_bytes: int = RETENTION_BYTES
    project_bytes: int | None = None
    uses_search: bool = False
    search: SearchServer = field(default_factory=SearchServer)

    @property
    def severity_max(self) -> int:
        return SEVERITIES.index(self.level)

    @property
    def retention(self) -> Retention:
        return Retention(self.retention_days, self.retention_bytes, self.project_bytes)

    def plain(self) -> dict[str, Any]:
        """For the audit, which hides the password by its name."""
        return asdict(self)


async def read(session: AsyncSession) -> Receiver:
    """As it holds."""
    kept = await store.value_of(session, LOG_RECEIVER)
    if kept is None:
        return Receiver()
    search = SearchServer(**kept.pop("search"))
    return Receiver(**kept, search=search)


async def write(session: AsyncSession, receiver: Receiver, now_ms: int) -> None:
    await store.put(session, LOG_RECEIVER, asdict(receiver), now_ms)
