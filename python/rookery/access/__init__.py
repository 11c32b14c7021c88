"""Access control: who clients are, what they may do, and who is kept out.

The core decides what data can decide (rules, bans, quotas); this package makes that data from files
and stores, and answers what needs a service, a database or a password. It knows no socket of a
client and no role.
"""

DATABASE_FILE = "access.db"
"""Users, rules and bans, in the data directory."""
ADMINS_FILE = "admins.db"
"""Users of the dashboard and API keys, in the data directory."""
