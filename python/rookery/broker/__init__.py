"""The role ``broker``: one node's management plane around the native core."""
