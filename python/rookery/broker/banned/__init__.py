"""Who is kept out, over REST."""
