"""The cache of one engine's objects: how it is read and kept up to date."""
