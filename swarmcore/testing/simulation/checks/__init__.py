"""What must hold in a simulation."""
