"""REST about delayed messages."""
