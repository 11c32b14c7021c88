"""Makes the services of a control plane, and opens them in the order in which they need each other.

A feature comes in here with a line in :func:`make`, and one in :func:`parts` where it has to be opened.
Its operations are one line in ``rookery.control.features``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.control.accounts.passwords import Passwords
from rookery.control.accounts.sessions import Sessions
from rookery.control.accounts.users import Users
from rookery.control.adoption import Adoption
from rookery.control.agents.downloads import AgentFile
from rookery.control.audit.service import AuditTrail
from rookery.control.certificates import Certificates
from rookery.control.clusters.store import has_clusters
from rookery.control.context import ControlContext
from rookery.control.processes.once import Once
from rookery.control.processes.presence import Presence
from rookery.control.server_certificate import ServerCertificate
from rookery.control.settings.address import AccessAddress
from rookery.control.setup.service import SetupService
from rookery.control.tenancy.members import Members
from rookery.control.tenancy.service import TenancyService
from rookery.control.tokens.service import Tokens
from rookery.errors import StartError
from rookery.storage.database import Database
from rookery.storage.engine import url_of
from rookery.storage.ids import new_id

DATABASE_FILE = "control.db"
SWEEP_S = 600.0


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
    sessions = Sessions(database, clock, audit, passwords)
    once.every("sessions", SWEEP_S, sessions.drop_expired)
    users = Users(database, clock, audit, passwords, sessions)
    tenancy = TenancyService(database, clock, audit)
    tenancy.keeps_project(has_clusters)
    adoption = Adoption(
        config,
        clock,
        process_id,
        database,
        certificates,
        audit,
        once,
        agent_file=agent_file,
    )
    server_certificate = ServerCertificate(certificates, database)
    server_certificate.tells(adoption.relay.take_certificate)
    return ControlContext(
        config=config,
        clock=clock,
        process_id=process_id,
        database=database,
        certificates=certificates,
        server_certificate=server_certificate,
        once=once,
        audit=audit,
        passwords=passwords,
        sessions=sessions,
        users=users,
        tokens=Tokens(database, clock, audit),
        setup=SetupService(database, clock, audit, passwords),
        tenancy=tenancy,
        adoption=adoption,
        members=Members(database, clock, audit, users),
        access_address=AccessAddress(database, clock),
    )


def parts(control: ControlContext) -> Sequence[Part]:
    """What is opened, in this order, and closed in the other."""
    return (
        control.database,
        Presence(
            control.database,
            control.clock,
            control.process_id,
            also=control.server_certificate.look,
        ),
        control.adoption,
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
