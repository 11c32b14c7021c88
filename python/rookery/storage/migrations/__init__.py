"""Run by Alembic: ``env.py`` on each upgrade, and what is below ``versions`` in its order."""
