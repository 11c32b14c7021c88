"""What load balancers ask, over REST. A node alone is never emptied into others."""
