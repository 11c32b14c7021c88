"""Follows the log files of a cluster's node and sends what is written there.

Nothing is lost and nothing is told twice, whatever ends in between: a file is known by an id of its
own as long as it lives, a record by the octet at which it begins, and both are remembered on disk.
What the control plane has not confirmed is read again, from the file: only a few batches are ever
in memory.
"""
