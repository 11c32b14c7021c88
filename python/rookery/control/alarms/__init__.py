"""Alarms of projects: what is wrong, who is told, and what was done about it."""
