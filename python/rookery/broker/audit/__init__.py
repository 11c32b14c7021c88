"""Who changed what on this node."""

from rookery.broker.audit.log import (
    AUDIT_FILE,
    FILE_BYTES_MAX,
    FILES_MAX,
    MASKED,
    AuditLog,
    Changes,
    changed,
    masked,
    one_entry,
)

__all__ = [
    "AUDIT_FILE",
    "FILES_MAX",
    "FILE_BYTES_MAX",
    "MASKED",
    "AuditLog",
    "Changes",
    "changed",
    "masked",
    "one_entry",
]
