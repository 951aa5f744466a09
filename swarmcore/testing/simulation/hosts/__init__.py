"""The machines of a simulation, and the network between them."""
