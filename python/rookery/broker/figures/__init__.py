"""Counters and gauges of the nodes."""
