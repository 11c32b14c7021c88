"""Brings the tables of a database up to date.

Whether they are is found out without what brings them there: that takes longer to import than all the rest
of a database, and most starts find nothing to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from rookery.errors import StartError

FOLDER = Path(__file__).resolve().parent / "migrations"


HEAD = "head"
VERSIONS = "alembic_version"
"""The table that says what the others are."""


def revision_of(connection: Connection) -> str:
    """What its tables are; empty: nobody has made any."""
    if not inspect(connection).has_table(VERSIONS):
        return ""
    return connection.scalar(text(f"SELECT version_num FROM {VERSIONS}")) or ""  # noqa: S608 - ours


def newest() -> str:
    """The revision of the last migration: the files are named after theirs, which grow."""
    return max(file.name for file in FOLDER.glob("versions/[0-9]*.py")).partition("_")[0]


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Bring it up to date, or to a revision, in the transaction of this connection.

    Raises:
        StartError: a newer version wrote it.
    """
    found = revision_of(connection)
    if revision != HEAD or found != newest():
        _upgrade(connection, found, revision)


def _upgrade(connection: Connection, found: str, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - takes its time
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {revision.revision for revision in ScriptDirectory(str(FOLDER)).walk_revisions()}
    for wanted in (found, "" if revision == HEAD else revision):
        if wanted and wanted not in known:
            raise StartError(
                f"the database was written by a newer version of Rookery (its tables are {wanted}): "
                "use that version, or restore a backup of this one"
            )
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StartError(f"the tables cannot be brought up to date: {error}") from error
