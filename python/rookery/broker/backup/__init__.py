"""Everything that was set up on a node in one file, and back again."""

from rookery.broker.backup.service import Backups

__all__ = ["Backups"]
