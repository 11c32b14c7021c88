"""Links to other clusters of a running node: what is defined, how it does."""
