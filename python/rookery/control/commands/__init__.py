"""Commands: what is to be changed at a cluster, kept until it is known how it went."""
