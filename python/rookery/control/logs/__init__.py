"""The logs of clusters: taken from agents, kept, found again."""
