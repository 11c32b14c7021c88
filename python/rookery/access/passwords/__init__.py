"""Passwords: how they are stored, verified, and how much of that happens at once."""
