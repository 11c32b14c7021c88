"""HTTP glue for every role: serving, errors as answers, paging. Knows no resource.

Its modules load the web framework. A node imports them after its listeners accept clients.
"""
