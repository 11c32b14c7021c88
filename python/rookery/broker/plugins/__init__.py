"""Plugins of a node: installed, ordered, and run in processes of their own."""
