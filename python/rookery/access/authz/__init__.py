"""Authorization that the core's rules cannot decide: services and databases, and who asks them."""

from __future__ import annotations

from rookery.access.authz.authorizer import AuthzAnswer, AuthzStep, RemoteAuthorizer
from rookery.access.authz.request import AuthzRequest
from rookery.access.authz.rule_store import RuleOwner, RuleStore
from rookery.access.authz.source import Finding, Source

__all__ = [
    "AuthzAnswer",
    "AuthzRequest",
    "AuthzStep",
    "Finding",
    "RemoteAuthorizer",
    "RuleOwner",
    "RuleStore",
    "Source",
]
