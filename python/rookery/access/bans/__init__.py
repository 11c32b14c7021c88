"""Who is kept out: by client identifier, user name, address, network or regular expression."""

from rookery.access.bans.models import KINDS, BanEntry
from rookery.access.bans.service import BanService, read_bans

__all__ = ["KINDS", "BanEntry", "BanService", "read_bans"]
