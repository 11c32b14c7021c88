"""The whole configuration over REST: what holds, from where, and changing any of it."""
