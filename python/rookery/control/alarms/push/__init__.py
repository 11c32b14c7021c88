"""Tells people about alarms: who, when, by which way, and what became of it."""
