"""Runs nodes: one task for each driver, so that none waits for another's device."""
