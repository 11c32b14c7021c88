"""Sends e-mail: which server does it, messages that have to arrive, and those that are tried."""
