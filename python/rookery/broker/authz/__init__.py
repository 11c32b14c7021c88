"""What clients may do: sources of authorization, built-in rules and asking why, over REST."""
