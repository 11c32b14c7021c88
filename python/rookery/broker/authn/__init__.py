"""Who clients are: providers of authentication and their users, over REST."""
