"""Who may manage the node: users of the dashboard, API keys, tokens, sign-in codes.

Nothing here has to do with clients of MQTT; those are in ``rookery.access``.
"""

from rookery.broker.admins.service import AdminService

__all__ = ["AdminService"]
