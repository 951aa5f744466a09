"""HTTP/1.1: what is said to engines and to clients, and how."""
