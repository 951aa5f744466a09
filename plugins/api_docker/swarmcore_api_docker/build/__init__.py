"""Building images: the classic builder, and BuildKit with its sessions."""
