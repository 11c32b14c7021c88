"""The configuration of an edge service as a file: JSON of all of it, a workbook of tags."""
