"""A copy of everything that a control plane knows, in one file."""
