"""Brings the tables of a database up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from rookery.errors import StartError

FOLDER = Path(__file__).resolve().parent / "migrations"


HEAD = "head"


def revision_of(connection: Connection) -> str:
    """What its tables are; empty: nobody has made any."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Bring it up to date, or to a revision, in the transaction of this connection.

    Raises:
        StartError: a newer version wrote it.
    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {revision.revision for revision in ScriptDirectory(str(FOLDER)).walk_revisions()}
    for found in (revision_of(connection), "" if revision == HEAD else revision):
        if found and found not in known:
            raise StartError(
                f"the database was written by a newer version of Rookery (its tables are {found}): "
                "use that version, or restore a backup of this one"
            )
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StartError(f"the tables cannot be brought up to date: {error}") from error
