"""What producers and consumers of Kafka have in common. Not a type of connector."""
