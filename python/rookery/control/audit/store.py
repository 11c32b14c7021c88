"""The table of the audit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base


class AuditRow(Base):
    """One thing that somebody did. Names are kept as they were: what they name may be gone."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_org_id_at", "org_id", "at"),
        Index("ix_audit_project_id_at", "project_id", "at"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[int] = mapped_column(index=True)
    operator_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    operator_name: Mapped[str] = mapped_column(String(254))
    via: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    resource: Mapped[str] = mapped_column(String(32))
    operation: Mapped[str] = mapped_column(String(32))
    result: Mapped[str] = mapped_column(String(16))
    org_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    org_name: Mapped[str] = mapped_column(String(200))
    project_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    project_name: Mapped[str] = mapped_column(String(200))
    object_id: Mapped[str] = mapped_column(String(64))
    object_name: Mapped[str] = mapped_column(String(254))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
