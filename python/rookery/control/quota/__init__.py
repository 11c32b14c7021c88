"""Connection quota: how many clients the clusters together and each of them may have."""
