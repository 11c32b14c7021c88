"""REST about clients: lists, details, and what an operator does to one."""
