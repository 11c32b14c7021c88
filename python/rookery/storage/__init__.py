"""The database of a role: engine, unit of work, migrations.

Owns how one is opened, written to and brought up to date. Knows no table: those belong to the
features, which describe them on :class:`rookery.storage.base.Base`.
"""
