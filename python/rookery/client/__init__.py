"""Asks a running node over HTTP: what ``rookery`` on the command line does with it."""
