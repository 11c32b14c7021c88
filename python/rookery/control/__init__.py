"""The role of a control plane: tenants, users, and the clusters that they adopt.

Never imports the role ``broker``: it knows clusters by what their agents say.
"""
