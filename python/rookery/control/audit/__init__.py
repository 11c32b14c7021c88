"""What was changed, by whom, from where: rows that are only ever added."""
