"""Dashboards of clusters that browsers cannot reach: each on a port of control, through the tunnel.

A port is an origin of its own, so the pages of a cluster get at nothing of control or of another
cluster. What lets somebody in ends with that one's session at control.
"""
