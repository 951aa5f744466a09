"""What is known of one engine's objects, and how it is read and kept current."""
