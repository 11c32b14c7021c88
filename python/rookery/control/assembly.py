"""Makes the services of a control plane, and opens them in the order in which they need each other.

A feature comes in here with a line in :func:`make`, and one in :func:`parts` where it has to be opened.
Its operations are one line in ``rookery.control.features``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from rookery.access.own_certificates import Certificates
from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.control.accounts.invitations import Invitations
from rookery.control.accounts.passwords import Passwords
from rookery.control.accounts.resets import Resets
from rookery.control.accounts.second_factors import SecondFactors
from rookery.control.accounts.sessions import Sessions
from rookery.control.accounts.users import Users
from rookery.control.adoption import Adoption
from rookery.control.agents.downloads import AgentFile
from rookery.control.alarms.alarms import Alarms
from rookery.control.audit.service import AuditTrail
from rookery.control.clusters.store import has_clusters
from rookery.control.context import ControlContext
from rookery.control.edges.store import has_services
from rookery.control.logs.service import SWEEP_S as LOGS_SWEEP_S
from rookery.control.logs.service import LogService
from rookery.control.mail.outbox import SWEEP_S as MAIL_S
from rookery.control.mail.outbox import Outbox
from rookery.control.mail.service import Mailer
from rookery.control.monitoring.service import Monitoring
from rookery.control.oidc.service import Oidc
from rookery.control.processes.once import Once
from rookery.control.processes.presence import Presence
from rookery.control.processes.signals import Signals
from rookery.control.server_certificate import ServerCertificate
from rookery.control.settings.address import AccessAddress
from rookery.control.setup.service import SetupService
from rookery.control.tenancy.members import Members
from rookery.control.tenancy.service import TenancyService
from rookery.control.tokens.service import Tokens
from rookery.control.vault import Vault
from rookery.errors import StartError
from rookery.storage.database import Database
from rookery.storage.engine import url_of
from rookery.storage.ids import new_id

DATABASE_FILE = "control.db"
SWEEP_S = 600.0
EXPIRING = ("sessions", "invitations", "password resets", "sign-ins elsewhere")
"""What people are given for a while, as the status names the work that drops it."""


class Part(Protocol):
    """What runs while the control plane does."""

    async def open(self) -> None:
        """Begin on the running loop.

        Raises:
            StartError: it cannot.
        """
        ...

    async def close(self) -> None:
        """May be called twice."""
        ...


def database_of(config: ControlConfig) -> Database:
    """The database that the configuration names, not open yet.

    Raises:
        StartError: its address is none.
    """
    return Database(url_of(config.database.reveal(), config.data_dir / DATABASE_FILE))


def existing_database(config: ControlConfig) -> Database:
    """The same; a file has to be there, for a wrong directory must not become a new database.

    Raises:
        StartError: its address is none, or there is no such file.
    """
    database = database_of(config)
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        raise StartError(f"there is no control plane in {config.data_dir}")
    return database


def make(
    config: ControlConfig,
    clock: Clock,
    certificates: Certificates,
    *,
    agent_file: AgentFile,
) -> ControlContext:
    """Make the services; nothing is open yet. ``agent_file`` is what agents are downloaded as.

    Raises:
        StartError: the address of the database is none.
    """
    database = database_of(config)
    process_id = new_id()
    audit = AuditTrail(clock)
    passwords = Passwords()
    once = Once(database, clock, process_id)
    signals = Signals(database, process_id)
    vault = Vault(database, clock, config.data_dir)
    sessions = Sessions(database, clock, audit, passwords, vault)
    users = Users(database, clock, audit, passwords, sessions)
    tenancy = _tenancy(database, clock, audit)
    server_certificate = ServerCertificate(certificates, database)
    core = (config, clock, process_id, database)
    adoption = Adoption(
        *core, certificates, audit, once, signals, server_certificate, vault, agent_file=agent_file
    )
    logs = LogService(database, clock, config.data_dir, vault, signals)
    _take_logs(logs, adoption, once)
    outbox = Outbox(database, clock, vault, mailer := Mailer(database, clock, vault))
    invitations = Invitations(database, clock, audit, users, outbox)
    resets = Resets(database, clock, audit, users, sessions, outbox)
    oidc = Oidc(database, clock, audit, vault, sessions, invitations)
    _sweep(once, outbox, sessions, invitations, resets, oidc)
    alarms = Alarms(*core, audit, once, vault, signals)
    _tell(adoption, alarms, server_certificate)
    return ControlContext(
        config=config,
        clock=clock,
        process_id=process_id,
        database=database,
        certificates=certificates,
        server_certificate=server_certificate,
        once=once,
        signals=signals,
        audit=audit,
        passwords=passwords,
        sessions=sessions,
        users=users,
        tokens=Tokens(database, clock, audit),
        setup=SetupService(database, clock, audit, passwords),
        tenancy=tenancy,
        adoption=adoption,
        edges=adoption.edges,
        distribution=adoption.distribution,
        monitoring=Monitoring(config, clock, database, adoption, once),
        alarms=alarms,
        commands=adoption.commands,
        quota=adoption.quota,
        logs=logs,
        members=Members(database, clock, audit, users),
        access_address=AccessAddress(database, clock),
        invitations=invitations,
        resets=resets,
        factors=SecondFactors(database, clock, audit, vault, sessions),
        oidc=oidc,
        vault=vault,
        mailer=mailer,
        outbox=outbox,
    )


def _tenancy(database: Database, clock: Clock, audit: AuditTrail) -> TenancyService:
    """A project that has something is not deleted."""
    tenancy = TenancyService(database, clock, audit)
    tenancy.keeps_project(has_clusters)
    tenancy.keeps_project(has_services)
    return tenancy


def _tell(adoption: Adoption, alarms: Alarms, certificate: ServerCertificate) -> None:
    """Who hears of what was reported, and of another certificate."""
    adoption.intake.tells(alarms.evaluation.heard)
    adoption.edges.intake.tells(alarms.edges.heard)
    certificate.tells(adoption.relay.take_certificate)


class _Expiring(Protocol):
    """What people are given for a while."""

    async def drop_expired(self) -> None: ...


def _sweep(once: Once, outbox: Outbox, *given: _Expiring) -> None:
    """What waits is sent, what is over is dropped."""
    once.every("mail", MAIL_S, outbox.send_due)
    for what, part in zip(EXPIRING, given, strict=True):
        once.every(what, SWEEP_S, part.drop_expired)


def _take_logs(logs: LogService, adoption: Adoption, once: Once) -> None:
    """What agents send is kept, and they are told so."""
    logs.answers(adoption.answer_logs)
    adoption.agents.hears_logs(logs.intake.heard)
    adoption.edges.link.hears_logs(logs.intake.heard)
    once.every("logs", LOGS_SWEEP_S, logs.sweep)


def parts(control: ControlContext) -> Sequence[Part]:
    """What is opened, in this order, and closed in the other."""
    return (
        control.database,
        control.vault,
        control.outbox,
        control.resets,
        control.adoption.neighbours,
        Presence(
            control.database,
            control.clock,
            control.process_id,
            announced=control.adoption.neighbours.announced,
            also=control.server_certificate.look,
        ),
        control.alarms,
        # Before agents are let in, who send logs at once.
        control.logs,
        control.signals,
        control.adoption,
        control.distribution,
        # Last: background work finds everything else open.
        control.once,
    )


@contextlib.asynccontextmanager
async def opened(control: ControlContext) -> AsyncIterator[ControlContext]:
    """Everything runs while the block does.

    Raises:
        StartError: something cannot; nothing is left open.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(control.passwords.close)
        for part in parts(control):
            stack.push_async_callback(part.close)
            await part.open()
        yield control
