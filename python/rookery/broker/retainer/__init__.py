"""REST about retained messages."""
