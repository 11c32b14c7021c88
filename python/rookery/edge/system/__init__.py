"""About the edge service itself: its log, its figures, the machine it runs on."""
