"""API tokens: what programs say who they are with."""
