"""Certificates of listeners: until when they hold, and reading them again."""

from rookery.broker.certificates.service import CertificateService

__all__ = ["CertificateService"]
