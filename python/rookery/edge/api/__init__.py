"""The operations of an edge service, a module for each noun. Paths and members are those of Neuron."""
