"""REST about topic rewrite."""
