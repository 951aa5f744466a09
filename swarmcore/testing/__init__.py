"""The public test kit: an embedded engine, builders, contracts, a lab of real engines."""
