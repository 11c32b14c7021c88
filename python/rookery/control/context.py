"""Everything that operations and background work of one process need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.storage.database import Database

if TYPE_CHECKING:
    from rookery.access.own_certificates import Certificates
    from rookery.control.accounts.invitations import Invitations
    from rookery.control.accounts.passwords import Passwords
    from rookery.control.accounts.resets import Resets
    from rookery.control.accounts.second_factors import SecondFactors
    from rookery.control.accounts.sessions import Sessions
    from rookery.control.accounts.users import Users
    from rookery.control.adoption import Adoption
    from rookery.control.alarms.alarms import Alarms
    from rookery.control.audit.service import AuditTrail
    from rookery.control.commands.service import Commands
    from rookery.control.distribution.distribution import Distribution
    from rookery.control.edges.adoption import Edges
    from rookery.control.logs.service import LogService
    from rookery.control.mail.outbox import Outbox
    from rookery.control.mail.service import Mailer
    from rookery.control.monitoring.service import Monitoring
    from rookery.control.oidc.service import Oidc
    from rookery.control.processes.once import Once
    from rookery.control.processes.signals import Signals
    from rookery.control.quota.service import QuotaService
    from rookery.control.server_certificate import ServerCertificate
    from rookery.control.settings.address import AccessAddress
    from rookery.control.setup.service import SetupService
    from rookery.control.tenancy.members import Members
    from rookery.control.tenancy.service import TenancyService
    from rookery.control.tokens.service import Tokens
    from rookery.control.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlContext:
    """The services of one process. Put together by ``rookery.control.assembly``.

    Attributes:
        process_id: Of this run; another run has another.
        certificates: The files: what the ports show, and the authority that agents are told to trust.
        server_certificate: Keeps what the ports show fit for the access address.
    """

    config: ControlConfig
    clock: Clock
    process_id: str
    database: Database
    certificates: Certificates
    server_certificate: ServerCertificate
    once: Once
    signals: Signals
    audit: AuditTrail
    passwords: Passwords
    sessions: Sessions
    users: Users
    tokens: Tokens
    setup: SetupService
    tenancy: TenancyService
    adoption: Adoption
    edges: Edges
    distribution: Distribution
    monitoring: Monitoring
    alarms: Alarms
    commands: Commands
    quota: QuotaService
    logs: LogService
    members: Members
    access_address: AccessAddress
    invitations: Invitations
    resets: Resets
    factors: SecondFactors
    oidc: Oidc
    vault: Vault
    mailer: Mailer
    outbox: Outbox
