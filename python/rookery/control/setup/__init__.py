"""The first visit: makes the administrator."""
