"""One file per feature, numbered; a released one is never edited."""
