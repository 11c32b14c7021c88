"""What every HTTP server counts, for those who read figures before one is imported."""

COUNTERS = ("http.too_slow", "http.gave_way", "http.too_many")
