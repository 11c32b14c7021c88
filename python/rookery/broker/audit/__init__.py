"""Who changed what on this node."""

from rookery.broker.audit.log import (
    AUDIT_FILE,
    FILE_BYTES_MAX,
    FILES_MAX,
    LOCAL,
    MASKED,
    AuditLog,
    Changes,
    asked_by,
    changed,
    hide,
    keep_no_body,
    masked,
    one_entry,
    unread,
    without_keys,
)

__all__ = [
    "AUDIT_FILE",
    "FILES_MAX",
    "FILE_BYTES_MAX",
    "LOCAL",
    "MASKED",
    "AuditLog",
    "Changes",
    "asked_by",
    "changed",
    "hide",
    "keep_no_body",
    "masked",
    "one_entry",
    "unread",
    "without_keys",
]
