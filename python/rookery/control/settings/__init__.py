"""What is set for the whole control plane while it runs."""
